#include "query/order_cut.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "simd/dispatch.h"
#include "simd/range.h"

namespace elanus::query {
namespace {

using model::DataType;

constexpr size_t kBlockWords = segment::kRangeRows / 64;

/// The type of the column in its newest rows; older ones may lack it.
DataType TypeOf(std::span<const segment::SegmentPtr> segments, std::span<const HiddenRows> hidden,
                FieldId field) {
  for (size_t s = 0; s < segments.size(); ++s) {
    for (const segment::Run& run : segments[s]->Runs(hidden[s].rows)) {
      if (const auto column = run.source->Column(field)) return column->type;
    }
  }
  return DataType::kNone;
}

/// One pass over the segments, which keeps the rows that are among the first of those seen so far.
/// \tparam T  a number, or a string_view: texts have no statistics, every block is read
template <class T>
class Cutter {
 public:
  static constexpr bool kTexts = std::is_same_v<T, std::string_view>;
  using Wide = std::conditional_t<kTexts, T,
                                  std::conditional_t<std::is_floating_point_v<T>, double, int64_t>>;

  Cutter(std::span<const segment::SegmentPtr> segments, std::span<const HiddenRows> hidden,
         const OrderCutRequest& request, const Cancel& cancel)
      : segments_(segments),
        hidden_(hidden),
        cancel_(cancel),
        field_(request.value->field),
        descending_(request.direction.descending),
        nulls_first_(request.direction.nulls_first),
        alone_(request.alone),
        wanted_(request.wanted),
        room_(RoomBeside(wanted_)) {}

  Result<OrderCut> Run() {
    FindFirstBound();
    OrderCut cut{.rows = std::vector<std::vector<uint32_t>>(segments_.size())};
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      ASSIGN_OR_RETURN(const bool done, AddSegment(s));
      if (done) continue;
      std::erase_if(kept_, [s](const Kept& row) { return row.place.segment == s; });
      std::erase_if(nulls_, [s](const Place& place) { return place.segment == s; });
      hidden_[s].ForEachVisible([&](uint32_t row) { cut.rows[s].push_back(row); });
    }
    if (kept_.size() >= wanted_) Tighten();
    for (const Kept& row : kept_) cut.rows[row.place.segment].push_back(row.place.row);
    // As many values as are wanted come before any null that goes last.
    const bool with_nulls = nulls_first_ || !bound_;
    for (const Place& place : nulls_) {
      if (with_nulls) cut.rows[place.segment].push_back(place.row);
    }
    uint64_t visible = 0;
    uint64_t taken = 0;
    for (size_t s = 0; s < segments_.size(); ++s) {
      std::ranges::sort(cut.rows[s]);
      taken += cut.rows[s].size();
      visible += hidden_[s].CountVisible();
    }
    cut.whole = taken == visible;
    return cut;
  }

 private:
  struct Place {
    uint32_t segment = 0;
    uint32_t row = 0;
  };
  struct Kept {
    T value;
    Place place;
  };
  struct Keys {  // seen in order
    size_t count = 0;
    model::PrimaryKey last;
  };
  struct Spot {  // a block and what its statistics promise
    Wide best;
    const segment::ColumnView* column = nullptr;
    const HiddenRows* hidden = nullptr;
    size_t first = 0;      // of the run
    size_t run_first = 0;  // of the segment
  };

  bool Before(Wide a, Wide b) const { return descending_ ? a > b : a < b; }
  Wide BestOf(const segment::BlockRange& range) const
    requires(!kTexts)
  {
    return descending_ ? range.high<Wide>() : range.low<Wide>();
  }

  /// Reads the blocks that promise the best values until there are as many as wanted: when rows lie
  /// in the order asked for, or against it, no other block need be read.
  void FindFirstBound() {
    if constexpr (!kTexts) {
      std::vector<segment::Run> runs;
      std::vector<segment::ColumnView> columns;
      std::vector<Spot> spots = Spots(runs, columns);
      const auto sooner = [this](const Spot& a, const Spot& b) { return Before(b.best, a.best); };
      std::ranges::make_heap(spots, sooner);
      std::vector<T> values;
      while (!spots.empty() && values.size() < wanted_) {
        std::ranges::pop_heap(spots, sooner);
        const Spot spot = spots.back();
        spots.pop_back();
        uint64_t open[kBlockWords];
        const size_t count = std::min(segment::kRangeRows, spot.column->rows - spot.first);
        Open(*spot.hidden, spot.run_first + spot.first, count, open);
        const T* all = spot.column->template Values<T>().data() + spot.first;
        ForEachOpen(open, count, [&](size_t i) {
          if (!spot.column->IsNull(spot.first + i)) values.push_back(all[i]);
        });
      }
      if (values.size() < wanted_) return;
      const auto last = values.begin() + static_cast<ptrdiff_t>(wanted_ - 1);
      std::ranges::nth_element(values, last, [this](T a, T b) { return Before(a, b); });
      bound_ = *last;
    }
  }

