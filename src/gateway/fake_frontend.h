// A proxy for tests: a catalog of collections in memory, rows kept as they came, searches that
// answer the first rows. Not fast, not durable, only plain. Threads: any.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "service/frontend.h"

namespace elanus::gateway {

class FakeFrontend final : public service::FrontendCatalog, public service::FrontendData {
 public:
  /// Of every collection that is loaded.
  service::LoadStatus load_status{
      .state = service::LoadState::kLoaded, .progress = 100, .refresh_progress = 100};

  /// Called at the start of Search and Query when set: to block, to throw.
  std::function<void(const service::CallContext&)> on_read;
  /// The last calls as the gateway made them.
  service::HybridSearchCall last_hybrid;
  service::SearchCall last_search;
  service::QueryCall last_query;
  service::DeleteCall last_delete;
  service::MutationCall last_mutation;  ///< without its columns
  service::DdlRequest last_change;
  std::string last_database;

  Status Ddl(const service::CallContext& call, const service::DdlRequest& request) override {
    MutexLock lock(mutex_);
    last_database = call.database;
    last_change = request;
    if (const auto* create = std::get_if<service::CreateCollection>(&request)) {
      auto info = std::make_shared<model::CollectionInfo>();
      info->id = CollectionId{next_id_++};
      info->database_name = create->database;
      info->name = create->schema.name;
      info->schema = create->schema;
      if (info->schema.enable_dynamic_field) {
        info->schema.fields.push_back({.name = std::string(model::kDynamicFieldName),
                                       .type = model::DataType::kJson,
                                       .is_dynamic = true});
      }
      int64_t field = 100;
      for (auto& f : info->schema.fields) f.id = FieldId{field++};
      info->shards = {ShardId{next_id_++}};
      info->partitions = {{PartitionId{next_id_++}, "_default", 0, false}};
      info->consistency = create->consistency;
      info->created = info->updated = clock_.Next();
      collections_[info->name] = info;
    } else if (const auto* drop = std::get_if<service::DropCollection>(&request)) {
      collections_.erase(drop->collection);
      rows_.erase(drop->collection);
    } else if (const auto* load = std::get_if<service::SetLoad>(&request)) {
      return Edit(load->collection, [&](auto& info) { info.loaded = load->load; });
    } else if (const auto* index = std::get_if<service::CreateIndex>(&request)) {
      const IndexId id{next_id_++};
      return Edit(index->collection, [&](auto& info) {
        info.indexes = {
            {id, index->field, info.schema.FindField(index->field)->id, index->params, 0}};
      });
    }
    return Status::Ok();
  }
  Result<service::CollectionPtr> Describe(const service::CallContext& call,
                                          const std::string& name) override {
    MutexLock lock(mutex_);
    last_database = call.database;
    auto it = collections_.find(name);
    if (it == collections_.end()) {
      return Error(Code::kCollectionNotFound,
                   "collection not found[database=" + call.database + "][collection=" + name + "]");
    }
    return it->second;
  }
  Result<service::CollectionPtr> Describe(const service::CallContext& call,
                                          CollectionId id) override {
    {
      MutexLock lock(mutex_);
      for (const auto& [name, info] : collections_) {
        if (info->id == id) return info;
      }
    }
    return Describe(call, std::to_string(id.value));
  }
  Result<std::vector<service::CollectionPtr>> ListCollections(
      const service::CallContext&) override {
    MutexLock lock(mutex_);
    std::vector<service::CollectionPtr> all;
    for (const auto& [name, info] : collections_) all.push_back(info);
    return all;
  }
  std::vector<model::DatabaseInfo> ListDatabases() override {
    return {{DatabaseId{1}, "default", {}, 0}};
  }
  Result<model::DatabaseInfo> DescribeDatabase(const std::string& name) override {
    if (name != "default") {
      return Error(Code::kDatabaseNotFound, "database not found[database=" + name + "]");
    }
    return ListDatabases()[0];
  }
  Result<bool> HasPartition(const service::CallContext& call, const std::string& collection,
                            const std::string& partition) override {
    ASSIGN_OR_RETURN(auto info, Describe(call, collection));
    return info->FindPartition(partition) != nullptr;
  }
  Result<std::vector<std::pair<std::string, std::string>>> ListAliases(
      const service::CallContext&, const std::string&) override {
    return std::vector<std::pair<std::string, std::string>>{{"alias", "books"}};
  }
  Result<int64_t> RowCount(const service::CallContext&, const std::string& collection,
                           const std::string&) override {
    MutexLock lock(mutex_);
    return Rows(collection);
  }
  Result<std::vector<service::SegmentStats>> Segments(const service::CallContext&,
                                                      const std::string&) override {
    return std::vector<service::SegmentStats>{
        {.id = SegmentId{5}, .state = service::SegmentState::kSealed, .rows = 3}};
  }
  Result<std::vector<service::IndexDescription>> DescribeIndex(const service::CallContext& call,
                                                               const std::string& collection,
                                                               const std::string&,
                                                               const std::string&) override {
    ASSIGN_OR_RETURN(auto info, Describe(call, collection));
    std::vector<service::IndexDescription> found;
    for (const auto& index : info->indexes) {
      found.push_back({.info = index, .field_name = info->schema.FindField(index.field)->name});
    }
    return found;
  }
  Result<service::LoadStatus> LoadProgress(const service::CallContext& call,
                                           const std::string& collection,
                                           const std::vector<std::string>&) override {
    ASSIGN_OR_RETURN(auto info, Describe(call, collection));
    if (!info->loaded) return service::LoadStatus{};
    return load_status;
  }
  model::Timestamp AllocTimestamp() override { return clock_.Next(); }

