#include "proxy/group_params.h"

#include <fmt/core.h>

#include <algorithm>

#include "expr/filter.h"
#include "proxy/names.h"

namespace elanus::proxy {

namespace {

using model::DataType;
using model::FieldSchema;

constexpr int64_t kGroupSizeMax = 10;  // Milvus' proxy.maxGroupSize

Result<DataType> JsonType(const Params& params) {
  const std::string* name = params.Text("json_type");
  if (name == nullptr || name->empty()) return DataType::kNone;
  for (DataType type : {DataType::kBool, DataType::kInt8, DataType::kInt16, DataType::kInt32,
                        DataType::kInt64, DataType::kVarChar}) {
    if (*name == model::DataTypeName(type)) return type;
  }
  return Error(InvalidParameter(fmt::format("unsupported json cast type: {}", *name)));
}

/// The steps of a JSON pointer.
std::vector<std::string> PointerSteps(std::string_view pointer) {
  std::vector<std::string> steps;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string_view step = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(step.size());
    std::string plain;
    for (size_t i = 0; i < step.size(); ++i) {
      const bool escape = step[i] == '~' && i + 1 < step.size();
      plain += escape ? (step[++i] == '1' ? '/' : '~') : step[i];
    }
    steps.push_back(std::move(plain));
  }
  return steps;
}

Result<model::RowValue> PlanKey(const model::CollectionSchema& schema, const std::string& name,
                                const Params& params) {
  const FieldSchema* field = schema.FindField(name);
  model::RowValue value;
  if (field == nullptr) {
    auto column = expr::ParseColumn(name, schema);
    if (!column.has_value()) {
      if (schema.dynamic() != nullptr) return Error(column.error());
      return Error(
          Code::kFieldNotFound,
          fmt::format("groupBy field not found in schema: field not found[field={}]", name));
    }
    field = schema.FindField(column->field);
    value.path = std::move(column->path);
  }
  value.field = field->id;
  if (!CanGroupBy(field->type)) {
    return Error(
        InvalidParameter(fmt::format("unsupported data type for group by: field {} is a {}", name,
                                     model::DataTypeName(field->type))));
  }
  if (field->type != DataType::kJson) return value;
  const std::string* pointer = params.Text("json_path");
  if (value.path.empty() && pointer != nullptr) value.path = PointerSteps(*pointer);
  ASSIGN_OR_RETURN(value.as, JsonType(params));
  return value;
}

Status PlanSize(const Params& params, GroupPlan& plan) {
  ASSIGN_OR_RETURN(auto size, params.Integer("group_size"));
  plan.size = size.value_or(1);
  if (plan.size > kGroupSizeMax) {
    return InvalidParameter(fmt::format("input group size:{} exceeds configured max group size:{}",
                                        plan.size, kGroupSizeMax));
  }
  if (plan.size <= 0) {
    return InvalidParameter(
        fmt::format("input group size:{} is negative, failed to do search_groupby", plan.size));
  }
  ASSIGN_OR_RETURN(auto strict,
                   params.Boolean("strict_group_size", "parse strict group size field failed"));
  plan.strict = strict.value_or(false);
  return Status::Ok();
}

std::vector<std::string> Names(const Params& params) {
  const std::string* one = params.Text("group_by_field");
  if (one != nullptr && !one->empty()) return {*one};
  std::vector<std::string> names;
  const std::string* many = params.Text("group_by_fields");
  if (many == nullptr) return names;
  for (const std::string& name : SplitOutsideBrackets(*many, ',')) {
    if (!Trim(name).empty()) names.emplace_back(Trim(name));
  }
  return names;
}

}  // namespace

bool CanGroupBy(DataType type) {
  switch (type) {
    case DataType::kBool:
    case DataType::kInt8:
    case DataType::kInt16:
    case DataType::kInt32:
    case DataType::kInt64:
    case DataType::kTimestamptz:
    case DataType::kVarChar:
    case DataType::kJson: return true;
    default: return false;
  }
}

Result<std::optional<GroupPlan>> PlanGroup(const model::CollectionSchema& schema,
                                           const Params& params) {
  GroupPlan plan{.names = Names(params)};
  if (plan.names.empty()) return std::optional<GroupPlan>();
  const FieldSchema* json = nullptr;
  for (const std::string& name : plan.names) {
    ASSIGN_OR_RETURN(model::RowValue value, PlanKey(schema, name, params));
    const FieldSchema* field = schema.FindField(value.field);
    if (field->type == DataType::kJson) {
      if (json != nullptr) {
        return Error(InvalidParameter(
            fmt::format("at most one JSON field can be grouped by, field:{}", name)));
      }
      json = field;
    }
    plan.values.push_back(std::move(value));
  }
  RETURN_IF_ERROR(PlanSize(params, plan));
  return std::optional(std::move(plan));
}

Status CheckGroupedSearch(const model::FieldSchema& vectors, const Params& params, bool iterator) {
  if (iterator) return InvalidParameter("Not allowed to do groupBy when doing iteration");
  if (params.Typed("radius").has_value()) {
    return InvalidParameter("Not allowed to do range-search when doing search-group-by");
  }
  if (vectors.type == DataType::kBinaryVector) {
    return InvalidParameter("not support search_group_by operation based on binary vector column");
  }
  return Status::Ok();
}

}  // namespace elanus::proxy