  /// All blocks with statistics and without NaN. \param runs, columns  kept for what spots point to
  std::vector<Spot> Spots(std::vector<segment::Run>& runs,
                          std::vector<segment::ColumnView>& columns) const
    requires(!kTexts)
  {
    std::vector<uint32_t> owners;
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      for (segment::Run& run : segments_[s]->Runs(hidden_[s].rows)) {
        const auto column = run.source->Column(field_);
        if (!column || column->ranges == nullptr) continue;
        columns.push_back(*column);
        columns.back().rows = run.source->rows();
        runs.push_back(std::move(run));
        owners.push_back(s);
      }
    }
    std::vector<Spot> spots;
    for (size_t i = 0; i < columns.size(); ++i) {
      for (size_t first = 0; first < columns[i].rows; first += segment::kRangeRows) {
        const segment::BlockRange& range = columns[i].ranges[first / segment::kRangeRows];
        if (!(range.low<Wide>() <= range.high<Wide>())) continue;
        spots.push_back(
            {BestOf(range), &columns[i], &hidden_[owners[i]], first, size_t{runs[i].first}});
      }
    }
    return spots;
  }

  /// False when the column does not tell: the rows are older than it, or a value is NaN.
  Result<bool> AddSegment(uint32_t s) {
    ties_ = {};
    null_ties_ = {};
    ties_by_row_ = alone_ && segments_[s]->OrderedByKey();
    for (const segment::Run& run : segments_[s]->Runs(hidden_[s].rows)) {
      const auto column = run.source->Column(field_);
      if (!column) return false;
      for (size_t first = 0; first < run.source->rows(); first += segment::kRangeRows) {
        RETURN_IF_ERROR(cancel_.Check());
        const size_t count = std::min(segment::kRangeRows, run.source->rows() - first);
        if (!AddBlock({s, run.first}, *column, first, count)) return false;
      }
    }
    return true;
  }

  bool AddBlock(Place run, const segment::ColumnView& column, size_t first, size_t count) {
    const bool later = ComesLater(column, first);
    const bool wants_nulls = column.valid != nullptr && (nulls_first_ || !bound_);
    if (later && !wants_nulls) return true;
    uint64_t open[kBlockWords];
    if (!Open(hidden_[run.segment], run.row + first, count, open)) return true;
    if (column.valid != nullptr) TakeNulls(run, column, first, count, open);
    if (later) return true;
    if (!IsPlain(column, first, count, open)) return false;
    if (!LeaveWorseOut(column, first, count, open)) return true;
    ForEachOpen(open, count, [&](size_t i) {
      const size_t row = first + i;
      if constexpr (kTexts) {
        Offer(column.StringAt(row), {run.segment, run.row + static_cast<uint32_t>(row)});
      } else {
        Offer(column.template Values<T>()[row],
              {run.segment, run.row + static_cast<uint32_t>(row)});
      }
    });
    return true;
  }

  /// The visible rows of a block; false when there is none.
  static bool Open(const HiddenRows& hidden, size_t first, size_t count, uint64_t* open) {
    const size_t words = (count + 63) / 64;
    uint64_t any = 0;
    for (size_t w = 0; w < words; ++w) {
      open[w] = hidden.bits == nullptr ? ~uint64_t{0} : ~hidden.bits->words()[first / 64 + w];
      if (w + 1 == words && count % 64 != 0) open[w] &= (uint64_t{1} << (count % 64)) - 1;
      any |= open[w];
    }
    return any != 0;
  }

  template <class Visit>
  static void ForEachOpen(const uint64_t* open, size_t count, Visit visit) {
    for (size_t w = 0; w * 64 < count; ++w) {
      for (uint64_t bits = open[w]; bits != 0; bits &= bits - 1)
        visit(w * 64 + static_cast<size_t>(std::countr_zero(bits)));
    }
  }

  /// Takes the null rows out of the open ones.
  void TakeNulls(Place run, const segment::ColumnView& column, size_t first, size_t count,
                 uint64_t* open) {
    ForEachOpen(open, count, [&](size_t i) {
      if (!column.IsNull(first + i)) return;
      open[i / 64] &= ~(uint64_t{1} << (i % 64));
      const Place place{run.segment, run.row + static_cast<uint32_t>(first + i)};
      if (TakesTie(place, null_ties_)) nulls_.push_back(place);
    });
  }

  static bool IsPlain(const segment::ColumnView& column, size_t first, size_t count,
                      const uint64_t* open) {
    bool plain = true;
    if constexpr (std::is_floating_point_v<T>) {
      if (column.ranges != nullptr &&
          !std::isnan(column.ranges[first / segment::kRangeRows].low<Wide>()))
        return true;
      const T* values = column.Values<T>().data() + first;
      ForEachOpen(open, count, [&](size_t i) { plain &= !std::isnan(values[i]); });
    }
    return plain;
  }

