// The table of kernels: one function pointer each, filled by scalar/, avx2/ and avx512/.
// Holds: plain data only, since files compiled for different instruction sets include it; no kernel
// calls a member function of it. Rows: `stride` is the distance between two rows' starts, in
// elements (floats or bytes); ids are row numbers from `base`. Int8 rows are "biased": a code c in
// [-127, 127] is stored as the byte c + 128, queries are plain int8; a kernel returns the dot
// product of query and stored bytes as they are, so the code's own dot product is that minus 128 *
// sum(query). Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Instruction sets, weakest first. kAvx512 asks for F, BW, DQ, VL, VBMI, VBMI2, VNNI and VPOPCNTDQ
/// (Ice Lake, Zen 4, newer).
enum class Level : uint8_t { kScalar, kAvx2, kAvx512 };

/// What a stored vector is made of. kBit: eight dimensions a byte.
enum class Element : uint8_t { kFloat32, kFloat16, kBfloat16, kInt8, kBit };
inline constexpr size_t kElements = 5;

/// Squared Euclidean distance and inner product of numbers; Hamming and Jaccard distance of bits.
enum class Measure : uint8_t { kL2, kIp, kHamming, kJaccard };
inline constexpr size_t kMeasures = 4;

/// One query against many stored rows of one element type. The query is float[dim] for the three
/// float types, and what a row is for the other two. `stride`: bytes between the starts of two
/// rows. Error: floats as for float32 (16-bit rows are widened exactly); kInt8 and kHamming: the
/// exact integer, rounded once to float; kJaccard: 1 - |a and b| / |a or b|, and 1 when both are
/// zero.
struct RowKernels {
  /// out[i] for the rows ids[0 .. count).
  void (*rows)(const void* query, const void* base, size_t stride, const uint32_t* ids,
               size_t count, size_t dim, float* out);
  /// out[i] for `count` rows that lie one after another.
  void (*block)(const void* query, const void* rows, size_t stride, size_t count, size_t dim,
                float* out);
};

/// Rows of codes of `bits` (1 .. 8) a dimension, in `blocks` blocks of 64 dimensions and 8 * bits
/// bytes. A code is cut into pieces of 8, 4, 2 and 1 bits, as the bits of `bits` say, the highest
/// first; so are the bytes of a block:
///   8 bits: byte d is dimension d (then there is no other piece)
///   4 bits: byte j holds dimension j in its low and 32 + j in its high half (32 bytes)
///   2 bits: byte j holds dimensions j, 16 + j, 32 + j, 48 + j from the lowest bits on (16 bytes)
///   1 bit: bit d of the little-endian word is dimension d (8 bytes)
struct PackedRows {
  const uint8_t* base;
  size_t stride;
  size_t blocks;
  int bits;
};

/// How a dot product of half bytes becomes a whole number: a row begins with two floats, a factor
/// and a term, and counts
///   (2 * dot - bias) * row's factor * factor + row's term * term,
/// brought to [-most, most] (no number to `most`) and rounded, ties to even.
struct HalfByteScale {
  int32_t bias;
  float factor, term, most;
};

/// Rows of one byte a part.
struct ByteRows {
  const uint8_t* base;
  size_t stride;
  size_t parts;
};

/// Centres of clusters as int8, 64 a block and four dimensions a group:
/// codes[blocks][groups][64][4], zeros for what is missing. A centre's value begins with its start,
/// kNoCentre for a missing one.
struct CentreBlocks {
  static constexpr int32_t kNoCentre = -(1 << 30);

  const int8_t* codes;
  const int32_t* starts;  // [blocks][64]
  size_t blocks, groups;
};

/// A value is base + factor * (offset + scale * sum) + term.
struct ScaledSums {
  float scale, offset, base, bound;
};

struct Kernels {
  Level level;

  /// [Element][Measure]; null where a measure has no meaning for the element.
  RowKernels any[kElements][kMeasures];
  const RowKernels& For(Element element, Measure measure) const {
    return any[static_cast<size_t>(element)][static_cast<size_t>(measure)];
  }

  // Between float32 and the other elements, `count` values. Into 16 bits: to the nearest, ties to
  // even; beyond the range: infinity; a NaN stays one.
  void (*float16_to_float)(const uint16_t* x, size_t count, float* out);
  void (*bfloat16_to_float)(const uint16_t* x, size_t count, float* out);
  void (*int8_to_float)(const int8_t* x, size_t count, float* out);
  void (*float_to_float16)(const float* x, size_t count, uint16_t* out);
  void (*float_to_bfloat16)(const float* x, size_t count, uint16_t* out);

