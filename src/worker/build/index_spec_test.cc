// From Milvus' index types and parameters to a builder's.
#include "worker/build/index_spec.h"

#include <gtest/gtest.h>

namespace elanus::worker {
namespace {

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
  const auto lists = Of({{"index_type", "IVF_SQ8"}});
  ASSERT_TRUE(lists.has_value());
  EXPECT_EQ(lists->kind, Kind::kIvfFlat);
  EXPECT_EQ(lists->nlist, 128);
}

TEST(IndexSpec, ProductCodesTakeAboutAsManyBytesAsMilvusWould) {
  EXPECT_EQ(Of({{"index_type", "IVF_PQ"}, {"m", "24"}, {"nbits", "8"}})->part_dim, 2);
  EXPECT_EQ(Of({{"index_type", "IVF_PQ"}, {"m", "96"}, {"nbits", "8"}})->part_dim, 1);
  EXPECT_EQ(Of({{"index_type", "IVF_PQ"}, {"m", "12"}, {"nbits", "4"}})->part_dim, 8);
  EXPECT_EQ(Of({{"index_type", "IVF_PQ"}, {"m", "1"}, {"nbits", "1"}})->part_dim, 96);
  EXPECT_EQ(Of({{"index_type", "IVF_RABITQ"}})->part_dim, 4);
  EXPECT_EQ(Of({{"index_type", "IVF_RABITQ"}, {"rbq_bits", "9"}})->part_dim, 1);
  EXPECT_EQ(Of({{"index_type", "SCANN"}})->part_dim, 2);
}

TEST(IndexSpec, BuildsNothingForFewRowsExactTypesOrBits) {
  EXPECT_FALSE(Of({{"index_type", "HNSW"}}, DataType::kFloatVector, kIndexRowsMin - 1).has_value());
  for (const char* type : {"FLAT", "SVS_FLAT", "GPU_BRUTE_FORCE", "INVERTED", "NO_SUCH"})
    EXPECT_FALSE(Of({{"index_type", type}}).has_value()) << type;
  EXPECT_FALSE(Of({{"index_type", "HNSW"}}, DataType::kBinaryVector).has_value());
  EXPECT_TRUE(Of({{"index_type", "HNSW"}}, DataType::kInt8Vector).has_value());
  EXPECT_TRUE(Of({}).has_value());
}

}  // namespace
}  // namespace elanus::worker