  /// Whether nothing of the block at `first` is among the first, as its statistics say.
  bool ComesLater(const segment::ColumnView& column, size_t first) const {
    if constexpr (!kTexts) {
      if (column.ranges == nullptr || !bound_) return false;
      const Wide best = BestOf(column.ranges[first / segment::kRangeRows]);
      // As many equal values with smaller keys are kept: no other of this segment is of use.
      const bool ties_are_full = ties_by_row_ && ties_.count >= wanted_;
      return Before(*bound_, best) || (ties_are_full && best == static_cast<Wide>(*bound_));
    } else {
      return false;
    }
  }

  /// Closes rows that are worse than the bound; false when none is left.
  bool LeaveWorseOut(const segment::ColumnView& column, size_t first, size_t count,
                     uint64_t* open) const {
    if constexpr (!kTexts) {
      if (!bound_) return true;
      using Limits = std::numeric_limits<T>;
      const T lowest = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
      const T highest = Limits::has_infinity ? Limits::infinity() : Limits::max();
      uint64_t good[kBlockWords];
      simd::RangesAt(simd::Active().level)
          .For(T{})(column.Values<T>().data() + first, count, descending_ ? *bound_ : lowest,
                    descending_ ? highest : *bound_, good);
      uint64_t any = 0;
      for (size_t w = 0; w * 64 < count; ++w) any |= open[w] &= good[w];
      return any != 0;
    } else {
      return true;
    }
  }

  void Offer(T value, Place place) {
    if (bound_) {
      if (Before(*bound_, value)) return;
      if (value == *bound_ && !TakesTie(place, ties_)) return;
    }
    kept_.push_back({value, place});
    if (kept_.size() >= room_) Tighten();
  }

  /// Of equal values in a segment ordered by key, those of the first keys suffice.
  bool TakesTie(Place place, Keys& seen) const {
    if (!ties_by_row_) return true;
    model::PrimaryKey key = segments_[place.segment]->KeyAt(place.row);
    if (seen.count != 0 && seen.last == key) return true;
    if (seen.count >= wanted_) return false;
    ++seen.count;
    seen.last = std::move(key);
    return true;
  }

  /// Finds a nearer bound and drops what lies behind it; rows at the bound stay.
  void Tighten() {
    const auto last = kept_.begin() + static_cast<ptrdiff_t>(wanted_ - 1);
    std::ranges::nth_element(kept_, last, [this](T a, T b) { return Before(a, b); }, &Kept::value);
    if (!bound_ || *bound_ != last->value) ties_ = {};
    bound_ = last->value;
    std::erase_if(kept_, [this](const Kept& row) { return Before(*bound_, row.value); });
    room_ = RoomBeside(kept_.size());
  }

  /// A quarter more: each row that comes costs a few steps of a selection.
  static size_t RoomBeside(size_t kept) { return kept + kept / 4 + 2; }

  std::span<const segment::SegmentPtr> segments_;
  std::span<const HiddenRows> hidden_;
  const Cancel& cancel_;
  const FieldId field_;
  const bool descending_;
  const bool nulls_first_;
  const bool alone_;
  const size_t wanted_;

  std::optional<T> bound_;  // the last of the first `wanted_` values so far
  std::vector<Kept> kept_;  // none lies behind the bound but those that came since it moved
  std::vector<Place> nulls_;
  size_t room_;
  bool ties_by_row_ = false;  // of the segment being read
  Keys ties_;                 // of it, at the bound
  Keys null_ties_;
};

}  // namespace

bool CutsByValue(const model::CollectionSchema& schema, const model::RowValue& value) {
  const model::FieldSchema* field = schema.FindField(value.field);
  return field != nullptr && value.path.empty() &&
         (model::IsNumeric(field->type) || field->type == DataType::kTimestamptz ||
          field->type == DataType::kVarChar);
}

Result<OrderCut> FirstInOrder(std::span<const segment::SegmentPtr> segments,
                              std::span<const HiddenRows> hidden, const OrderCutRequest& request,
                              const Cancel& cancel) {
  const auto run = [&]<class T>(T) { return Cutter<T>(segments, hidden, request, cancel).Run(); };
  switch (TypeOf(segments, hidden, request.value->field)) {
    case DataType::kInt8: return run(int8_t{});
    case DataType::kInt16: return run(int16_t{});
    case DataType::kInt32: return run(int32_t{});
    case DataType::kInt64:
    case DataType::kTimestamptz: return run(int64_t{});
    case DataType::kFloat: return run(float{});
    case DataType::kDouble: return run(double{});
    case DataType::kVarChar: return run(std::string_view{});
    default: break;
  }
  OrderCut all{.rows = std::vector<std::vector<uint32_t>>(segments.size())};
  for (size_t s = 0; s < segments.size(); ++s)
    hidden[s].ForEachVisible([&](uint32_t row) { all.rows[s].push_back(row); });
  return all;
}

}  // namespace elanus::query
