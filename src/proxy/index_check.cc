#include "proxy/index_check.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "base/letter_case.h"
#include "model/property.h"
#include "proxy/index_types.h"
#include "proxy/json_index.h"
#include "proxy/names.h"

namespace elanus::proxy {

namespace {

using model::DataType;
using model::FieldSchema;
using model::KeyValues;

constexpr std::array<std::string_view, 9> kScalarIndexes = {
    "INVERTED", "BITMAP", "STL_SORT", "TRIE", "HYBRID", "NGRAM", "RTREE", "FMINDEX", "AUTOINDEX"};

Status InvalidIndexType(std::string_view type) {
  return InvalidParameter("", "valid index", fmt::format("invalid index type: {}", type));
}

/// A number that Python may have written as `None` (not given), a float or something else.
Status CheckInteger(const KeyValues& params, const IntegerRange& range) {
  const std::string* text = model::FindValue(params, range.key);
  if (text == nullptr || text->empty() || *text == "None" || *text == "null") return Status::Ok();
  int64_t value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc() && end == text->data() + text->size()) {
    if (value >= range.low && value <= range.high) return Status::Ok();
    return InvalidParameter(
        fmt::format("Out of range in json: param '{}' ({}) should be in range "
                    "[{}, {}]",
                    range.key, value, range.low, range.high));
  }
  double real = 0;
  auto [real_end, real_error] = std::from_chars(text->data(), text->data() + text->size(), real);
  const bool is_real = real_error == std::errc() && real_end == text->data() + text->size();
  return InvalidParameter(fmt::format("{}, key: '{}', value: '{}'",
                                      is_real ? "wrong data type in json" : "invalid integer value",
                                      range.key, *text));
}

Status CheckAutoParams(const KeyValues& params) {
  for (const auto& [key, value] : params) {
    if (key != "metric_type" && key != "index_type" && key != model::kMmapKey && key != "warmup" &&
        key != "dim" && key != "load_priority") {
      return InvalidParameter("only metric type can be passed when use AutoIndex");
    }
  }
  return Status::Ok();
}

Status UnsupportedMetric(DataType type, std::string_view given) {
  if (type == DataType::kSparseFloatVector) {
    return InvalidParameter("only IP&BM25 is the supported metric type for sparse index",
                            "valid index params", "invalid index params");
  }
  const bool binary = type == DataType::kBinaryVector;
  return InvalidParameter(fmt::format("{} vector index does not support metric type: {}",
                                      binary                          ? "binary"
                                      : type == DataType::kInt8Vector ? "int vector"
                                                                      : "float",
                                      given));
}

/// A name that Milvus allows for a text parameter of sparse indexes.
Status CheckChoice(const KeyValues& params, std::string_view key, std::string_view what,
                   std::span<const std::string_view> allowed) {
  const std::string* given = model::FindValue(params, key);
  if (given == nullptr || std::ranges::find(allowed, *given) != allowed.end()) return Status::Ok();
  return InvalidParameter(fmt::format("{} {} not found or not supported, supported: [{}]", what,
                                      *given, fmt::join(allowed, " ")));
}

Status CheckSparseParams(const KeyValues& params) {
  static constexpr std::array<std::string_view, 6> kAlgorithms = {
      "TAAT_NAIVE", "DAAT_WAND", "DAAT_MAXSCORE", "BLOCK_MAX_MAXSCORE", "BLOCK_MAX_WAND", "SINDI"};
  static constexpr std::array<std::string_view, 2> kCodecs = {"block_streamvbyte",
                                                              "block_maskedvbyte"};
  static constexpr std::array<std::string_view, 2> kQuantized = {"fp16", "fp32"};
  RETURN_IF_ERROR(
      CheckChoice(params, "inverted_index_algo", "sparse inverted index algo", kAlgorithms));
  RETURN_IF_ERROR(CheckChoice(params, "inverted_index_codec", "inverted_index_codec", kCodecs));
  RETURN_IF_ERROR(CheckChoice(params, "quant_type", "quant_type", kQuantized));
  const std::string* dropped = model::FindValue(params, "drop_ratio_build");
  if (dropped == nullptr) return Status::Ok();
  double ratio = 0;
  auto [end, error] = std::from_chars(dropped->data(), dropped->data() + dropped->size(), ratio);
  if (error != std::errc() || end != dropped->data() + dropped->size()) {
    return InvalidParameter(
        fmt::format("invalid float value, key: 'drop_ratio_build', value: '{}'", *dropped));
  }
  if (ratio >= 0 && ratio < 1) return Status::Ok();
  return InvalidParameter(
      fmt::format("Out of range in json: param 'drop_ratio_build' ({:.6f}) should be in range "
                  "[0.000000, 1.000000)",
                  ratio));
}

Status CheckMetric(const FieldSchema& field, const VectorIndexType& index, std::string_view given) {
  const auto metric = model::MetricFromName(given);
  if (!metric || !model::CanCompare(field.type, field.element_type, *metric)) {
    return UnsupportedMetric(field.vector_type(), given);
  }
  if ((index.metrics & model::SetOf(model::ElementMetric(*metric))) != 0) return Status::Ok();
  return InvalidParameter(fmt::format(
      "metric type {} not found or not supported, supported: [HAMMING JACCARD]", given));
}

/// A value other than those Milvus lists, in any case.
bool IsOneOf(const KeyValues& params, std::string_view key,
             std::span<const std::string_view> allowed) {
  const std::string* given = model::FindValue(params, key);
  return given == nullptr || given->empty() ||
         std::ranges::find(allowed, Upper(*given)) != allowed.end();
}

/// Parameters that say how vectors are coded. Here codes are the index's own affair and distances
/// are exact, but what Milvus refuses is refused.
Status CheckCodecs(const FieldSchema& field, const VectorIndexType& index,
                   const KeyValues& params) {
  static constexpr std::array<std::string_view, 7> kRefine = {"SQ4U", "SQ6",  "SQ8", "FP16",
                                                              "BF16", "FP32", "FLAT"};
  static constexpr std::array<std::string_view, 5> kGraphScalar = {"SQ4U", "SQ6", "SQ8", "FP16",
                                                                   "BF16"};
  static constexpr std::array<std::string_view, 3> kListScalar = {"SQ4", "SQ6", "SQ8"};
  const bool graph = index.name.starts_with("HNSW_");
  const bool lists =
      index.name == "IVF_SQ8" || index.name == "IVF_PQ" || index.name.starts_with("IVF_RABITQ");
  if (graph || lists) {
    const std::span<const std::string_view> refine = kRefine;
    if (!IsOneOf(params, "refine_type", graph ? refine : refine.subspan(1))) {
      return InvalidParameter(fmt::format(
          "invalid refine type : {}, optional types are [{}sq6, sq8, fp16, bf16, fp32, flat]",
          *model::FindValue(params, "refine_type"), graph ? "sq4u, " : ""));
    }
    const std::string* flag = model::FindValue(params, "refine");
    if (flag != nullptr && Upper(*flag) != "TRUE" && Upper(*flag) != "FALSE")
      return InvalidParameter(
          fmt::format("should be a boolean, key: 'refine', value: '{}'", *flag));
  }
  if ((index.name == "HNSW_SQ" && !IsOneOf(params, "sq_type", kGraphScalar)) ||
      (index.name == "IVF_SQ8" && !IsOneOf(params, "sq_type", kListScalar))) {
    return InvalidParameter("invalid scalar quantizer type");
  }
  if (index.divisor.empty()) return Status::Ok();
  const std::string* text = model::FindValue(params, index.divisor);
  int64_t value = index.divisor_default;
  if (text != nullptr) std::from_chars(text->data(), text->data() + text->size(), value);
  if (value <= 0) {
    return InvalidParameter(fmt::format("param '{}' not exist in json", index.divisor));
  }
  const int64_t dim = field.dim();
  if (dim % value == 0) return Status::Ok();
  if (index.divisor == "sub_dim") {
    return InvalidParameter(fmt::format(
        "The dimension of a vector (dim) should be a multiple of sub_dim. Dimension:{}, sub_dim:{}",
        dim, value));
  }
  return InvalidParameter(
      fmt::format("The dimension of {} vector (dim) should be a multiple of the number of "
                  "subquantizers (m). Dimension:{}, m:{}",
                  graph ? "the" : "a", dim, value));
}

/// How Milvus prepares lists for an index. Here a list's vectors are indexed as they are.
Status CheckListStrategy(const FieldSchema& field, std::string_view type, const KeyValues& params) {
  const std::string* given = model::FindValue(params, "emb_list_strategy");
  if (field.type != DataType::kArrayOfVector || type != "DISKANN" || given == nullptr ||
      given->empty() || Upper(*given) == "TOKENANN") {
    return Status::Ok();
  }
  return InvalidParameter(fmt::format("DiskANN only supports TokenANN strategy, got {}", *given));
}

Status CheckVectorIndex(const FieldSchema& field, std::string_view type, std::string_view given,
                        KeyValues& params) {
  const std::string* found = model::FindValue(params, "metric_type");
  const bool no_metric = found == nullptr || found->empty();
  if (std::ranges::find(kScalarIndexes, type) != kScalarIndexes.end() && type != "AUTOINDEX") {
    if (no_metric) return InvalidParameter("metric type not set for vector index");
    return InvalidIndexType(given);
  }
  const VectorIndexType* index = FindVectorIndexType(type);
  if (index == nullptr) return InvalidIndexType(given);
  if (!index->Takes(field.vector_type())) {
    return InvalidParameter(fmt::format("data type {} can't build with this index {}",
                                        DataTypeName(field.type), given));
  }
  if (!no_metric) RETURN_IF_ERROR(CheckMetric(field, *index, *found));
  RETURN_IF_ERROR(CheckListStrategy(field, type, params));
  if (type == "AUTOINDEX") RETURN_IF_ERROR(CheckAutoParams(params));
  if (field.type == DataType::kSparseFloatVector) RETURN_IF_ERROR(CheckSparseParams(params));
  for (const IntegerRange& range : index->integers) RETURN_IF_ERROR(CheckInteger(params, range));
  RETURN_IF_ERROR(CheckCodecs(field, *index, params));
  const model::Metric metric = no_metric ? DefaultMetricOf(field) : *model::MetricFromName(*found);
  std::erase_if(params, [](const auto& pair) { return pair.first == "metric_type"; });
  params.emplace_back("metric_type", std::string(MetricName(metric)));
  return Status::Ok();
}

Status CheckNgram(const KeyValues& params) {
  const std::string* min = model::FindValue(params, "min_gram");
  const std::string* max = model::FindValue(params, "max_gram");
  if (min == nullptr || max == nullptr) {
    return InvalidParameter("Ngram index must specify both min_gram and max_gram");
  }
  auto number = [](const std::string& text) {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
  };
  if (number(*min) >= 1 && number(*max) >= number(*min)) return Status::Ok();
  return InvalidParameter(
      fmt::format("invalid min_gram or max_gram value for Ngram index, min_gram: {}, max_gram: {}",
                  *min, *max));
}

Status CheckScalarIndex(const FieldSchema& field, std::string_view type, std::string_view given,
                        const KeyValues& params) {
  if (std::ranges::find(kScalarIndexes, type) == kScalarIndexes.end()) {
    return InvalidIndexType(given);
  }
  if (field.type == DataType::kText)
    return InvalidParameter("TEXT field does not support user-created scalar index");
  const bool json = field.type == DataType::kJson;
  if (type == "TRIE" && !IsString(field.type)) {
    return InvalidParameter(fmt::format("{} are only supported on varchar field", given));
  }
  if (type == "RTREE" && field.type != DataType::kGeometry)
    return InvalidParameter("RTREE index can only be built on geometry field");
  if (type == "FMINDEX" && !IsString(field.type)) {
    return InvalidParameter("FMINDEX are only supported on varchar field");
  }
  if (json) {
    RETURN_IF_ERROR(CheckJsonCast(type, params));
    return type == "NGRAM" ? CheckNgram(params) : Status::Ok();
  }
  const bool is_time = field.type == DataType::kTimestamptz;
  // Of a struct array's member the elements are sorted.
  const DataType sorted = field.struct_name.empty() ? field.type : field.element_type;
  if (type == "STL_SORT" && !IsNumeric(sorted) && !IsString(sorted) && !is_time) {
    return InvalidParameter(
        fmt::format("STL_SORT are only supported on numeric, varchar or timestamptz field, got {}",
                    DataTypeName(sorted)));
  }
  if (type == "BITMAP" && field.is_primary) {
    return InvalidParameter("create bitmap index on primary key not supported");
  }
  // An array is indexed by its elements.
  const DataType bits = field.type == DataType::kArray ? field.element_type : field.type;
  if ((type == "BITMAP" || type == "HYBRID") && !IsInteger(bits) && !IsString(bits) &&
      bits != DataType::kBool) {
    return InvalidParameter(
        fmt::format("{} index are only supported on bool, int, string and array field",
                    type == "BITMAP" ? "bitmap" : "hybrid"));
  }
  if (type == "INVERTED" && (is_time || field.type == DataType::kGeometry)) {
    return InvalidParameter(
        fmt::format("INVERTED are not supported on {} field", DataTypeName(field.type)));
  }
  if (type == "NGRAM") {
    if (!IsString(field.type)) {
      return InvalidParameter("Ngram index can only be created on VARCHAR or JSON field");
    }
    return CheckNgram(params);
  }
  return Status::Ok();
}

}  // namespace

