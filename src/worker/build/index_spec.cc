#include "worker/build/index_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/letter_case.h"

namespace elanus::worker {
namespace {

using index::BuildParams;
using index::Kind;
using model::KeyValues;

int NumberOr(const KeyValues& params, std::string_view key, int fallback) {
  const std::string* text = model::FindValue(params, key);
  int number = 0;
  if (text == nullptr ||
      std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc()) {
    return fallback;
  }
  return number;
}

void ReadLinks(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.m = NumberOr(given, "M", build.m);
  build.ef_construction = NumberOr(given, "efConstruction", build.ef_construction);
}

void ReadLists(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.nlist = NumberOr(given, "nlist", build.nlist);
}

/// Codes of `bits` a row, as 4-bit codes of as many dimensions each as that allows.
int PartDim(size_t dim, size_t bits) {
  const size_t parts = std::clamp<size_t>(bits / 4, 1, dim);
  return static_cast<int>((dim + parts - 1) / parts);
}

void ReadProduct(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLists(given, dim, build);
  const auto m = static_cast<size_t>(std::max(1, NumberOr(given, "m", 1)));
  const auto bits = static_cast<size_t>(std::max(1, NumberOr(given, "nbits", 8)));
  build.part_dim = PartDim(dim, m * bits);
}

void ReadScann(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLists(given, dim, build);
  build.part_dim = NumberOr(given, "sub_dim", 2);
}

void ReadRabitq(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLists(given, dim, build);
  build.part_dim = PartDim(dim, dim * static_cast<size_t>(NumberOr(given, "rbq_bits", 1)));
}

void ReadVamana(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.m = std::max(2, NumberOr(given, "svs_graph_max_degree", 32) / 2);
  build.ef_construction = NumberOr(given, "svs_construction_window_size", 128);
}

void ReadCagra(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.m = std::max(2, NumberOr(given, "graph_degree", 64) / 2);
  build.ef_construction = NumberOr(given, "intermediate_graph_degree", 128);
}

struct TypeSpec {
  std::string_view name;
  Kind kind;
  void (*read)(const KeyValues& given, size_t dim, BuildParams& build);
};

/// What each of Milvus' types is here. Types that differ only in how their vectors are coded in
/// memory share a structure whose codes are ours and whose distances are exact.
constexpr std::array kTypes = {
    TypeSpec{"HNSW", Kind::kHnsw, ReadLinks},
    TypeSpec{"HNSW_SQ", Kind::kHnsw, ReadLinks},
    TypeSpec{"HNSW_PQ", Kind::kHnsw, ReadLinks},
    TypeSpec{"HNSW_PRQ", Kind::kHnsw, ReadLinks},
    TypeSpec{"IVF_FLAT", Kind::kIvfFlat, ReadLists},
    TypeSpec{"IVF_SQ8", Kind::kIvfFlat, ReadLists},
    TypeSpec{"IVF_PQ", Kind::kIvfPq, ReadProduct},
    TypeSpec{"SCANN", Kind::kScann, ReadScann},
    TypeSpec{"IVF_RABITQ", Kind::kIvfPq, ReadRabitq},
    TypeSpec{"IVF_RABITQ_FASTSCAN", Kind::kIvfPq, ReadRabitq},
    TypeSpec{"SVS_VAMANA", Kind::kHnsw, ReadVamana},
    TypeSpec{"SVS_VAMANA_LVQ", Kind::kHnsw, ReadVamana},
    TypeSpec{"SVS_VAMANA_LEANVEC", Kind::kHnsw, ReadVamana},
    TypeSpec{"GPU_IVF_FLAT", Kind::kIvfFlat, ReadLists},
    TypeSpec{"GPU_IVF_PQ", Kind::kIvfPq, ReadProduct},
    TypeSpec{"GPU_CAGRA", Kind::kHnsw, ReadCagra},
};

}  // namespace

std::optional<BuildParams> BuildParamsOf(const model::IndexInfo& info,
                                         const model::FieldSchema& field, uint64_t rows) {
  if (!model::IsDenseVector(field.type) || rows < kIndexRowsMin) return std::nullopt;
  const std::string* given = model::FindValue(info.params, "index_type");
  const std::string type = given == nullptr ? "AUTOINDEX" : Upper(*given);
  const std::string* metric_name = model::FindValue(info.params, "metric_type");
  const auto metric = model::MetricFromName(metric_name != nullptr ? *metric_name : "COSINE");
  BuildParams params{.metric = metric.value_or(model::Metric::kCosine),
                     .seed = static_cast<uint64_t>(info.id.value)};
  if (type == "AUTOINDEX") {
    params.kind = Kind::kHnsw;
    params.m = 18;
    params.ef_construction = 240;
    params.choose = true;
    return params;
  }
  const auto* spec = std::ranges::find(kTypes, std::string_view(type), &TypeSpec::name);
  if (spec == kTypes.end()) return std::nullopt;
  params.kind = spec->kind;
  spec->read(info.params, static_cast<size_t>(field.dim()), params);
  return params;
}

namespace {

constexpr uint16_t kGramMax = 32;
/// Of FMINDEX, which has no lengths of its own.
constexpr uint16_t kTriple = 3;

/// A JSON path's values: those of the cast type are keys.
std::optional<query::ScalarSpec> JsonSpecOf(const model::IndexInfo& info) {
  struct Cast {
    std::string_view name;
    index::KeyType type;
    index::KeyUse use;
  };
  constexpr std::array kCasts = {
      Cast{"BOOL", index::KeyType::kBool, index::KeyUse::kValues},
      Cast{"DOUBLE", index::KeyType::kReal, index::KeyUse::kValues},
      Cast{"VARCHAR", index::KeyType::kText, index::KeyUse::kValues},
      Cast{"ARRAY_BOOL", index::KeyType::kBool, index::KeyUse::kElements},
      Cast{"ARRAY_DOUBLE", index::KeyType::kReal, index::KeyUse::kElements},
      Cast{"ARRAY_VARCHAR", index::KeyType::kText, index::KeyUse::kElements}};
  const std::string* name = model::FindValue(info.params, "json_cast_type");
  if (name == nullptr) return std::nullopt;
  const auto* cast = std::ranges::find(kCasts, std::string_view(Upper(*name)), &Cast::name);
  if (cast == kCasts.end()) return std::nullopt;
  return query::ScalarSpec{
      .field = info.field, .path = info.json_path, .type = cast->type, .use = cast->use};
}

}  // namespace

std::optional<query::ScalarSpec> ScalarSpecOf(const model::IndexInfo& info,
                                              const model::FieldSchema& field, uint64_t rows) {
  if (rows < kIndexRowsMin) return std::nullopt;
  std::optional<query::ScalarSpec> spec;
  if (field.type == model::DataType::kJson) {
    spec = JsonSpecOf(info);
  } else {
    const bool is_array = field.type == model::DataType::kArray;
    const auto type = field.type == model::DataType::kText
                          ? std::nullopt
                          : query::KeyTypeOf(is_array ? field.element_type : field.type);
    if (type) {
      spec = query::ScalarSpec{.field = info.field,
                               .type = *type,
                               .use = is_array ? index::KeyUse::kElements : index::KeyUse::kValues};
    }
  }
  const std::string* given = model::FindValue(info.params, "index_type");
  const std::string name = given == nullptr ? "AUTOINDEX" : Upper(*given);
  if (!spec || (name != "NGRAM" && name != "FMINDEX")) return spec;
  auto length = [&](std::string_view key) {
    const int number = NumberOr(info.params, key, kTriple);
    return static_cast<uint16_t>(std::clamp<int>(number, 1, kGramMax));
  };
  if (spec->type != index::KeyType::kText || spec->use != index::KeyUse::kValues)
    return std::nullopt;
  spec->use = index::KeyUse::kGrams;
  spec->gram_min = length("min_gram");
  spec->gram_max = std::max(length("max_gram"), spec->gram_min);
  return spec;
}

std::optional<IndexPlan> IndexPlanOf(const model::IndexInfo& info, const model::FieldSchema& field,
                                     uint64_t rows) {
  if (model::IsVector(field.type)) {
    if (auto params = BuildParamsOf(info, field, rows)) return *params;
    return std::nullopt;
  }
  if (auto spec = ScalarSpecOf(info, field, rows)) return *spec;
  return std::nullopt;
}

}  // namespace elanus::worker
