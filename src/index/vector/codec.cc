#include "index/vector/codec.h"

#include <algorithm>
#include <cmath>

#include "index/vector/packed_codec.h"
#include "index/vector/product_codec.h"

namespace elanus::index {
namespace {

// Rows as 16-bit floats.
class HalfCodec final : public Codec {
 public:
  HalfCodec(const CodecParams& params, size_t dim) : Codec(params, dim) {}

  size_t code_bytes() const override { return dim_ * sizeof(uint16_t); }
  void Encode(const float* x, uint8_t* code) const override {
    const simd::Kernels& kernels = simd::Active();
    auto* out = reinterpret_cast<uint16_t*>(code);
    if (params_.kind == CodecKind::kFloat16)
      kernels.float_to_float16(x, dim_, out);
    else
      kernels.float_to_bfloat16(x, dim_, out);
  }
  void Decode(const uint8_t* code, float* x) const override {
    ToFloats(simd::Active(), element(), code, dim_, x);
  }
  void Prepare(const float* query, CodecQuery& q) const override {
    q.floats.assign(query, query + dim_);
  }
  void Products(const CodecQuery& q, const uint8_t* codes, const uint32_t* ids, size_t count,
                float* out) const override {
    const auto& kernels = simd::Active().For(element(), simd::Measure::kIp);
    if (ids != nullptr)
      kernels.rows(q.floats.data(), codes, code_bytes(), ids, count, dim_, out);
    else
      kernels.block(q.floats.data(), codes, code_bytes(), count, dim_, out);
  }

 private:
  simd::Element element() const {
    return params_.kind == CodecKind::kFloat16 ? simd::Element::kFloat16 : simd::Element::kBfloat16;
  }
};

bool InRange(const CodecParams& p, size_t dim) {
  switch (p.kind) {
    case CodecKind::kPacked: return p.bits >= 1 && p.bits <= 8;
    case CodecKind::kRabitq: return p.bits >= 1 && p.bits <= 9;
    case CodecKind::kProduct:
      return p.bits >= 1 && p.bits <= 16 && p.rounds >= 1 && p.rounds <= 16 && p.parts >= 1 &&
             dim % static_cast<size_t>(p.parts) == 0;
    default: return true;
  }
}

}  // namespace

int ProductBitsFor(int bits, size_t rows) {
  bits = std::clamp(bits, 1, 16);
  while (bits > 1 && (size_t{1} << bits) > rows) --bits;
  return bits;
}

Result<std::unique_ptr<Codec>> TrainCodec(const CodecParams& params, std::span<const float> rows,
                                          size_t dim, uint64_t seed, const std::stop_token& stop) {
  if (params.kind == CodecKind::kProduct) return ProductCodec::Train(params, rows, dim, seed, stop);
  return ReadCodec(params, dim, {});
}

Result<std::unique_ptr<Codec>> ReadCodec(const CodecParams& params, size_t dim,
                                         std::span<const float> numbers) {
  const auto corrupt = [](const char* what) {
    return Error(Code::kDataIntegrity, std::string("index file: ") + what);
  };
  if (!InRange(params, dim)) return corrupt("codec out of range");
  if (numbers.size() != CodecNumbersOf(params, dim)) return corrupt("codec has the wrong size");
  if (!std::ranges::all_of(numbers, [](float x) { return std::isfinite(x); }))
    return corrupt("a number of the codec is not finite");
  switch (params.kind) {
    case CodecKind::kPacked: return std::make_unique<PackedCodec>(params, dim);
    case CodecKind::kFloat16:
    case CodecKind::kBfloat16: return std::make_unique<HalfCodec>(params, dim);
    case CodecKind::kProduct:
      return std::make_unique<ProductCodec>(params, dim,
                                            std::vector<float>(numbers.begin(), numbers.end()));
    default: return corrupt("codec of another structure");
  }
}

uint64_t CodeBytesOf(const CodecParams& params, size_t dim) {
  switch (params.kind) {
    case CodecKind::kPacked: return PackedBytes(dim, params.bits) + 2 * sizeof(float);
    case CodecKind::kFloat16:
    case CodecKind::kBfloat16: return dim * sizeof(uint16_t);
    case CodecKind::kProduct: return ProductCodec::CodeBytesOf(params);
    default: return 0;
  }
}

uint64_t CodecNumbersOf(const CodecParams& params, size_t dim) {
  if (params.kind != CodecKind::kProduct) return 0;
  return (uint64_t{1} << params.bits) * static_cast<uint64_t>(params.rounds) * dim;
}

}  // namespace elanus::index