  // float32: squared L2 distance and inner product.
  float (*l2)(const float* a, const float* b, size_t dim);
  float (*ip)(const float* a, const float* b, size_t dim);
  /// out[i] for the rows ids[0 .. count): starts reading all rows, then computes four at a time.
  void (*l2_rows)(const float* query, const float* base, size_t stride, const uint32_t* ids,
                  size_t count, size_t dim, float* out);
  void (*ip_rows)(const float* query, const float* base, size_t stride, const uint32_t* ids,
                  size_t count, size_t dim, float* out);
  /// out[i] for `count` rows that lie one after another.
  void (*l2_block)(const float* query, const float* rows, size_t stride, size_t count, size_t dim,
                   float* out);
  void (*ip_block)(const float* query, const float* rows, size_t stride, size_t count, size_t dim,
                   float* out);
  /// Many to many, with rows side by side in the lanes: packs `count` rows sixteen a block, as
  /// out[block][dim][16]; what the last block lacks is zero.
  void (*pack16)(const float* rows, size_t stride, size_t count, size_t dim, float* out);
  /// out[q * out_stride + i] for nq queries (q_stride apart) and the 16 * blocks rows of `packed`.
  void (*l2_tile)(const float* queries, size_t q_stride, size_t nq, const float* packed,
                  size_t blocks, size_t dim, float* out, size_t out_stride);
  void (*ip_tile)(const float* queries, size_t q_stride, size_t nq, const float* packed,
                  size_t blocks, size_t dim, float* out, size_t out_stride);
  /// The first place of the largest of `count` > 0 values, none of them a NaN.
  size_t (*place_of_largest)(const float* values, size_t count);
  /// Positions i with values[i] <= bound, ascending, into out (room for `count`); returns how many.
  size_t (*select_le)(const float* values, size_t count, float bound, uint32_t* out);

  // int8 (see the top of the file for the bias).
  int32_t (*dot_s8u8)(const int8_t* query, const uint8_t* row, size_t dim);
  void (*dot_s8u8_rows)(const int8_t* query, const uint8_t* base, size_t stride,
                        const uint32_t* ids, size_t count, size_t dim, int32_t* out);
  void (*dot_s8u8_block)(const int8_t* query, const uint8_t* rows, size_t stride, size_t count,
                         size_t dim, int32_t* out);
  /// A stored row as a query: out[i] = row[i] - 128; returns the sum of out.
  int32_t (*unbias)(const uint8_t* row, size_t dim, int8_t* out);
  /// nearest[i] = the first centre with the greatest start + dot product with row i, of which 4 *
  /// groups bytes are read. Exact up to 32,768 dimensions.
  void (*nearest_s8u8)(const uint8_t* rows, size_t stride, size_t count,
                       const CentreBlocks& centres, uint32_t* nearest);
  /// Positions i with values[i] <= bound, ascending, into out (room for `count`); returns how many.
  size_t (*select_le_s32)(const int32_t* values, size_t count, int32_t bound, uint32_t* out);
  /// out[i] = round((x[i] * factor) - shift[i]) clamped to [-127, 127]; ties go to the even number.
  void (*encode_s8)(const float* x, float factor, const float* shift, size_t dim, int8_t* out);

  // 4-bit codes: a row is a code in [0, 16) for each of `parts` parts of its dimensions. Rows lie
  // in blocks of 32, a block in `lines` = parts / 4 (rounded up) lines of 64 bytes: byte 16 * (part
  // % 4)
  // + i of line part / 4 holds row i in its low and row 16 + i in its high half. Missing parts and
  // rows are zeros.

  /// out[part][j] = the part's dimensions of the query times word j: codebooks[part][part_dim][16].
  void (*part_products)(const float* query, const float* codebooks, size_t parts, size_t part_dim,
                        float* out);
  /// Products as byte tables of distances, small for large products: minus the
  /// sum of a row's products is about base + scale * the sum of its entries. Sums stay below 65536;
  /// bytes of missing parts become zeros up to a whole line. At most 65535 parts.
  void (*quantize_tables)(const float* products, size_t parts, uint8_t* bytes, float* scale,
                          float* base);
  /// Places of the rows whose sum of table entries (tables[part][code]) is at most `bound`,
  /// ascending, and these sums. Sums must stay below 65536; missing parts have tables of zeros.
  /// Room for `rows` each; returns how many.
  size_t (*scan4)(const uint8_t* codes, size_t rows, size_t lines, const uint8_t* tables,
                  uint16_t bound, uint32_t* places, uint16_t* values);
  /// The sums themselves, of whole blocks: room for `rows` rounded up to 32.
  void (*sums4)(const uint8_t* codes, size_t rows, size_t lines, const uint8_t* tables,
                uint16_t* out);

