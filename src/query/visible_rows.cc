#include "query/visible_rows.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "query/filter.h"
#include "query/filter_matches.h"

namespace elanus::query {
namespace {

/// hidden |= not TRUE, for the rows of one run, which starts at a multiple of 64.
void HideFiltered(const std::vector<uint64_t>& is_true, size_t rows, uint64_t* hidden) {
  const size_t words = (rows + 63) / 64;
  for (size_t w = 0; w < words; ++w) {
    uint64_t out = ~is_true[w];
    if (w + 1 == words && rows % 64 != 0) out &= (uint64_t{1} << (rows % 64)) - 1;
    hidden[w] |= out;
  }
}

/// Hides all but a share of the visible rows, at least one of them. Which ones depends on the
/// read's timestamp and the segment: every read chooses anew, and a page of an iterator like the
/// others.
void Sample(double share, uint64_t seed, uint32_t rows, Bitset& hidden) {
  uint64_t left = rows - hidden.Count();
  auto wanted = static_cast<uint64_t>(static_cast<double>(left) * share);
  wanted = std::min(left, std::max<uint64_t>(wanted, 1));
  std::mt19937_64 random(seed);
  for (uint32_t row = 0; row < rows; ++row) {
    if (hidden.Test(row)) continue;
    // Keeping each with the chance of what is still wanted gives every choice the same chance.
    if (random() % left < wanted) {
      --wanted;
    } else {
      hidden.Set(row);
    }
    --left;
  }
}

/// Calls visit(row) for each row whose time in a TIMESTAMPTZ field is over. Blocks whose smallest
/// value is later are not read.
template <class Visit>
void ForEachOutlived(const segment::Segment& segment, const model::FieldSchema& field,
                     int64_t micros, uint32_t rows, Visit visit) {
  for (const segment::Run& run : segment.Runs(rows)) {
    const auto column = run.source->Column(field.id);
    const auto count = static_cast<uint32_t>(run.source->rows());
    if (!column) {
      segment::FieldReader defaults(segment, rows, field);
      int64_t value = 0;
      if (count == 0 || defaults.IsNull(run.first)) continue;
      std::memcpy(&value, defaults.ValueAt(run.first).data(), sizeof(value));
      for (uint32_t row = 0; value <= micros && row < count; ++row) visit(run.first + row);
      continue;
    }
    const int64_t* values = column->Values<int64_t>().data();
    for (uint32_t first = 0; first < count; first += segment::kRangeRows) {
      const uint32_t end = std::min<uint32_t>(count, first + segment::kRangeRows);
      if (column->ranges != nullptr &&
          column->ranges[first / segment::kRangeRows].low<int64_t>() > micros) {
        continue;
      }
      for (uint32_t row = first; row < end; ++row) {
        if (values[row] <= micros && !column->IsNull(row)) visit(run.first + row);
      }
    }
  }
}

/// Sets the bits of those rows; makes the bits when it meets the first.
void HideOutlived(const segment::Segment& segment, const model::FieldSchema& field, int64_t micros,
                  uint32_t rows, std::shared_ptr<Bitset>& bits) {
  ForEachOutlived(segment, field, micros, rows, [&](uint32_t row) {
    if (bits == nullptr) bits = std::make_shared<Bitset>(rows);
    bits->Set(row);
  });
}

/// The field whose times end rows; nullptr when there is none.
const model::FieldSchema* EndingField(const model::CollectionSchema& schema,
                                      const model::Expiry& expiry) {
  const FieldId id = expiry.field;
  const model::FieldSchema* field = id.value == 0 ? nullptr : schema.FindField(id);
  return field != nullptr && field->type == model::DataType::kTimestamptz ? field : nullptr;
}

/// hidden |= expired. Null when no row is hidden.
std::shared_ptr<const Bitset> HideExpired(const segment::Segment& segment, const ReadView& view,
                                          uint32_t rows, std::shared_ptr<const Bitset> hidden) {
  std::shared_ptr<Bitset> expired;
  if (view.expiry.inserted != 0) expired = segment.InsertedBy(view.expiry.inserted, rows);
  if (const model::FieldSchema* field = EndingField(*view.schema, view.expiry))
    HideOutlived(segment, *field, view.expiry.micros, rows, expired);
  if (expired == nullptr) return hidden;
  for (size_t w = 0; hidden != nullptr && w < expired->word_count(); ++w)
    expired->words()[w] |= hidden->words()[w];
  return expired;
}

/// Rows are listed one by one when they are less than this part of a segment.
constexpr uint32_t kFewPart = 64;

/// More of the rows hidden: skipping them is worth more than an answer that serves any timestamp.
constexpr size_t kKeptHiddenPart = 4;

/// hidden |= all rows but those listed, for `rows` rows.
void HideOthers(const std::vector<uint32_t>& listed, Bitset& hidden) {
  size_t next = 0;
  for (size_t w = 0; w < hidden.word_count(); ++w) {
    uint64_t kept = 0;
    for (; next < listed.size() && listed[next] / 64 == w; ++next)
      kept |= uint64_t{1} << (listed[next] % 64);
    hidden.words()[w] |= ~kept;
  }
  if (hidden.size() != 0) hidden.TrimTail();
}

}  // namespace

ExpiryCheck::ExpiryCheck(const segment::Segment& segment, uint32_t rows, const ReadView& view)
    : segment_(segment), expiry_(view.expiry) {
  if (const model::FieldSchema* field = EndingField(*view.schema, view.expiry))
    reader_.emplace(segment, rows, *field);
}

bool ExpiryCheck::IsOver(uint32_t row) {
  if (expiry_.inserted != 0 && segment_.TimestampAt(row) <= expiry_.inserted) return true;
  if (!reader_ || reader_->IsNull(row)) return false;
  int64_t micros;
  std::memcpy(&micros, reader_->ValueAt(row).data(), sizeof(micros));
  return micros <= expiry_.micros;
}

std::optional<segment::ColumnView> SlicedSource::Column(FieldId field) const {
  auto view = source_.Column(field);
  if (!view) return view;
  view->rows = rows_;
  if (view->valid != nullptr) view->valid += first_;
  if (view->strings != nullptr) view->strings += first_;
  if (view->offsets != nullptr) view->offsets += first_;
  if (view->ranges != nullptr && first_ % segment::kRangeRows == 0) {
    view->ranges += first_ / segment::kRangeRows;
  } else {
    view->ranges = nullptr;
  }
  view->fixed += first_ * model::ValueBytes(view->type, view->dim);
  return view;
}

uint64_t CountExpired(const segment::Segment& segment, const model::CollectionSchema& schema,
                      const model::Expiry& expiry, uint32_t rows) {
  uint64_t count = 0;
  if (expiry.inserted != 0) {
    const auto bits = segment.InsertedBy(expiry.inserted, rows);
    count = bits == nullptr ? 0 : bits->Count();
  }
  if (const model::FieldSchema* field = EndingField(schema, expiry))
    ForEachOutlived(segment, *field, expiry.micros, rows, [&](uint32_t) { ++count; });
  return count;
}

VisibleRows::VisibleRows(const segment::Segment& segment, const ReadView& view)
    : segment_(segment), view_(view), rows_(segment.RowsAt(view.at)), runs_(segment.Runs(rows_)) {
  const bool filtered = view.filter != nullptr && view.filter->root != nullptr;
  if (filtered && segment.sealed() && runs_.size() == 1) {
    matches_ =
        std::make_unique<Matches>(*runs_.front().source, view.cancel, IndexUse::kWhenCheaper);
  }
}

VisibleRows::~VisibleRows() = default;

SegmentTrace* VisibleRows::Trace() const {
  return view_.trace == nullptr ? nullptr : &view_.trace->Of(segment_.id());
}

Result<std::optional<std::vector<uint32_t>>> VisibleRows::FewOfFilter() {
  if (!Indexed()) return std::optional<std::vector<uint32_t>>();
  return FewRowsByIndex(*view_.filter, *runs_.front().source, *view_.schema, rows_ / kFewPart,
                        {.cancel = view_.cancel, .trace = Trace(), .matches = matches_.get()});
}

Result<bool> VisibleRows::AreFew() {
  if (!Indexed()) return false;
  ASSIGN_OR_RETURN(const uint64_t most, matches_->RowsAtMost(*view_.filter->root));
  return most < rows_ / kFewPart;
}

Result<std::optional<std::vector<uint32_t>>> VisibleRows::Few() {
  if (!Indexed() || view_.filter->sample != 0) return std::optional<std::vector<uint32_t>>();
  SegmentTrace* trace = Trace();
  const StepTimer timer(trace == nullptr ? nullptr : &trace->filter_us);
  ASSIGN_OR_RETURN(auto few, FewOfFilter());
  if (!few) return few;
  const auto hidden = segment_.HiddenAt(view_.at, rows_);
  ExpiryCheck expiry(segment_, rows_, view_);
  std::erase_if(*few, [&](uint32_t row) {
    return (hidden != nullptr && hidden->Test(row)) || expiry.IsOver(row);
  });
  if (trace != nullptr) {
    trace->sealed = true;
    trace->filtered = true;
    trace->rows = rows_;
    trace->rows_kept = few->size();
  }
  return few;
}

/// bits |= rows for which the filter is not true.
/// \param skip_hidden  rows whose bit is set already are not evaluated: their answer is unknown
Status VisibleRows::HideByFilter(bool skip_hidden, Bitset& bits) {
  ASSIGN_OR_RETURN(const auto few, FewOfFilter());
  if (few) {
    HideOthers(*few, bits);
    return Status::Ok();
  }
  for (const segment::Run& run : runs_) {
    uint64_t* hidden = bits.words() + run.first / 64;
    ASSIGN_OR_RETURN(Truth truth, Evaluate(*view_.filter, *run.source, *view_.schema,
                                           {.hidden = skip_hidden ? hidden : nullptr,
                                            .cancel = view_.cancel,
                                            .trace = Trace(),
                                            .matches = matches_.get()}));
    HideFiltered(truth.is_true, run.source->rows(), hidden);
  }
  return Status::Ok();
}

/// The filter's answer for all rows of a sealed segment, or nullptr when it is not one to keep.
Result<FilterCache::Answer> VisibleRows::KeptAnswer(const HiddenRows& base) {
  if (view_.filters == nullptr || !segment_.sealed()) return FilterCache::Answer();
  if (base.bits != nullptr && base.bits->Count() > base.rows / kKeptHiddenPart) {
    return FilterCache::Answer();
  }
  std::string filter = FilterCache::KeyOf(*view_.filter);
  if (filter.empty()) return FilterCache::Answer();
  FilterCache::Found found = view_.filters->Find(segment_.id(), filter);
  if (found.answer != nullptr || !found.asked_before) return std::move(found.answer);
  auto bits = std::make_shared<Bitset>(base.rows);
  RETURN_IF_ERROR(HideByFilter(false, *bits));
  view_.filters->Put(segment_.id(), std::move(filter), bits);
  return FilterCache::Answer(std::move(bits));
}

/// The base and what the filter hides.
Result<HiddenRows> VisibleRows::FilteredRows(const HiddenRows& base) {
  ASSIGN_OR_RETURN(FilterCache::Answer answer, KeptAnswer(base));
  if (answer != nullptr && base.bits == nullptr) return HiddenRows{base.rows, std::move(answer)};
  auto bits = base.bits == nullptr ? std::make_shared<Bitset>(base.rows)
                                   : std::make_shared<Bitset>(*base.bits);
  if (answer != nullptr) {
    for (size_t w = 0; w < bits->word_count(); ++w) bits->words()[w] |= answer->words()[w];
  } else {
    RETURN_IF_ERROR(HideByFilter(true, *bits));
  }
  return HiddenRows{base.rows, std::move(bits)};
}

Result<HiddenRows> VisibleRows::FindHidden() {
  HiddenRows base{rows_, segment_.HiddenAt(view_.at, rows_)};
  if (!view_.expiry.none()) base.bits = HideExpired(segment_, view_, rows_, std::move(base.bits));
  if (view_.trace != nullptr) Trace()->rows_visible = base.CountVisible();
  if (view_.filter == nullptr || view_.filter->keeps_all()) return base;
  HiddenRows hidden = base;
  if (view_.filter->root != nullptr) {
    ASSIGN_OR_RETURN(hidden, FilteredRows(base));
  }
  if (view_.filter->sample != 0) {
    auto bits = hidden.bits == nullptr ? std::make_shared<Bitset>(rows_)
                                       : std::make_shared<Bitset>(*hidden.bits);
    Sample(view_.filter->sample, view_.at ^ static_cast<uint64_t>(segment_.id().value), rows_,
           *bits);
    hidden.bits = std::move(bits);
  }
  return hidden;
}

Result<HiddenRows> VisibleRows::Hidden() {
  if (view_.trace == nullptr) return FindHidden();
  SegmentTrace& trace = *Trace();
  trace.sealed = segment_.sealed();
  trace.filtered = view_.filter != nullptr && !view_.filter->keeps_all();
  double us = 0;
  Result<HiddenRows> hidden = HiddenRows{};
  {
    const StepTimer timer(&us);
    hidden = FindHidden();
  }
  if (!hidden) return hidden;
  trace.filter_us += us;
  trace.rows = hidden->rows;
  trace.rows_kept = hidden->CountVisible();
  return hidden;
}

Result<HiddenRows> HiddenRowsOf(const segment::Segment& segment, const ReadView& view) {
  return VisibleRows(segment, view).Hidden();
}

}  // namespace elanus::query
