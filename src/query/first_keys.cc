#include "query/first_keys.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "base/mutex.h"
#include "index/vector/hidden_bits.h"
#include "query/filter.h"
#include "query/pieces.h"

namespace elanus::query {

bool ByKeyNewestFirst(const KeyedRow& a, const KeyedRow& b) {
  if (a.key != b.key) return a.key < b.key;
  // Rows of one insert may share the rest, too: which one is shown must not depend on who helped.
  return std::tuple(b.timestamp, a.ref.segment, a.ref.row) <
         std::tuple(a.timestamp, b.ref.segment, b.ref.row);
}

void FirstKeys::Add(std::vector<KeyedRow> rows) {
  if (rows_.empty()) {
    rows_ = std::move(rows);
  } else {
    rows_.insert(rows_.end(), std::make_move_iterator(rows.begin()),
                 std::make_move_iterator(rows.end()));
  }
  if (rows_.size() > cut_ && rows_.size() >= limit_) Cut();
}

void FirstKeys::Cut() {
  const auto added = std::make_move_iterator(rows_.begin() + static_cast<ptrdiff_t>(cut_));
  const auto end = std::make_move_iterator(rows_.end());
  std::sort(added.base(), end.base(), ByKeyNewestFirst);
  std::vector<KeyedRow> merged;
  merged.reserve(rows_.size());
  std::merge(std::make_move_iterator(rows_.begin()), added, added, end, std::back_inserter(merged),
             ByKeyNewestFirst);
  rows_ = std::move(merged);
  const auto again = std::ranges::unique(rows_, {}, &KeyedRow::key);
  rows_.erase(again.begin(), again.end());
  if (rows_.size() > limit_) rows_.resize(limit_);
  cut_ = rows_.size();
  full_ = cut_ == limit_;
}

std::vector<KeyedRow> FirstKeys::Take() && {
  Cut();
  return std::move(rows_);
}

namespace {

/// Rows looked at before asking "enough?": those that statistics of a column are kept for.
constexpr uint32_t kBlockRows = 8192;
/// No more at once, so that a cancelled call soon frees its core.
constexpr uint32_t kMostRows = 16 * kBlockRows;

class KeyOrderScan {
 public:
  KeyOrderScan(const std::vector<segment::SegmentPtr>& segments, std::span<const uint32_t> ordered,
               const ReadView& view, FirstKeys& first)
      : segments_(segments),
        view_(view),
        limit_(first.limit()),
        workers_(view.crew == nullptr || view.trace != nullptr ? 1 : view.crew->cores()),
        first_(first) {
    const bool filtered = view.filter != nullptr && view.filter->root != nullptr;
    if (filtered && view.filters != nullptr) filter_key_ = FilterCache::KeyOf(*view.filter);
    for (const uint32_t s : ordered) Begin(s);
  }

  Status Run() {
    for (;;) {
      const std::vector<Piece> pieces = NextPieces();
      if (pieces.empty()) return Status::Ok();
      RETURN_IF_ERROR(ForEachPiece(view_, pieces.size(), UsOf(pieces),
                                   [&](size_t i) { return Scan(pieces[i]); }));
    }
  }

 private:
  /// What is left of a segment.
  struct Rest {
    uint32_t segment = 0;
    uint32_t rows = 0;
    uint32_t next = 0;
    model::PrimaryKey key;  // of the next row
    std::shared_ptr<const segment::RowSource> source;
    std::shared_ptr<const Bitset> deleted;
    FilterCache::Answer answer;  // of the filter, when an earlier read left it
  };
  struct Piece {
    const Rest* rest = nullptr;
    uint32_t first = 0;
    uint32_t count = 0;
    model::PrimaryKey key;  // of its first row
  };

  void Begin(uint32_t s) {
    const segment::Segment& segment = *segments_[s];
    Rest rest{.segment = s, .rows = segment.RowsAt(view_.at)};
    const auto runs = segment.Runs(rest.rows);
    if (view_.filter != nullptr) {
      if (auto bound = expr::LowerBoundOf(*view_.filter, *view_.schema))
        rest.next = segment.LowerBound(bound->key, bound->strict);
    }
    if (rest.next >= rest.rows || runs.empty()) return;
    rest.key = segment.KeyAt(rest.next);
    rest.source = runs[0].source;
    rest.deleted = segment.HiddenAt(view_.at, rest.rows);
    if (!filter_key_.empty() && segment.sealed())
      rest.answer = view_.filters->Kept(segment.id(), filter_key_);
    rests_.push_back(std::move(rest));
  }

  /// How many more rows may do, going by what the ones before gave.
  double RowsWanted() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (looked_ == 0) return kBlockRows;
    if (found_ == 0) return static_cast<double>(looked_);
    if (found_ >= limit_) return static_cast<double>(workers_ * kBlockRows);
    return static_cast<double>(limit_ - found_) * static_cast<double>(looked_) /
           static_cast<double>(found_);
  }

  double UsOf(const std::vector<Piece>& pieces) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (looked_ == 0) return 0;
    double rows = 0;
    for (const Piece& piece : pieces) rows += piece.count;
    return rows * us_ / static_cast<double>(looked_);
  }

