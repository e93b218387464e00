#include "query/visible_rows.h"

#include <algorithm>
#include <random>

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
  if (view.filter == nullptr || view.filter->keeps_all()) return HiddenRows{rows, std::move(base)};
  auto bits = base == nullptr ? std::make_shared<Bitset>(rows) : std::make_shared<Bitset>(*base);
  const bool filtered = view.filter->root != nullptr;
  for (const segment::Run& run : filtered ? segment.Runs(rows) : std::vector<segment::Run>()) {
    uint64_t* hidden = bits->words() + run.first / 64;
    ASSIGN_OR_RETURN(Truth truth, Evaluate(*view.filter, *run.source, *view.schema,
                                           {.hidden = hidden, .cancel = view.cancel}));
    HideFiltered(truth.is_true, run.source->rows(), hidden);
  }
  if (view.filter->sample != 0) {
    Sample(view.filter->sample, view.at ^ static_cast<uint64_t>(segment.id().value), rows, *bits);
  }
  return HiddenRows{rows, std::move(bits)};
}

}  // namespace elanus::query
