#include "index/vector/ivf_lists.h"

#include <algorithm>
#include <limits>

namespace elanus::index {
namespace {

constexpr size_t kAtOnce = 256;

/// Codes may rank a list a little too low: somewhat more than `wanted` are looked at closely.
size_t LookedAt(size_t wanted) { return wanted + wanted / 4 + 8; }

}  // namespace

IvfLists::IvfLists(Metric metric, size_t dim, std::span<const float> centroids)
    : metric_(metric == Metric::kL2 ? Metric::kL2 : Metric::kIp),
      dim_(dim),
      count_(centroids.size() / dim),
      centroids_(centroids) {
  const VectorView view{centroids.data(), count_, dim};
  codec_ = Sq8::Train(metric_, view);
  code_bytes_ = Buffer(count_ * codec_.stride());
  terms_.resize(count_);
  for (size_t i = 0; i < count_; ++i)
    terms_[i] = codec_.EncodeRow(Centroid(i), code_bytes_.As<uint8_t>() + i * codec_.stride());
  codes_ =
      CodeView(codec_, code_bytes_.As<uint8_t>(), codec_.term_in_row() ? nullptr : terms_.data());
  if (metric_ != Metric::kL2) return;
  squares_.resize(count_);
  for (size_t i = 0; i < count_; ++i)
    squares_[i] = simd::Active().ip(Centroid(i), Centroid(i), dim);
}

void IvfLists::Nearest(const float* query, size_t wanted, ListScratch& s) const {
  const simd::Kernels& kernels = simd::Active();
  const size_t close = std::min(count_, LookedAt(wanted));
  s.query_code.resize(codec_.stride());
  const int32_t bias = codec_.EncodeQuery(query, s.query_code.data());
  s.near.clear();
  s.measured.clear();
  s.lists.clear();
  int32_t bound = std::numeric_limits<int32_t>::max();
  int32_t distances[kAtOnce];
  uint32_t kept[kAtOnce];
  const auto shrink = [&] {
    std::nth_element(s.near.begin(), s.near.begin() + static_cast<ptrdiff_t>(close - 1),
                     s.near.end());
    s.near.resize(close);
    bound = s.near.back().first;
  };
  for (size_t first = 0; first < count_; first += kAtOnce) {
    const size_t n = std::min(kAtOnce, count_ - first);
    codes_.BlockDistances(s.query_code.data(), bias, first, n, distances);
    const size_t near = kernels.select_le_s32(distances, n, bound, kept);
    for (size_t i = 0; i < near; ++i)
      s.near.emplace_back(distances[kept[i]], static_cast<uint32_t>(first) + kept[i]);
    if (s.near.size() >= 2 * close) shrink();
  }
  Extend(query, wanted, s);
}

void IvfLists::Rank(const float* query, ListScratch& s) const {
  s.query_code.resize(codec_.stride());
  const int32_t bias = codec_.EncodeQuery(query, s.query_code.data());
  s.near.resize(count_);
  s.measured.clear();
  s.lists.clear();
  int32_t distances[kAtOnce];
  for (size_t first = 0; first < count_; first += kAtOnce) {
    const size_t n = std::min(kAtOnce, count_ - first);
    codes_.BlockDistances(s.query_code.data(), bias, first, n, distances);
    for (size_t i = 0; i < n; ++i)
      s.near[first + i] = {distances[i], static_cast<uint32_t>(first + i)};
  }
}

void IvfLists::Extend(const float* query, size_t wanted, ListScratch& s) const {
  if (wanted <= s.lists.size()) return;
  const size_t more = wanted - s.lists.size();
  const size_t looked_at = std::min(LookedAt(more), s.measured.size() + s.near.size());
  if (looked_at > s.measured.size()) Measure(query, looked_at - s.measured.size(), s);
  std::partial_sort(s.measured.begin(), s.measured.begin() + static_cast<ptrdiff_t>(more),
                    s.measured.end(), [](const NearList& a, const NearList& b) {
                      return a.distance < b.distance ||
                             (a.distance == b.distance && a.list < b.list);
                    });
  const auto end = s.measured.begin() + static_cast<ptrdiff_t>(more);
  s.lists.insert(s.lists.end(), s.measured.begin(), end);
  s.measured.erase(s.measured.begin(), end);
}

void IvfLists::Measure(const float* query, size_t count, ListScratch& s) const {
  const auto end = s.near.begin() + static_cast<ptrdiff_t>(count);
  if (end != s.near.end()) std::nth_element(s.near.begin(), end - 1, s.near.end());
  s.ids.resize(count);
  s.products.resize(count);
  for (size_t i = 0; i < count; ++i) s.ids[i] = s.near[i].second;
  s.near.erase(s.near.begin(), end);
  simd::Active().ip_rows(query, centroids_.data(), dim_, s.ids.data(), count, dim_,
                         s.products.data());
  for (size_t i = 0; i < count; ++i) {
    s.measured.push_back(
        {metric_ == Metric::kL2 ? squares_[s.ids[i]] - 2 * s.products[i] : -s.products[i],
         s.ids[i]});
  }
}

}  // namespace elanus::index
