#include "proxy/search_path.h"

#include <fmt/core.h>
#include <xxhash.h>

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "model/load_fields.h"
#include "proxy/ann_search.h"
#include "proxy/boost_params.h"
#include "proxy/buckets.h"
#include "proxy/explain.h"
#include "proxy/isolation.h"
#include "proxy/list_params.h"
#include "proxy/namespaces.h"
#include "proxy/read_scope.h"
#include "proxy/value_text.h"
#include "rank/score.h"

namespace elanus::proxy {

namespace {

using service::SearchResult;

/// A token in UUID's form, different for every timestamp.
std::string NewToken(model::Timestamp now) {
  const uint64_t a = XXH64(&now, sizeof(now), 1);
  const uint64_t b = XXH64(&now, sizeof(now), 2);
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff,
                     (b >> 48 & 0x3fff) | 0x8000, b & 0xffffffffffff);
}

void FillIterator(const SearchPlan& plan, model::Timestamp now, SearchResult& result) {
  result.iterator_token = plan.iterator_token.empty() ? NewToken(now) : plan.iterator_token;
  if (!result.scores.empty()) {
    result.iterator_last_bound = result.scores.back();
    return;
  }
  const float best = std::numeric_limits<float>::max();
  result.iterator_last_bound =
      plan.iterator_last.value_or(ScoreAscendsWithNearness(plan.metric) ? best : -best);
}

/// The plan as the one hit of the first query, with the key of the nearest row, so that clients
/// which know nothing of plans show it.
SearchResult Explained(const AnnInput& input, const AnnResult& found, double us, int64_t nq) {
  SearchResult result{.collection = input.collection,
                      .counts = std::vector<int64_t>(static_cast<size_t>(nq)),
                      .scores = {0},
                      .output_fields = {std::string(kExplainColumn)},
                      .session_ts = found.read_at};
  result.counts.front() = 1;
  result.keys.is_string = IsString(input.collection->schema.primary()->type);
  if (found.keys.size() != 0) {
    result.keys.Append(found.keys.At(0));
  } else if (result.keys.is_string) {
    result.keys.strings.emplace_back();
  } else {
    result.keys.ints.push_back(0);
  }
  result.columns.push_back(PlanColumn(input.collection->schema, input.filter, found.plans, us));
  return result;
}

/// The answer of a search with an aggregation.
Result<SearchResult> Buckets(const AnnInput& input, const OutputPlan& output, AnnResult found,
                             const TimeForm& time_form) {
  SearchResult result{.collection = input.collection,
                      .counts = std::vector<int64_t>(found.counts.size(), 0),
                      .output_fields = output.names,
                      .session_ts = found.read_at};
  result.keys.is_string = found.keys.is_string;
  auto columns = OutputColumns(input.collection->schema, output, std::move(found.rows));
  RETURN_IF_ERROR(TellAsText(time_form, columns));
  rank::RoundScores(found.scores, input.plan.round_decimal);
  FillBuckets(*input.plan.aggregation, found, input.plan.metric, columns, result);
  return result;
}

}  // namespace

Status CheckElements(const AnnInput& input) {
  const expr::ElementFilter* elements = input.filter.elements.get();
  if (elements != nullptr &&
      (!input.plan.by_element || input.plan.field->struct_name != elements->struct_name)) {
    return InvalidParameter("element_filter is only supported for element-level search");
  }
  if (input.plan.by_element && input.boost) {
    return InvalidParameter("a boost reranker is not supported for element-level search");
  }
  return Status::Ok();
}

Status CheckBoosted(const AnnInput& input) {
  if (!input.boost || (!input.plan.group && !input.plan.iterator)) return Status::Ok();
  return InvalidParameter(
      "failed to create query plan: don't support use segment scorer with group_by or "
      "search_iterator");
}

Status ReadableFor(const AnnInput& input, std::vector<PartitionId>& partitions) {
  RETURN_IF_ERROR(CheckLoaded(*input.collection, partitions));
  if (MaySearch(*input.collection, input.plan.field->id)) return Status::Ok();
  return {Code::kSegcore,
          fmt::format("field index of the field: {} is not loaded, please reload the "
                      "collection: segcore error",
                      input.plan.field->name)};
}

std::vector<service::OutputColumn> GroupValueColumns(const model::CollectionSchema& schema,
                                                     const GroupPlan& group,
                                                     model::RowBatch& values) {
  std::vector<service::OutputColumn> columns;
  for (size_t i = 0; i < group.names.size() && i < values.columns.size(); ++i) {
    const model::FieldSchema* field = schema.FindField(group.values[i].field);
    columns.push_back({.name = group.names[i],
                       .nullable = field->nullable || field->type == model::DataType::kJson,
                       .column = std::move(values.columns[i])});
  }
  return columns;
}

