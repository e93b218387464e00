#include "index/vector/ivf_lists.h"

#include <algorithm>
#include <limits>

namespace elanus::index {
namespace {

constexpr size_t kAtOnce = 256;

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
  // Codes may rank a list a little too low: somewhat more are looked at closely.
  const size_t close = std::min(count_, wanted + wanted / 4 + 8);
  s.query_code.resize(codec_.stride());
  const int32_t bias = codec_.EncodeQuery(query, s.query_code.data());
  s.near.clear();
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
  if (s.near.size() > close) shrink();
  s.ids.resize(s.near.size());
  s.products.resize(s.near.size());
  for (size_t i = 0; i < s.near.size(); ++i) s.ids[i] = s.near[i].second;
  kernels.ip_rows(query, centroids_.data(), dim_, s.ids.data(), s.ids.size(), dim_,
                  s.products.data());
  s.lists.resize(s.ids.size());
  for (size_t i = 0; i < s.ids.size(); ++i) {
    s.lists[i] = {metric_ == Metric::kL2 ? squares_[s.ids[i]] - 2 * s.products[i] : -s.products[i],
                  s.ids[i]};
  }
  std::partial_sort(s.lists.begin(), s.lists.begin() + static_cast<ptrdiff_t>(wanted),
                    s.lists.end(), [](const NearList& a, const NearList& b) {
                      return a.distance < b.distance ||
                             (a.distance == b.distance && a.list < b.list);
                    });
  s.lists.resize(wanted);
}

}  // namespace elanus::index