  bool CanTake(const model::PrimaryKey& key) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return first_.CanTake(key);
  }

  /// The segment whose next row has the smallest key; nullptr: none can have a key wanted.
  Rest* Smallest() EXCLUDES(mutex_) {
    Rest* smallest = nullptr;
    for (Rest& rest : rests_) {
      if (rest.next < rest.rows && (smallest == nullptr || rest.key < smallest->key))
        smallest = &rest;
    }
    return smallest != nullptr && CanTake(smallest->key) ? smallest : nullptr;
  }

  /// Up to where blocks begin: from there on their statistics serve.
  Piece CutFrom(Rest& rest, uint32_t rows) const {
    const uint32_t count = std::min(rows - rest.next % kBlockRows, rest.rows - rest.next);
    Piece piece{.rest = &rest, .first = rest.next, .count = count, .key = std::move(rest.key)};
    rest.next += count;
    if (rest.next < rest.rows) rest.key = segments_[rest.segment]->KeyAt(rest.next);
    return piece;
  }

  std::vector<Piece> NextPieces() EXCLUDES(mutex_) {
    const double most = static_cast<double>(workers_) * kMostRows;
    const auto rows = static_cast<size_t>(std::clamp<double>(RowsWanted(), kBlockRows, most));
    const size_t blocks = (rows + kBlockRows - 1) / kBlockRows;
    const size_t each = (blocks + workers_ - 1) / workers_;
    std::vector<Piece> pieces;
    for (size_t taken = 0; taken < blocks; taken += each) {
      Rest* const rest = Smallest();
      if (rest == nullptr) break;
      pieces.push_back(CutFrom(*rest, static_cast<uint32_t>(each * kBlockRows)));
    }
    return pieces;
  }

  Status Scan(const Piece& piece) EXCLUDES(mutex_) {
    RETURN_IF_ERROR(view_.cancel->Check());
    if (!CanTake(piece.key)) return Status::Ok();
    double us = 0;
    std::vector<KeyedRow> kept;
    {
      const StepTimer timer(&us);
      ASSIGN_OR_RETURN(kept, Kept(piece));
    }
    if (view_.trace != nullptr) {
      SegmentTrace& trace = *Trace(piece);
      trace.rows += piece.count;
      trace.rows_kept += kept.size();
      trace.filter_us += us;
    }
    const MutexLock lock(mutex_);
    looked_ += piece.count;
    found_ += kept.size();
    us_ += us;
    first_.Add(std::move(kept));
    return Status::Ok();
  }

  /// One bit a row of a piece.
  Result<std::vector<uint64_t>> KeptByFilter(const Piece& piece) const {
    const Rest& rest = *piece.rest;
    std::vector<uint64_t> kept((piece.count + 63) / 64, ~uint64_t{0});
    if (rest.answer != nullptr) {
      const index::HiddenBits hidden(rest.answer->words(), rest.answer->size());
      for (size_t w = 0; w < kept.size(); ++w) kept[w] = ~hidden.Word(piece.first + w * 64);
    } else if (view_.filter != nullptr && view_.filter->root != nullptr) {
      const SlicedSource block(*rest.source, piece.first, piece.count);
      ASSIGN_OR_RETURN(Truth truth, Evaluate(*view_.filter, block, *view_.schema,
                                             {.cancel = view_.cancel, .trace = Trace(piece)}));
      return std::move(truth.is_true);
    }
    if (piece.count % 64 != 0) kept.back() &= (uint64_t{1} << (piece.count % 64)) - 1;
    return kept;
  }

  /// The rows of a piece that the filter keeps, of the first `limit` keys.
  Result<std::vector<KeyedRow>> Kept(const Piece& piece) const {
    const Rest& rest = *piece.rest;
    const segment::Segment& segment = *segments_[rest.segment];
    ASSIGN_OR_RETURN(const std::vector<uint64_t> open, KeptByFilter(piece));
    std::optional<ExpiryCheck> expiry;
    if (!view_.expiry.none()) expiry.emplace(segment, rest.rows, view_);
    std::vector<KeyedRow> kept;
    size_t keys = 0;
    for (size_t w = 0; w < open.size(); ++w) {
      for (uint64_t bits = open[w]; bits != 0; bits &= bits - 1) {
        const auto row = piece.first + static_cast<uint32_t>(
                                           w * 64 + static_cast<size_t>(std::countr_zero(bits)));
        if (rest.deleted != nullptr && rest.deleted->Test(row)) continue;
        if (expiry && expiry->IsOver(row)) continue;
        model::PrimaryKey key = segment.KeyAt(row);
        if (kept.empty() || kept.back().key != key) {
          if (keys == limit_) return kept;
          ++keys;
        }
        kept.push_back({std::move(key), segment.TimestampAt(row), {rest.segment, row}});
      }
    }
    return kept;
  }

  SegmentTrace* Trace(const Piece& piece) const {
    if (view_.trace == nullptr) return nullptr;
    const segment::Segment& segment = *segments_[piece.rest->segment];
    SegmentTrace& trace = view_.trace->Of(segment.id());
    trace.sealed = segment.sealed();
    trace.filtered = true;
    return &trace;
  }

  const std::vector<segment::SegmentPtr>& segments_;
  const ReadView& view_;
  const size_t limit_;
  const size_t workers_;
  std::string filter_key_;  // empty: no answers are kept
  std::vector<Rest> rests_;
  Mutex mutex_;
  FirstKeys& first_ GUARDED_BY(mutex_);
  size_t looked_ GUARDED_BY(mutex_) = 0;
  size_t found_ GUARDED_BY(mutex_) = 0;
  double us_ GUARDED_BY(mutex_) = 0;  // for the rows looked at
};

}  // namespace

Status AddInKeyOrder(const std::vector<segment::SegmentPtr>& segments,
                     std::span<const uint32_t> ordered, const ReadView& view, FirstKeys& first) {
  return KeyOrderScan(segments, ordered, view, first).Run();
}

}  // namespace elanus::query
