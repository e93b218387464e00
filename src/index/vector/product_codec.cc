#include "index/vector/product_codec.h"

#include <algorithm>
#include <cstring>

#include "index/vector/kmeans.h"

namespace elanus::index {
namespace {

constexpr size_t kManyWords = 1024;  // learned in fewer rounds: each costs words times rows

// Distances of a piece of a row to all words of a table, less its own square.
void DistancesToWords(const float* x, const float* words, size_t part_dim, size_t count,
                      float* out) {
  std::fill_n(out, count, 0.0f);
  for (size_t d = 0; d < part_dim; ++d) {
    const float* w = words + d * count;
    for (size_t j = 0; j < count; ++j) out[j] += (w[j] - 2 * x[d]) * w[j];
  }
}

void PutNumber(size_t number, size_t bit, size_t bits, uint8_t* code) {
  for (size_t i = 0; i < bits; ++i, ++bit)
    code[bit / 8] = static_cast<uint8_t>(code[bit / 8] | (number >> i & 1) << (bit % 8));
}

}  // namespace

ProductCodec::ProductCodec(const CodecParams& params, size_t dim, std::vector<float> words)
    : Codec(params, dim),
      parts_(static_cast<size_t>(params.parts)),
      rounds_(static_cast<size_t>(params.rounds)),
      part_dim_(dim / parts_),
      count_(size_t{1} << params.bits),
      words_(std::move(words)) {}

Result<std::unique_ptr<Codec>> ProductCodec::Train(const CodecParams& params,
                                                   std::span<const float> rows, size_t dim,
                                                   uint64_t seed, const std::stop_token& stop) {
  const auto parts = static_cast<size_t>(params.parts), rounds = static_cast<size_t>(params.rounds);
  const size_t n = rows.size() / dim, width = dim / parts, count = size_t{1} << params.bits;
  std::vector<float> words(rounds * dim * count), piece(n * width);
  for (size_t part = 0; part < parts; ++part) {
    for (size_t i = 0; i < n; ++i)
      std::copy_n(&rows[i * dim + part * width], width, &piece[i * width]);
    for (size_t round = 0; round < rounds; ++round) {
      const size_t table = part * rounds + round;
      const KMeansParams kmeans{.clusters = std::min(count, n),
                                .rounds = count >= kManyWords ? 4 : 10,
                                .seed = seed + table};
      const VectorView view{piece.data(), n, width};
      ASSIGN_OR_RETURN(const auto learned, TrainCentroids(view, kmeans, stop));
      float* out = &words[table * width * count];
      for (size_t j = 0; j < count; ++j) {  // fewer rows than words: some words stand twice
        for (size_t d = 0; d < width; ++d)
          out[d * count + j] = learned[j % kmeans.clusters * width + d];
      }
      if (round + 1 == rounds) break;
      std::vector<uint32_t> nearest(n);
      CentroidTiles(learned, width).Assign(view, 0, false, nearest);
      for (size_t i = 0; i < n; ++i) {
        for (size_t d = 0; d < width; ++d) piece[i * width + d] -= learned[nearest[i] * width + d];
      }
    }
  }
  return std::make_unique<ProductCodec>(params, dim, std::move(words));
}

void ProductCodec::Encode(const float* x, uint8_t* code) const {
  static thread_local std::vector<float> rest, distances;
  rest.resize(part_dim_);
  distances.resize(count_);
  std::memset(code, 0, code_bytes());
  const auto bits = static_cast<size_t>(params_.bits);
  for (size_t part = 0; part < parts_; ++part) {
    std::copy_n(x + part * part_dim_, part_dim_, rest.data());
    for (size_t round = 0; round < rounds_; ++round) {
      const size_t table = part * rounds_ + round;
      const float* words = &words_[table * part_dim_ * count_];
      DistancesToWords(rest.data(), words, part_dim_, count_, distances.data());
      const auto best = static_cast<size_t>(
          std::min_element(distances.begin(), distances.begin() + static_cast<ptrdiff_t>(count_)) -
          distances.begin());
      PutNumber(best, table * bits, bits, code);
      for (size_t d = 0; d < part_dim_; ++d) rest[d] -= words[d * count_ + best];
    }
  }
}

size_t ProductCodec::NumberAt(const uint8_t* code, size_t table) const {
  const auto bits = static_cast<size_t>(params_.bits);
  const size_t bit = table * bits, last = code_bytes() - sizeof(uint32_t);
  // Four bytes that hold the number: the last ones of the code when it lies there.
  const size_t at = std::min(bit / 8, last);
  uint32_t word;
  std::memcpy(&word, code + at, sizeof(word));
  return word >> (bit - at * 8) & (count_ - 1);
}

void ProductCodec::Decode(const uint8_t* code, float* x) const {
  std::fill_n(x, dim_, 0.0f);
  for (size_t table = 0; table < tables(); ++table) {
    const float* words = &words_[table * part_dim_ * count_];
    const size_t number = NumberAt(code, table);
    for (size_t d = 0; d < part_dim_; ++d)
      x[table / rounds_ * part_dim_ + d] += words[d * count_ + number];
  }
}

void ProductCodec::Prepare(const float* query, CodecQuery& q) const {
  q.floats.resize(tables() * count_);
  for (size_t table = 0; table < tables(); ++table) {
    float* out = &q.floats[table * count_];
    const float* words = &words_[table * part_dim_ * count_];
    const float* x = query + table / rounds_ * part_dim_;
    std::fill_n(out, count_, 0.0f);
    for (size_t d = 0; d < part_dim_; ++d) {
      for (size_t j = 0; j < count_; ++j) out[j] += x[d] * words[d * count_ + j];
    }
  }
}

void ProductCodec::Products(const CodecQuery& q, const uint8_t* codes, const uint32_t* ids,
                            size_t count, float* out) const {
  if (params_.bits == 8) {
    simd::Active().table_sums(q.floats.data(), {codes, code_bytes(), tables()}, ids, count, out);
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* code = codes + (ids != nullptr ? ids[i] : i) * code_bytes();
    float sum = 0;
    for (size_t table = 0; table < tables(); ++table)
      sum += q.floats[table * count_ + NumberAt(code, table)];
    out[i] = sum;
  }
}

}  // namespace elanus::index
