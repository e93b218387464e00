#include "query/order_cut.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <type_traits>

namespace elanus::query {
namespace {

using model::DataType;

template <class T>
T ValueAt(const segment::ColumnView& column, size_t row) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return column.StringAt(row);
  } else {
    return column.Values<T>()[row];
  }
}

/// Two passes over one segment: the worst value that is among the first, then the rows up to it.
/// \tparam T  a number, or a string_view: texts have no statistics, every block is read
template <class T>
class Cutter {
 public:
  static constexpr bool kTexts = std::is_same_v<T, std::string_view>;
  using Wide = std::conditional_t<kTexts, T,
                                  std::conditional_t<std::is_floating_point_v<T>, double, int64_t>>;

  Cutter(const segment::Segment& segment, const HiddenRows& hidden, FieldId field,
         rank::Direction direction, size_t wanted)
      : segment_(segment),
        hidden_(hidden),
        field_(field),
        descending_(direction.descending),
        wanted_(wanted) {}

  /// Nothing when the column cannot be cut: the rows are older than it, or a value is NaN.
  Result<std::optional<OrderCut>> Run(bool ties_by_row, const Cancel& cancel) {
    bool plain = true;
    for (const segment::Run& run : segment_.Runs(hidden_.rows)) {
      const auto column = run.source->Column(field_);
      if (!column) return std::optional<OrderCut>();
      RETURN_IF_ERROR(ForEachBlock(run, *column, cancel, [&](size_t first, size_t end) {
        for (size_t row = first; row < end; ++row) {
          if (hidden_.Hidden(run.first + static_cast<uint32_t>(row)) || column->IsNull(row))
            continue;
          const T value = ValueAt<T>(*column, row);
          if constexpr (std::is_floating_point_v<T>) plain &= !std::isnan(value);
          Offer(value);
        }
      }));
    }
    if (!plain) return std::optional<OrderCut>();
    OrderCut cut;
    size_t ties = 0;
    size_t nulls = 0;
    for (const segment::Run& run : segment_.Runs(hidden_.rows)) {
      const auto column = run.source->Column(field_);
      RETURN_IF_ERROR(ForEachBlock(run, *column, cancel, [&](size_t first, size_t end) {
        for (size_t row = first; row < end; ++row) {
          const uint32_t of_segment = run.first + static_cast<uint32_t>(row);
          if (hidden_.Hidden(of_segment)) continue;
          bool take = true;
          if (column->IsNull(row)) {
            take = !ties_by_row || ++nulls <= wanted_;
          } else if (heap_.size() == wanted_) {
            const T value = ValueAt<T>(*column, row);
            take = !Before(heap_.front(), value);
            if (take && value == heap_.front()) take = !ties_by_row || ++ties <= wanted_;
          }
          if (take) {
            cut.rows.push_back(of_segment);
          } else {
            cut.whole = false;
          }
        }
      }));
    }
    cut.whole &= !skipped_;
    return std::optional<OrderCut>(std::move(cut));
  }

 private:
  bool Before(Wide a, Wide b) const { return descending_ ? a > b : a < b; }

  /// The heap's front is the last of the first `wanted` so far.
  void Offer(T value) {
    const auto before = [this](T a, T b) { return Before(a, b); };
    if (heap_.size() < wanted_) {
      heap_.push_back(value);
      std::ranges::push_heap(heap_, before);
    } else if (Before(value, heap_.front())) {
      std::ranges::pop_heap(heap_, before);
      heap_.back() = value;
      std::ranges::push_heap(heap_, before);
    }
  }

  /// Visits [first, end) of a run, a block at a time, but for blocks that hold nothing to take.
  template <class Visit>
  Status ForEachBlock(const segment::Run& run, const segment::ColumnView& column,
                      const Cancel& cancel, Visit visit) {
    for (size_t first = 0; first < run.source->rows(); first += segment::kRangeRows) {
      RETURN_IF_ERROR(cancel.Check());
      const size_t end = std::min(run.source->rows(), first + segment::kRangeRows);
      if (ComesLater(column, first)) {
        skipped_ = true;
        continue;
      }
      visit(first, end);
    }
    return Status::Ok();
  }

  /// Whether statistics say that nothing of the block at `first` is among the first.
  bool ComesLater(const segment::ColumnView& column, size_t first) const {
    if constexpr (!kTexts) {
      if (column.ranges == nullptr || column.valid != nullptr || heap_.size() != wanted_)
        return false;
      const segment::BlockRange& range = column.ranges[first / segment::kRangeRows];
      return Before(heap_.front(), descending_ ? range.high<Wide>() : range.low<Wide>());
    } else {
      return false;
    }
  }

  const segment::Segment& segment_;
  const HiddenRows& hidden_;
  FieldId field_;
  bool descending_;
  size_t wanted_;
  std::vector<T> heap_;
  bool skipped_ = false;
};

}  // namespace

bool CutsByValue(const model::CollectionSchema& schema, const model::RowValue& value) {
  const model::FieldSchema* field = schema.FindField(value.field);
  return field != nullptr && value.path.empty() &&
         (model::IsNumeric(field->type) || field->type == DataType::kTimestamptz ||
          field->type == DataType::kVarChar);
}

Result<OrderCut> FirstInOrder(const segment::Segment& segment, const HiddenRows& hidden,
                              const model::RowValue& value, rank::Direction direction, bool alone,
                              size_t wanted, const Cancel& cancel) {
  const bool ties_by_row = alone && segment.OrderedByKey();
  std::optional<OrderCut> cut;
  const auto runs = segment.Runs(hidden.rows);
  const auto column = runs.empty() ? std::nullopt : runs.front().source->Column(value.field);
  auto run = [&]<class T>(T) -> Status {
    ASSIGN_OR_RETURN(
        cut, Cutter<T>(segment, hidden, value.field, direction, wanted).Run(ties_by_row, cancel));
    return Status::Ok();
  };
  switch (column ? column->type : DataType::kNone) {
    case DataType::kInt8: RETURN_IF_ERROR(run(int8_t{})); break;
    case DataType::kInt16: RETURN_IF_ERROR(run(int16_t{})); break;
    case DataType::kInt32: RETURN_IF_ERROR(run(int32_t{})); break;
    case DataType::kInt64:
    case DataType::kTimestamptz: RETURN_IF_ERROR(run(int64_t{})); break;
    case DataType::kFloat: RETURN_IF_ERROR(run(float{})); break;
    case DataType::kDouble: RETURN_IF_ERROR(run(double{})); break;
    case DataType::kVarChar: RETURN_IF_ERROR(run(std::string_view{})); break;
    default: break;
  }
  if (cut) return *std::move(cut);
  OrderCut all;
  hidden.ForEachVisible([&](uint32_t row) { all.rows.push_back(row); });
  return all;
}

}  // namespace elanus::query
