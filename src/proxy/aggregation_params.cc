#include "proxy/aggregation_params.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/letter_case.h"
#include "proxy/names.h"

namespace elanus::proxy {

namespace {

using model::DataType;
using model::FieldSchema;
using rank::AggregateOp;

constexpr size_t kLevelsMax = 4;
constexpr int64_t kEntriesMax = 10'000;  // Milvus' proxy.maxSearchAggregationResultEntries

std::unexpected<Status> Refused(std::string text) {
  return Error(InvalidParameter(std::move(text)));
}

/// a * b, or more than any limit.
int64_t Times(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::numeric_limits<int64_t>::max();
  return product;
}

Result<bool> Descends(const std::string& direction, bool absent, std::string_view of) {
  const std::string lower = Lower(Trim(direction));
  if (lower.empty()) return absent;
  if (lower == "asc" || lower == "desc") return lower == "desc";
  return Refused(fmt::format("invalid {}: unsupported direction \"{}\"", of, direction));
}

class Planner {
 public:
  Planner(const model::CollectionSchema& schema, const service::SearchAggregation& spec)
      : schema_(schema), spec_(spec) {}

  Result<AggregationPlan> Run(int64_t nq) {
    if (spec_.levels.size() > kLevelsMax) {
      return Refused(fmt::format("search_aggregation nesting exceeds max {} levels", kLevelsMax));
    }
    for (const auto& level : spec_.levels) RETURN_IF_ERROR(AddKeys(level));
    for (size_t i = 0; i < spec_.levels.size(); ++i) {
      RETURN_IF_ERROR(AddMetrics(spec_.levels[i], plan_.levels[i]));
      RETURN_IF_ERROR(AddHits(spec_.levels[i], plan_.levels[i]));
      RETURN_IF_ERROR(AddOrder(spec_.levels[i], plan_.levels[i]));
    }
    if (Times(Times(nq, plan_.groups), plan_.group.size) > kEntriesMax) {
      return Refused("number of search_aggregation result entries is too large");
    }
    return std::move(plan_);
  }

 private:
  Result<const FieldSchema*> Find(const std::string& name, std::string_view kind) const {
    const FieldSchema* field = schema_.FindField(name);
    if (field == nullptr) field = schema_.dynamic();
    if (field == nullptr) {
      return Refused(
          fmt::format("invalid {} \"{}\": field {} not found in schema", kind, name, name));
    }
    if (field->type == DataType::kJson) {
      return Refused(fmt::format(
          "{} \"{}\": JSON / dynamic fields are not yet supported with search_aggregation", kind,
          name));
    }
    return field;
  }

  Status AddKeys(const service::AggregationLevel& level) {
    if (level.fields.empty()) return Refused("group_by level has no fields").error();
    if (level.size < 0) return Refused("search_aggregation size must be non-negative").error();
    if (level.search_size < 0) {
      return Refused("search_aggregation search_size must be non-negative").error();
    }
    BucketLevel planned{.size = std::max<int64_t>(level.size, 1)};
    const int64_t searched = level.search_size == 0 ? planned.size : level.search_size;
    if (searched < planned.size) {
      return Refused("search_aggregation search_size must be greater than or equal to size")
          .error();
    }
    plan_.groups = Times(plan_.groups, searched);
    for (const std::string& name : level.fields) {
      ASSIGN_OR_RETURN(const FieldSchema* field, Find(name, "group_by field"));
      if (model::IsFloating(field->type)) {
        return Refused(fmt::format(
                           "group_by field \"{}\": FLOAT / DOUBLE fields are not supported with "
                           "search_aggregation (BucketKeyEntry has no float variant; equality on "
                           "floats is fragile)",
                           name))
            .error();
      }
      if (!CanGroupBy(field->type)) {
        return Refused(fmt::format("unsupported data type for group by: field {} is a {}", name,
                                   model::DataTypeName(field->type)))
            .error();
      }
      if (column_of_.contains(field->id)) {
        const bool here = std::ranges::find(planned.fields, field->id) != planned.fields.end();
        return Refused(fmt::format("duplicated group_by field \"{}\" {}", name,
                                   here ? "in one level" : "across levels"))
            .error();
      }
      planned.names.push_back(name);
      planned.fields.push_back(field->id);
      planned.columns.push_back(column_of_.size());
      column_of_.emplace(field->id, column_of_.size());
      plan_.group.names.push_back(name);
      plan_.group.values.push_back({.field = field->id});
    }
    plan_.levels.push_back(std::move(planned));
    return Status::Ok();
  }

  /// The column of a field among the search's values, asked for when it is not yet.
  HitValue ColumnOf(const FieldSchema& field) {
    auto [found, first] = column_of_.try_emplace(field.id, column_of_.size());
    if (first) plan_.values.push_back({.field = field.id});
    return {found->second};
  }

