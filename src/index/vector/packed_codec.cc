#include "index/vector/packed_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace elanus::index {
namespace {

constexpr size_t kDims = 64;  // of one block
constexpr size_t kAtOnce = 256;

struct Factors {
  float step, low;
};

Factors FactorsAt(const uint8_t* at) {
  Factors f;
  std::memcpy(&f, at, sizeof(f));
  return f;
}

}  // namespace

void PackCodes(const uint8_t* codes, size_t blocks, int bits, uint8_t* out) {
  for (size_t b = 0; b < blocks; ++b, codes += kDims) {
    int shift = bits;
    for (int width : {8, 4, 2, 1}) {
      if ((bits & width) == 0) continue;
      shift -= width;
      const auto w = static_cast<size_t>(width);
      const size_t bytes = 8 * w;
      std::fill_n(out, bytes, uint8_t{0});
      for (size_t d = 0; d < kDims; ++d) {
        const auto piece = static_cast<uint8_t>(codes[d] >> shift & ((1 << width) - 1));
        uint8_t& byte = out[width == 1 ? d / 8 : d % bytes];
        byte = static_cast<uint8_t>(byte | piece << (width == 1 ? d % 8 : d / bytes * w));
      }
      out += bytes;
    }
  }
}

void UnpackCodes(const uint8_t* packed, size_t blocks, int bits, uint8_t* out) {
  for (size_t b = 0; b < blocks; ++b, out += kDims) {
    std::fill_n(out, kDims, uint8_t{0});
    for (int width : {8, 4, 2, 1}) {
      if ((bits & width) == 0) continue;
      const auto w = static_cast<size_t>(width);
      const size_t bytes = 8 * w;
      for (size_t d = 0; d < kDims; ++d) {
        const uint8_t byte = packed[width == 1 ? d / 8 : d % bytes];
        const int piece = byte >> (width == 1 ? d % 8 : d / bytes * w) & ((1 << width) - 1);
        out[d] = static_cast<uint8_t>(out[d] << width | piece);
      }
      packed += bytes;
    }
  }
}

void QuantizeQuery(const float* query, size_t dim, CodecQuery& q) {
  float largest = 0, sum = 0;
  for (size_t d = 0; d < dim; ++d) {
    largest = std::max(largest, std::fabs(query[d]));
    sum += query[d];
  }
  const float factor = largest > 0 ? 127.0f / largest : 0.0f;
  q.bytes.assign((dim + kDims - 1) / kDims * kDims, 0);
  if (std::isfinite(factor)) {
    q.floats.assign(dim, 0.0f);  // no shift
    simd::Active().encode_s8(query, factor, q.floats.data(), dim, q.bytes.data());
  }
  q.scale = largest / 127.0f;
  q.sum = sum;
}

void PackedCodec::Encode(const float* x, uint8_t* code) const {
  const auto [low, high] = std::minmax_element(x, x + dim_);
  const auto most = static_cast<float>((1 << params_.bits) - 1);
  const Factors f{.step = (*high - *low) / most, .low = *low};
  const float per_step = f.step > 0 ? 1.0f / f.step : 0.0f;
  const size_t blocks = (dim_ + kDims - 1) / kDims;
  static thread_local std::vector<uint8_t> codes;
  codes.assign(blocks * kDims, 0);
  for (size_t d = 0; d < dim_; ++d) {
    const float steps = std::isfinite(per_step) ? (x[d] - f.low) * per_step : 0.0f;
    codes[d] = static_cast<uint8_t>(std::min(std::nearbyint(steps), most));
  }
  PackCodes(codes.data(), blocks, params_.bits, code);
  std::memcpy(code + factors_at(), &f, sizeof(f));
}

void PackedCodec::Decode(const uint8_t* code, float* x) const {
  const Factors f = FactorsAt(code + factors_at());
  const size_t blocks = (dim_ + kDims - 1) / kDims;
  std::vector<uint8_t> codes(blocks * kDims);
  UnpackCodes(code, blocks, params_.bits, codes.data());
  for (size_t d = 0; d < dim_; ++d) x[d] = f.low + f.step * codes[d];
}

void PackedCodec::Products(const CodecQuery& q, const uint8_t* codes, const uint32_t* ids,
                           size_t count, float* out) const {
  int32_t dots[kAtOnce];
  const size_t stride = code_bytes(), factors = factors_at();
  for (size_t first = 0; first < count; first += kAtOnce) {
    const size_t n = std::min(kAtOnce, count - first);
    const simd::PackedRows rows{ids != nullptr ? codes : codes + first * stride, stride,
                                (dim_ + kDims - 1) / kDims, params_.bits};
    const uint32_t* some = ids != nullptr ? ids + first : nullptr;
    simd::Active().dot_packed(q.bytes.data(), rows, some, n, dots);
    for (size_t i = 0; i < n; ++i) {
      const size_t row = ids != nullptr ? ids[first + i] : first + i;
      const Factors f = FactorsAt(codes + row * stride + factors);
      out[first + i] = f.low * q.sum + f.step * q.scale * static_cast<float>(dots[i]);
    }
  }
}

}  // namespace elanus::index
