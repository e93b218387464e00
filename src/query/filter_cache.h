// Answers of filters over sealed segments, kept for the next read with the same filter: a tenant, a
// category or an access list comes with thousands of searches, and the rows do not change.
// Holds: an entry answers for every row of its segment, deleted or not, so it serves a read at any
// timestamp; segment ids are never used again; bytes stay within the budget, the entry that was not
// asked for longest goes first. A filter is kept from its second read on: the pages of an iterator
// come with a new one each.
// Called by visible_rows and first_keys. Threads: any; a lock is held for a lookup.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bitset.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "expr/filter.h"

namespace elanus::query {

class FilterCache {
 public:
  /// Bit r = 1: the filter is not true for row r.
  using Answer = std::shared_ptr<const Bitset>;

  explicit FilterCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  struct Found {
    Answer answer;             ///< nullptr: not kept
    bool asked_before = true;  ///< worth a Put
  };

  /// The byte form of a bound filter: equal bytes, equal answer. Empty: none are kept of it.
  static std::string KeyOf(const expr::BoundFilter& filter);

  /// \param filter  as KeyOf has it
  Found Find(SegmentId segment, std::string_view filter) EXCLUDES(mutex_);
  /// What is kept, for a read that would not evaluate the filter over all rows: nullptr when
  /// nothing is, and no one remembers that it was asked for.
  Answer Kept(SegmentId segment, std::string_view filter) EXCLUDES(mutex_);
  void Put(SegmentId segment, std::string filter, Answer answer) EXCLUDES(mutex_);

  uint64_t bytes() const EXCLUDES(mutex_);

 private:
  struct Key {
    SegmentId segment;
    std::string_view filter;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const noexcept;
  };
  struct Entry {
    SegmentId segment;
    std::string filter;  ///< what the key of this entry looks at
    Answer answer;
    uint64_t bytes() const;
  };
  using Entries = std::list<Entry>;

  Answer FindKept(const Key& key) REQUIRES(mutex_);
  void DropLast() REQUIRES(mutex_);

  const uint64_t bytes_max_;
  mutable Mutex mutex_;
  Entries entries_ GUARDED_BY(mutex_);  // the last one asked for first
  std::unordered_map<Key, Entries::iterator, KeyHash> by_key_ GUARDED_BY(mutex_);
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  std::array<size_t, 1024> asked_ GUARDED_BY(mutex_){};  // hashes of keys, the latest a place
};

}  // namespace elanus::query
