// What a DDL request does to the catalog: pure functions from (state, request) to a plan. Nothing
// is stored or sent here; CoordinatorService carries a plan out. Errors carry Milvus' codes and
// texts. Names and types of a request were checked by the proxy.
#pragma once

#include <optional>
#include <vector>

#include "base/codec.h"
#include "coordinator/state.h"
#include "model/hybrid_time.h"
#include "service/ddl.h"
#include "service/shard.h"

namespace elanus::coordinator {

class IdAllocator;

/// A shard's description to be replaced.
struct Description {
  service::CollectionPtr collection;
  bool is_new = false;  ///< the shards do not exist yet
};

/// Rows to be removed on every shard of a collection: the whole of it, or some partitions. Stored
/// with the change and repeated until every shard confirmed it. Repeating it is harmless and its
/// order against later removals does not matter, since ids are never used twice.
struct Removal {
  service::CollectionPtr collection;  ///< as it is after the change
  bool whole = false;
  std::vector<PartitionId> partitions;  ///< when not whole

  template <class V>
  void Visit(V& v) {
    v(collection);
    v(whole);
    v(partitions);
  }
};

/// A plan that changes nothing is a request that was already fulfilled.
struct DdlPlan {
  std::vector<model::DatabaseInfo> put_databases;
  std::vector<DatabaseId> drop_databases;
  std::vector<service::CollectionPtr> put_collections;
  std::vector<CollectionId> drop_collections;
  std::vector<Description> descriptions;
  std::optional<Removal> removal;

  bool ChangesNothing() const {
    return put_databases.empty() && drop_databases.empty() && put_collections.empty() &&
           drop_collections.empty();
  }
  /// Stores the collection's new description and sends it to its shards.
  void Replace(model::CollectionInfo info);
};

struct PlanContext {
  const CatalogState& state;
  IdAllocator& ids;
  model::Timestamp now = 0;
};

Result<DdlPlan> Plan(const PlanContext& context, const service::CreateDatabase& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::DropDatabase& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::AlterDatabase& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::CreateCollection& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::DropCollection& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::TruncateCollection& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::RenameCollection& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::AlterCollection& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::AlterField& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::AddField& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::AddStructField& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::DropField& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::CreatePartition& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::DropPartition& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::CreateAlias& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::AlterAlias& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::DropAlias& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::CreateIndex& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::DropIndex& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::AlterIndex& request);
Result<DdlPlan> Plan(const PlanContext& context, const service::SetLoad& request);

/// Gives a collection the index, whatever collection the request names. False: it has the very
/// index.
Result<bool> AddIndex(const PlanContext& context, const service::CreateIndex& request,
                      model::CollectionInfo& info);

bool ByPartitionKey(const model::CollectionSchema& schema);

/// The pairs without the deleted keys, with the new values put over the old ones.
model::KeyValues MergeProperties(model::KeyValues old, const model::KeyValues& changes,
                                 const std::vector<std::string>& delete_keys);

/// True when both hold the same pairs, in any order.
bool SamePairs(model::KeyValues a, model::KeyValues b);

}  // namespace elanus::coordinator