Result<SearchResult> SearchPath::Rescored(const service::CallContext& call,
                                          const service::SearchCall& search,
                                          const SearchPlan& plan) const {
  if (plan.iterator) {
    return Error(InvalidParameter("function rerank is not supported with search iterator"));
  }
  if (!plan.order.empty()) {
    return Error(InvalidParameter("order_by and function rerank cannot be used together"));
  }
  service::HybridSearchCall one{
      .collection = search.collection,
      .partitions = search.partitions,
      .searches = {search},
      .output_fields = search.output_fields,
      .rank_params = {{"limit", std::to_string(plan.limit)},
                      {"offset", std::to_string(plan.offset)},
                      {"round_decimal", std::to_string(plan.round_decimal)}},
      .function_score = WithoutBoosts(*search.function_score),
      .consistency = search.consistency};
  one.name_space = search.name_space;
  service::SearchCall& part = one.searches[0];
  for (std::string_view key : {"group_by_field", "group_by_fields", "group_size",
                               "strict_group_size", "json_path", "json_type"}) {
    const std::string* value = model::FindValue(part.params, key);
    if (value != nullptr) one.rank_params.emplace_back(key, *value);
  }
  // What the function chooses from is the page and all before it.
  std::erase_if(part.params, [](const auto& pair) {
    return pair.first == "topk" || pair.first == "limit" || pair.first == "offset";
  });
  return hybrid_.Run(call, one);
}

Result<SearchResult> SearchPath::Run(const service::CallContext& call,
                                     const service::SearchCall& search) const {
  AnnInput input;
  ASSIGN_OR_RETURN(input.collection,
                   backends_.coordinator.FindCollection(call.database, search.collection));
  const model::CollectionInfo& collection = *input.collection;
  ASSIGN_OR_RETURN(input.plan, PlanSearch(collection, search));
  if (search.function_score && WithoutBoosts(*search.function_score)) {
    return Rescored(call, search, input.plan);
  }
  RETURN_IF_ERROR(CheckListSearch(collection.schema, input.plan));
  ASSIGN_OR_RETURN(OutputPlan output,
                   PlanOutput(collection.schema, search.output_fields, ReadKind::kSearch));
  ASSIGN_OR_RETURN(const auto partitions,
                   PartitionsOfRead(collection, search.name_space, search.partitions));
  ASSIGN_OR_RETURN(input.partitions, NamedPartitions(collection, partitions));
  ASSIGN_OR_RETURN(const TimeForm time_form, TimeFormOf(collection, search.params));
  ASSIGN_OR_RETURN(input.filter,
                   BindFilter(collection, search.filter, search.templates, time_form.zone));
  RETURN_IF_ERROR(KeepToNamespace(collection, search.name_space, input.filter));
  input.name_space = search.name_space;
  RETURN_IF_ERROR(CheckIsolation(collection, input.filter));
  if (search.function_score) {
    ASSIGN_OR_RETURN(input.boost, PlanBoost(collection, *search.function_score, search.templates,
                                            time_form.zone));
    RETURN_IF_ERROR(CheckBoosted(input));
  }
  RETURN_IF_ERROR(CheckElements(input));
  input.output_fields = output.fields;
  if (Status status = ReadableFor(input, input.partitions); !status.ok()) {
    return Error(status.Wrap("failed to search"));
  }
  ASSIGN_OR_RETURN(input.read,
                   ReadPointNow(backends_, collection, search.consistency, input.plan.iterator));
  const int64_t begun_us = SystemClock().MonotonicUs();
  auto found = RunAnnSearch(backends_, call.cancel, search, input);
  if (!found.has_value()) return Error(found.error().Wrap("failed to search"));
  if (input.plan.explain) {
    const auto us = static_cast<double>(SystemClock().MonotonicUs() - begun_us);
    return Explained(input, *found, us, search.nq);
  }

  if (input.plan.aggregation) {
    return Buckets(input, output, *std::move(found), time_form);
  }
  SearchResult result{.collection = input.collection,
                      .counts = std::move(found->counts),
                      .keys = std::move(found->keys),
                      .scores = std::move(found->scores),
                      .elements = std::move(found->elements),
                      .output_fields = output.names,
                      .session_ts = found->read_at,
                      .iterator_v2 = input.plan.iterator_v2};
  if (input.plan.iterator_v2) FillIterator(input.plan, backends_.clock.Next(), result);
  rank::RoundScores(result.scores, input.plan.round_decimal);
  result.columns = OutputColumns(collection.schema, output, std::move(found->rows));
  if (input.plan.group) {
    result.group_values = GroupValueColumns(collection.schema, *input.plan.group, found->values);
    RETURN_IF_ERROR(TellAsText(time_form, result.group_values));
  }
  RETURN_IF_ERROR(TellAsText(time_form, result.columns));
  return result;
}

}  // namespace elanus::proxy
