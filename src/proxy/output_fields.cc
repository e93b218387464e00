#include "proxy/output_fields.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/letter_case.h"
#include "proxy/json.h"
#include "proxy/names.h"
#include "proxy/row_check.h"

namespace elanus::proxy {

namespace {

using model::DataType;
using model::FieldSchema;

struct AggregateText {
  std::string operation;
  std::string target;
  rank::AggregateOp op = rank::AggregateOp::kCount;
};

bool IsWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// `op ( target )`, in any case.
std::optional<AggregateText> ParseAggregate(std::string_view name) {
  const size_t open = name.find('(');
  if (open == std::string_view::npos || !name.ends_with(')')) return std::nullopt;
  AggregateText aggregate{
      .operation = Lower(Trim(name.substr(0, open))),
      .target = std::string(Trim(name.substr(open + 1, name.size() - open - 2)))};
  using enum rank::AggregateOp;
  for (auto [known, op] :
       {std::pair("count", kCount), std::pair("sum", kSum), std::pair("avg", kAverage),
        std::pair("min", kMin), std::pair("max", kMax)}) {
    if (aggregate.operation != known) continue;
    aggregate.op = op;
    return aggregate;
  }
  return std::nullopt;
}

/// The key of a bare name or of `$meta["key"]`; nullopt when it is neither.
std::optional<std::string> DynamicKey(std::string_view name) {
  const std::string opening = fmt::format("{}[", model::kDynamicFieldName);
  if (name.starts_with(opening) && name.ends_with(']')) {
    std::string_view key = name.substr(opening.size(), name.size() - opening.size() - 1);
    if (key.size() < 2 || (key.front() != '"' && key.front() != '\'') ||
        key.back() != key.front()) {
      return std::nullopt;
    }
    key = key.substr(1, key.size() - 2);
    if (key.find_first_of("\"'[]") != std::string_view::npos) return std::nullopt;
    return std::string(key);
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return std::nullopt;
  // Letters of other scripts are fine, as in the filter language.
  if (!std::ranges::all_of(name, [](char c) { return IsWordChar(c) || (c & 0x80) != 0; })) {
    return std::nullopt;
  }
  return std::string(name);
}

class OutputPlanner {
 public:
  OutputPlanner(const model::CollectionSchema& schema, ReadKind kind)
      : schema_(schema), kind_(kind) {}

  Status GroupBy(const std::string& names) {
    for (const std::string& part : SplitOutsideBrackets(names, ',')) {
      const std::string_view name = Trim(part);
      if (name.empty()) continue;
      const FieldSchema* field = schema_.FindField(name);
      if (field == nullptr) return InvalidParameter(fmt::format("field {} not exist", name));
      const bool groups = model::IsInteger(field->type) || field->type == DataType::kVarChar ||
                          field->type == DataType::kTimestamptz;
      if (!groups) {
        return InvalidParameter(fmt::format("group by field {} has unsupported data type {}", name,
                                            model::DataTypeName(field->type)));
      }
      plan_.group_by.push_back(field->id);
      group_names_.push_back(field->name);
    }
    return Status::Ok();
  }

  Result<OutputPlan> Run(const std::vector<std::string>& output_fields) {
    for (const std::string& asked : output_fields) {
      RETURN_IF_ERROR(Add(std::string(Trim(asked))));
    }
    if (plan_.aggregated()) {
      RETURN_IF_ERROR(CheckAggregated());
      plan_.fields.clear();
      return std::move(plan_);
    }
    if (kind_ == ReadKind::kQuery) AddField(*schema_.primary());
    if (whole_dynamic_) plan_.dynamic_keys.clear();
    return std::move(plan_);
  }

 private:
  Status Add(const std::string& name) {
    if (name == "*") {
      for (const FieldSchema& field : schema_.fields) {
        if (field.name == model::kNamespaceFieldName) continue;
        if (field.struct_name.empty()) {
          AddField(field);
        } else {
          AddName(field.struct_name);
          AddId(field.id);
        }
      }
      return Status::Ok();
    }
    if (const FieldSchema* field = schema_.FindField(name)) {
      AddField(*field);
      return Status::Ok();
    }
    if (schema_.FindStruct(name) != nullptr) {
      AddName(name);
      for (const FieldSchema* member : schema_.MembersOf(name)) AddId(member->id);
      return Status::Ok();
    }
    if (auto aggregate = ParseAggregate(name)) return AddAggregate(name, *aggregate);
    const FieldSchema* dynamic = schema_.dynamic();
    auto key = DynamicKey(name);
    if (!key.has_value()) {
      return InvalidParameter(
          fmt::format("parse output field name failed: {}: field {} not exist", name, name));
    }
    if (dynamic == nullptr) return InvalidParameter(fmt::format("field {} not exist", name));
    AddName(name);
    AddId(dynamic->id);
    if (std::ranges::find(plan_.dynamic_keys, *key) == plan_.dynamic_keys.end()) {
      plan_.dynamic_keys.push_back(*key);
    }
    return Status::Ok();
  }

  /// Beside aggregates only what they are grouped by has one value.
  Status CheckAggregated() const {
    for (const std::string& name : plan_.names) {
      if (ParseAggregate(name) && schema_.FindField(name) == nullptr) continue;
      if (std::ranges::find(group_names_, name) != group_names_.end()) continue;
      const std::string refused = fmt::format("output field '{}' is not allowed: ", name);
      if (group_names_.empty()) {
        return InvalidParameter(refused +
                                "when using aggregation functions (e.g., count(*)), output_fields "
                                "can only contain aggregation expressions, not regular columns");
      }
      return InvalidParameter(refused +
                              fmt::format("when using GROUP BY, output_fields can only contain "
                                          "group_by fields ({}) or aggregation expressions",
                                          fmt::join(group_names_, ", ")));
    }
    return Status::Ok();
  }

  Status AddAggregate(const std::string& name, const AggregateText& aggregate) {
    if (kind_ == ReadKind::kSearch) {
      return InvalidParameter("aggregates are not supported in search request");
    }
    rank::Aggregate planned{.op = aggregate.op};
    if (aggregate.target != "*") {
      const FieldSchema* field = schema_.FindField(aggregate.target);
      if (field == nullptr) {
        return InvalidParameter(fmt::format("target field {} for aggregation:{} does not exist",
                                            aggregate.target, aggregate.operation));
      }
      if (!rank::CanAggregate(planned.op, field->type)) {
        return InvalidParameter(fmt::format("aggregation operator {} does not support data type {}",
                                            aggregate.operation, model::DataTypeName(field->type)));
      }
      planned.field = field->id;
    } else if (planned.op != rank::AggregateOp::kCount) {
      return InvalidParameter(
          fmt::format("{}(*) is not supported, only count(*) is allowed", aggregate.operation));
    }
    if (std::ranges::find(plan_.names, name) != plan_.names.end()) return Status::Ok();
    AddName(name);
    plan_.aggregates.push_back(planned);
    return Status::Ok();
  }

  void AddField(const FieldSchema& field) {
    AddName(field.name);
    AddId(field.id);
    if (field.is_dynamic) whole_dynamic_ = true;
  }
  void AddName(const std::string& name) {
    if (std::ranges::find(plan_.names, name) == plan_.names.end()) plan_.names.push_back(name);
  }
  void AddId(FieldId id) {
    if (std::ranges::find(plan_.fields, id) == plan_.fields.end()) plan_.fields.push_back(id);
  }

  const model::CollectionSchema& schema_;
  ReadKind kind_;
  OutputPlan plan_;
  std::vector<std::string> group_names_;
  bool whole_dynamic_ = false;
};

model::Column TrimDynamic(const model::Column& column, const std::vector<std::string>& keys) {
  JsonReader reader;
  model::Column trimmed = model::MakeColumn(column.field, column.type);
  for (size_t row = 0; row < column.rows; ++row) {
    trimmed.AppendValue(column.IsNull(row) ? "{}" : reader.Trim(column.StringAt(row), keys));
  }
  return trimmed;
}

}  // namespace

Result<OutputPlan> PlanOutput(const model::CollectionSchema& schema,
                              const std::vector<std::string>& output_fields, ReadKind kind) {
  return OutputPlanner(schema, kind).Run(output_fields);
}

Result<OutputPlan> PlanQueryOutput(const model::CollectionSchema& schema,
                                   const std::vector<std::string>& output_fields,
                                   const std::string& group_by) {
  OutputPlanner planner(schema, ReadKind::kQuery);
  RETURN_IF_ERROR(planner.GroupBy(group_by));
  return planner.Run(output_fields);
}

std::vector<service::OutputColumn> AggregateColumns(const model::CollectionSchema& schema,
                                                    const OutputPlan& plan, model::RowBatch rows) {
  std::vector<service::OutputColumn> columns;
  size_t next = plan.group_by.size();
  for (const std::string& name : plan.names) {
    const FieldSchema* field = schema.FindField(name);
    const auto group =
        field == nullptr ? plan.group_by.end() : std::ranges::find(plan.group_by, field->id);
    if (group == plan.group_by.end()) {
      columns.push_back({.name = name, .column = std::move(rows.columns[next++])});
      continue;
    }
    const auto at = static_cast<size_t>(group - plan.group_by.begin());
    columns.push_back(
        {.name = name, .nullable = field->nullable, .column = std::move(rows.columns[at])});
  }
  return columns;
}

std::vector<service::OutputColumn> OutputColumns(const model::CollectionSchema& schema,
                                                 const OutputPlan& plan, model::RowBatch rows) {
  std::vector<service::OutputColumn> columns;
  for (FieldId id : plan.fields) {
    const FieldSchema* field = schema.FindField(id);
    if (field == nullptr) continue;
    model::Column* found = rows.Find(id);
    service::OutputColumn out{
        .name = std::string(field->member_name()),
        .is_dynamic = field->is_dynamic,
        .nullable = field->nullable && !field->is_dynamic,
        .element_type = field->element_type,
        .struct_name = field->struct_name,
        .column = found != nullptr ? std::move(*found) : FilledColumn(*field, rows.rows)};
    if (field->is_dynamic && !plan.dynamic_keys.empty()) {
      out.column = TrimDynamic(out.column, plan.dynamic_keys);
    }
    columns.push_back(std::move(out));
  }
  return columns;
}

}  // namespace elanus::proxy
