#include "index/vector/ivf_lists.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "index/vector/bound_for.h"

namespace elanus::index {
namespace {

constexpr int32_t kMeasured = std::numeric_limits<int32_t>::max();

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
  Rank(query, s);
  Extend(query, wanted, s);
}

void IvfLists::Rank(const float* query, ListScratch& s) const {
  s.query_code.resize(codec_.stride());
  const int32_t bias = codec_.EncodeQuery(query, s.query_code.data());
  s.codes.resize(count_);
  codes_.BlockDistances(s.query_code.data(), bias, 0, count_, s.codes.data());
  s.unmeasured = count_;
  s.measured.clear();
  s.lists.clear();
}

void IvfLists::Extend(const float* query, size_t wanted, ListScratch& s) const {
  if (wanted <= s.lists.size()) return;
  const size_t more = wanted - s.lists.size();
  const size_t looked_at = std::min(LookedAt(more), s.measured.size() + s.unmeasured);
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

// The nearest lists by code of those not measured yet, at least `count` of them: into s.ids.
void IvfLists::Choose(size_t count, ListScratch& s) const {
  s.ids.resize(count_);
  size_t chosen = count;
  const size_t most = count + count / 4;
  const auto all = std::span<const int32_t>(s.codes);
  const std::optional<int32_t> bound =
      most >= s.unmeasured ? kMeasured - 1 : BoundFor(all, count, most);
  if (bound) {
    chosen = simd::Active().select_le_s32(s.codes.data(), count_, *bound, s.ids.data());
  } else {  // too many are equally near
    std::iota(s.ids.begin(), s.ids.end(), 0u);
    std::nth_element(s.ids.begin(), s.ids.begin() + static_cast<ptrdiff_t>(count - 1), s.ids.end(),
                     [&](uint32_t a, uint32_t b) {
                       return std::pair(s.codes[a], a) < std::pair(s.codes[b], b);
                     });
  }
  s.ids.resize(chosen);
  s.unmeasured -= chosen;
  for (const uint32_t list : s.ids) s.codes[list] = kMeasured;
}

void IvfLists::Measure(const float* query, size_t count, ListScratch& s) const {
  Choose(count, s);
  count = s.ids.size();
  s.products.resize(count);
  simd::Active().ip_rows(query, centroids_.data(), dim_, s.ids.data(), count, dim_,
                         s.products.data());
  for (size_t i = 0; i < count; ++i) {
    s.measured.push_back(
        {metric_ == Metric::kL2 ? squares_[s.ids[i]] - 2 * s.products[i] : -s.products[i],
         s.ids[i]});
  }
}

}  // namespace elanus::index
