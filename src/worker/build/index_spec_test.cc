// From Milvus' index types and parameters to a builder's.
#include "worker/build/index_spec.h"

#include <gtest/gtest.h>

namespace elanus::worker {
namespace {

using index::CodecKind;
using index::CodecParams;
using index::Kind;
using model::DataType;

model::FieldSchema Field(DataType type, int64_t dim) {
  model::FieldSchema field{.id = FieldId(100), .name = "v", .type = type};
  field.type_params = {{"dim", std::to_string(dim)}};
  return field;
}

std::optional<index::BuildParams> Of(model::KeyValues params,
                                     DataType type = DataType::kFloatVector, uint64_t rows = 5000) {
  params.emplace_back("metric_type", "IP");
  return BuildParamsOf({.id = IndexId(7), .params = std::move(params)}, Field(type, 96), rows);
}

TEST(IndexSpec, TakesTypeInAnyCaseAndItsParameters) {
  const auto graph = Of({{"index_type", "hnsw"}, {"M", "9"}, {"efConstruction", "77"}});
  ASSERT_TRUE(graph.has_value());
  EXPECT_EQ(graph->kind, Kind::kHnsw);
  EXPECT_EQ(graph->m, 9);
  EXPECT_EQ(graph->ef_construction, 77);
  EXPECT_EQ(graph->metric, model::Metric::kIp);
  EXPECT_EQ(graph->seed, 7u);
  for (const char* type : {"IVF_SQ8", "IVF_FLAT", "IVF_FLAT_CC"}) {
    const auto lists = Of({{"index_type", type}});
    ASSERT_TRUE(lists.has_value());
    EXPECT_EQ(lists->kind, Kind::kIvfFlat) << type;
    EXPECT_EQ(lists->nlist, 128);
  }
}

TEST(IndexSpec, EachTypeGetsTheCodecItNames) {
  const auto codec_of = [](model::KeyValues params) { return Of(std::move(params))->codec; };
  const CodecParams own, half{.kind = CodecKind::kFloat16};
  EXPECT_EQ(codec_of({{"index_type", "HNSW_SQ"}}), own);
  EXPECT_EQ(codec_of({{"index_type", "HNSW_SQ"}, {"sq_type", "sq8"}}), own);
  EXPECT_EQ(codec_of({{"index_type", "HNSW_SQ"}, {"sq_type", "fp16"}}), half);
  EXPECT_EQ(codec_of({{"index_type", "HNSW_SQ"}, {"sq_type", "sq4u"}}),
            (CodecParams{.kind = CodecKind::kPacked, .bits = 4}));
  EXPECT_EQ(codec_of({{"index_type", "HNSW_PQ"}}),
            (CodecParams{.kind = CodecKind::kProduct, .bits = 8, .parts = 32}));
  EXPECT_EQ(codec_of({{"index_type", "HNSW_PRQ"}, {"m", "4"}, {"nbits", "6"}, {"nrq", "3"}}),
            (CodecParams{.kind = CodecKind::kProduct, .bits = 6, .parts = 4, .rounds = 3}));
  EXPECT_EQ(codec_of({{"index_type", "IVF_SQ8"}, {"sq_type", "SQ6"}}),
            (CodecParams{.kind = CodecKind::kPacked, .bits = 6}));
  EXPECT_EQ(Of({{"index_type", "IVF_SQ8"}, {"sq_type", "SQ6"}})->kind, Kind::kIvfCoded);
  EXPECT_EQ(codec_of({{"index_type", "IVF_PQ"}, {"m", "24"}, {"nbits", "9"}}),
            (CodecParams{.kind = CodecKind::kProduct, .bits = 9, .parts = 24}));
  const auto words = Of({{"index_type", "IVF_PQ"}, {"m", "12"}, {"nbits", "4"}});
  EXPECT_EQ(words->kind, Kind::kIvfPq);
  EXPECT_EQ(words->part_dim, 8);
  for (const char* type : {"IVF_RABITQ", "IVF_RABITQ_FASTSCAN"}) {
    EXPECT_EQ(Of({{"index_type", type}})->kind, Kind::kIvfCoded);
    EXPECT_EQ(codec_of({{"index_type", type}, {"rbq_bits", "9"}}),
              (CodecParams{.kind = CodecKind::kRabitq, .bits = 9}));
  }
  EXPECT_EQ(Of({{"index_type", "SCANN"}})->part_dim, 2);
}

TEST(IndexSpec, GraphsAndForestsOfOldTakeTheirOwnParameters) {
  const auto graph = Of({{"index_type", "RNSG"},
                         {"out_degree", "40"},
                         {"candidate_pool_size", "200"},
                         {"search_length", "30"},
                         {"knng", "60"}});
  EXPECT_EQ(graph->kind, Kind::kNsg);
  EXPECT_EQ(graph->nsg.out_degree, 40);
  EXPECT_EQ(graph->nsg.candidate_pool, 200);
  EXPECT_EQ(graph->nsg.search_length, 30);
  EXPECT_EQ(graph->nsg.knng, 60);
  const auto forest = Of({{"index_type", "ANNOY"}, {"n_trees", "16"}});
  EXPECT_EQ(forest->kind, Kind::kForest);
  EXPECT_EQ(forest->trees, 16);
  const auto disk = Of({{"index_type", "DISKANN"}, {"max_degree", "32"}});
  EXPECT_EQ(disk->kind, Kind::kHnsw);
  EXPECT_EQ(disk->m, 16);
  EXPECT_EQ(disk->ef_construction, 128);
}

TEST(IndexSpec, BuildsNothingForFewRowsExactTypesOrBits) {
  EXPECT_FALSE(Of({{"index_type", "HNSW"}}, DataType::kFloatVector, kIndexRowsMin - 1).has_value());
  for (const char* type : {"FLAT", "SVS_FLAT", "GPU_BRUTE_FORCE", "INVERTED", "NO_SUCH"})
    EXPECT_FALSE(Of({{"index_type", type}}).has_value()) << type;
  EXPECT_FALSE(Of({{"index_type", "HNSW"}}, DataType::kBinaryVector).has_value());
  EXPECT_TRUE(Of({{"index_type", "HNSW"}}, DataType::kInt8Vector).has_value());
  EXPECT_TRUE(Of({}).has_value());
}

std::optional<query::ScalarSpec> Scalar(model::KeyValues params, model::FieldSchema field,
                                        uint64_t rows = 5000) {
  field.id = FieldId(100);
  return ScalarSpecOf({.id = IndexId(7),
                       .field = field.id,
                       .params = std::move(params),
                       .json_path = field.type == DataType::kJson ? std::vector<std::string>{"a"}
                                                                  : std::vector<std::string>{}},
                      field, rows);
}

TEST(IndexSpec, KeysOfAScalarIndexAreItsFieldsValuesElementsOrGrams) {
  using index::KeyType;
  using index::KeyUse;
  for (const char* type : {"INVERTED", "STL_SORT", "bitmap", "HYBRID", "AUTOINDEX"}) {
    const auto spec = Scalar({{"index_type", type}}, {.type = DataType::kInt32});
    ASSERT_TRUE(spec) << type;
    EXPECT_EQ(spec->type, KeyType::kInt);
    EXPECT_EQ(spec->use, KeyUse::kValues);
  }
  EXPECT_EQ(Scalar({{"index_type", "Trie"}}, {.type = DataType::kVarChar})->type, KeyType::kText);
  EXPECT_EQ(Scalar({}, {.type = DataType::kBool})->type, KeyType::kBool);
  const auto array = Scalar({{"index_type", "INVERTED"}},
                            {.type = DataType::kArray, .element_type = DataType::kDouble});
  EXPECT_EQ(array->type, KeyType::kReal);
  EXPECT_EQ(array->use, KeyUse::kElements);
  const auto grams = Scalar({{"index_type", "NGRAM"}, {"min_gram", "2"}, {"max_gram", "4"}},
                            {.type = DataType::kVarChar});
  EXPECT_EQ(grams->use, KeyUse::kGrams);
  EXPECT_EQ(grams->gram_min, 2);
  EXPECT_EQ(grams->gram_max, 4);
  for (const char* type : {"RTREE", "AUTOINDEX"}) {
    const auto boxes = Scalar({{"index_type", type}}, {.type = DataType::kGeometry});
    ASSERT_TRUE(boxes) << type;
    EXPECT_EQ(boxes->use, KeyUse::kBoxes);
  }
  const auto json = Scalar({{"index_type", "INVERTED"}, {"json_cast_type", "array_varchar"}},
                           {.type = DataType::kJson});
  EXPECT_EQ(json->path, std::vector<std::string>{"a"});
  EXPECT_EQ(json->use, KeyUse::kElements);
}

TEST(IndexSpec, BuildsNoScalarIndexWhereThereAreNoKeys) {
  EXPECT_FALSE(Scalar({}, {.type = DataType::kInt64}, kIndexRowsMin - 1));
  EXPECT_FALSE(Scalar({}, {.type = DataType::kText}));
  EXPECT_FALSE(Scalar({{"json_cast_type", "JSON"}}, {.type = DataType::kJson}));
  EXPECT_FALSE(Scalar({}, {.type = DataType::kJson}));
}

}  // namespace
}  // namespace elanus::worker
