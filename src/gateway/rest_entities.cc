// REST routes of rows: insert, upsert, delete, get, query, search.
#include <fmt/core.h>

#include <array>
#include <utility>

#include "gateway/json_text.h"
#include "gateway/rest_call.h"
#include "gateway/rest_rows.h"

namespace elanus::gateway {
namespace {

namespace dom = simdjson::dom;

constexpr int64_t kLimitDefault = 100;
/// The placeholder of lists of float vectors; Milvus' number.
constexpr model::DataType kFloatVectorLists{301};

Result<service::Consistency> ConsistencyOf(const RestBody& body) {
  const std::string level = body.Text("consistencyLevel");
  service::Consistency consistency;
  if (level.empty()) return consistency;
  // Level and the guarantee that Milvus' own clients send with it.
  static constexpr std::array<std::pair<std::string_view, uint64_t>, 5> kLevels = {
      {{"Strong", 0}, {"Session", 1}, {"Bounded", 2}, {"Eventually", 1}, {"Customized", 1}}};
  for (size_t i = 0; i < kLevels.size(); ++i) {
    if (level != kLevels[i].first) continue;
    consistency.use_default = false;
    consistency.level = static_cast<model::ConsistencyLevel>(i);
    consistency.guarantee = kLevels[i].second;
    return consistency;
  }
  return Error(InvalidParameter(
      "consistencyLevel can only be [Strong, Session, Bounded, Eventually, Customized], default: "
      "Bounded",
      "one of them", level));
}

Result<expr::Templates> TemplatesOf(const RestBody& body) {
  expr::Templates templates;
  auto element = body.Find("exprParams");
  if (!element) return templates;
  dom::object object;
  if (element->get(object) != simdjson::SUCCESS) {
    return Error(Status(
        kRestBadJson, "can only accept json format request, error: exprParams must be an object"));
  }
  for (auto [name, value] : object) {
    ASSIGN_OR_RETURN(auto parsed, JsonToValue(simdjson::minify(value)));
    templates.values.emplace(std::string(name), std::move(parsed));
  }
  return templates;
}

void WriteKeys(JsonWriter& json, const model::PrimaryKeys& keys, bool int64_as_number) {
  json.BeginArray();
  for (int64_t key : keys.ints) json.Int64(key, int64_as_number);
  for (const std::string& key : keys.strings) json.Text(key);
  json.EndArray();
}

/// What an upsert says of rows that are there already.
Status PartialOf(const RestBody& body, service::MutationCall& mutation) {
  using Kind = service::FieldOpKind;
  mutation.partial_update = body.Bool("partialUpdate", false);
  for (const RestBody& in : body.Objects("fieldOps")) {
    service::FieldOp op{.field = in.Text("fieldName")};
    const std::string name = in.Text("op", "REPLACE");
    if (name == "ARRAY_APPEND") {
      op.kind = Kind::kArrayAppend;
    } else if (name == "ARRAY_REMOVE") {
      op.kind = Kind::kArrayRemove;
    } else if (name != "REPLACE") {
      return InvalidParameter(fmt::format("unsupported partial update op: {}", name));
    }
    RETURN_IF_ERROR(in.fault());
    mutation.partial_update |= op.kind != Kind::kReplace;
    mutation.field_ops.push_back(std::move(op));
  }
  return body.fault();
}

void Mutate(RestCall rest, service::MutationKind kind) {
  const bool insert = kind == service::MutationKind::kInsert;
  service::MutationCall mutation{.kind = kind,
                                 .collection = rest.body.Text("collectionName"),
                                 .partition = rest.body.Text("partitionName")};
  if (Status given = insert ? Status::Ok() : PartialOf(rest.body, mutation); !given.ok()) {
    return rest.Fail(given);
  }
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  auto info = rest.services.catalog->Describe(rest.context(), mutation.collection);
  if (!info) return rest.Fail(info.error());
  dom::array rows;
  if (rest.body.Find("data")->get(rows) != simdjson::SUCCESS) {
    return rest.Fail(
        Status(kRestBadRows, "fail to deal the insert data, error: data is no list of rows"));
  }
  auto columns = ColumnsOfRows(rows, (*info)->schema,
                               mutation.partial_update ? RowForm::kPartial : RowForm::kWhole);
  if (!columns) return rest.Fail(columns.error());
  mutation.columns = *std::move(columns);
  mutation.num_rows = static_cast<int64_t>(rows.size());
  // A copy: the call itself may be gone before Mutate returns.
  const service::CallContext context = rest.context();
  auto& data = *rest.services.data;
  data.Mutate(context, std::move(mutation),
              [rest = std::move(rest), insert](Result<service::MutationReply> reply) mutable {
                if (!reply) return rest.Fail(reply.error());
                rest.Data([&](JsonWriter& json) {
                  json.BeginObject();
                  json.Key(insert ? "insertCount" : "upsertCount").Int(reply->count);
                  json.Key(insert ? "insertIds" : "upsertIds");
                  WriteKeys(json, reply->keys, rest.int64_as_number);
                  json.EndObject();
                });
              });
}

void Insert(RestCall rest) { Mutate(std::move(rest), service::MutationKind::kInsert); }
void Upsert(RestCall rest) { Mutate(std::move(rest), service::MutationKind::kUpsert); }

void Delete(RestCall rest) {
  service::DeleteCall deletion{.collection = rest.body.Text("collectionName"),
                               .partition = rest.body.Text("partitionName"),
                               .filter = rest.body.Text("filter")};
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  auto templates = TemplatesOf(rest.body);
  if (!templates) return rest.Fail(templates.error());
  deletion.templates = *std::move(templates);
  const service::CallContext context = rest.context();
  auto& data = *rest.services.data;
  data.Delete(context, std::move(deletion),
              [rest = std::move(rest)](Result<service::MutationReply> reply) mutable {
                if (!reply) return rest.Fail(reply.error());
                rest.Data([&](JsonWriter& json) {
                  json.BeginObject().Key("deleteCount").Int(reply->count).EndObject();
                });
              });
}

std::vector<std::string> OutputFields(const RestBody& body) {
  auto fields = body.Texts("outputFields");
  if (fields.empty()) fields.emplace_back("*");
  return fields;
}

void RunQuery(RestCall& rest, const service::QueryCall& query) {
  auto result = rest.services.data->Query(rest.context(), query);
  if (!result) return rest.Fail(result.error());
  const size_t rows = result->columns.empty() ? 0 : result->columns.front().column.rows;
  rest.Data([&](JsonWriter& json) {
    json.BeginArray();
    for (size_t row = 0; row < rows; ++row) {
      json.BeginObject();
      WriteRowMembers(json, result->columns, row, rest.int64_as_number);
      json.EndObject();
    }
    json.EndArray();
  });
}

void Query(RestCall rest, bool explain) {
  service::QueryCall query{.collection = rest.body.Text("collectionName"),
                           .partitions = rest.body.Texts("partitionNames"),
                           .filter = rest.body.Text("filter"),
                           .output_fields = OutputFields(rest.body)};
  const int64_t limit = rest.body.Int("limit", kLimitDefault);
  const int64_t offset = rest.body.Int("offset", 0);
  const bool counts = query.output_fields.size() == 1 && query.output_fields[0] == "count(*)";
  // A count has no pages; the default limit must not make it one.
  if (!counts || rest.body.Has("limit")) query.params.emplace_back("limit", std::to_string(limit));
  if (!counts || offset != 0) query.params.emplace_back("offset", std::to_string(offset));
  if (explain) query.params.emplace_back("explain", "true");
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  auto templates = TemplatesOf(rest.body);
  if (!templates) return rest.Fail(templates.error());
  query.templates = *std::move(templates);
  auto consistency = ConsistencyOf(rest.body);
  if (!consistency) return rest.Fail(consistency.error());
  query.consistency = *consistency;
  RunQuery(rest, query);
}

/// The keys of `id`, a value or a list, as a template's array.
Result<expr::Value> KeysOf(dom::element id, const model::FieldSchema& primary) {
  std::vector<expr::Value> keys;
  auto add = [&](dom::element element) {
    std::string_view text;
    if (primary.type == model::DataType::kInt64) {
      auto number = IntegerOf(element);
      if (number) keys.push_back({*number});
      return number.has_value();
    }
    const bool ok = element.get(text) == simdjson::SUCCESS;
    if (ok) keys.push_back({std::string(text)});
    return ok;
  };
  bool ok = true;
  dom::array list;
  if (id.get(list) == simdjson::SUCCESS) {
    for (dom::element element : list) ok = add(element) && ok;
  } else {
    ok = add(id);
  }
  if (!ok) {
    return Error(Status(kRestBadKey,
                        "please check the primary key and its' type can only in [int, string]"));
  }
  return expr::Value{std::move(keys)};
}

void Get(RestCall rest) {
  service::QueryCall query{.collection = rest.body.Text("collectionName"),
                           .partitions = rest.body.Texts("partitionNames"),
                           .output_fields = OutputFields(rest.body)};
  if (rest.body.Has("partitionName")) query.partitions = {rest.body.Text("partitionName")};
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  auto info = rest.services.catalog->Describe(rest.context(), query.collection);
  if (!info) return rest.Fail(info.error());
  const model::FieldSchema& primary = *(*info)->schema.primary();
  auto keys = KeysOf(*rest.body.Find("id"), primary);
  if (!keys) return rest.Fail(keys.error());
  // A template, so that no key needs quoting.
  query.filter = primary.name + " in {ids}";
  query.templates.values.emplace("ids", *std::move(keys));
  auto consistency = ConsistencyOf(rest.body);
  if (!consistency) return rest.Fail(consistency.error());
  query.consistency = *consistency;
  RunQuery(rest, query);
}

/// Search parameters as gRPC carries them. `searchParams` may nest its own under `params`.
Result<model::KeyValues> SearchParams(const RestBody& body) {
  model::KeyValues params;
  auto add = [&](std::string_view key, std::string value) {
    if (!value.empty()) params.emplace_back(std::string(key), std::move(value));
  };
  add("anns_field", body.Text("annsField"));
  add("topk", std::to_string(body.Int("limit", kLimitDefault)));
  add("offset", std::to_string(body.Int("offset", 0)));
  add("round_decimal", "-1");
  add("ignore_growing", "false");
  add("group_by_field", body.Text("groupingField"));
  if (body.Has("groupSize")) add("group_size", std::to_string(body.Int("groupSize", 1)));
  if (body.Bool("strictGroupSize", false)) add("strict_group_size", "true");
  const RestBody search = body.Object("searchParams");
  add("metric_type", search.Text("metricType"));
  RETURN_IF_ERROR(body.fault());
  JsonWriter merged;
  merged.BeginObject();
  model::KeyValues seen;
  auto merge = [&](dom::object object) -> Status {
    for (auto [key, value] : object) {
      if (key == "params" || key == "metricType") continue;
      std::string text = simdjson::minify(value);
      if (const std::string* before = model::FindValue(seen, key); before != nullptr) {
        if (*before == text) continue;
        return InvalidParameter(fmt::format("ambiguous parameter: {}", key));
      }
      merged.Key(key).Raw(text);
      seen.emplace_back(std::string(key), std::move(text));
    }
    return Status::Ok();
  };
  for (std::string_view level : {"params", ""}) {
    auto element = level.empty() ? body.Find("searchParams") : search.Find(level);
    dom::object object;
    if (element && element->get(object) == simdjson::SUCCESS) RETURN_IF_ERROR(merge(object));
  }
  merged.EndObject();
  add("params", merged.Take());
  return params;
}

std::string_view UnsupportedFeature(const RestBody& body) {
  for (std::string_view key :
       {"ids", "functionScore", "functionChains", "searchAggregation", "orderByFields"}) {
    if (body.Has(key)) return key;
  }
  return {};
}

void Search(RestCall rest, bool explain) {
  if (auto feature = UnsupportedFeature(rest.body); !feature.empty()) {
    return rest.Fail(Status(Code::kUnimplemented,
                            fmt::format("{} is not supported: service unimplemented", feature)));
  }
  service::SearchCall search{.collection = rest.body.Text("collectionName"),
                             .partitions = rest.body.Texts("partitionNames"),
                             .filter = rest.body.Text("filter"),
                             .output_fields = rest.body.Texts("outputFields")};
  auto params = SearchParams(rest.body);
  if (!params) return rest.Fail(params.error());
  search.params = *std::move(params);
  if (explain) search.params.emplace_back("explain", "true");
  auto vectors = VectorsOf(*rest.body.Find("data"));
  if (!vectors) return rest.Fail(vectors.error());
  search.nq = vectors->count;
  search.vectors = std::move(vectors->bytes);
  if (!vectors->list_ends.empty()) {
    search.vector_type = kFloatVectorLists;
    search.vector_offsets = std::move(vectors->list_ends);
  }
  auto templates = TemplatesOf(rest.body);
  if (!templates) return rest.Fail(templates.error());
  search.templates = *std::move(templates);
  auto consistency = ConsistencyOf(rest.body);
  if (!consistency) return rest.Fail(consistency.error());
  search.consistency = *consistency;
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  auto result = rest.services.data->Search(rest.context(), search);
  if (!result) return rest.Fail(result.error());
  const std::string& key_name = result->collection->schema.primary()->name;
  JsonWriter json;
  json.BeginObject().Key("code").Int(0).Key("cost").Int(0).Key("data").BeginArray();
  for (size_t hit = 0; hit < result->keys.size(); ++hit) {
    json.BeginObject().Key(key_name);
    if (result->keys.is_string) {
      json.Text(result->keys.strings[hit]);
    } else {
      json.Int64(result->keys.ints[hit], rest.int64_as_number);
    }
    json.Key("distance").Real(result->scores[hit]);
    if (!result->elements.empty()) json.Key("offset").Int(result->elements[hit]);
    WriteRowMembers(json, result->columns, hit, rest.int64_as_number, key_name);
    json.EndObject();
  }
  json.EndArray().Key("topks").BeginArray();
  for (int64_t count : result->counts) json.Int(count);
  json.EndArray().EndObject();
  rest.call->Reply(Code::kOk, json.Take());
}

/// The plan of a search (a body with `data`) or of a query, instead of its rows.
void Explain(RestCall rest) {
  if (rest.body.Has("data")) return Search(std::move(rest), true);
  Query(std::move(rest), true);
}

constexpr RestRoute kRoutes[] = {
    {"entities/insert", "Insert", Insert, "collectionName data"},
    {"entities/upsert", "Upsert", Upsert, "collectionName data"},
    {"entities/delete", "Delete", Delete, "collectionName filter"},
    {"entities/get", "Query", Get, "collectionName id"},
    {"entities/query", "Query", [](RestCall rest) { Query(std::move(rest), false); },
     "collectionName"},
    {"entities/search", "Search", [](RestCall rest) { Search(std::move(rest), false); },
     "collectionName data"},
    {"entities/explain", "Query", Explain, "collectionName"},
};

}  // namespace

std::span<const RestRoute> RestEntityRoutes() { return kRoutes; }

}  // namespace elanus::gateway