Status CheckCreateIndex(const FieldSchema& field, const std::string& index_name,
                        KeyValues& params) {
  RETURN_IF_ERROR(CheckIndexName(index_name));
  const std::string* found = model::FindValue(params, "index_type");
  const std::string given = found == nullptr || found->empty() ? "AUTOINDEX" : *found;
  const std::string type = Upper(given);
  std::erase_if(params, [](const auto& pair) { return pair.first == "index_type"; });
  // Milvus shows the type as it was given.
  params.insert(params.begin(), {"index_type", given});
  if (IsVector(field.type)) return CheckVectorIndex(field, type, given, params);
  return CheckScalarIndex(field, type, given, params);
}

model::Metric DefaultMetricOf(const FieldSchema& field) {
  const bool bits = field.element_type == DataType::kBinaryVector;
  if (field.type == DataType::kArrayOfVector && bits) return model::Metric::kMaxSimHamming;
  return TraitsOf(field.type).default_metric;
}

model::Metric MetricOf(const model::IndexInfo& index) {
  // CheckCreateIndex has put a metric there.
  const std::string* name = model::FindValue(index.params, "metric_type");
  if (name == nullptr) return model::Metric::kCosine;
  return model::MetricFromName(*name).value_or(model::Metric::kCosine);
}

std::string IndexTypeOf(const model::IndexInfo& index) {
  const std::string* name = model::FindValue(index.params, "index_type");
  return name == nullptr ? "AUTOINDEX" : Upper(*name);
}

}  // namespace elanus::proxy
