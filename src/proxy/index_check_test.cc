#include "proxy/index_check.h"

#include <gtest/gtest.h>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using model::KeyValues;

const model::FieldSchema kVector = Field(101, "v", DataType::kFloatVector, {{"dim", "8"}});

TEST(IndexCheck, FillsTypeAndMetric) {
  KeyValues params;
  ASSERT_TRUE(CheckCreateIndex(kVector, "", params).ok());
  EXPECT_EQ(*model::FindValue(params, "index_type"), "AUTOINDEX");
  EXPECT_EQ(*model::FindValue(params, "metric_type"), "COSINE");
  params = {{"index_type", "HNSW"}, {"metric_type", "l2"}, {"M", "None"}, {"else", "x"}};
  ASSERT_TRUE(CheckCreateIndex(kVector, "idx", params).ok());
  EXPECT_EQ(*model::FindValue(params, "metric_type"), "L2");
  EXPECT_EQ(MetricOf({.params = params}), model::Metric::kL2);
  EXPECT_EQ(IndexTypeOf({.params = params}), "HNSW");
}

TEST(IndexCheck, RefusesVectorIndexesWithMilvusTexts) {
  const std::pair<KeyValues, std::string> cases[] = {
      {{{"index_type", "NEARBY"}, {"metric_type", "L2"}},
       "invalid parameter[expected=valid index][actual=invalid index type: NEARBY]"},
      {{{"index_type", "INVERTED"}}, "metric type not set for vector index"},
      {{{"index_type", "BIN_FLAT"}, {"metric_type", "L2"}},
       "data type FloatVector can't build with this index BIN_FLAT"},
      {{{"index_type", "FLAT"}, {"metric_type", "JACCARD"}},
       "float vector index does not support metric type: JACCARD"},
      {{{"index_type", "HNSW"}, {"M", "-1"}}, "param 'M' (-1) should be in range [2, 2048]"},
      {{{"index_type", "HNSW"}, {"M", "2049"}}, "param 'M' (2049) should be in range [2, 2048]"},
      {{{"index_type", "HNSW"}, {"M", "16.0"}},
       "wrong data type in json, key: 'M', value: '16.0': invalid parameter"},
      {{{"index_type", "HNSW"}, {"M", "True"}},
       "invalid integer value, key: 'M', value: 'True': invalid parameter"},
      {{{"index_type", "HNSW"}, {"efConstruction", "[100]"}},
       "invalid integer value, key: 'efConstruction', value: '[100]': invalid parameter"},
      {{{"index_type", "IVF_FLAT"}, {"nlist", "65537"}},
       "Out of range in json: param 'nlist' (65537) should be in range [1, 65536]"},
      {{{"index_type", "IVF_FLAT_CC"}, {"ssize", "16"}},
       "Out of range in json: param 'ssize' (16) should be in range [32, 2048]"},
      {{{"index_type", "IVF_PQ"}, {"nlist", "16"}}, "param 'm' not exist in json"},
      {{{"index_type", "IVF_PQ"}, {"m", "3"}},
       "The dimension of a vector (dim) should be a multiple of the number of subquantizers (m)."},
      {{{"index_type", "IVF_PQ"}, {"m", "2"}, {"nbits", "25"}},
       "Out of range in json: param 'nbits' (25) should be in range [1, 24]"},
      {{{"index_type", "SCANN"}, {"sub_dim", "3"}},
       "The dimension of a vector (dim) should be a multiple of sub_dim. Dimension:8, sub_dim:3"},
      {{{"index_type", "IVF_RABITQ"}, {"rbq_bits", "10"}},
       "Out of range in json: param 'rbq_bits' (10) should be in range [1, 9]"},
      {{{"index_type", "HNSW_SQ"}, {"sq_type", "INVALID"}}, "invalid scalar quantizer type"},
      {{{"index_type", "HNSW_SQ"}, {"refine_type", "X"}},
       "invalid refine type : X, optional types are [sq4u, sq6, sq8, fp16, bf16, fp32, flat]"},
      {{{"index_type", "IVF_SQ8"}, {"refine", "1"}}, "should be a boolean"},
      {{{"index_type", "HNSW_PRQ"}, {"m", "2"}, {"nrq", "17"}},
       "Out of range in json: param 'nrq' (17) should be in range [1, 16]"},
      {{{"index_type", "AUTOINDEX"}, {"M", "16"}},
       "only metric type can be passed when use AutoIndex"},
  };
  for (const auto& [params, text] : cases) {
    KeyValues copy = params;
    ExpectError(CheckCreateIndex(kVector, "", copy), Code::kInvalidParameter, text);
  }
  KeyValues params;
  ExpectError(CheckCreateIndex(kVector, "1x", params), Code::kInvalidParameter,
              "Invalid index name: 1x");
}

