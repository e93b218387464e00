// Hits kept together by a value: GROUP BY of a search. Holds: groups come in the order of their
// best hit and are contiguous, hits inside a group nearest first, so that scores as a whole need
// not ascend. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/metric.h"
#include "model/row_batch.h"
#include "rank/merge.h"
#include "rank/order.h"

namespace elanus::rank {

/// The bytes that two rows share exactly when their values in the first `columns` columns are equal
/// (null equals null). Overwrites `key`.
void GroupKeyOf(const model::RowBatch& values, size_t columns, size_t row, std::string& key);

/// Appends what GroupKeyOf has for one value.
void AppendGroupKey(const model::Column& column, size_t row, std::string& key);

/// Fills groups with hits that come nearest first.
class GroupFill {
 public:
  /// \param groups_max  groups wanted
  /// \param group_size  hits a group
  GroupFill(size_t groups_max, size_t group_size)
      : groups_max_(groups_max), group_size_(group_size) {}

  /// From the start: groups of these keys and no others; one may stay empty.
  void Only(std::span<const std::string> keys);
  /// Takes hit number `hit` into the group of its key; a full group, or a new one beyond
  /// groups_max, drops it.
  void Push(const std::string& key, uint32_t hit);
  /// No hit can change the groups any more.
  bool full() const { return groups_full_ == groups_max_; }
  /// All groups there can be have begun.
  bool begun() const { return groups_.size() == groups_max_; }
  const std::vector<std::vector<uint32_t>>& groups() const { return groups_; }

 private:
  size_t groups_max_;
  size_t group_size_;
  size_t groups_full_ = 0;
  std::unordered_map<std::string, size_t> index_;
  std::vector<std::vector<uint32_t>> groups_;
};

/// What makes a group, and which groups are wanted.
struct GroupMerge {
  std::span<const model::RowBatch* const> values;  ///< a batch a source, aligned with its hits
  size_t columns = 1;                              ///< the first columns tell groups apart
  int64_t size = 1;                                ///< hits a group
  Slice groups;                                    ///< of the groups
};

/// One query's hits in groups.
using Groups = std::vector<std::vector<SourceRow>>;

/// Merges grouped lists: of each query the groups of the slice; of a key's hits the nearest stays.
/// \return one entry a query
std::vector<Groups> MergeGrouped(std::span<const ScoredLists> sources, model::Metric metric,
                                 const GroupMerge& merge);

/// Orders one query's groups by their best hits and keeps the slice of them.
void SortGroups(Groups& groups, const RowOrder& order, Slice slice);

/// The groups one after another, as lists.
MergedLists Flatten(std::span<const Groups> queries);

}  // namespace elanus::rank