  void Mutate(const service::CallContext& call, service::MutationCall mutation,
              service::MutationDone done) override {
    auto info = Describe(call, mutation.collection);
    if (!info) return done(Error(info.error()));
    service::MutationReply reply{.count = mutation.num_rows, .timestamp = clock_.Next()};
    for (auto& user : mutation.columns) {
      const auto* field = (*info)->schema.FindField(user.name);
      if (field == nullptr) return done(Error(InvalidParameter("no field " + user.name)));
      user.column.field = field->id;
      if (field->is_primary) reply.keys = model::PrimaryKeys::FromColumn(user.column);
    }
    {
      MutexLock lock(mutex_);
      rows_[mutation.collection] = std::move(mutation.columns);
      last_mutation = std::move(mutation);
    }
    done(std::move(reply));
  }
  void Delete(const service::CallContext&, service::DeleteCall deletion,
              service::MutationDone done) override {
    last_delete = std::move(deletion);
    done(service::MutationReply{.count = 1, .timestamp = clock_.Next()});
  }
  Result<service::SearchResult> Search(const service::CallContext& call,
                                       const service::SearchCall& search) override {
    if (on_read) on_read(call);
    ASSIGN_OR_RETURN(auto info, Describe(call, search.collection));
    MutexLock lock(mutex_);
    last_search = search;
    service::SearchResult result{.collection = info, .output_fields = search.output_fields};
    const int64_t hits = std::min<int64_t>(Rows(search.collection), 10);
    for (int64_t q = 0; q < search.nq; ++q) {
      result.counts.push_back(hits);
      for (int64_t i = 0; i < hits; ++i) {
        const auto& keys = rows_[search.collection][0].column;
        result.keys.Append(model::PrimaryKeys::FromColumn(keys).At(static_cast<size_t>(i)));
        result.scores.push_back(static_cast<float>(i));
      }
    }
    result.session_ts = clock_.Next();
    return result;
  }
  Result<service::SearchResult> HybridSearch(const service::CallContext& call,
                                             const service::HybridSearchCall& search) override {
    last_hybrid = search;
    service::SearchCall first = search.searches.at(0);
    first.collection = search.collection;
    first.output_fields = search.output_fields;
    return Search(call, first);
  }
  Result<service::QueryResult> Query(const service::CallContext& call,
                                     const service::QueryCall& query) override {
    if (on_read) on_read(call);
    ASSIGN_OR_RETURN(auto info, Describe(call, query.collection));
    MutexLock lock(mutex_);
    last_query = query;
    service::QueryResult result{.collection = info, .session_ts = clock_.Next()};
    for (const auto& user : rows_[query.collection]) {
      const model::FieldSchema& field = *info->schema.FindField(user.name);
      result.columns.push_back({.name = std::string(field.member_name()),
                                .is_dynamic = user.is_dynamic,
                                .nullable = user.valid_given,
                                .element_type = field.element_type,
                                .struct_name = field.struct_name,
                                .column = user.column});
      result.output_fields.push_back(user.name);
    }
    return result;
  }
  Result<service::FlushResult> Flush(const service::CallContext&,
                                     const std::vector<std::string>& collections) override {
    service::FlushResult flushed{.flushed_to = clock_.Next()};
    for (const auto& name : collections) flushed.segments[name] = {SegmentId{5}};
    return flushed;
  }

  service::CompactCall last_compact;
  std::vector<service::CompactionPlan> plans;
  Result<service::CompactReply> Compact(const service::CallContext& call,
                                        const service::CompactCall& compact) override {
    last_database = call.database;
    last_compact = compact;
    return service::CompactReply{.job = 77, .plans = 2};
  }
  Result<service::CompactionPlans> CompactionsOfJob(int64_t job) override {
    service::CompactionPlans found;
    for (const auto& plan : plans) {
      if (plan.job == job) found.plans.push_back(plan);
    }
    return found;
  }
  Result<service::CompactionPlans> CompactionsOf(const service::CallContext&,
                                                 const std::string&) override {
    return service::CompactionPlans{plans};
  }

 private:
  template <class Change>
  Status Edit(const std::string& name, Change&& change) REQUIRES(mutex_) {
    auto it = collections_.find(name);
    if (it == collections_.end()) return {Code::kCollectionNotFound, "collection not found"};
    auto copy = std::make_shared<model::CollectionInfo>(*it->second);
    change(*copy);
    it->second = copy;
    return Status::Ok();
  }
  int64_t Rows(const std::string& collection) REQUIRES(mutex_) {
    const auto& columns = rows_[collection];
    return columns.empty() ? 0 : static_cast<int64_t>(columns[0].column.rows);
  }

  model::HybridClock clock_{SystemClock()};
  Mutex mutex_;
  std::map<std::string, service::CollectionPtr> collections_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<service::UserColumn>> rows_ GUARDED_BY(mutex_);
  int64_t next_id_ GUARDED_BY(mutex_) = 1000;
};

}  // namespace elanus::gateway
