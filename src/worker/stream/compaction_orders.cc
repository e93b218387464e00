#include "worker/stream/compaction_orders.h"

#include <algorithm>

namespace elanus::worker {

using service::CompactionPlan;
using service::CompactionState;

namespace {

bool Ended(const CompactionPlan& plan) {
  return plan.state == CompactionState::kCompleted || plan.state == CompactionState::kFailed;
}

}  // namespace

void CompactionOrders::Add(const std::vector<CompactionPlan>& plans) {
  MutexLock lock(mutex_);
  for (const CompactionPlan& plan : plans) {
    Entry& entry = entries_.emplace_back(plan, plan.sources);
    for (const Merge& merge : merges_) Follow(entry, merge);
  }
  ForgetOldest();
}

std::optional<CompactionOrders::Order> CompactionOrders::Begin(ShardId shard) {
  MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.plan.shard != shard || entry.plan.state != CompactionState::kWaiting) continue;
    entry.plan.state = CompactionState::kRunning;
    return Order{entry.plan.id, entry.inputs};
  }
  return std::nullopt;
}

void CompactionOrders::End(int64_t plan, const Result<SegmentId>& output) {
  MutexLock lock(mutex_);
  const auto entry = std::ranges::find(entries_, plan, [](const Entry& e) { return e.plan.id; });
  if (entry == entries_.end() || Ended(entry->plan)) return;
  if (output.has_value()) {
    entry->plan.state = CompactionState::kCompleted;
    entry->plan.target = *output;
  } else {
    entry->plan.state = CompactionState::kFailed;
    entry->plan.failure = output.error().message();
  }
  ForgetOldest();
}

void CompactionOrders::Follow(Entry& entry, const Merge& merge) {
  if (entry.plan.shard != merge.shard || entry.plan.state != CompactionState::kWaiting) return;
  const size_t gone = std::erase_if(entry.inputs, [&](SegmentId id) {
    return std::ranges::find(merge.inputs, id) != merge.inputs.end();
  });
  if (gone == 0) return;
  if (entry.inputs.empty()) {
    entry.plan.state = CompactionState::kCompleted;
    entry.plan.target = merge.output;
  } else if (merge.output) {
    entry.inputs.push_back(merge.output);
  }
}

void CompactionOrders::Replaced(ShardId shard, const std::vector<SegmentId>& inputs,
                                SegmentId output) {
  MutexLock lock(mutex_);
  merges_.push_back({shard, inputs, output});
  if (merges_.size() > kMergesMax) merges_.pop_front();
  for (Entry& entry : entries_) Follow(entry, merges_.back());
  ForgetOldest();
}

void CompactionOrders::Fail(ShardId shard, const Status& why) {
  MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.plan.shard != shard || Ended(entry.plan)) continue;
    entry.plan.state = CompactionState::kFailed;
    entry.plan.failure = why.message();
  }
  ForgetOldest();
}

std::vector<CompactionPlan> CompactionOrders::Find(const service::CompactionFilter& filter) const {
  std::vector<CompactionPlan> found;
  MutexLock lock(mutex_);
  for (const Entry& entry : entries_) {
    if (filter.job != 0 && entry.plan.job != filter.job) continue;
    if (filter.collection && entry.plan.collection != filter.collection) continue;
    found.push_back(entry.plan);
  }
  return found;
}

void CompactionOrders::ForgetOldest() {
  const auto ended = [](const Entry& e) { return Ended(e.plan); };
  auto count = static_cast<size_t>(std::ranges::count_if(entries_, ended));
  while (count > kEndedMax) {
    entries_.erase(std::ranges::find_if(entries_, ended));
    --count;
  }
}

}  // namespace elanus::worker
