// A ShardService for tests of the coordinator: it keeps what it was told and can refuse.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "service/coordinator.h"
#include "service/shard.h"

namespace elanus::coordinator {

class FakeShards final : public service::ShardService {
 public:
  using Kind = service::ShardChange::Kind;
  static constexpr int kNever = -1;

  /// Changes that succeed before the shard refuses one and all that follow.
  int changes_left = kNever;
  std::vector<service::ShardChange> changes;
  std::map<ShardId, service::CollectionPtr> open;
  std::set<PartitionId> removed;

  Status Change(const service::ShardChange& change) override {
    if (changes_left == 0) return {Code::kUnavailable, "shard is parked: service unavailable"};
    if (changes_left > 0) --changes_left;
    changes.push_back(change);
    if (change.kind == Kind::kDrop) {
      open.erase(change.shard);
    } else {
      open[change.shard] = change.collection;
    }
    if (change.kind == Kind::kDropPartition) removed.insert(change.partition);
    return Status::Ok();
  }

  void Write(service::WriteRequest, service::WriteDone done) override {
    done(Error(Code::kUnimplemented, "service unimplemented"));
  }
  Result<service::SearchReply> Search(const service::SearchRequest&, const Cancel&) override {
    return Error(Code::kUnimplemented, "service unimplemented");
  }
  Result<service::QueryReply> Query(const service::QueryRequest&, const Cancel&) override {
    return Error(Code::kUnimplemented, "service unimplemented");
  }
  Result<std::vector<SegmentId>> Flush(ShardId, const Cancel&) override {
    return std::vector<SegmentId>{};
  }
  Result<service::ShardStats> Stats(ShardId) const override { return service::ShardStats{}; }
  Result<service::CompactionPlans> Compact(const service::CompactionRequest&) override {
    return service::CompactionPlans{};
  }
  Result<service::CompactionPlans> Compactions(const service::CompactionFilter&) const override {
    return service::CompactionPlans{};
  }
};

}  // namespace elanus::coordinator