  // Codes of any width, and what they need. Rows are those of `ids`, or the first `count` when ids
  // is null.
  /// out[i] = the dot product of a query (int8[64 * blocks]) and the codes of a row; exact.
  void (*dot_packed)(const int8_t* query, const PackedRows& rows, const uint32_t* ids, size_t count,
                     int32_t* out);
  /// out[i] for rows of `lines` lines of 64 bytes, two codes of 4 bits a byte, the first 8 bytes
  /// the row's floats. query: int8[lines][2][64], the low halves first, zeros against the floats.
  /// Every step is rounded: equal at all levels.
  void (*half_byte_keys)(const int8_t* query, const uint8_t* base, size_t lines,
                         const uint32_t* ids, size_t count, const HalfByteScale& scale,
                         int32_t* out);
  /// Sums of byte tables[parts][256] for rows in blocks of 64: byte 64 * part + i of a block is row
  /// i's code. Sums must stay below 65536; room for `rows` up to 64 more each. Exact.
  void (*sums8)(const uint8_t* codes, size_t rows, size_t parts, const uint8_t* tables,
                uint16_t* out);
  /// out[i] = the sum of a row's table entries: tables[parts][256].
  void (*table_sums)(const float* tables, const ByteRows& rows, const uint32_t* ids, size_t count,
                     float* out);
  /// Places with a value of at most s.bound, ascending, and these values (room for `count` each);
  /// returns how many. `factors` (then 1) and `terms` may be null. Every step is rounded: equal at
  /// all levels.
  size_t (*scaled_le)(const uint16_t* sums, const float* factors, const float* terms, size_t count,
                      const ScaledSums& s, uint32_t* places, float* values);
  /// The Walsh-Hadamard transform of n = 2^i values in place, not normalised. Equal at all levels.
  void (*hadamard)(float* x, size_t n);
  /// Of a list of ids that ends after `count` or before the first one from 2^31 on: those
  /// whose bit in `seen` is not set, in order, into out (room for count + 16). Sets their bits.
  /// Returns how many.
  size_t (*unseen)(const uint32_t* list, size_t count, uint64_t* seen, uint32_t* out);

  /// Of `count` ids below 2^31 those whose bit in `marked` is 0, in order, into out (room for
  /// count + 16). Returns how many.
  size_t (*unmarked)(const uint32_t* ids, size_t count, const uint64_t* marked, uint32_t* out);

  /// The same as unseen, of a list whose ids are three bytes each, little-endian; it ends before
  /// the first 0xFFFFFF.
  size_t (*unseen24)(const uint8_t* list, size_t count, uint64_t* seen, uint32_t* out);
  /// The ids of such a list, into out (room for count + 16). Returns how many.
  size_t (*unpack24)(const uint8_t* list, size_t count, uint32_t* out);

  // Bitsets, as 64-bit words.
  /// first + the places of the bits that are 0 in `count` words, ascending, into out (room for
  /// 64 * count + 16). Returns how many.
  size_t (*zero_bits)(const uint64_t* words, size_t count, uint32_t first, uint32_t* out);
  size_t (*popcount)(const uint64_t* words, size_t count);
  void (*bits_and)(uint64_t* to, const uint64_t* from, size_t count);
  void (*bits_or)(uint64_t* to, const uint64_t* from, size_t count);
  void (*bits_andnot)(uint64_t* to, const uint64_t* from, size_t count);  ///< to &= ~from
};

// One set per folder; each leaves the kernels of other files alone.
void FillFloat32Scalar(Kernels* kernels);
void FillInt8Scalar(Kernels* kernels);
void FillBitsScalar(Kernels* kernels);
void FillElementsScalar(Kernels* kernels);
void FillScan4Scalar(Kernels* kernels);
void FillPackedScalar(Kernels* kernels);
void FillFloat32Avx2(Kernels* kernels);
void FillInt8Avx2(Kernels* kernels);
void FillBitsAvx2(Kernels* kernels);
void FillElementsAvx2(Kernels* kernels);
void FillScan4Avx2(Kernels* kernels);
void FillPackedAvx2(Kernels* kernels);
void FillFloat32Avx512(Kernels* kernels);
void FillInt8Avx512(Kernels* kernels);
void FillBitsAvx512(Kernels* kernels);
void FillElementsAvx512(Kernels* kernels);
void FillScan4Avx512(Kernels* kernels);
void FillPackedAvx512(Kernels* kernels);

}  // namespace elanus::simd
