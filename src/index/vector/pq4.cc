#include "index/vector/pq4.h"

#include <algorithm>
#include <cmath>

#include "index/vector/kmeans.h"

namespace elanus::index {

Pq4::Pq4(size_t dim, size_t part_dim, std::vector<float> codebooks)
    : dim_(dim),
      part_dim_(part_dim),
      parts_(PartsOf(dim, part_dim)),
      codebooks_(std::move(codebooks)) {}

Pq4 Pq4::Train(std::span<const float> rows, size_t dim, size_t part_dim, uint64_t seed) {
  const size_t count = rows.size() / dim, parts = PartsOf(dim, part_dim);
  std::vector<float> codebooks(parts * part_dim * kWords, 0.0f), cut;
  for (size_t part = 0; part < parts; ++part) {
    const size_t first = part * part_dim, width = std::min(part_dim, dim - first);
    cut.resize(count * width);
    for (size_t i = 0; i < count; ++i) std::copy_n(&rows[i * dim + first], width, &cut[i * width]);
    const KMeansParams params{
        .clusters = std::min(kWords, count), .rounds = 12, .seed = seed + part};
    const auto words = TrainCentroids({cut.data(), count, width}, params, {});  // never stopped
    for (size_t j = 0; j < kWords; ++j) {  // fewer rows than words: some words stand twice
      for (size_t d = 0; d < width; ++d)
        codebooks[(first + d) * kWords + j] = (*words)[j % params.clusters * width + d];
    }
  }
  return Pq4(dim, part_dim, std::move(codebooks));
}

void Pq4::Encode(const float* row, const float* along, float weight, uint8_t* out) const {
  static thread_local std::vector<float> square, parallel;
  square.assign(parts_ * kWords, 0.0f);
  parallel.assign(parts_ * kWords, 0.0f);
  float sum = 0;  // of the error along `along`
  for (size_t part = 0; part < parts_; ++part) {
    float* s = &square[part * kWords];
    float* p = &parallel[part * kWords];
    for (size_t d = part * part_dim_; d < std::min(dim_, (part + 1) * part_dim_); ++d) {
      const float* words = &codebooks_[d * kWords];
      const float x = row[d], u = along != nullptr ? along[d] : 0.0f;
      for (size_t j = 0; j < kWords; ++j) {
        const float error = x - words[j];
        s[j] += error * error;
        p[j] += error * u;
      }
    }
    out[part] = static_cast<uint8_t>(std::min_element(s, s + kWords) - s);
    sum += p[out[part]];
  }
  if (along == nullptr || weight <= 1.0f) return;
  // One part after another takes the word that makes the whole loss least; it settles in a few
  // rounds.
  constexpr int kRounds = 4;
  for (int round = 0, moved = 1; round < kRounds && moved != 0; ++round) {
    moved = 0;
    for (size_t part = 0; part < parts_; ++part) {
      const float* s = &square[part * kWords];
      const float* p = &parallel[part * kWords];
      const float others = sum - p[out[part]];
      float loss[kWords];
      for (size_t j = 0; j < kWords; ++j)
        loss[j] = s[j] + (weight - 1.0f) * (others + p[j]) * (others + p[j]);
      const auto best = static_cast<uint8_t>(std::min_element(loss, loss + kWords) - loss);
      moved += best != out[part] ? 1 : 0;
      out[part] = best;
      sum = others + p[best];
    }
  }
}

void Pq4::Store(const uint8_t* words, size_t place, uint8_t* blocks) const {
  uint8_t* block = blocks + place / kBlockRows * block_bytes();
  const size_t row = place % kBlockRows;
  for (size_t part = 0; part < parts_; ++part) {
    uint8_t& byte = block[part * 16 + row % 16];
    byte = static_cast<uint8_t>(row < 16 ? (byte & 0xF0) | words[part]
                                         : (byte & 0x0F) | words[part] << 4);
  }
}

void Pq4::MakeTables(const float* query, Pq4Tables& tables) const {
  if (parts_ * part_dim_ != dim_) {
    tables.query.assign(parts_ * part_dim_, 0.0f);
    std::copy_n(query, dim_, tables.query.begin());
    query = tables.query.data();
  }
  tables.products.resize(parts_ * kWords);
  tables.bytes.resize(block_bytes());
  simd::Active().part_products(query, codebooks_.data(), parts_, part_dim_, tables.products.data());
  simd::Active().quantize_tables(tables.products.data(), parts_, tables.bytes.data(), &tables.scale,
                                 &tables.base);
}

}  // namespace elanus::index
