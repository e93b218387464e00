#include "proxy/namespaces.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/letter_case.h"
#include "proxy/limits.h"
#include "proxy/names.h"
#include "proxy/router.h"
#include "service/namespaces.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using model::kNamespaceFieldName;

constexpr std::string_view kIsolation = "partitionkey.isolation";

Status CheckNamed(const model::CollectionInfo& collection, bool named) {
  if (service::HasNamespaces(collection) == named) return Status::Ok();
  return InvalidParameter(named ? "namespace data is set but namespace disabled"
                                : "namespace data is not set but namespace enabled");
}

Status CheckFilled(const service::UserColumn& column, std::string_view name_space) {
  const bool texts = model::IsString(column.column.type);
  if (!texts) return InvalidParameter("invalid namespace field data layout");
  for (size_t row = 0; row < column.column.rows; ++row) {
    const std::string_view value = column.column.StringAt(row);
    if (value == name_space) continue;
    return InvalidParameter(
        fmt::format("namespace field value \"{}\" mismatches namespace \"{}\"", value, name_space));
  }
  return Status::Ok();
}

Status CheckMode(const model::KeyValues& properties) {
  const std::string* mode = model::FindValue(properties, service::kNamespaceModeKey);
  if (mode == nullptr || *mode == service::kNamespaceByKey ||
      *mode == service::kNamespaceByPartition)
    return Status::Ok();
  return InvalidParameter(fmt::format("invalid {} value \"{}\", valid values: [{}, {}]",
                                      service::kNamespaceModeKey, *mode, service::kNamespaceByKey,
                                      service::kNamespaceByPartition));
}

Status CheckSharding(const model::KeyValues& properties) {
  for (const auto& [key, value] : properties) {
    RETURN_IF_ERROR(service::CheckShardingKey(key));
    if (key != service::kNamespaceShardingKey || value == "true" || value == "false") continue;
    return InvalidParameter(
        fmt::format("invalid {} value \"{}\", valid values: [true,false]", key, value));
  }
  return Status::Ok();
}

/// The partition that a namespace is; nothing when it is kept by a key, or none is named and none
/// need be.
Result<std::optional<std::string>> PartitionNamed(const model::CollectionInfo& collection,
                                                  const std::optional<std::string>& name_space) {
  if (!name_space || !service::NamespacesArePartitions(collection.properties))
    return std::optional<std::string>();
  RETURN_IF_ERROR(CheckPartitionName(*name_space));
  return name_space;
}

}  // namespace

bool ByHiddenKey(const service::CreateCollection& request) {
  return request.namespaces && !service::NamespacesArePartitions(request.properties);
}

Result<std::vector<std::string>> PartitionsOfRead(const model::CollectionInfo& collection,
                                                  const std::optional<std::string>& name_space,
                                                  const std::vector<std::string>& partitions) {
  ASSIGN_OR_RETURN(auto named, PartitionNamed(collection, name_space));
  if (!named) return partitions;
  if (partitions.empty() || partitions == std::vector{*named}) return std::vector{*named};
  return Error(InvalidParameter(fmt::format("partition names [{}] mismatch namespace \"{}\"",
                                            fmt::join(partitions, " "), *named)));
}

Result<std::string> PartitionOfWrite(const model::CollectionInfo& collection,
                                     const std::optional<std::string>& name_space,
                                     const std::string& partition) {
  ASSIGN_OR_RETURN(auto named, PartitionNamed(collection, name_space));
  if (!named) return partition;
  if (partition.empty() || partition == *named) return *std::move(named);
  return Error(InvalidParameter(
      fmt::format("partition name \"{}\" mismatches namespace \"{}\"", partition, *named)));
}

std::optional<size_t> ShardOfNamespace(const model::CollectionInfo& collection,
                                       const std::optional<std::string>& name_space) {
  if (!name_space || !service::NamespacesHaveShards(collection)) return std::nullopt;
  return ShardOf(std::string_view(*name_space), collection.shards.size());
}

Status AddNamespaces(service::CreateCollection& request) {
  model::CollectionSchema& schema = request.schema;
  RETURN_IF_ERROR(CheckMode(request.properties));
  RETURN_IF_ERROR(CheckSharding(request.properties));
  if (!request.namespaces) {
    std::erase_if(request.properties,
                  [](const auto& pair) { return pair.first == service::kNamespaceModeKey; });
    return Status::Ok();
  }
  const bool has_key = std::ranges::any_of(schema.fields, &model::FieldSchema::is_partition_key);
  if (!ByHiddenKey(request)) {
    return has_key ? InvalidParameter("namespace is not supported with partition key mode")
                   : Status::Ok();
  }
  const std::string* isolation = model::FindValue(request.properties, kIsolation);
  if (isolation != nullptr && Lower(*isolation) != "true") {
    return {Code::kIllegalSchema,
            fmt::format("isolation property is false when namespace enabled: illegal collection "
                        "schema[collection={}]",
                        schema.name)};
  }
  if (has_key) return InvalidParameter("namespace is not supported with partition key mode");
  schema.fields.push_back({.name = std::string(kNamespaceFieldName),
                           .type = DataType::kVarChar,
                           .is_partition_key = true,
                           .type_params = {{"max_length", std::to_string(kVarCharLengthMax)}}});
  if (isolation == nullptr) request.properties.emplace_back(kIsolation, "true");
  return Status::Ok();
}

Status KeepToNamespace(const model::CollectionInfo& collection,
                       const std::optional<std::string>& name_space, expr::BoundFilter& filter) {
  RETURN_IF_ERROR(CheckNamed(collection, name_space.has_value()));
  if (!name_space || collection.schema.namespaces() == nullptr) return Status::Ok();
  const model::FieldSchema& field = *collection.schema.namespaces();
  expr::Node in_namespace{.form = expr::Compare{.column = {.field = field.id, .type = field.type},
                                                .op = expr::CompareOp::kEq,
                                                .value = expr::Value{*name_space}}};
  if (filter.root == nullptr) {
    filter.root = std::make_shared<const expr::Node>(std::move(in_namespace));
    return Status::Ok();
  }
  expr::Node both{.form = expr::And{}};
  both.children = {std::move(in_namespace), *filter.root};
  filter.root = std::make_shared<const expr::Node>(std::move(both));
  return Status::Ok();
}

Status FillNamespace(const model::CollectionInfo& collection, service::MutationCall& mutation) {
  RETURN_IF_ERROR(CheckNamed(collection, mutation.name_space.has_value()));
  if (!mutation.name_space || collection.schema.namespaces() == nullptr) return Status::Ok();
  for (const service::UserColumn& column : mutation.columns) {
    if (column.name == kNamespaceFieldName) return CheckFilled(column, *mutation.name_space);
  }
  service::UserColumn column{.name = std::string(kNamespaceFieldName),
                             .column = model::MakeColumn(FieldId{}, DataType::kVarChar)};
  for (int64_t row = 0; row < mutation.num_rows; ++row)
    column.column.AppendValue(*mutation.name_space);
  mutation.columns.push_back(std::move(column));
  return Status::Ok();
}

}  // namespace elanus::proxy
