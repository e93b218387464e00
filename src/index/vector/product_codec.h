// The product codec with words of any number of bits: a row is cut into `parts` pieces, each kept
// as the number of the nearest of 2^bits words; with several rounds a further word stands for what
// the ones before left (PRQ). A query becomes a table of its products with all words.
// A code: the numbers of part 0 round 0, part 0 round 1, ..., `bits` bits each, lowest first, then
// zeros up to whole 32 bits. Source: Jegou, Douze and Schmid 2011; Chen, Guan and Wang 2010.
#pragma once

#include "index/vector/codec.h"

namespace elanus::index {

class ProductCodec final : public Codec {
 public:
  /// \param words  [parts][rounds][dim / parts][2^bits]
  ProductCodec(const CodecParams& params, size_t dim, std::vector<float> words);

  static Result<std::unique_ptr<Codec>> Train(const CodecParams& params,
                                              std::span<const float> rows, size_t dim,
                                              uint64_t seed, const std::stop_token& stop);

  static size_t CodeBytesOf(const CodecParams& params) {
    const auto bits = static_cast<size_t>(params.parts) * static_cast<size_t>(params.rounds) *
                      static_cast<size_t>(params.bits);
    return (bits + 31) / 32 * 4;
  }

  size_t code_bytes() const override { return CodeBytesOf(params_); }
  void Encode(const float* x, uint8_t* code) const override;
  void Decode(const uint8_t* code, float* x) const override;
  void Prepare(const float* query, CodecQuery& q) const override;
  void Products(const CodecQuery& q, const uint8_t* codes, const uint32_t* ids, size_t count,
                float* out) const override;
  std::span<const float> numbers() const override { return words_; }

 private:
  size_t tables() const { return parts_ * rounds_; }
  size_t NumberAt(const uint8_t* code, size_t table) const;

  size_t parts_, rounds_, part_dim_;
  size_t count_;  // words of a table
  std::vector<float> words_;
};

}  // namespace elanus::index
