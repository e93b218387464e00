// DDL of databases: create, drop, alter. See plan.h.
#include <fmt/core.h>

#include "coordinator/id_allocator.h"
#include "coordinator/limits.h"
#include "coordinator/plan.h"

namespace elanus::coordinator {

Result<DdlPlan> Plan(const PlanContext& context, const service::CreateDatabase& request) {
  if (context.state.FindDatabase(request.name).has_value()) {
    return Error(Code::kUnexpected, fmt::format("database already exist: {}", request.name));
  }
  if (context.state.databases().size() >= kDatabasesMax) {
    return Error(Code::kDatabaseNumLimit,
                 fmt::format("exceeded the limit number of database[limit={}]", kDatabasesMax));
  }
  ASSIGN_OR_RETURN(int64_t id, context.ids.Allocate(1));
  DdlPlan plan;
  plan.put_databases.push_back({.id = DatabaseId{id},
                                .name = request.name,
                                .properties = request.properties,
                                .created = context.now});
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::DropDatabase& request) {
  if (request.name == model::kDefaultDatabase) {
    return Error(Code::kInvalidParameter, "can not drop default database");
  }
  DdlPlan plan;
  auto database = context.state.FindDatabase(request.name);
  if (!database.has_value()) return plan;
  for (const auto& [id, collection] : context.state.collections()) {
    if (collection->database == (*database)->id) {
      return Error(
          Code::kInvalidParameter,
          fmt::format("database:{} not empty, must drop all collections before drop database",
                      request.name));
    }
  }
  plan.drop_databases.push_back((*database)->id);
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AlterDatabase& request) {
  if (request.properties.empty() && request.delete_keys.empty()) {
    return Error(Code::kInvalidParameter,
                 "alter database with empty properties and delete keys, "
                 "expected to set either properties or delete keys");
  }
  if (!request.properties.empty() && !request.delete_keys.empty()) {
    return Error(Code::kInvalidParameter,
                 "alter database cannot set properties and delete keys at the same time");
  }
  ASSIGN_OR_RETURN(const model::DatabaseInfo* old, context.state.FindDatabase(request.name));
  model::DatabaseInfo info = *old;
  info.properties = MergeProperties(info.properties, request.properties, request.delete_keys);
  DdlPlan plan;
  if (!SamePairs(info.properties, old->properties)) plan.put_databases.push_back(std::move(info));
  return plan;
}

}  // namespace elanus::coordinator
