// All rows of a graph by a codec of its own (HNSW_SQ, HNSW_PQ, HNSW_PRQ), less their mean, and how
// far a query is from them: distances rounded to whole numbers like those of the int8 codes, so
// that one beam serves both.
//   L2:          |y|^2 - 2 q'.y   with y = x - mean, q' = q - mean; |y|^2 is kept a row
//   IP, COSINE:  -q.y; q.mean is the same for all rows; for COSINE rows are of unit length first
// Threads: immutable.
#pragma once

#include "index/vector/codec.h"
#include "index/vector/vector_index.h"

namespace elanus::index {

/// A query, and how large a step of its keys is.
struct CodedQuery {
  CodecQuery codec;
  float keys_a_unit = 0;
};

class CodedRows {
 public:
  /// Borrows the sections of `file`. Errors: kDataIntegrity.
  static Result<CodedRows> Read(const IndexFileReader& file);

  const Codec& codec() const { return *codec_; }
  /// Rows whose order by code says little: the beam as a whole is worth an exact look.
  bool coarse() const;

  void Prepare(const float* query, CodedQuery& q) const;
  /// Nearer rows have smaller keys.
  void Keys(const CodedQuery& q, const uint32_t* rows, size_t count, int32_t* out) const;
  CodePlaces places() const {
    return {codes_, stride_, (std::min(stride_, kPrefetchBytes) + 63) / 64};
  }
  void Prefetch(uint32_t row) const {
    const uint8_t* at = codes_ + row * stride_;
    for (size_t byte = 0; byte < stride_ && byte < kPrefetchBytes; byte += 64)
      __builtin_prefetch(at + byte);
    if (terms_ != nullptr) __builtin_prefetch(terms_ + row);
  }

 private:
  static constexpr size_t kPrefetchBytes = 768;  // the hardware follows from there

  std::unique_ptr<Codec> codec_;
  Metric metric_ = Metric::kL2;
  std::vector<float> mean_;
  const uint8_t* codes_ = nullptr;
  const float* terms_ = nullptr;
  size_t stride_ = 0;
  float length_ = 0;  // that rows seldom come near
};

/// Trains params.codec on rows less `mean` and adds the sections that CodedRows::Read wants; what
/// was trained (few rows mean fewer words) goes into `header`. Errors: kCanceled.
Status AddCodedRows(const VectorView& vectors, const BuildParams& params,
                    std::span<const float> mean, const BuildControl& control,
                    IndexFileWriter& writer, IndexHeader& header);

/// The codec a build makes of what was asked for over so many rows.
CodecParams EffectiveCodec(const CodecParams& wanted, size_t rows);

/// Rows that a codec is trained on.
size_t CodecSampleRows(const CodecParams& params, size_t rows);

}  // namespace elanus::index
