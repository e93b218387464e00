#include "proxy/ddl_check.h"

#include <fmt/core.h>

#include "model/timestamptz.h"
#include "proxy/index_check.h"
#include "proxy/json_index.h"
#include "proxy/names.h"
#include "proxy/schema_check.h"
#include "proxy/value_text.h"

namespace elanus::proxy {

namespace {

/// One overload a request; those without one need no more than the names of all.
class Checker {
 public:
  explicit Checker(const service::Coordinator& coordinator) : coordinator_(coordinator) {}

  Status operator()(service::CreateDatabase& r) const { return CheckDatabaseName(r.name); }
  Status operator()(service::DropDatabase& r) const { return CheckDatabaseName(r.name); }
  // Only a database that exists can be altered, so the name is looked up and nothing else.
  Status operator()(service::AlterDatabase& r) const { return CheckTimeZone(r.properties); }
  Status operator()(service::CreateCollection& r) const {
    // A collection takes its database's zone with it: later changes of the database's leave it.
    const auto database = coordinator_.FindDatabase(r.database);
    const auto* zone = database ? model::FindValue(database->properties, kTimeZoneKey) : nullptr;
    if (zone != nullptr && model::FindValue(r.properties, kTimeZoneKey) == nullptr) {
      r.properties.emplace_back(kTimeZoneKey, *zone);
    }
    RETURN_IF_ERROR(CheckTimeZone(r.properties));
    return CheckCreateCollection(r);
  }
  Status operator()(service::DropCollection& r) const { return CheckCollectionName(r.collection); }
  Status operator()(service::TruncateCollection& r) const {
    return CheckCollectionName(r.collection);
  }
  Status operator()(service::RenameCollection& r) const {
    // The old name is looked up, whatever it is; the new one must be a name.
    return CheckCollectionName(r.new_name);
  }
  // As with AlterDatabase.
  Status operator()(service::AlterCollection& r) const { return CheckTimeZone(r.properties); }
  Status operator()(service::AlterField& r) const { return CheckCollectionName(r.collection); }
  Status operator()(service::AddField& r) const {
    RETURN_IF_ERROR(CheckCollectionName(r.collection));
    ASSIGN_OR_RETURN(auto collection, coordinator_.FindCollection(r.database, r.collection));
    RETURN_IF_ERROR(CheckAddField(collection->schema, TimeZoneOf(*collection), r.field));
    if (!r.index) return Status::Ok();
    r.index->field = r.field.name;
    return CheckIndex(r.field, *r.index);
  }
  Status operator()(service::AddStructField& r) const {
    RETURN_IF_ERROR(CheckCollectionName(r.collection));
    ASSIGN_OR_RETURN(auto collection, coordinator_.FindCollection(r.database, r.collection));
    return CheckAddStructField(collection->schema, r);
  }
  Status operator()(service::DropField& r) const { return CheckCollectionName(r.collection); }
  Status operator()(service::CreatePartition& r) const { return CheckPartition(r); }
  Status operator()(service::DropPartition& r) const { return CheckPartition(r); }
  Status operator()(service::CreateAlias& r) const { return CheckAlias(r); }
  Status operator()(service::AlterAlias& r) const { return CheckAlias(r); }
  Status operator()(service::DropAlias& r) const { return CheckAliasName(r.alias); }
  Status operator()(service::CreateIndex& r) const {
    ASSIGN_OR_RETURN(auto collection, coordinator_.FindCollection(r.database, r.collection));
    const model::FieldSchema* field = collection->schema.FindField(r.field);
    // A name that is no field's is a key of the dynamic field.
    if (field == nullptr) field = collection->schema.dynamic();
    if (field == nullptr) {
      return InvalidParameter(fmt::format("cannot create index on non-exist field: {}", r.field));
    }
    return CheckIndex(*field, r);
  }
  Status operator()(service::DropIndex& r) const { return CheckCollectionName(r.collection); }
  Status operator()(service::AlterIndex& r) const { return CheckCollectionName(r.collection); }
  Status operator()(service::SetLoad& r) const {
    RETURN_IF_ERROR(CheckCollectionName(r.collection));
    for (auto& partition : r.partitions) partition = Trim(partition);
    return Status::Ok();
  }

 private:
  static constexpr std::string_view kTimeZoneKey = "timezone";

  static Status CheckTimeZone(const model::KeyValues& properties) {
    const std::string* zone = model::FindValue(properties, kTimeZoneKey);
    if (zone == nullptr || model::IsTimeZone(*zone)) return Status::Ok();
    return InvalidParameter(fmt::format("unknown or invalid IANA Time Zone ID: {}", *zone));
  }

  static Status CheckIndex(const model::FieldSchema& field, service::CreateIndex& index) {
    RETURN_IF_ERROR(CheckCreateIndex(field, index.index_name, index.params));
    return field.type == model::DataType::kJson ? PlaceJsonIndex(field, index) : Status::Ok();
  }

  template <class R>
  static Status CheckPartition(R& r) {
    RETURN_IF_ERROR(CheckCollectionName(r.collection));
    r.partition = Trim(r.partition);
    return CheckPartitionName(r.partition);
  }
  template <class R>
  static Status CheckAlias(R& r) {
    RETURN_IF_ERROR(CheckAliasName(r.alias));
    return CheckCollectionName(r.collection);
  }

  const service::Coordinator& coordinator_;
};

}  // namespace

Status CheckDdl(const service::Coordinator& coordinator, const service::CallContext& call,
                service::DdlRequest& request) {
  return std::visit(
      [&](auto& r) {
        if constexpr (requires { r.database; }) {
          if (r.database.empty()) r.database = call.database;
        }
        return Checker(coordinator)(r);
      },
      request);
}

}  // namespace elanus::proxy
