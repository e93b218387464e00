// How a vector is kept in few bytes, whatever structure it is kept in: a graph or lists hand a row
// over, get bytes back, and later ask for the inner products of a query with many of them.
// Holds: codes of one codec have one length; estimates order rows nearly as the exact products do,
// the structure measures the best again from raw rows. Called by the builders (train, encode) and
// the searches. Threads: immutable after training; a CodecQuery belongs to one thread.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "base/status.h"
#include "index/vector/vectors.h"

namespace elanus::index {

/// On disk: never renumber.
enum class CodecKind : uint8_t {
  kOwn = 0,     ///< the structure's: int8 codes (FLAT, HNSW, IVF_FLAT), 4-bit words (IVF_PQ, SCANN)
  kPacked = 1,  ///< whole numbers of 1 to 8 bits with a scale a row: SQ4U, SQ6, SQ8
  kFloat16 = 2,   ///< SQ with fp16
  kBfloat16 = 3,  ///< SQ with bf16
  kProduct = 4,   ///< PQ; with more than one round PRQ
  kRabitq = 5,    ///< a rotated sign and up to 8 bits more a dimension; lists only
};
inline constexpr size_t kCodecKinds = 6;

/// Bits of kOwn by which a graph asks for half bytes where they save cache lines (graph_codes.h).
inline constexpr int kHalfByte = 4;

struct CodecParams {
  CodecKind kind = CodecKind::kOwn;
  int bits = 8;    ///< kOwn in a graph: 8 or kHalfByte; kPacked: 1 to 8; kProduct: of a word's
                   ///< number, 1 to 16; kRabitq: 1 to 9
  int parts = 1;   ///< kProduct: pieces of a row, a divisor of the dimension
  int rounds = 1;  ///< kProduct: words a part, each for what the words before left, 1 to 16

  friend bool operator==(const CodecParams&, const CodecParams&) = default;
};

/// Milvus' rule: no more words than rows to learn them from.
int ProductBitsFor(int bits, size_t rows);

/// A query as a codec wants it; keeps its memory between queries.
struct CodecQuery {
  std::vector<float> floats;  // the query, or tables of it
  std::vector<int8_t> bytes;
  float scale = 0;
  float sum = 0;
};

class Codec {
 public:
  virtual ~Codec() = default;

  const CodecParams& params() const { return params_; }
  size_t dim() const { return dim_; }
  /// Bytes of a code.
  virtual size_t code_bytes() const = 0;

  virtual void Encode(const float* x, uint8_t* code) const = 0;
  /// What the code stands for: float[dim].
  virtual void Decode(const uint8_t* code, float* x) const = 0;

  virtual void Prepare(const float* query, CodecQuery& q) const = 0;
  /// out[i]: the query times row ids[i], or row i when ids is null, about. Rows are code_bytes()
  /// apart.
  virtual void Products(const CodecQuery& q, const uint8_t* codes, const uint32_t* ids,
                        size_t count, float* out) const = 0;

  /// What Read needs beside params() and dim(); floats.
  virtual std::span<const float> numbers() const { return {}; }

 protected:
  Codec(const CodecParams& params, size_t dim) : params_(params), dim_(dim) {}

  CodecParams params_;
  size_t dim_;
};

/// Learns a codec (any but kOwn and kRabitq) from float[n][dim], n >= 1. Errors: kCanceled.
Result<std::unique_ptr<Codec>> TrainCodec(const CodecParams& params, std::span<const float> rows,
                                          size_t dim, uint64_t seed, const std::stop_token& stop);

/// The codec that had these numbers. Errors: kDataIntegrity when it cannot be.
Result<std::unique_ptr<Codec>> ReadCodec(const CodecParams& params, size_t dim,
                                         std::span<const float> numbers);

/// Bytes of a code, without training.
uint64_t CodeBytesOf(const CodecParams& params, size_t dim);
/// How many numbers() there will be.
uint64_t CodecNumbersOf(const CodecParams& params, size_t dim);

}  // namespace elanus::index
