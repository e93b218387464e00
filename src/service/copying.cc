#include "service/copying.h"

#include "base/codec.h"

namespace elanus::service {
namespace {

struct Failure {
  Status status;
  template <class V>
  void Visit(V& v) {
    v(status);
  }
};

template <class T>
Result<T> Copied(const T& value) {
  return DecodeBytes<T>(EncodeBytes(value), "service call");
}

template <class T>
Result<T> CopiedResult(const Result<T>& result) {
  if (!result.has_value()) {
    ASSIGN_OR_RETURN(Failure failure, Copied(Failure{result.error()}));
    return Error(std::move(failure.status));
  }
  return Copied(*result);
}

Result<CollectionPtr> CopiedCollection(Result<CollectionPtr> found) {
  if (!found.has_value()) return found;
  ASSIGN_OR_RETURN(model::CollectionInfo info, Copied(**found));
  return std::make_shared<const model::CollectionInfo>(std::move(info));
}

}  // namespace

void CopyingShardService::Write(WriteRequest request, WriteDone done) {
  auto copy = Copied(request);
  if (!copy.has_value()) return done(Error(copy.error()));
  next_.Write(std::move(*copy), [done = std::move(done)](Result<WriteReply> reply) mutable {
    done(CopiedResult(reply));
  });
}

Result<SearchReply> CopyingShardService::Search(const SearchRequest& request,
                                                const Cancel& cancel) {
  ASSIGN_OR_RETURN(const SearchRequest copy, Copied(request));
  return CopiedResult(next_.Search(copy, cancel));
}

Result<QueryReply> CopyingShardService::Query(const QueryRequest& request, const Cancel& cancel) {
  ASSIGN_OR_RETURN(const QueryRequest copy, Copied(request));
  return CopiedResult(next_.Query(copy, cancel));
}

Result<std::vector<SegmentId>> CopyingShardService::Flush(ShardId shard, const Cancel& cancel) {
  return CopiedResult(next_.Flush(shard, cancel));
}

Result<ShardStats> CopyingShardService::Stats(ShardId shard) const {
  return CopiedResult(next_.Stats(shard));
}

Result<CompactionPlans> CopyingShardService::Compact(const CompactionRequest& request) {
  ASSIGN_OR_RETURN(const CompactionRequest copy, Copied(request));
  return CopiedResult(next_.Compact(copy));
}

Result<CompactionPlans> CopyingShardService::Compactions(const CompactionFilter& filter) const {
  ASSIGN_OR_RETURN(const CompactionFilter copy, Copied(filter));
  return CopiedResult(next_.Compactions(copy));
}

Status CopyingShardService::Change(const ShardChange& change) {
  ASSIGN_OR_RETURN(const ShardChange copy, Copied(change));
  return next_.Change(copy);
}

Status CopyingCoordinator::Execute(const DdlRequest& request) {
  ASSIGN_OR_RETURN(const DdlRequest copy, Copied(request));
  return next_.Execute(copy);
}

Result<CollectionPtr> CopyingCoordinator::FindCollection(const std::string& database,
                                                         const std::string& name) const {
  return CopiedCollection(next_.FindCollection(database, name));
}

Result<CollectionPtr> CopyingCoordinator::FindCollection(CollectionId id) const {
  return CopiedCollection(next_.FindCollection(id));
}

Result<std::vector<CollectionPtr>> CopyingCoordinator::ListCollections(
    const std::string& database) const {
  ASSIGN_OR_RETURN(std::vector<CollectionPtr> all, next_.ListCollections(database));
  for (CollectionPtr& collection : all) {
    ASSIGN_OR_RETURN(collection, CopiedCollection(collection));
  }
  return all;
}

std::vector<model::DatabaseInfo> CopyingCoordinator::ListDatabases() const {
  return next_.ListDatabases();
}

Result<model::DatabaseInfo> CopyingCoordinator::FindDatabase(const std::string& name) const {
  return CopiedResult(next_.FindDatabase(name));
}

}  // namespace elanus::service
