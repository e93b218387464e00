// The rows with the smallest keys of all that a filter keeps, without a look at all of them where
// segments lie in key order. Called by retrieve. Threads: stated at each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "model/primary_key.h"
#include "query/fetch.h"
#include "query/visible_rows.h"

namespace elanus::query {

/// A row that a read found.
struct KeyedRow {
  model::PrimaryKey key;
  model::Timestamp timestamp = 0;
  RowRef ref;
};

/// By key, of one key the newest first.
bool ByKeyNewestFirst(const KeyedRow& a, const KeyedRow& b);

/// Of rows that come in any order, the newest of each of the first `limit` keys. One thread's.
class FirstKeys {
 public:
  explicit FirstKeys(size_t limit) : limit_(limit) {}

  size_t limit() const { return limit_; }
  size_t size() const { return rows_.size(); }

  void Add(std::vector<KeyedRow> rows);

  /// Whether a row of this key can be among them, as far as is known.
  bool CanTake(const model::PrimaryKey& key) const {
    return limit_ != 0 && (!full_ || key <= rows_.back().key);
  }

  /// In order.
  std::vector<KeyedRow> Take() &&;

 private:
  void Cut();

  const size_t limit_;
  std::vector<KeyedRow> rows_;
  size_t cut_ = 0;     // rows in order, a key each
  bool full_ = false;  // all are, and they are as many as wanted
};

/// Adds what the filter keeps of segments that lie in key order: looks at blocks of rows, that with
/// the smallest key of all next, until no other can have one of the keys wanted. Idle cores help
/// with what takes long.
/// \param ordered  places in `segments`
/// Errors: the filter's, kCanceled, kTimeout.
Status AddInKeyOrder(const std::vector<segment::SegmentPtr>& segments,
                     std::span<const uint32_t> ordered, const ReadView& view, FirstKeys& first);

}  // namespace elanus::query