  Status AddMetrics(const service::AggregationLevel& level, BucketLevel& planned) {
    static const std::map<std::string, AggregateOp, std::less<>> kOps = {
        {"count", AggregateOp::kCount},
        {"sum", AggregateOp::kSum},
        {"avg", AggregateOp::kAverage},
        {"min", AggregateOp::kMin},
        {"max", AggregateOp::kMax}};
    for (const auto& metric : level.metrics) {
      auto invalid = [&](std::string_view why) {
        return Refused(fmt::format("invalid metric \"{}\": {}", metric.alias, why)).error();
      };
      if (Trim(metric.alias).empty()) return Refused("metric alias cannot be empty").error();
      const std::string name = Lower(Trim(metric.op));
      auto op = kOps.find(name);
      if (op == kOps.end()) return invalid(fmt::format("unsupported metric op \"{}\"", metric.op));
      const std::string source(Trim(metric.field));
      if (source.empty()) return invalid("metric field_name is empty");
      BucketMetric made{.alias = metric.alias, .op = op->second};
      if (source == "*") {
        if (made.op != AggregateOp::kCount) {
          return invalid("field_name '*' only supports count op");
        }
        made.counts_rows = true;
      } else if (source != "_score") {
        ASSIGN_OR_RETURN(const FieldSchema* field, Find(source, "metric field"));
        if (!rank::CanAggregate(made.op, field->type)) {
          return invalid(fmt::format("aggregation operator {} does not support data type {}", name,
                                     model::DataTypeName(field->type)));
        }
        made.value = ColumnOf(*field);
      }
      planned.metrics.push_back(std::move(made));
    }
    return Status::Ok();
  }

  Status AddHits(const service::AggregationLevel& level, BucketLevel& planned) {
    if (!level.top_hits) return Status::Ok();
    if (level.top_hits->size < 0) return Refused("top_hits size must be non-negative").error();
    planned.hits = std::max<int64_t>(level.top_hits->size, 1);
    plan_.group.size = std::max(plan_.group.size, planned.hits);
    for (const auto& sort : level.top_hits->sort) {
      const std::string name(Trim(sort.name));
      if (name.empty()) return Refused("top_hits.sort field_name is empty").error();
      HitOrder order{.nulls_first = sort.nulls_first};
      ASSIGN_OR_RETURN(
          order.descending,
          Descends(sort.direction, true, fmt::format("top_hits.sort direction for \"{}\"", name)));
      if (name.find('[') != std::string::npos) {
        return Refused(fmt::format("top_hits.sort JSON path is not yet supported: \"{}\"", name))
            .error();
      }
      if (name != "_score") {
        ASSIGN_OR_RETURN(const FieldSchema* field, Find(name, "top_hits.sort field"));
        if (!CanSortBy(field->type)) {
          return Refused(fmt::format("top_hits.sort field \"{}\": {} is not sortable", name,
                                     model::DataTypeName(field->type)))
              .error();
        }
        order.value = ColumnOf(*field);
      }
      planned.hit_order.push_back(order);
    }
    return Status::Ok();
  }
  static bool CanSortBy(DataType type) {
    return model::IsNumeric(type) || model::IsString(type) || type == DataType::kBool ||
           type == DataType::kTimestamptz;
  }

  static Status AddOrder(const service::AggregationLevel& level, BucketLevel& planned) {
    for (const auto& sort : level.order) {
      const std::string key(Trim(sort.name));
      BucketOrder order;
      ASSIGN_OR_RETURN(order.descending, Descends(sort.direction, true,
                                                  fmt::format("order direction for \"{}\"", key)));
      if (key == "_key") {
        order.by = BucketOrder::By::kKey;
      } else if (key != "_count") {
        auto metric = std::ranges::find(planned.metrics, key, &BucketMetric::alias);
        if (metric == planned.metrics.end()) {
          return Refused(fmt::format("order key \"{}\" is not found in metrics", key)).error();
        }
        order.by = BucketOrder::By::kMetric;
        order.metric = static_cast<size_t>(metric - planned.metrics.begin());
      }
      planned.order.push_back(order);
    }
    return Status::Ok();
  }

  const model::CollectionSchema& schema_;
  const service::SearchAggregation& spec_;
  AggregationPlan plan_{.group = {.strict = true}};
  std::map<FieldId, size_t> column_of_;
};

}  // namespace

Result<AggregationPlan> PlanAggregation(const model::CollectionSchema& schema,
                                        const service::SearchAggregation& spec, int64_t nq) {
  return Planner(schema, spec).Run(nq);
}

}  // namespace elanus::proxy
