// Which rows of a segment a read may see: visible at T, not outlived, and kept by the filter.
// Threads: pure functions over immutable views.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bitset.h"
#include "base/cancel.h"
#include "base/crew.h"
#include "base/status.h"
#include "expr/filter.h"
#include "model/expiry.h"
#include "model/schema.h"
#include "query/filter_cache.h"
#include "query/trace.h"
#include "segment/field_reader.h"
#include "segment/segment.h"

namespace elanus::query {

class Matches;

/// What a read asks of every segment.
struct ReadView {
  const model::CollectionSchema* schema = nullptr;
  model::Timestamp at = 0;
  model::Expiry expiry;  ///< rows that have outlived the collection's time to live
  const expr::BoundFilter* filter = nullptr;
  const Cancel* cancel = nullptr;
  FilterCache* filters = nullptr;  ///< answers of earlier reads; nullptr: none are kept
  ReadTrace* trace = nullptr;      ///< where the read writes down how it was answered
  Crew* crew = nullptr;            ///< helps while cores are idle; nullptr: nobody does
};

/// Tells of one segment's rows whether their time is over. One thread's.
class ExpiryCheck {
 public:
  /// \param rows  those that are asked about lie below
  ExpiryCheck(const segment::Segment& segment, uint32_t rows, const ReadView& view);
  bool IsOver(uint32_t row);

 private:
  const segment::Segment& segment_;
  const model::Expiry expiry_;
  std::optional<segment::FieldReader> reader_;  // of the field that says it
};

/// How many of a segment's first rows have outlived their time; expiry names one way, not both.
/// Cost: the blocks of the field, or of the timestamps, that hold such rows.
uint64_t CountExpired(const segment::Segment& segment, const model::CollectionSchema& schema,
                      const model::Expiry& expiry, uint32_t rows);

/// Part [first, first + rows) of a source.
class SlicedSource final : public segment::RowSource {
 public:
  SlicedSource(const segment::RowSource& source, size_t first, size_t rows)
      : source_(source), first_(first), rows_(rows) {}
  size_t rows() const override { return rows_; }
  std::optional<segment::ColumnView> Column(FieldId field) const override;

 private:
  const segment::RowSource& source_;
  size_t first_;
  size_t rows_;
};

/// Rows of one segment that are not candidates: bit r = 1, r < rows. nullptr = all are.
struct HiddenRows {
  uint32_t rows = 0;
  std::shared_ptr<const Bitset> bits;
  bool Hidden(uint32_t row) const { return bits != nullptr && bits->Test(row); }
  uint64_t CountVisible() const { return rows - (bits == nullptr ? 0 : bits->Count()); }
  /// Calls visit(row) for each candidate, ascending. Cost: a word for 64 rows, then the candidates.
  template <class Visit>
  void ForEachVisible(Visit visit) const {
    for (uint32_t first = 0; first < rows; first += 64) {
      uint64_t open = bits == nullptr ? ~uint64_t{0} : ~bits->words()[first / 64];
      if (rows - first < 64) open &= (uint64_t{1} << (rows - first)) - 1;
      for (; open != 0; open &= open - 1)
        visit(first + static_cast<uint32_t>(std::countr_zero(open)));
    }
  }
};

/// One segment's rows that a read may see, found in the way that costs least. What indexes say
/// about the filter is asked once. One thread's.
class VisibleRows {
 public:
  /// Both outlive it.
  VisibleRows(const segment::Segment& segment, const ReadView& view);
  ~VisibleRows();
  VisibleRows(const VisibleRows&) = delete;
  VisibleRows& operator=(const VisibleRows&) = delete;

  /// The candidates themselves, ascending, when indexes find them and they are few beside the
  /// segment's rows; nothing when that is not so. Errors: the filter's, kCanceled, kTimeout.
  Result<std::optional<std::vector<uint32_t>>> Few();

  /// Whether indexes know that the filter keeps few rows. Errors: kCanceled, kTimeout.
  Result<bool> AreFew();

  /// Evaluates the filter over every row that may be visible, or takes an answer kept from before.
  /// Errors: the filter's, kCanceled, kTimeout.
  Result<HiddenRows> Hidden();

 private:
  bool Indexed() const { return matches_ != nullptr; }
  Result<std::optional<std::vector<uint32_t>>> FewOfFilter();
  Status HideByFilter(bool skip_hidden, Bitset& bits);
  Result<FilterCache::Answer> KeptAnswer(const HiddenRows& base);
  Result<HiddenRows> FilteredRows(const HiddenRows& base);
  Result<HiddenRows> FindHidden();
  SegmentTrace* Trace() const;

  const segment::Segment& segment_;
  const ReadView& view_;
  const uint32_t rows_;
  std::vector<segment::Run> runs_;
  std::unique_ptr<Matches> matches_;  // of the one run of a sealed segment that is filtered
};

/// VisibleRows::Hidden of a segment that is asked nothing else.
Result<HiddenRows> HiddenRowsOf(const segment::Segment& segment, const ReadView& view);

}  // namespace elanus::query
