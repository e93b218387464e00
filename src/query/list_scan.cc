#include "query/list_scan.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "index/vector/vectors.h"
#include "model/vector_values.h"
#include "query/filter.h"
#include "query/filter_operator.h"
#include "query/struct_elements.h"

namespace elanus::query {
namespace {

using model::DataType;

/// The vectors of one query, as the kernels want them.
struct Query {
  std::string bytes;
  size_t vectors = 0;
  const void* At(size_t i, size_t width) const { return bytes.data() + i * width; }
};

class ListScan {
 public:
  explicit ListScan(const ListSearch& search)
      : search_(search),
        metric_(model::ElementMetric(search.metric)),
        type_(search.field->element_type),
        dim_(static_cast<size_t>(search.field->dim())),
        width_(model::ValueBytes(type_, search.field->dim())) {}

  Status Prepare() {
    if (!model::CanCompare(search_.field->type, type_, search_.metric) || width_ == 0) {
      return InvalidParameter(fmt::format("lists of {} are not compared by {}",
                                          model::DataTypeName(type_),
                                          model::MetricName(search_.metric)));
    }
    for (size_t q = 0; q < search_.queries.rows; ++q) {
      const std::string_view given = search_.queries.ValueAt(q);
      Query query{.vectors = given.size() / width_};
      if (type_ == DataType::kFloatVector || type_ == DataType::kBinaryVector) {
        query.bytes = given;
        query_width_ = width_;
      } else {
        std::vector<float> floats(query.vectors * dim_);
        model::DenseToFloats(type_, given.data(), floats.size(), floats.data());
        query.bytes.assign(reinterpret_cast<const char*>(floats.data()), floats.size() * 4);
        query_width_ = dim_ * sizeof(float);
      }
      queries_.push_back(std::move(query));
    }
    return Status::Ok();
  }

  size_t queries() const { return queries_.size(); }
  size_t CountOf(std::string_view list) const { return list.size() / width_; }

  /// Distances of a query's vector to all of a list's.
  const std::vector<float>& Measure(size_t query, size_t vector, std::string_view list) {
    const size_t count = CountOf(list);
    distances_.resize(count);
    // Rows of growing segments lie anywhere; kernels read whole numbers.
    const char* data = list.data();
    if (reinterpret_cast<uintptr_t>(data) % alignof(float) != 0) {
      if (aligned_from_ != data) {
        aligned_.resize(list.size() / sizeof(float) + 1);
        std::memcpy(aligned_.data(), data, list.size());
        aligned_from_ = data;
      }
      data = reinterpret_cast<const char*>(aligned_.data());
    }
    const index::VectorView view{
        .data = data, .rows = count, .dim = dim_, .element = index::ElementOf(type_)};
    const index::ExactDistance exact(metric_, view, nullptr,
                                     queries_[query].At(vector, query_width_));
    exact.Block(0, count, distances_.data());
    return distances_;
  }

  float SumOfNearest(size_t query, std::string_view list) {
    float sum = 0;
    for (size_t v = 0; v < queries_[query].vectors; ++v) {
      sum += *std::ranges::min_element(Measure(query, v, list));
    }
    return sum;
  }
  /// Numbers multiplied for one list.
  size_t Work(std::string_view list) const {
    size_t vectors = 0;
    for (const Query& query : queries_) vectors += query.vectors;
    return vectors * list.size();
  }

 private:
  const ListSearch& search_;
  const model::Metric metric_;
  const DataType type_;
  const size_t dim_;
  const size_t width_;
  size_t query_width_ = 0;
  std::vector<Query> queries_;
  std::vector<float> distances_;
  std::vector<float> aligned_;
  const char* aligned_from_ = nullptr;
};

/// Looks at `cancel` every few milliseconds of work.
class Patience {
 public:
  explicit Patience(const Cancel& cancel) : cancel_(cancel) {}
  Status Spend(size_t work) {
    constexpr size_t kEvery = 16 << 20;
    if ((spent_ += work) < kEvery) return Status::Ok();
    spent_ = 0;
    return cancel_.Check();
  }

 private:
  const Cancel& cancel_;
  size_t spent_ = 16 << 20;  // the first look comes before anything
};

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

/// The rows of a run that are candidates, and how many elements each has.
struct RunRows {
  std::vector<size_t> rows;
  std::vector<size_t> counts;
};

/// For the elements of the rows one after another, 1 where the filter keeps one.
Result<std::vector<uint64_t>> KeptBits(const segment::RowSource& source, const RunRows& rows,
                                       const expr::ElementFilter& elements, const ReadView& view) {
  const model::CollectionSchema schema = ElementSchema(*view.schema);
  const ElementSource spread(source, schema, rows.rows, rows.counts);
  if (elements.match.children.empty()) return Unfit("a filter of elements");
  const expr::BoundFilter predicate{
      .root = std::make_shared<const expr::Node>(elements.match.children.front())};
  ASSIGN_OR_RETURN(Truth truth, Evaluate(predicate, spread, schema, {.cancel = view.cancel}));
  return std::move(truth.is_true);
}

}  // namespace

Result<std::vector<std::vector<index::Hit>>> ScanLists(const segment::Segment& segment,
                                                       const HiddenRows& hidden,
                                                       const ListSearch& search,
                                                       const Cancel& cancel) {
  ListScan scan(search);
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
  ListScan scan(search);
  RETURN_IF_ERROR(scan.Prepare());
  std::vector<NearestElements> nearest(scan.queries(),
                                       NearestElements(search.top_k, search.window));
  Patience patience(*view.cancel);
  for (const segment::Run& run : segment.Runs(hidden.rows)) {
    const auto column = run.source->Column(search.field->id);
    if (!column) continue;
    RunRows rows;
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
    size_t first = 0;
    for (size_t i = 0; i < rows.rows.size(); ++i) {
      const std::string_view list = column->StringAt(rows.rows[i]);
      RETURN_IF_ERROR(patience.Spend(scan.Work(list)));
      for (size_t q = 0; q < scan.queries(); ++q) {
        const std::vector<float>& distances = scan.Measure(q, 0, list);
        for (uint32_t e = 0; e < distances.size(); ++e) {
          const size_t bit = first + e;
          if (elements != nullptr && (kept[bit / 64] >> (bit % 64) & 1) == 0) continue;
          nearest[q].Push({run.first + static_cast<uint32_t>(rows.rows[i]), e, distances[e]});
        }
      }
      first += rows.counts[i];
    }
  }
  std::vector<std::vector<ElementHit>> results;
  for (NearestElements& one : nearest) results.push_back(one.Take());
  return results;
}

}  // namespace elanus::query
