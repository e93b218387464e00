#include "index/vector/coded_rows.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/thread.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kKeysAtOnce = 256;
constexpr size_t kRowsAtOnce = 256;
constexpr float kKeyMost = 1 << 29;  // differences of two keys stay inside int32

// x less the mean, of unit length first for COSINE.
void Centre(const float* x, Metric metric, std::span<const float> mean, float* out) {
  const size_t dim = mean.size();
  const float f = metric == Metric::kCosine ? InverseNorm(simd::Active(), x, dim) : 1.0f;
  for (size_t d = 0; d < dim; ++d) out[d] = x[d] * f - mean[d];
}

}  // namespace

CodecParams EffectiveCodec(const CodecParams& wanted, size_t rows) {
  CodecParams params = wanted;
  if (params.kind == CodecKind::kProduct) params.bits = ProductBitsFor(params.bits, rows);
  return params;
}

size_t CodecSampleRows(const CodecParams& params, size_t rows) {
  if (params.kind != CodecKind::kProduct) return 1;
  return std::min(rows, std::clamp<size_t>(size_t{64} << params.bits, 4096, 65536));
}

bool CodedRows::coarse() const {
  const CodecParams& p = codec_->params();
  return p.kind == CodecKind::kProduct || (p.kind == CodecKind::kPacked && p.bits < 6);
}

Result<CodedRows> CodedRows::Read(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  CodedRows rows;
  rows.metric_ = h.metric;
  const auto bytes = file.Section(SectionId::kCodecNumbers);
  ASSIGN_OR_RETURN(auto numbers, file.Values<float>(SectionId::kCodecNumbers,
                                                    bytes.size() / sizeof(float), "codec"));
  ASSIGN_OR_RETURN(rows.codec_, ReadCodec(h.codec, h.dim, numbers));
  rows.stride_ = rows.codec_->code_bytes();
  ASSIGN_OR_RETURN(auto mean, file.Values<float>(SectionId::kMean, h.dim, "mean"));
  rows.mean_.assign(mean.begin(), mean.end());
  // Nearly all components of all rows are inside the range of the int8 codes.
  rows.length_ = 4 * 127 * h.scale * std::sqrt(static_cast<float>(h.dim));
  ASSIGN_OR_RETURN(auto codes, file.Values<uint8_t>(SectionId::kCodes,
                                                    uint64_t{h.rows} * rows.stride_, "codes"));
  rows.codes_ = codes.data();
  if (h.metric != Metric::kL2) return rows;
  ASSIGN_OR_RETURN(auto terms, file.Values<float>(SectionId::kRowTerms, h.rows, "row terms"));
  rows.terms_ = terms.data();
  return rows;
}

void CodedRows::Prepare(const float* query, CodedQuery& q) const {
  const size_t dim = mean_.size();
  static thread_local std::vector<float> centred;
  if (metric_ == Metric::kL2) {
    centred.resize(dim);
    for (size_t d = 0; d < dim; ++d) centred[d] = query[d] - mean_[d];
    query = centred.data();
  }
  const float length = std::sqrt(simd::Active().ip(query, query, dim));
  const float most =
      metric_ == Metric::kL2 ? (length + length_) * (length + length_) : length * length_;
  q.keys_a_unit = most > 0 ? kKeyMost / most : 0.0f;
  if (!std::isfinite(q.keys_a_unit)) q.keys_a_unit = 0;
  codec_->Prepare(query, q.codec);
}

void CodedRows::Keys(const CodedQuery& q, const uint32_t* rows, size_t count, int32_t* out) const {
  float products[kKeysAtOnce];
  for (size_t first = 0; first < count; first += kKeysAtOnce) {
    const size_t n = std::min(kKeysAtOnce, count - first);
    codec_->Products(q.codec, codes_, rows + first, n, products);
    for (size_t i = 0; i < n; ++i) {
      const float distance =
          terms_ != nullptr ? terms_[rows[first + i]] - 2 * products[i] : -products[i];
      const float key = distance * q.keys_a_unit;
      // Written so that a number that is none, from a damaged file, becomes a key too.
      out[first + i] = key >= -kKeyMost ? static_cast<int32_t>(key <= kKeyMost ? key : kKeyMost)
                                        : static_cast<int32_t>(-kKeyMost);
    }
  }
}

Status AddCodedRows(const VectorView& vectors, const BuildParams& params,
                    std::span<const float> mean, const BuildControl& control,
                    IndexFileWriter& writer, IndexHeader& header) {
  const size_t dim = vectors.dim;
  header.codec = EffectiveCodec(params.codec, vectors.rows);
  const size_t count = CodecSampleRows(header.codec, vectors.rows);
  std::vector<float> sample(count * dim);
  FloatRows row_at(vectors);
  for (size_t i = 0; i < count; ++i)
    Centre(row_at(i * vectors.rows / count), params.metric, mean, &sample[i * dim]);
  ASSIGN_OR_RETURN(const auto codec,
                   TrainCodec(header.codec, sample, dim, params.seed, control.stop));
  sample = {};

  Buffer codes(vectors.rows * codec->code_bytes());
  Buffer terms(params.metric == Metric::kL2 ? vectors.rows * sizeof(float) : 0);
  std::atomic<size_t> next{0};
  RunWorkers(params.threads, [&](int) {
    FloatRows read(vectors);
    std::vector<float> x(dim);
    for (size_t first;
         (first = next.fetch_add(kRowsAtOnce)) < vectors.rows && !control.stop.stop_requested();) {
      for (size_t row = first; row < std::min(first + kRowsAtOnce, vectors.rows); ++row) {
        Centre(read(row), params.metric, mean, x.data());
        codec->Encode(x.data(), codes.As<uint8_t>() + row * codec->code_bytes());
        if (terms.size() != 0) terms.As<float>()[row] = simd::Active().ip(x.data(), x.data(), dim);
        OfferCore();
      }
    }
  });
  if (control.stop.stop_requested()) return Status(Code::kCanceled, "index build canceled");
  writer.Add(SectionId::kMean, mean);
  if (!codec->numbers().empty()) writer.Add(SectionId::kCodecNumbers, codec->numbers());
  writer.Add(SectionId::kCodes, std::move(codes));
  if (terms.size() != 0) writer.Add(SectionId::kRowTerms, std::move(terms));
  return Status::Ok();
}

}  // namespace elanus::index