TEST(IndexCheck, FitsIndexesToTheirVectors) {
  const auto field = [](DataType type) { return Field(101, "v", type, {{"dim", "8"}}); };
  const std::tuple<DataType, KeyValues, std::string> cases[] = {
      {DataType::kInt8Vector,
       {{"index_type", "IVF_FLAT"}},
       "data type Int8Vector can't build with this index IVF_FLAT"},
      {DataType::kSparseFloatVector,
       {{"index_type", "HNSW"}},
       "data type SparseFloatVector can't build with this index HNSW"},
      {DataType::kBinaryVector,
       {{"index_type", "BIN_FLAT"}, {"metric_type", "L2"}},
       "binary vector index does not support metric type: L2"},
      {DataType::kBinaryVector,
       {{"index_type", "BIN_IVF_FLAT"}, {"metric_type", "SUPERSTRUCTURE"}},
       "metric type SUPERSTRUCTURE not found or not supported, supported: [HAMMING JACCARD]"},
      {DataType::kSparseFloatVector,
       {{"index_type", "SPARSE_WAND"}, {"metric_type", "COSINE"}},
       "only IP&BM25 is the supported metric type for sparse index: invalid "
       "parameter[expected=valid index params][actual=invalid index params]"},
      {DataType::kSparseFloatVector,
       {{"index_type", "SPARSE_INVERTED_INDEX"}, {"inverted_index_algo", "X"}},
       "sparse inverted index algo X not found or not supported"},
      {DataType::kSparseFloatVector,
       {{"index_type", "SPARSE_INVERTED_INDEX"}, {"drop_ratio_build", "1"}},
       "param 'drop_ratio_build' (1.000000) should be in range [0.000000, 1.000000)"},
      {DataType::kFloat16Vector,
       {{"index_type", "IVF_PQ"}, {"m", "3"}},
       "The dimension of a vector (dim) should be a multiple of the number of subquantizers (m)."},
      {DataType::kFloatVector,
       {{"index_type", "SCANN"}, {"sub_dim", "3"}},
       "should be a multiple of sub_dim. Dimension:8, sub_dim:3"},
  };
  for (const auto& [type, params, text] : cases) {
    KeyValues copy = params;
    ExpectError(CheckCreateIndex(field(type), "", copy), Code::kInvalidParameter, text);
  }
  for (const auto& [type, metric] : {std::pair{DataType::kBinaryVector, "HAMMING"},
                                     {DataType::kSparseFloatVector, "IP"},
                                     {DataType::kInt8Vector, "COSINE"},
                                     {DataType::kBFloat16Vector, "COSINE"}}) {
    KeyValues params;
    ASSERT_TRUE(CheckCreateIndex(field(type), "", params).ok());
    EXPECT_EQ(*model::FindValue(params, "metric_type"), metric);
  }
}

TEST(IndexCheck, KeepsScalarIndexesWhereMilvusWould) {
  const auto number = Field(1, "n", DataType::kInt64);
  const auto text = Field(2, "s", DataType::kVarChar);
  const auto json = Field(3, "j", DataType::kJson);
  const auto body = Field(4, "b", DataType::kText);
  for (const char* type : {"INVERTED", "STL_SORT", "BITMAP", "AUTOINDEX"}) {
    KeyValues params = {{"index_type", type}};
    EXPECT_TRUE(CheckCreateIndex(number, "", params).ok()) << type;
    ExpectError(CheckCreateIndex(body, "", params), Code::kInvalidParameter,
                "TEXT field does not support user-created scalar index");
  }
  KeyValues params = {{"index_type", "Trie"}};
  EXPECT_TRUE(CheckCreateIndex(text, "", params).ok());
  ExpectError(CheckCreateIndex(number, "", params), Code::kInvalidParameter,
              "Trie are only supported on varchar field");
  params = {{"index_type", "INVERTED"}};
  ExpectError(CheckCreateIndex(json, "", params), Code::kMissingParameter,
              "json index must specify cast type: missing parameter[missing_param=json_cast_type]");
  params = {{"index_type", "TRIE"}, {"json_cast_type", "DOUBLE"}};
  ExpectError(CheckCreateIndex(json, "", params), Code::kInvalidParameter,
              "TRIE are only supported on varchar field");
  params = {{"index_type", "NGRAM"}, {"min_gram", "2"}};
  ExpectError(CheckCreateIndex(text, "", params), Code::kInvalidParameter,
              "Ngram index must specify both min_gram and max_gram");
  params.emplace_back("max_gram", "1");
  ExpectError(CheckCreateIndex(text, "", params), Code::kInvalidParameter,
              "invalid min_gram or max_gram value for Ngram index");
  params = {{"index_type", "HNSW"}};
  ExpectError(CheckCreateIndex(number, "", params), Code::kInvalidParameter,
              "invalid parameter[expected=valid index][actual=invalid index type: HNSW]");
}

TEST(IndexCheck, SortsTheElementsOfAStructsMember) {
  auto member = Field(1, "s[n]", DataType::kArray);
  member.element_type = DataType::kInt64;
  KeyValues params = {{"index_type", "STL_SORT"}};
  ExpectError(CheckCreateIndex(member, "", params), Code::kInvalidParameter,
              "STL_SORT are only supported on numeric, varchar or timestamptz field, got Array");
  member.struct_name = "s";
  EXPECT_TRUE(CheckCreateIndex(member, "", params).ok());
  member.element_type = DataType::kBool;
  ExpectError(CheckCreateIndex(member, "", params), Code::kInvalidParameter,
              "STL_SORT are only supported on numeric, varchar or timestamptz field, got Bool");
}

TEST(IndexCheck, DiskIndexesOfListsHaveOneStrategy) {
  auto lists = Field(1, "s[e]", DataType::kArrayOfVector);
  lists.element_type = DataType::kFloatVector;
  lists.type_params = {{"dim", "8"}};
  for (const auto& [type, strategy, fits] :
       {std::tuple{"DISKANN", "tokenann", true}, std::tuple{"DISKANN", "muvera", false},
        std::tuple{"DISKANN", "lemur", false}, std::tuple{"HNSW", "muvera", true}}) {
    KeyValues params = {
        {"index_type", type}, {"metric_type", "MAX_SIM_COSINE"}, {"emb_list_strategy", strategy}};
    const Status checked = CheckCreateIndex(lists, "", params);
    EXPECT_EQ(checked.ok(), fits) << type << " " << strategy << " " << checked.message();
    if (!fits) {
      ExpectError(checked, Code::kInvalidParameter, "DiskANN only supports TokenANN strategy");
    }
  }
}

}  // namespace
}  // namespace elanus::proxy
