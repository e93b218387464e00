#include "rank/group.h"

#include <algorithm>

namespace elanus::rank {
namespace {

void AppendLength(uint64_t value, std::string& key) {
  key.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Groups Cut(Groups groups, Slice slice) {
  const auto [first, last] = BoundsOf(slice, groups.size());
  groups.resize(last);
  groups.erase(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(first));
  return groups;
}

}  // namespace

void GroupKeyOf(const model::RowBatch& values, size_t columns, size_t row, std::string& key) {
  key.clear();
  for (size_t c = 0; c < columns; ++c) AppendGroupKey(values.columns[c], row, key);
}

void AppendGroupKey(const model::Column& column, size_t row, std::string& key) {
  if (column.IsNull(row)) {
    key += '\0';
    return;
  }
  const std::string_view value = column.ValueAt(row);
  key += '\1';
  AppendLength(value.size(), key);
  key += value;
}

void GroupFill::Only(std::span<const std::string> keys) {
  for (const std::string& key : keys) index_.emplace(key, index_.size());
  groups_.resize(index_.size());
  groups_max_ = index_.size();
}

void GroupFill::Push(const std::string& key, uint32_t hit) {
  auto found = index_.find(key);
  if (found == index_.end()) {
    if (begun()) return;
    found = index_.emplace(key, groups_.size()).first;
    groups_.emplace_back();
  }
  std::vector<uint32_t>& group = groups_[found->second];
  if (group.size() == group_size_) return;
  group.push_back(hit);
  if (group.size() == group_size_) ++groups_full_;
}

std::vector<Groups> MergeGrouped(std::span<const ScoredLists> sources, model::Metric metric,
                                 const GroupMerge& merge) {
  const MergedLists all = MergeScored(sources, metric, {});
  const size_t wanted =
      merge.groups.limit < 0
          ? all.rows.size()
          : static_cast<size_t>(std::max<int64_t>(merge.groups.offset, 0) + merge.groups.limit);
  std::vector<Groups> queries;
  std::string key;
  size_t first = 0;
  for (const int64_t count : all.counts) {
    GroupFill fill(wanted, static_cast<size_t>(merge.size));
    for (size_t i = first; i < first + static_cast<size_t>(count) && !fill.full(); ++i) {
      const SourceRow at = all.rows[i];
      GroupKeyOf(*merge.values[at.source], merge.columns, at.row, key);
      fill.Push(key, static_cast<uint32_t>(i));
    }
    first += static_cast<size_t>(count);
    Groups groups;
    for (const auto& hits : fill.groups()) {
      std::vector<SourceRow>& group = groups.emplace_back();
      for (uint32_t hit : hits) group.push_back(all.rows[hit]);
    }
    queries.push_back(Cut(std::move(groups), merge.groups));
  }
  return queries;
}

void SortGroups(Groups& groups, const RowOrder& order, Slice slice) {
  const auto places = StableOrder(groups.size(), [&](size_t a, size_t b) {
    return order(groups[a].front(), groups[b].front());
  });
  Groups sorted;
  for (size_t place : places) sorted.push_back(std::move(groups[place]));
  groups = Cut(std::move(sorted), slice);
}

MergedLists Flatten(std::span<const Groups> queries) {
  MergedLists lists;
  for (const Groups& groups : queries) {
    const size_t before = lists.rows.size();
    for (const auto& group : groups)
      lists.rows.insert(lists.rows.end(), group.begin(), group.end());
    lists.counts.push_back(static_cast<int64_t>(lists.rows.size() - before));
  }
  return lists;
}

}  // namespace elanus::rank
