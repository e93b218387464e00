#include "query/list_scan.h"

#include <algorithm>
#include <string>
#include <vector>

#include "query/struct_elements.h"

namespace elanus::query {
namespace {

/// The nearest so far, more of them than wanted between two selections.
class NearestElements {
 public:
  NearestElements(size_t wanted, index::Window window) : wanted_(wanted), window_(window) {}
  void Push(const ElementHit& hit) {
    if (wanted_ == 0 || !(hit.distance < window_.upper) || !(hit.distance > window_.lower)) return;
    hits_.push_back(hit);
    if (hits_.size() >= 2 * wanted_ + 64) Select();
  }
  std::vector<ElementHit> Take() {
    std::ranges::sort(hits_, Nearer);
    hits_.resize(std::min(hits_.size(), wanted_));
    return std::move(hits_);
  }

 private:
  static bool Nearer(const ElementHit& a, const ElementHit& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    return a.row != b.row ? a.row < b.row : a.element < b.element;
  }
  void Select() {
    std::ranges::nth_element(hits_, hits_.begin() + static_cast<std::ptrdiff_t>(wanted_ - 1),
                             Nearer);
    hits_.resize(wanted_);
  }

  size_t wanted_;
  index::Window window_;
  std::vector<ElementHit> hits_;
};

/// The vectors of lists that a filter of elements keeps, list by list.
class KeptVectors {
 public:
  /// \param bits  of all lists' elements in order; nullptr: all are kept
  explicit KeptVectors(const std::vector<uint64_t>* bits) : bits_(bits) {}

  /// Those of the next list; empty when it keeps none.
  std::string_view Next(std::string_view list, size_t count) {
    if (bits_ == nullptr) return list;
    elements_.clear();
    for (size_t e = 0; e < count; ++e, ++bit_) {
      if (((*bits_)[bit_ / 64] >> (bit_ % 64) & 1) != 0)
        elements_.push_back(static_cast<uint32_t>(e));
    }
    if (elements_.size() == count) return list;
    const size_t width = list.size() / count;
    picked_.clear();
    for (const uint32_t e : elements_) picked_.append(list.substr(e * width, width));
    return picked_;
  }
  /// Which of the list's elements one of them is.
  uint32_t ElementOf(uint32_t i) const { return bits_ == nullptr ? i : elements_[i]; }

 private:
  const std::vector<uint64_t>* bits_;
  size_t bit_ = 0;
  std::vector<uint32_t> elements_;
  std::string picked_;
};

}  // namespace

Result<std::vector<std::vector<index::Hit>>> ScanLists(const segment::Segment& segment,
                                                       const HiddenRows& hidden,
                                                       const ListSearch& search,
                                                       const Cancel& cancel) {
  ListDistance scan(search);
  RETURN_IF_ERROR(scan.Prepare());
  std::vector<index::TopK> tops(scan.queries(), index::TopK(search.top_k, search.window));
  Patience patience(cancel);
  for (const segment::Run& run : segment.Runs(hidden.rows)) {
    const auto column = run.source->Column(search.field->id);
    if (!column) continue;
    for (uint32_t row = 0; row < run.source->rows(); ++row) {
      if (hidden.Hidden(run.first + row) || column->IsNull(row)) continue;
      const std::string_view list = column->StringAt(row);
      if (scan.CountOf(list) == 0) continue;
      RETURN_IF_ERROR(patience.Spend(scan.Work(list)));
      for (size_t q = 0; q < scan.queries(); ++q) {
        tops[q].Push(scan.SumOfNearest(q, list), run.first + row);
      }
    }
  }
  std::vector<std::vector<index::Hit>> results;
  for (index::TopK& top : tops) results.push_back(top.Take());
  return results;
}

Result<std::vector<std::vector<ElementHit>>> ScanElements(const segment::Segment& segment,
                                                          const HiddenRows& hidden,
                                                          const ListSearch& search,
                                                          const expr::ElementFilter* elements,
                                                          const ReadView& view) {
  ListDistance scan(search);
  RETURN_IF_ERROR(scan.Prepare());
  std::vector<NearestElements> nearest(scan.queries(),
                                       NearestElements(search.top_k, search.window));
  Patience patience(*view.cancel);
  for (const segment::Run& run : segment.Runs(hidden.rows)) {
    const auto column = run.source->Column(search.field->id);
    if (!column) continue;
    ElementRows rows;
    for (uint32_t row = 0; row < run.source->rows(); ++row) {
      if (hidden.Hidden(run.first + row) || column->IsNull(row)) continue;
      const size_t count = scan.CountOf(column->StringAt(row));
      if (count == 0) continue;
      rows.rows.push_back(row);
      rows.counts.push_back(count);
    }
    std::vector<uint64_t> kept;
    if (elements != nullptr) {
      ASSIGN_OR_RETURN(kept, KeptBits(*run.source, rows, *elements, view));
    }
    KeptVectors vectors(elements == nullptr ? nullptr : &kept);
    for (size_t i = 0; i < rows.rows.size(); ++i) {
      const std::string_view list = vectors.Next(column->StringAt(rows.rows[i]), rows.counts[i]);
      if (list.empty()) continue;
      RETURN_IF_ERROR(patience.Spend(scan.Work(list)));
      for (size_t q = 0; q < scan.queries(); ++q) {
        const std::vector<float>& distances = scan.Measure(q, 0, list);
        for (uint32_t e = 0; e < distances.size(); ++e) {
          nearest[q].Push({run.first + static_cast<uint32_t>(rows.rows[i]), vectors.ElementOf(e),
                           distances[e]});
        }
      }
    }
  }
  std::vector<std::vector<ElementHit>> results;
  for (NearestElements& one : nearest) results.push_back(one.Take());
  return results;
}

}  // namespace elanus::query
