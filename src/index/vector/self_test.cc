#include "index/vector/self_test.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/thread.h"
#include "index/vector/brute_force.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr double kWanted = 0.96;
constexpr size_t kSampleRows = 200;
constexpr size_t kSampleWork =
    size_t{20'000'000'000};  // multiplications for the truth: about half a second

// By distance: of several rows equally far away any is right.
double Recall(const SelfSample& sample, const SelfTest& test, size_t top_k, uint32_t width) {
  std::atomic<size_t> next{0}, found{0}, wanted{0};
  RunWorkers(test.threads, [&](int) {
    for (size_t i; (i = next.fetch_add(1)) < sample.rows.size();) {
      const size_t known = std::min(top_k, sample.truth[i].size());
      if (known == 0) continue;
      OfferCore();
      wanted += known;
      // Kernels add in different orders: equal distances may differ in the last bits.
      const float last = sample.truth[i][known - 1].distance;
      const float limit = last + 1e-6f * std::fabs(last);
      for (const Hit& hit : test.search(sample.rows[i], top_k, width))
        found += hit.distance <= limit ? 1 : 0;
    }
  });
  if (wanted == 0) return 1.0;
  return static_cast<double>(std::min<size_t>(found, wanted)) / static_cast<double>(wanted);
}

uint32_t FindWidth(const SelfSample& sample, const SelfTest& test, size_t top_k) {
  const auto low = test.at_least_top_k ? static_cast<uint32_t>(top_k) : 1u;
  if (test.width_max <= low) return low;
  uint32_t failed = low - 1, passed = std::min(low, test.width_max);
  while (passed < test.width_max && Recall(sample, test, top_k, passed) < kWanted) {
    failed = passed;
    passed = std::min(passed * 2, test.width_max);
  }
  while (passed - failed > std::max(1u, passed / 16)) {
    const uint32_t middle = failed + (passed - failed) / 2;
    (Recall(sample, test, top_k, middle) < kWanted ? failed : passed) = middle;
  }
  return passed;
}

}  // namespace

SelfSample TakeSelfSample(const VectorView& vectors, Metric metric, const float* norms,
                          int threads) {
  SelfSample sample;
  const size_t affordable = kSampleWork / (vectors.rows * vectors.dim);
  const size_t count = std::min({std::clamp<size_t>(affordable, 50, kSampleRows), vectors.rows});
  std::vector<float> queries;
  std::vector<TopK> tops;
  FloatRows row_at(vectors);
  for (size_t i = 0; i < count; ++i) {
    const size_t row = (2 * i + 1) * vectors.rows / (2 * count);
    sample.rows.push_back(static_cast<uint32_t>(row));
    const float* x = row_at(row);
    queries.insert(queries.end(), x, x + vectors.dim);
    tops.emplace_back(SelfSample::kNearest + 1);
  }
  const VectorChunk chunk{.vectors = vectors, .row_offset = 0, .inverse_norms = norms};
  RunWorkers(threads, [&](int id) {
    const auto worker = static_cast<size_t>(id), workers = static_cast<size_t>(threads);
    const size_t first = worker * count / workers, last = (worker + 1) * count / workers;
    (void)BruteForceMany(metric, queries.data() + first * vectors.dim, chunk, {}, {},
                         std::span(tops).subspan(first, last - first))
        .ok();  // a Cancel that never stops
  });
  for (size_t i = 0; i < count; ++i) {
    auto hits = tops[i].Take();
    std::erase_if(hits, [&](const Hit& hit) { return hit.row == sample.rows[i]; });
    if (hits.size() > SelfSample::kNearest) hits.resize(SelfSample::kNearest);
    sample.truth.push_back(std::move(hits));
  }
  return sample;
}

Tuning FindTuning(size_t rows, const SelfSample& sample, const SelfTest& test) {
  Tuning tuning;
  if (rows < 2) return {.width_10 = 16, .width_100 = 0};
  tuning.width_10 = FindWidth(sample, test, 10);
  if (rows >= 2000) tuning.width_100 = FindWidth(sample, test, SelfSample::kNearest);
  return tuning;
}

}  // namespace elanus::index
