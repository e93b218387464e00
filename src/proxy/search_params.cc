#include "proxy/search_params.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "model/vector_values.h"
#include "proxy/finite.h"
#include "proxy/index_check.h"
#include "proxy/limits.h"
#include "proxy/params.h"

namespace elanus::proxy {

namespace {

using model::FieldSchema;

Result<const FieldSchema*> FindVectorField(const model::CollectionInfo& collection,
                                           const Params& params, bool by_ids) {
  const std::string* name = params.Text("anns_field");
  if (name != nullptr && !name->empty()) {
    const FieldSchema* field = collection.schema.FindField(*name);
    if (field == nullptr) {
      return Error(InvalidParameter(
          fmt::format("failed to create query plan: failed to get field schema by name: "
                      "fieldName({}) not found",
                      *name)));
    }
    if (!IsVector(field->type)) {
      return Error(InvalidParameter(fmt::format(
          "failed to create query plan: field ({}) to search is not of vector data type", *name)));
    }
    return field;
  }
  const FieldSchema* only = nullptr;
  for (const auto& field : collection.schema.fields) {
    if (!IsVector(field.type)) continue;
    if (only != nullptr) {
      return Error(InvalidParameter(
          by_ids ? "multiple vector fields exist, please specify anns_field in search_params"
                 : "multiple anns_fields exist, please specify a anns_field in search_params"));
    }
    only = &field;
  }
  return only;
}

/// As Milvus says it: these parameters are checked by whoever runs the search.
Status OnQueryNode(const Status& status) {
  return status.Wrap("failed to search: fail to search on QueryNode 1");
}

/// A whole number of the index's own parameters, as Milvus' vector library checks it.
Result<int64_t> IndexInteger(const Params& params, std::string_view key, int64_t high) {
  auto given = params.Typed(key);
  if (!given.has_value()) return 0;
  auto conflict = [&] {
    return Error(InvalidParameter(
        fmt::format("Type conflict in json: param '{}' ({}) should be integer", key, given->text)));
  };
  int64_t value = 0;
  if (given->kind == JsonValue::Kind::kInteger) {
    value = given->integer;
  } else if (given->kind == JsonValue::Kind::kString) {
    auto parsed = ToInteger(given->text);
    if (!parsed.has_value()) return conflict();
    value = *parsed;
  } else {
    return conflict();
  }
  if (value < 1 || value > high) {
    return Error(InvalidParameter(fmt::format(
        "Out of range in json: param '{}' ({}) should be in range [1, {}]", key, value, high)));
  }
  return value;
}

Result<std::optional<double>> RangeBound(const Params& params, std::string_view key) {
  auto given = params.Typed(key);
  if (!given.has_value()) return std::optional<double>();
  if (given->kind == JsonValue::Kind::kInteger || given->kind == JsonValue::Kind::kReal) {
    return std::optional(given->real);
  }
  // A pair, or text inside the object: as in Milvus only a number's text will do.
  auto parsed = given->kind == JsonValue::Kind::kString ? ToReal(given->text) : std::nullopt;
  if (!parsed.has_value()) {
    return Error(
        InvalidParameter(fmt::format("{} [{}] is invalid: type must be number", key, given->text)));
  }
  return parsed;
}

/// Said before the metric is looked at.
Status CheckRangeWhole(const Params& params) {
  if (!params.Typed("range_filter").has_value() || params.Typed("radius").has_value()) {
    return Status::Ok();
  }
  return InvalidParameter(
      "range_filter requires radius to be set; range_filter alone is not a valid range search "
      "parameter");
}

Status PlanRange(const Params& params, SearchPlan& plan) {
  ASSIGN_OR_RETURN(plan.params.radius, RangeBound(params, "radius"));
  ASSIGN_OR_RETURN(plan.params.range_filter, RangeBound(params, "range_filter"));
  const auto& [radius, filter] = std::pair(plan.params.radius, plan.params.range_filter);
  if (!filter.has_value()) return Status::Ok();
  ELANUS_CHECK(radius.has_value());  // CheckRangeWhole
  const bool ascends = ScoreAscendsWithNearness(plan.metric);
  if (ascends ? *filter > *radius : *filter < *radius) return Status::Ok();
  return InvalidParameter(
      fmt::format("metric type ({}), range_filter({}) must be {} than radius({})",
                  MetricName(plan.metric), *filter, ascends ? "greater" : "less", *radius));
}

/// A ratio that sparse indexes understand; exact search has no use for it, but a wrong one is told.
Status CheckRatio(const Params& params, std::string_view key, double low, double high,
                  bool closed) {
  ASSIGN_OR_RETURN(auto given, RangeBound(params, key));
  if (!given || (*given >= low && (closed ? *given <= high : *given < high))) return Status::Ok();
  return InvalidParameter(
      fmt::format("Out of range in json: param '{}' ({:.6f}) should be in range [{:.6f}, {:.6f}{}",
                  key, *given, low, high, closed ? "]" : ")"));
}

Status CheckSparseSearch(const Params& params) {
  RETURN_IF_ERROR(CheckRatio(params, "drop_ratio_search", 0, 1, false));
  return CheckRatio(params, "dim_max_score_ratio", 0.5, 1.3, true);
}

Status PlanRefinement(std::string_view type, const Params& params, SearchPlan& plan) {
  const bool rabitq = type.starts_with("IVF_RABITQ");
  if (!rabitq && type != "IVF_SQ8" && type != "IVF_PQ" && !type.starts_with("HNSW_"))
    return Status::Ok();
  if (auto given = params.Typed("refine_k"); given.has_value()) {
    std::optional<double> value;
    if (given->kind == JsonValue::Kind::kInteger || given->kind == JsonValue::Kind::kReal)
      value = given->real;
    else if (given->kind == JsonValue::Kind::kString)
      value = ToReal(given->text);
    if (!value) {
      return InvalidParameter(fmt::format(
          "Type conflict in json: param 'refine_k' ({}) should be a number", given->text));
    }
    if (!(*value >= 1)) {
      return InvalidParameter(
          fmt::format("Out of range in json: param 'refine_k' ({}) should be in range "
                      "[1.000000, 340282346638528859811704183484516925440.000000]",
                      *value));
    }
    plan.params.refine_k = *value;
  }
  if (!rabitq) return Status::Ok();
  auto bits = params.Typed("rbq_bits_query");
  if (!bits.has_value()) return Status::Ok();
  const auto value = bits->kind == JsonValue::Kind::kInteger ? std::optional(bits->integer)
                                                             : ToInteger(bits->text);
  if (!value) {
    return InvalidParameter(fmt::format(
        "Type conflict in json: param 'rbq_bits_query' ({}) should be integer", bits->text));
  }
  if (*value >= 0 && *value <= 8) return Status::Ok();
  return InvalidParameter(fmt::format(
      "Out of range in json: param 'rbq_bits_query' ({}) should be in range [0, 8]", *value));
}

/// RNSG and ANNOY: how many rows a search keeps on its way, how many it gathers (-1: the index's
/// own choice).
/// Whether an effort must reach the hits wanted: a range search looks as far as its radius, an
/// iterator asks for pages of its own size; groups and filters on the way take hits one by one.
bool IsForHits(const Params& params, const SearchPlan& plan) {
  const std::string* hints = params.Text("hints");
  const bool one_by_one = plan.group || (hints != nullptr && *hints == "iterative_filter");
  return !one_by_one && !plan.iterator && !params.Typed("radius").has_value();
}

Status PlanOldTypes(std::string_view type, const Params& params, SearchPlan& plan) {
  if (type == "RNSG") {
    ASSIGN_OR_RETURN(plan.params.ef, IndexInteger(params, "search_length", 300));
    // Fewer than the hits wanted would find no more than that.
    if (plan.params.ef != 0)
      plan.params.ef = std::max<int64_t>(plan.params.ef, plan.limit + plan.offset);
  }
  const auto given = type == "ANNOY" ? params.Typed("search_k") : std::nullopt;
  if (!given.has_value() || given->text == "-1") return Status::Ok();
  ASSIGN_OR_RETURN(plan.params.ef,
                   IndexInteger(params, "search_k", std::numeric_limits<int32_t>::max()));
  const int64_t top_k = plan.limit + plan.offset;
  if (plan.params.ef >= top_k || !IsForHits(params, plan)) return Status::Ok();
  return InvalidParameter(
      fmt::format("search_k({}) should be larger than k({})", plan.params.ef, top_k));
}

Status PlanEffort(const model::IndexInfo* index, const Params& params, SearchPlan& plan) {
  const std::string type = index == nullptr ? "FLAT" : IndexTypeOf(*index);
  const int64_t top_k = plan.limit + plan.offset;
  if (plan.field->type == model::DataType::kSparseFloatVector)
    RETURN_IF_ERROR(CheckSparseSearch(params));
  if (type.starts_with("HNSW") || type == "AUTOINDEX" || type == "DISKANN") {
    std::string_view key = "ef", told = "ef";
    if (type == "DISKANN") {  // goes by two names, of which texts have the longer one
      told = "search_list_size";
      key = params.Typed("search_list").has_value() ? "search_list" : told;
    }
    ASSIGN_OR_RETURN(plan.params.ef,
                     IndexInteger(params, key, std::numeric_limits<int32_t>::max()));
    if (plan.params.ef != 0 && plan.params.ef < top_k && IsForHits(params, plan)) {
      return InvalidParameter(
          fmt::format("{}({}) should be larger than k({})", told, plan.params.ef, top_k));
    }
  }
  RETURN_IF_ERROR(PlanOldTypes(type, params, plan));
  if (type.find("IVF_") != std::string::npos || type == "SCANN" || type == "AUTOINDEX") {
    ASSIGN_OR_RETURN(plan.params.nprobe, IndexInteger(params, "nprobe", 65'536));
  }
  if (type == "SCANN") {
    ASSIGN_OR_RETURN(plan.params.reorder_k,
                     IndexInteger(params, "reorder_k", std::numeric_limits<int32_t>::max()));
    if (plan.params.reorder_k != 0 && plan.params.reorder_k < top_k && IsForHits(params, plan)) {
      return InvalidParameter(
          fmt::format("reorder_k({}) should be larger than k({})", plan.params.reorder_k, top_k));
    }
  }
  return PlanRefinement(type, params, plan);
}

Status PlanIndexParams(const model::IndexInfo* index, const Params& params, SearchPlan& plan) {
  if (Status status = PlanEffort(index, params, plan); !status.ok()) return OnQueryNode(status);
  const std::string* hints = params.Text("hints");
  if (hints != nullptr && !hints->empty() && *hints != "iterative_filter" && *hints != "disable") {
    return InvalidParameter(fmt::format("hints: {} not supported", *hints));
  }
  return PlanRange(params, plan);
}

Status PlanMetric(const model::IndexInfo* index, const Params& params, SearchPlan& plan) {
  plan.metric = index != nullptr ? MetricOf(*index) : DefaultMetricOf(*plan.field);
  const std::string* given = params.Text("metric_type");
  if (given == nullptr || given->empty()) return Status::Ok();
  if (model::MetricFromName(*given) == plan.metric) return Status::Ok();
  return InvalidParameter("metric type not match", MetricName(plan.metric), *given);
}

Status OutOfWindow(std::string_view what, int64_t value) {
  return InvalidParameter(
      fmt::format("{} [{}] is invalid, it should be in range [1, {}], but got {}", what, value,
                  kTopKMax, value));
}

Status PlanWindow(const Params& params, SearchPlan& plan) {
  ASSIGN_OR_RETURN(auto limit, params.Integer("topk"));
  if (!limit.has_value()) {
    ASSIGN_OR_RETURN(limit, params.Integer("limit"));
  }
  if (!limit.has_value()) return InvalidParameter("topk is required");
  plan.limit = *limit;
  // The first iterators widened their window without looking at the limit.
  if (plan.iterator) plan.limit = std::min(plan.limit, kTopKMax);
  if (plan.limit < 1 || plan.limit > kTopKMax) return OutOfWindow("topk", plan.limit);
  ASSIGN_OR_RETURN(auto offset, params.Integer("offset"));
  plan.offset = offset.value_or(0);
  if (plan.offset < 0 || plan.offset > kTopKMax) return OutOfWindow("offset", plan.offset);
  if (plan.limit + plan.offset > kTopKMax) {
    return OutOfWindow("offset+topk", plan.limit + plan.offset);
  }
  return Status::Ok();
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return false;
    }
  }
  return true;
}

Status PlanIterator(const Params& params, int64_t nq, SearchPlan& plan) {
  ASSIGN_OR_RETURN(auto iterator, params.Boolean("iterator", "parse iterator field failed"));
  plan.iterator = iterator.value_or(false);
  ASSIGN_OR_RETURN(auto second,
                   params.Boolean("search_iter_v2", "parse search iterator v2 field failed"));
  plan.iterator_v2 = second.value_or(false);
  if (!plan.iterator_v2) return Status::Ok();
  if (!plan.iterator) {
    return InvalidParameter("both iterator and search_iter_v2 must be set in the SDK");
  }
  ASSIGN_OR_RETURN(auto offset, params.Integer("offset"));
  if (offset.value_or(0) != 0) {
    return InvalidParameter("Setting an offset is not permitted when using a search iterator v2");
  }
  if (nq > 1) {
    return InvalidParameter(
        "search_iterator_v2 does not support processing multiple vectors simultaneously");
  }
  ASSIGN_OR_RETURN(auto batch, params.Integer("search_iter_batch_size"));
  if (!batch.has_value()) return InvalidParameter("batch size is required");
  if (*batch < 1 || *batch > kTopKMax) return OutOfWindow("batch size", *batch);
  plan.limit = *batch;
  if (const std::string* token = params.Text("search_iter_id"); token != nullptr) {
    if (!token->empty() && !IsUuid(*token)) return InvalidParameter("invalid token format");
    plan.iterator_token = *token;
  }
  const std::string* last = params.Text("search_iter_last_bound");
  if (last != nullptr && !last->empty()) {
    auto bound = ToReal(*last);
    if (!bound.has_value()) {
      return InvalidParameter(fmt::format("failed to parse input last bound, value: {}", *last));
    }
    plan.iterator_last = static_cast<float>(*bound);
  }
  return Status::Ok();
}

/// A search whose hits become buckets groups them as the buckets need it.
Status PlanBuckets(const model::CollectionSchema& schema, const service::SearchCall& search,
                   const Params& params, SearchPlan& plan) {
  auto beside = [](std::string_view what) {
    return InvalidParameter(fmt::format("{} is not supported with search_aggregation", what));
  };
  for (std::string_view key : {"group_by_field", "group_by_fields"}) {
    if (const std::string* text = params.Text(key); text != nullptr && !text->empty()) {
      return InvalidParameter(
          fmt::format("{} and search_aggregation cannot be used simultaneously", key));
    }
  }
  if (plan.iterator) return beside("search iterator");
  if (plan.offset != 0) return beside("offset");
  if (const std::string* text = params.Text("order_by_fields"); text != nullptr && !text->empty()) {
    return beside("order_by");
  }
  if (search.function_score) return beside("function_score");
  ASSIGN_OR_RETURN(plan.aggregation, PlanAggregation(schema, *search.aggregation, search.nq));
  plan.group = plan.aggregation->group;
  plan.values = plan.aggregation->values;
  plan.limit = plan.aggregation->groups;
  return Status::Ok();
}

/// The placeholder of a list of vectors has the number of its vectors' type and this.
constexpr int32_t kListPlaceholder = 200;

bool IsListPlaceholder(model::DataType type) {
  return static_cast<int32_t>(type) >=
         static_cast<int32_t>(model::DataType::kBinaryVector) + kListPlaceholder;
}

/// A search over lists of vectors: by whole lists or by their vectors, as the query vectors say.
Status PlanLists(const service::SearchCall& search, SearchPlan& plan) {
  if (plan.field->type != model::DataType::kArrayOfVector) return Status::Ok();
  if (search.ids) {
    return InvalidParameter("array of vector is not supported for search by IDs");
  }
  plan.by_element = !IsListPlaceholder(search.vector_type);
  if (plan.by_element == model::IsMaxSim(plan.metric)) {
    return InvalidParameter(fmt::format(
        "metric type {} of field {} compares {}, but the query is {}", MetricName(plan.metric),
        plan.field->name, plan.by_element ? "lists of vectors" : "single vectors",
        plan.by_element ? "a vector" : "a list of vectors"));
  }
  if (plan.iterator && !plan.by_element) {
    return InvalidParameter(
        "search iterator is not supported for multi-search-multi on embedding list fields");
  }
  if (plan.iterator && !plan.iterator_v2) {
    // It leaves out rows that came before, not elements.
    return InvalidParameter("search iterator is not supported for element-level search");
  }
  return Status::Ok();
}

Status PlanOrder(const model::CollectionSchema& schema, const Params& params, SearchPlan& plan) {
  const std::string* order = params.Text("order_by_fields");
  if (order == nullptr || order->empty()) return Status::Ok();
  if (plan.iterator) {
    return InvalidParameter("order_by is not supported when using search iterator");
  }
  if (plan.group.has_value() && plan.group->names.size() > 1) {
    return InvalidParameter("order_by_fields is not supported with multi-field group_by_fields");
  }
  ASSIGN_OR_RETURN(plan.order, PlanSearchOrder(schema, *order));
  return Status::Ok();
}

/// Every query a whole number of vectors, at least one.
Status CheckLists(const service::SearchCall& search, size_t width) {
  for (size_t q = 0; q + 1 < search.vector_offsets.size(); ++q) {
    const uint64_t bytes = search.vector_offsets[q + 1] - search.vector_offsets[q];
    if (width != 0 && bytes != 0 && bytes % width == 0) continue;
    return InvalidParameter(fmt::format(
        "vector dimension mismatch, expected vector size(byte) {}, actual {}.", width, bytes));
  }
  return Status::Ok();
}

Result<QueryVectors> TakeSparse(const service::SearchCall& search) {
  QueryVectors taken{.bytes = search.vectors, .offsets = search.vector_offsets};
  const std::string_view bytes = search.vectors;
  for (size_t i = 0; i + 1 < taken.offsets.size(); ++i) {
    const uint64_t begin = taken.offsets[i];
    RETURN_IF_ERROR(model::CheckSparse(bytes.substr(begin, taken.offsets[i + 1] - begin)));
  }
  return taken;
}

}  // namespace

Status CheckQueryCount(int64_t nq) {
  if (nq >= 1 && nq <= kQueriesMax) return Status::Ok();
  return InvalidParameter(
      fmt::format("nq [{}] is invalid, nq (number of search vector per search request) should be "
                  "in range [1, {}], but got {}",
                  nq, kQueriesMax, nq));
}

Result<int> PlanRounding(const Params& params) {
  const std::string* text = params.Text("round_decimal");
  if (text == nullptr || text->empty()) return -1;
  auto decimals = ToInteger(*text);
  if (!decimals.has_value() || *decimals < -1 || *decimals > 6) {
    return Error(InvalidParameter(fmt::format(
        "round_decimal [{}] is invalid, should be -1 or an integer in range [0, 6]", *text)));
  }
  return static_cast<int>(*decimals);
}

Status CheckCollectionId(const model::CollectionInfo& collection, const std::string* id_text) {
  if (id_text == nullptr || id_text->empty()) return Status::Ok();
  if (ToInteger(*id_text) == collection.id.value) return Status::Ok();
  return InvalidParameter(
      "Input collection id is not consistent to collectionID in the context,alias or database may "
      "have been changed");
}

Result<SearchPlan> PlanSearch(const model::CollectionInfo& collection,
                              const service::SearchCall& search) {
  RETURN_IF_ERROR(CheckQueryCount(search.nq));
  ASSIGN_OR_RETURN(Params params, Params::Open(search.params));
  SearchPlan plan;
  RETURN_IF_ERROR(PlanIterator(params, search.nq, plan));
  if (!plan.iterator_v2) RETURN_IF_ERROR(PlanWindow(params, plan));
  ASSIGN_OR_RETURN(plan.round_decimal, PlanRounding(params));
  ASSIGN_OR_RETURN(auto ignore,
                   params.Boolean("ignore_growing", "parse ignore growing field failed"));
  plan.ignore_growing = ignore.value_or(false);
  ASSIGN_OR_RETURN(auto explain, params.Boolean("explain", "parse explain field failed"));
  plan.explain = explain.value_or(false);
  RETURN_IF_ERROR(CheckCollectionId(collection, params.Text("collection_id")));
  ASSIGN_OR_RETURN(plan.field, FindVectorField(collection, params, search.ids.has_value()));
  if (search.aggregation) {
    RETURN_IF_ERROR(PlanBuckets(collection.schema, search, params, plan));
  } else {
    ASSIGN_OR_RETURN(plan.group, PlanGroup(collection.schema, params));
  }
  if (plan.group && !plan.aggregation)
    RETURN_IF_ERROR(CheckGroupedSearch(*plan.field, params, plan.iterator));
  RETURN_IF_ERROR(PlanOrder(collection.schema, params, plan));
  RETURN_IF_ERROR(CheckRangeWhole(params));
  const model::IndexInfo* index = collection.FindIndexOn(plan.field->id);
  RETURN_IF_ERROR(PlanMetric(index, params, plan));
  RETURN_IF_ERROR(PlanIndexParams(index, params, plan));
  RETURN_IF_ERROR(PlanLists(search, plan));
  if (plan.iterator_v2) {
    // The first page lies beyond the best score there is.
    const float best = std::numeric_limits<float>::max();
    plan.params.after_score =
        plan.iterator_last.value_or(ScoreAscendsWithNearness(plan.metric) ? best : -best);
  }
  return plan;
}

Result<QueryVectors> TakeQueryVectors(const FieldSchema& field, const service::SearchCall& search) {
  const model::DataType type = field.vector_type();
  const bool lists = IsListPlaceholder(search.vector_type);
  const auto given = static_cast<model::DataType>(static_cast<int32_t>(search.vector_type) -
                                                  (lists ? kListPlaceholder : 0));
  const bool narrow =
      given == model::DataType::kFloatVector &&
      (type == model::DataType::kFloat16Vector || type == model::DataType::kBFloat16Vector);
  const bool fits = !lists || field.type == model::DataType::kArrayOfVector;
  if ((given != type && !narrow) || !fits) {
    return Error(InvalidParameter(
        fmt::format("vector type must be the same: field {} - type {}, search info type {}",
                    field.name, DataTypeName(field.type), DataTypeName(search.vector_type))));
  }
  if (type == model::DataType::kSparseFloatVector) return TakeSparse(search);
  const size_t wanted = model::ValueBytes(given, field.dim());
  if (lists) RETURN_IF_ERROR(CheckLists(search, wanted));
  const size_t nq = lists ? search.vectors.size() / wanted : static_cast<size_t>(search.nq);
  if (search.vectors.size() != wanted * nq) {
    return Error(InvalidParameter(
        fmt::format("vector dimension mismatch, expected vector size(byte) {}, actual {}.", wanted,
                    search.vectors.size() / nq)));
  }
  QueryVectors taken{.bytes = search.vectors};
  if (lists) taken.offsets = search.vector_offsets;
  if (type == model::DataType::kBinaryVector || type == model::DataType::kInt8Vector) return taken;
  const size_t elements = nq * static_cast<size_t>(field.dim());
  std::vector<float> values(elements);
  model::DenseToFloats(given, search.vectors.data(), elements, values.data());
  RETURN_IF_ERROR(CheckFinite(std::span<const float>(values)));
  if (narrow) {
    taken.bytes.resize(model::ValueBytes(type, field.dim()) * nq);
    model::FloatsToDense(type, values.data(), elements, taken.bytes.data());
    // Floats become numbers of half their width.
    for (uint64_t& offset : taken.offsets) offset /= 2;
  }
  return taken;
}

}  // namespace elanus::proxy
