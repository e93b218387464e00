#include "proxy/index_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "proxy/json_index.h"
#include "proxy/names.h"

namespace elanus::proxy {

namespace {

using model::DataType;
using model::FieldSchema;
using model::KeyValues;

constexpr std::array<std::string_view, 4> kFloatVectorIndexes = {"FLAT", "IVF_FLAT", "HNSW",
                                                                 "AUTOINDEX"};
constexpr std::array<std::string_view, 9> kScalarIndexes = {
    "INVERTED", "BITMAP", "STL_SORT", "TRIE", "HYBRID", "NGRAM", "RTREE", "FMINDEX", "AUTOINDEX"};
/// Of Milvus, for other vector types than float.
constexpr std::array<std::string_view, 5> kOtherVectorIndexes = {
    "BIN_FLAT", "BIN_IVF_FLAT", "SPARSE_INVERTED_INDEX", "SPARSE_WAND", "MINHASH_LSH"};

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

Status InvalidIndexType(std::string_view type) {
  return InvalidParameter("", "valid index", fmt::format("invalid index type: {}", type));
}

struct IntegerRange {
  std::string_view key;
  int64_t low;
  int64_t high;
};

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

Status CheckBuildParams(std::string_view type, const KeyValues& params) {
  if (type == "HNSW") {
    RETURN_IF_ERROR(CheckInteger(params, {.key = "M", .low = 2, .high = 2'048}));
    return CheckInteger(params, {.key = "efConstruction", .low = 1, .high = 2'147'483'647});
  }
  if (type == "IVF_FLAT") return CheckInteger(params, {.key = "nlist", .low = 1, .high = 65'536});
  if (type == "AUTOINDEX") {
    for (const auto& [key, value] : params) {
      if (key != "metric_type" && key != "index_type" && key != "mmap.enabled" && key != "warmup" &&
          key != "dim" && key != "load_priority") {
        return InvalidParameter("only metric type can be passed when use AutoIndex");
      }
    }
  }
  return Status::Ok();
}

Status CheckVectorIndex(const FieldSchema& field, std::string_view type, std::string_view given,
                        KeyValues& params) {
  const std::string* metric = model::FindValue(params, "metric_type");
  const bool no_metric = metric == nullptr || metric->empty();
  if (std::ranges::find(kScalarIndexes, type) != kScalarIndexes.end() && type != "AUTOINDEX") {
    if (no_metric) return InvalidParameter("metric type not set for vector index");
    return InvalidIndexType(given);
  }
  if (std::ranges::find(kOtherVectorIndexes, type) != kOtherVectorIndexes.end()) {
    return InvalidParameter(fmt::format("data type {} can't build with this index {}",
                                        DataTypeName(field.type), given));
  }
  if (std::ranges::find(kFloatVectorIndexes, type) == kFloatVectorIndexes.end()) {
    return InvalidIndexType(given);
  }
  if (!no_metric && !model::MetricFromName(*metric).has_value()) {
    return InvalidParameter(
        fmt::format("float vector index does not support metric type: {}", *metric));
  }
  RETURN_IF_ERROR(CheckBuildParams(type, params));
  std::erase_if(params, [](const auto& pair) { return pair.first == "metric_type"; });
  params.emplace_back(
      "metric_type",
      no_metric ? std::string("COSINE") : std::string(MetricName(*model::MetricFromName(*metric))));
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
  const bool json = field.type == DataType::kJson;
  if (type == "TRIE" && !IsString(field.type)) {
    return InvalidParameter(fmt::format("{} are only supported on varchar field", given));
  }
  if (type == "RTREE") return InvalidParameter("RTREE index can only be built on geometry field");
  if (type == "FMINDEX" && !IsString(field.type)) {
    return InvalidParameter("FMINDEX are only supported on varchar field");
  }
  if (json) {
    RETURN_IF_ERROR(CheckJsonCast(type, params));
    return type == "NGRAM" ? CheckNgram(params) : Status::Ok();
  }
  if (type == "STL_SORT" && !IsNumeric(field.type) && !IsString(field.type)) {
    return InvalidParameter(
        fmt::format("STL_SORT are only supported on numeric, varchar or timestamptz field, got {}",
                    DataTypeName(field.type)));
  }
  if (type == "BITMAP" && field.is_primary) {
    return InvalidParameter("create bitmap index on primary key not supported");
  }
  if ((type == "BITMAP" || type == "HYBRID") && !IsInteger(field.type) && !IsString(field.type) &&
      field.type != DataType::kBool) {
    return InvalidParameter(
        fmt::format("{} index are only supported on bool, int, string and array field",
                    type == "BITMAP" ? "bitmap" : "hybrid"));
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

model::Metric MetricOf(const model::IndexInfo& index) {
  const std::string* name = model::FindValue(index.params, "metric_type");
  if (name == nullptr) return model::Metric::kCosine;
  return model::MetricFromName(*name).value_or(model::Metric::kCosine);
}

std::string IndexTypeOf(const model::IndexInfo& index) {
  const std::string* name = model::FindValue(index.params, "index_type");
  return name == nullptr ? "AUTOINDEX" : Upper(*name);
}

}  // namespace elanus::proxy
