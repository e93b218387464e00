#include "gateway/request_wire.h"

#include <fmt/core.h>

#include <utility>

#include "base/utf8.h"
#include "gateway/column_wire.h"
#include "gateway/template_wire.h"
#include "gateway/wire_reader.h"

namespace elanus::gateway {
namespace {

using model::DataType;

Status Malformed(std::string_view what) {
  return InvalidParameter(fmt::format("the request is not a readable {}", what));
}

Status NotSupported(std::string_view what) {
  return {Code::kUnimplemented, fmt::format("{} is not supported: service unimplemented", what)};
}

model::KeyValue ReadPair(WireReader in) {
  model::KeyValue pair;
  while (in.Next()) {
    switch (in.field()) {
      case 1: pair.first = in.String(); break;
      case 2: pair.second = in.String(); break;
      default: in.Skip();
    }
  }
  return pair;
}

// schema.IDs
Result<model::PrimaryKeys> ReadIds(WireReader in) {
  model::PrimaryKeys keys;
  while (in.Next()) {
    const int field = in.field();
    if (field != 1 && field != 2) {
      in.Skip();
      continue;
    }
    keys.is_string = field == 2;
    WireReader array = in.Message();
    while (array.Next()) {
      if (array.field() != 1) {
        array.Skip();
      } else if (keys.is_string) {
        keys.strings.push_back(array.String());
        if (!IsUtf8(keys.strings.back())) return Error(Malformed("list of ids"));
      } else {
        array.EachVarint([&](uint64_t v) { keys.ints.push_back(static_cast<int64_t>(v)); });
      }
    }
  }
  return keys;
}

/// EmbListBinaryVector, the first of common.PlaceholderType's lists of vectors.
constexpr int32_t kListPlaceholderFirst = 300;

// common.PlaceholderValue: the values of all queries, one after another.
Status ReadPlaceholder(WireReader in, service::SearchCall& call) {
  call.vector_offsets.assign(1, 0);
  while (in.Next()) {
    switch (in.field()) {
      case 2: call.vector_type = static_cast<DataType>(in.Int()); break;
      case 3:
        in.AppendBytes(call.vectors);
        call.vector_offsets.push_back(call.vectors.size());
        ++call.nq;
        break;
      default: in.Skip();
    }
  }
  // Queries of sparse vectors and of lists of vectors differ in length.
  const bool lists = static_cast<int32_t>(call.vector_type) >= kListPlaceholderFirst;
  if (!in.ok() || lists || call.vector_type == DataType::kSparseFloatVector) return Status::Ok();
  for (size_t q = 1; q < call.vector_offsets.size(); ++q) {
    const uint64_t bytes = call.vector_offsets[q] - call.vector_offsets[q - 1];
    if (bytes != call.vector_offsets[1]) {
      return InvalidParameter("vector dimension mismatch", std::to_string(call.vector_offsets[1]),
                              std::to_string(bytes));
    }
  }
  return Status::Ok();
}

// common.PlaceholderGroup. Only the first placeholder counts, as in Milvus.
Status ReadPlaceholders(WireReader in, service::SearchCall& call) {
  bool begun = false;
  while (in.Next()) {
    if (in.field() != 1 || begun) {
      in.Skip();
      continue;
    }
    begun = true;
    RETURN_IF_ERROR(ReadPlaceholder(in.Message(), call));
  }
  return Status::Ok();
}

model::ConsistencyLevel Level(int64_t number) {
  // An unknown level reads as the strictest.
  return number >= 0 && number <= 4 ? static_cast<model::ConsistencyLevel>(number)
                                    : model::ConsistencyLevel::kStrong;
}

bool AllUtf8(std::initializer_list<std::string_view> texts) {
  for (std::string_view text : texts) {
    if (!IsUtf8(text)) return false;
  }
  return true;
}

// Features of a search that this server does not have yet: refused, never ignored.
std::string_view UnsupportedSearchFeature(int field) {
  switch (field) {
    case 17: return "sub_reqs in a search";
    case 21: return "highlighter";
    case 24: return "function_chains";
    default: return {};
  }
}

// schema.FunctionSchema
service::RerankFunction ReadFunction(WireReader in) {
  service::RerankFunction function;
  while (in.Next()) {
    switch (in.field()) {
      case 1: function.name = in.String(); break;
      case 5: function.input_fields.push_back(in.String()); break;
      case 9: function.params.push_back(ReadPair(in.Message())); break;
      default: in.Skip();
    }
  }
  return function;
}

// schema.FunctionScore
service::FunctionScore ReadFunctionScore(WireReader in) {
  service::FunctionScore score;
  while (in.Next()) {
    switch (in.field()) {
      case 1: score.functions.push_back(ReadFunction(in.Message())); break;
      case 2: score.params.push_back(ReadPair(in.Message())); break;
      default: in.Skip();
    }
  }
  return score;
}

// common.SortSpec and OrderSpec, which look alike.
service::AggregationSort ReadSort(WireReader in) {
  service::AggregationSort sort;
  while (in.Next()) {
    switch (in.field()) {
      case 1: sort.name = in.String(); break;
      case 2: sort.direction = in.String(); break;
      case 3: sort.nulls_first = in.Bool(); break;
      default: in.Skip();
    }
  }
  return sort;
}

// common.TopHitsSpec
service::AggregationTopHits ReadTopHits(WireReader in) {
  service::AggregationTopHits hits;
  while (in.Next()) {
    switch (in.field()) {
      case 1: hits.size = in.Int(); break;
      case 2: hits.sort.push_back(ReadSort(in.Message())); break;
      default: in.Skip();
    }
  }
  return hits;
}

// An entry of a map to common.MetricAggSpec.
service::AggregationMetric ReadMetric(WireReader in) {
  service::AggregationMetric metric;
  while (in.Next()) {
    if (in.field() == 1) {
      metric.alias = in.String();
    } else if (in.field() == 2) {
      WireReader spec = in.Message();
      while (spec.Next()) {
        switch (spec.field()) {
          case 1: metric.op = spec.String(); break;
          case 2: metric.field = spec.String(); break;
          default: spec.Skip();
        }
      }
    } else {
      in.Skip();
    }
  }
  return metric;
}

// common.SearchAggregationSpec: each level holds the next. Deeper ones than any that is served are
// not read: their number alone is refused.
service::SearchAggregation ReadAggregation(WireReader in) {
  constexpr size_t kLevelsRead = 16;
  service::SearchAggregation aggregation;
  for (bool more = true; more && aggregation.levels.size() < kLevelsRead;) {
    more = false;
    service::AggregationLevel& level = aggregation.levels.emplace_back();
    WireReader next;
    while (in.Next()) {
      switch (in.field()) {
        case 1: level.fields.push_back(in.String()); break;
        case 2: level.size = in.Int(); break;
        case 3: level.metrics.push_back(ReadMetric(in.Message())); break;
        case 4: level.order.push_back(ReadSort(in.Message())); break;
        case 5: level.top_hits = ReadTopHits(in.Message()); break;
        case 6:
          next = in.Message();
          more = true;
          break;
        case 7: level.search_size = in.Int(); break;
        default: in.Skip();
      }
    }
    in = next;
  }
  return aggregation;
}

/// A time to travel to: clients before 2.3 send the largest for "now".
model::Timestamp Travel(uint64_t given) { return given == ~uint64_t{0} ? 0 : given; }

// A SearchRequest: whole, or a part of a HybridSearchRequest.
Status ReadSearchFields(WireReader in, SearchRequest& request) {
  service::SearchCall& call = request.call;
  call.consistency.use_default = false;
  while (in.Next()) {
    if (auto feature = UnsupportedSearchFeature(in.field()); !feature.empty()) {
      return NotSupported(feature);
    }
    switch (in.field()) {
      case 2: request.database = in.String(); break;
      case 3: call.collection = in.String(); break;
      case 4: call.partitions.push_back(in.String()); break;
      case 5: call.filter = in.String(); break;
      case 6: RETURN_IF_ERROR(ReadPlaceholders(in.Message(), call)); break;
      case 8: call.output_fields.push_back(in.String()); break;
      case 9: call.params.push_back(ReadPair(in.Message())); break;
      case 10: call.consistency.travel = Travel(in.Varint()); break;
      case 11: call.consistency.guarantee = in.Varint(); break;
      case 14: call.consistency.level = Level(in.Int()); break;
      case 15: call.consistency.use_default = in.Bool(); break;
      case 18: RETURN_IF_ERROR(ReadTemplate(in.Message(), call.templates)); break;
      case 19: call.function_score = ReadFunctionScore(in.Message()); break;
      case 20: call.name_space = in.String(); break;
      case 22: {
        ASSIGN_OR_RETURN(auto ids, ReadIds(in.Message()));
        call.ids = std::move(ids);
        break;
      }
      case 23: call.aggregation = ReadAggregation(in.Message()); break;
      default: in.Skip();
    }
  }
  if (call.ids) call.nq = static_cast<int64_t>(call.ids->size());
  return Status::Ok();
}

// schema.FieldPartialUpdateOp
service::FieldOp ReadFieldOp(WireReader in) {
  service::FieldOp op;
  while (in.Next()) {
    switch (in.field()) {
      case 1: op.field = in.String(); break;
      case 2: op.kind = static_cast<service::FieldOpKind>(in.Int()); break;
      default: in.Skip();
    }
  }
  return op;
}

}  // namespace

Result<MutationRequest> ReadMutation(Pieces bytes, service::MutationKind kind) {
  const bool upsert = kind == service::MutationKind::kUpsert;
  const int namespace_field = upsert ? 10 : 9;
  bool ok = true;
  WireReader in(bytes, &ok);
  MutationRequest request{.call = {.kind = kind}};
  service::MutationCall& call = request.call;
  while (in.Next()) {
    const int field = in.field();
    if (field == namespace_field) {
      call.name_space = in.String();
      continue;
    }
    switch (field) {
      case 2: request.database = in.String(); break;
      case 3: call.collection = in.String(); break;
      case 4: call.partition = in.String(); break;
      case 5: RETURN_IF_ERROR(ReadColumns(in.Message(), call.columns)); break;
      case 7: call.num_rows = static_cast<int64_t>(static_cast<uint32_t>(in.Varint())); break;
      case 8: call.schema_timestamp = in.Varint(); break;
      default:
        if (upsert && field == 9) {
          call.partial_update = in.Bool();
        } else if (upsert && field == 11) {
          call.field_ops.push_back(ReadFieldOp(in.Message()));
        } else {
          in.Skip();
        }
    }
  }
  if (!ok ||
      !AllUtf8({request.database, call.collection, call.partition, call.name_space.value_or("")})) {
    return Error(Malformed(upsert ? "UpsertRequest" : "InsertRequest"));
  }
  return request;
}

Result<DeleteRequest> ReadDelete(Pieces bytes) {
  bool ok = true;
  WireReader in(bytes, &ok);
  DeleteRequest request;
  service::DeleteCall& call = request.call;
  while (in.Next()) {
    switch (in.field()) {
      case 2: request.database = in.String(); break;
      case 3: call.collection = in.String(); break;
      case 4: call.partition = in.String(); break;
      case 5: call.filter = in.String(); break;
      case 7: call.consistency = Level(in.Int()); break;
      case 8: RETURN_IF_ERROR(ReadTemplate(in.Message(), call.templates)); break;
      case 9: call.name_space = in.String(); break;
      default: in.Skip();
    }
  }
  if (!ok || !AllUtf8({request.database, call.collection, call.partition, call.filter,
                       call.name_space.value_or("")})) {
    return Error(Malformed("DeleteRequest"));
  }
  return request;
}

Result<SearchRequest> ReadSearch(Pieces bytes) {
  bool ok = true;
  WireReader in(bytes, &ok);
  SearchRequest request;
  RETURN_IF_ERROR(ReadSearchFields(in, request));
  if (!ok || !AllUtf8({request.database, request.call.collection, request.call.filter,
                       request.call.name_space.value_or("")})) {
    return Error(Malformed("SearchRequest"));
  }
  return request;
}

Result<HybridSearchRequest> ReadHybridSearch(Pieces bytes) {
  bool ok = true;
  WireReader in(bytes, &ok);
  HybridSearchRequest request;
  service::HybridSearchCall& call = request.call;
  call.consistency.use_default = false;
  bool utf8 = true;
  while (in.Next()) {
    switch (in.field()) {
      case 2: request.database = in.String(); break;
      case 3: call.collection = in.String(); break;
      case 4: call.partitions.push_back(in.String()); break;
      case 5: {
        SearchRequest part;
        RETURN_IF_ERROR(ReadSearchFields(in.Message(), part));
        utf8 = utf8 && IsUtf8(part.call.filter);
        call.searches.push_back(std::move(part.call));
        break;
      }
      case 6: call.rank_params.push_back(ReadPair(in.Message())); break;
      case 7: call.consistency.travel = Travel(in.Varint()); break;
      case 8: call.consistency.guarantee = in.Varint(); break;
      case 10: call.output_fields.push_back(in.String()); break;
      case 11: call.consistency.level = Level(in.Int()); break;
      case 12: call.consistency.use_default = in.Bool(); break;
      case 13: call.function_score = ReadFunctionScore(in.Message()); break;
      case 14: call.name_space = in.String(); break;
      case 15: return Error(NotSupported("function_chains"));
      default: in.Skip();
    }
  }
  if (!ok || !utf8 || !AllUtf8({request.database, call.collection, call.name_space.value_or("")})) {
    return Error(Malformed("HybridSearchRequest"));
  }
  return request;
}

Result<QueryRequest> ReadQuery(Pieces bytes) {
  bool ok = true;
  WireReader in(bytes, &ok);
  QueryRequest request;
  service::QueryCall& call = request.call;
  call.consistency.use_default = false;
  while (in.Next()) {
    switch (in.field()) {
      case 2: request.database = in.String(); break;
      case 3: call.collection = in.String(); break;
      case 4: call.filter = in.String(); break;
      case 5: call.output_fields.push_back(in.String()); break;
      case 6: call.partitions.push_back(in.String()); break;
      case 7: call.consistency.travel = Travel(in.Varint()); break;
      case 8: call.consistency.guarantee = in.Varint(); break;
      case 9: call.params.push_back(ReadPair(in.Message())); break;
      case 11: call.consistency.level = Level(in.Int()); break;
      case 12: call.consistency.use_default = in.Bool(); break;
      case 13: RETURN_IF_ERROR(ReadTemplate(in.Message(), call.templates)); break;
      case 14: call.name_space = in.String(); break;
      default: in.Skip();
    }
  }
  if (!ok ||
      !AllUtf8({request.database, call.collection, call.filter, call.name_space.value_or("")})) {
    return Error(Malformed("QueryRequest"));
  }
  return request;
}

}  // namespace elanus::gateway
