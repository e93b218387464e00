#include "worker/build/index_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/letter_case.h"

namespace elanus::worker {
namespace {

using index::BuildParams;
using index::CodecKind;
using index::CodecParams;
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
  build.codec.bits = index::kHalfByte;
}

void ReadLists(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.nlist = NumberOr(given, "nlist", build.nlist);
}

std::string TextOr(const KeyValues& params, std::string_view key, std::string_view fallback) {
  const std::string* text = model::FindValue(params, key);
  return Upper(text == nullptr || text->empty() ? fallback : std::string_view(*text));
}

/// Whole numbers of a few bits with a scale a row, or halves; SQ8 is the structures' own codec.
CodecParams ScalarCodec(const std::string& name) {
  if (name == "SQ4" || name == "SQ4U") return {.kind = CodecKind::kPacked, .bits = 4};
  if (name == "SQ6") return {.kind = CodecKind::kPacked, .bits = 6};
  if (name == "FP16") return {.kind = CodecKind::kFloat16};
  if (name == "BF16") return {.kind = CodecKind::kBfloat16};
  return {};
}

CodecParams ProductCodec(const KeyValues& given, int parts, int rounds) {
  return {.kind = CodecKind::kProduct,
          .bits = NumberOr(given, "nbits", 8),
          .parts = std::max(1, NumberOr(given, "m", parts)),
          .rounds = rounds};
}

void ReadScalarLinks(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLinks(given, dim, build);
  build.codec = ScalarCodec(TextOr(given, "sq_type", "SQ8"));
}

void ReadProductLinks(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLinks(given, dim, build);
  build.codec = ProductCodec(given, 32, 1);
}

void ReadResidualLinks(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLinks(given, dim, build);
  build.codec = ProductCodec(given, 2, std::max(1, NumberOr(given, "nrq", 2)));
}

void ReadScalarLists(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLists(given, dim, build);
  build.codec = ScalarCodec(TextOr(given, "sq_type", "SQ8"));
  if (build.codec.kind != CodecKind::kOwn) build.kind = Kind::kIvfCoded;
}

void ReadProductLists(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLists(given, dim, build);
  const CodecParams codec = ProductCodec(given, 1, 1);
  if (codec.bits == 4) {  // the look-ups of whole blocks
    build.part_dim = static_cast<int>(dim) / codec.parts;
    return;
  }
  build.kind = Kind::kIvfCoded;
  build.codec = codec;
}

void ReadScann(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLists(given, dim, build);
  build.part_dim = NumberOr(given, "sub_dim", 2);
}

void ReadRabitq(const KeyValues& given, size_t dim, BuildParams& build) {
  ReadLists(given, dim, build);
  build.codec = {.kind = CodecKind::kRabitq, .bits = NumberOr(given, "rbq_bits", 1)};
}

void ReadNsg(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.nsg.out_degree = NumberOr(given, "out_degree", build.nsg.out_degree);
  build.nsg.candidate_pool = NumberOr(given, "candidate_pool_size", build.nsg.candidate_pool);
  build.nsg.search_length = NumberOr(given, "search_length", build.nsg.search_length);
  build.nsg.knng = NumberOr(given, "knng", build.nsg.knng);
}

void ReadTrees(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.trees = NumberOr(given, "n_trees", build.trees);
}

void ReadVamana(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.m = std::max(2, NumberOr(given, "svs_graph_max_degree", 32) / 2);
  build.ef_construction = NumberOr(given, "svs_construction_window_size", 128);
  build.codec.bits = index::kHalfByte;
}

void ReadCagra(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.m = std::max(2, NumberOr(given, "graph_degree", 64) / 2);
  build.ef_construction = NumberOr(given, "intermediate_graph_degree", 128);
  build.codec.bits = index::kHalfByte;
}

/// Of DISKANN's graph, kept in memory here.
void ReadDiskAnn(const KeyValues& given, size_t /*dim*/, BuildParams& build) {
  build.m = std::max(2, NumberOr(given, "max_degree", 48) / 2);
  build.ef_construction = NumberOr(given, "search_list_size", 128);
  build.codec.bits = index::kHalfByte;
}

constexpr std::string_view kOwnChoice = "AUTOINDEX";

struct TypeSpec {
  std::string_view name;
  Kind kind;
  void (*read)(const KeyValues& given, size_t dim, BuildParams& build);
};

/// What each of Milvus' types is here: a structure, and for those that name one a codec. Distances
/// are exact under every codec, from the segment's raw rows: `refine` and `refine_type` change
/// nothing.
constexpr std::array kTypes = {
    TypeSpec{"HNSW", Kind::kHnsw, ReadLinks},
    TypeSpec{"HNSW_SQ", Kind::kHnsw, ReadScalarLinks},
    TypeSpec{"HNSW_PQ", Kind::kHnsw, ReadProductLinks},
    TypeSpec{"HNSW_PRQ", Kind::kHnsw, ReadResidualLinks},
    TypeSpec{"IVF_FLAT", Kind::kIvfFlat, ReadLists},
    TypeSpec{"IVF_FLAT_CC", Kind::kIvfFlat, ReadLists},
    TypeSpec{"IVF_SQ8", Kind::kIvfFlat, ReadScalarLists},
    TypeSpec{"IVF_PQ", Kind::kIvfPq, ReadProductLists},
    TypeSpec{"SCANN", Kind::kScann, ReadScann},
    TypeSpec{"IVF_RABITQ", Kind::kIvfCoded, ReadRabitq},
    TypeSpec{"IVF_RABITQ_FASTSCAN", Kind::kIvfCoded, ReadRabitq},
    TypeSpec{"RNSG", Kind::kNsg, ReadNsg},
    TypeSpec{"ANNOY", Kind::kForest, ReadTrees},
    TypeSpec{"DISKANN", Kind::kHnsw, ReadDiskAnn},
    TypeSpec{"SVS_VAMANA", Kind::kHnsw, ReadVamana},
    TypeSpec{"SVS_VAMANA_LVQ", Kind::kHnsw, ReadVamana},
    TypeSpec{"SVS_VAMANA_LEANVEC", Kind::kHnsw, ReadVamana},
    TypeSpec{"GPU_IVF_FLAT", Kind::kIvfFlat, ReadLists},
    TypeSpec{"GPU_IVF_PQ", Kind::kIvfPq, ReadProductLists},
    TypeSpec{"GPU_CAGRA", Kind::kHnsw, ReadCagra},
};

std::string TypeOf(const model::IndexInfo& info) {
  const std::string* given = model::FindValue(info.params, "index_type");
  return given == nullptr ? std::string(kOwnChoice) : Upper(*given);
}

}  // namespace

bool ChoosesItsType(const model::IndexInfo& info) { return TypeOf(info) == kOwnChoice; }

std::optional<BuildParams> BuildParamsOf(const model::IndexInfo& info,
                                         const model::FieldSchema& field, uint64_t rows) {
  if (!model::IsDenseVector(field.vector_type()) || rows < kIndexRowsMin) return std::nullopt;
  const std::string type = TypeOf(info);
  const std::string* metric_name = model::FindValue(info.params, "metric_type");
  const auto metric = model::MetricFromName(metric_name != nullptr ? *metric_name : "COSINE");
  BuildParams params{.metric = model::ElementMetric(metric.value_or(model::Metric::kCosine)),
                     .seed = static_cast<uint64_t>(info.id.value)};
  if (type == kOwnChoice) {
    params.kind = Kind::kHnsw;
    params.m = 18;
    params.ef_construction = 240;
    params.codec.bits = index::kHalfByte;
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
  } else if (field.type == model::DataType::kGeometry) {
    spec = query::ScalarSpec{
        .field = info.field, .type = index::KeyType::kReal, .use = index::KeyUse::kBoxes};
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
