#include "query/visible_rows.h"

#include <algorithm>

#include "query/filter.h"

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

/// hidden |= expired. Null when no row is hidden.
std::shared_ptr<const Bitset> HideExpired(const segment::Segment& segment, const ReadView& view,
                                          uint32_t rows, std::shared_ptr<const Bitset> hidden) {
  std::shared_ptr<Bitset> bits;
  for (uint32_t row = 0; row < rows; ++row) {
    if (!view.Expired(segment, row)) continue;
    if (bits == nullptr) {
      bits = hidden == nullptr ? std::make_shared<Bitset>(rows) : std::make_shared<Bitset>(*hidden);
    }
    bits->Set(row);
  }
  return bits == nullptr ? hidden : bits;
}

}  // namespace

std::optional<segment::ColumnView> SlicedSource::Column(FieldId field) const {
  auto view = source_.Column(field);
  if (!view) return view;
  view->rows = rows_;
  if (view->valid != nullptr) view->valid += first_;
  if (view->strings != nullptr) view->strings += first_;
  if (view->offsets != nullptr) view->offsets += first_;
  view->fixed += first_ * model::ValueBytes(view->type, view->dim);
  return view;
}

Result<HiddenRows> HiddenRowsOf(const segment::Segment& segment, const ReadView& view) {
  const uint32_t rows = segment.RowsAt(view.at);
  auto base = segment.HiddenAt(view.at, rows);
  if (view.expired != 0) base = HideExpired(segment, view, rows, std::move(base));
  if (view.filter == nullptr || view.filter->root == nullptr)
    return HiddenRows{rows, std::move(base)};
  auto bits = base == nullptr ? std::make_shared<Bitset>(rows) : std::make_shared<Bitset>(*base);
  for (const segment::Run& run : segment.Runs(rows)) {
    uint64_t* hidden = bits->words() + run.first / 64;
    ASSIGN_OR_RETURN(Truth truth, Evaluate(*view.filter, *run.source, *view.schema,
                                           {.hidden = hidden, .cancel = view.cancel}));
    HideFiltered(truth.is_true, run.source->rows(), hidden);
  }
  return HiddenRows{rows, std::move(bits)};
}

}  // namespace elanus::query
