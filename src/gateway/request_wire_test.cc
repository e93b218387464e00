// Requests: what protobuf writes, our readers read alike, in whatever pieces it comes.
#include <gtest/gtest.h>

#include <random>

#include "gateway/column_wire.h"
#include "gateway/request_wire.h"
#include "milvus.pb.h"
#include "model/array_value.h"

namespace elanus::gateway {
namespace {

namespace pb = milvus::proto;
using model::DataType;

/// The bytes cut into pieces of `size`.
std::vector<std::string_view> Cut(std::string_view bytes, size_t size) {
  std::vector<std::string_view> pieces;
  for (size_t i = 0; i < bytes.size(); i += size) pieces.push_back(bytes.substr(i, size));
  return pieces;
}

pb::schema::FieldData& AddScalars(pb::milvus::InsertRequest& request, const std::string& name,
                                  pb::schema::DataType type) {
  auto& field = *request.add_fields_data();
  field.set_field_name(name);
  field.set_type(type);
  field.mutable_scalars();
  return field;
}

pb::milvus::InsertRequest SampleInsert() {
  pb::milvus::InsertRequest request;
  request.set_db_name("db");
  request.set_collection_name("books");
  request.set_partition_name("p");
  request.set_num_rows(3);
  request.set_schema_timestamp(1ull << 60);
  for (int64_t id : {-1ll, 0ll, 1ll << 62}) {
    request.mutable_fields_data();
    if (request.fields_data_size() == 0) AddScalars(request, "id", pb::schema::DataType::Int64);
    request.mutable_fields_data(0)->mutable_scalars()->mutable_long_data()->add_data(id);
  }
  auto& vector = *request.add_fields_data();
  vector.set_field_name("vector");
  vector.set_type(pb::schema::DataType::FloatVector);
  vector.mutable_vectors()->set_dim(4);
  for (int i = 0; i < 12; ++i) {
    vector.mutable_vectors()->mutable_float_vector()->add_data(0.5f * static_cast<float>(i));
  }
  auto& small = AddScalars(request, "small", pb::schema::DataType::Int8);
  for (int v : {-128, 0, 127}) small.mutable_scalars()->mutable_int_data()->add_data(v);
  auto& flag = AddScalars(request, "flag", pb::schema::DataType::Bool);
  for (bool v : {true, false, true}) flag.mutable_scalars()->mutable_bool_data()->add_data(v);
  auto& price = AddScalars(request, "price", pb::schema::DataType::Double);
  for (double v : {1.5, -2.0, 0.0}) price.mutable_scalars()->mutable_double_data()->add_data(v);
  auto& title = AddScalars(request, "title", pb::schema::DataType::VarChar);
  for (const char* v : {"a", "", "größe"}) {
    title.mutable_scalars()->mutable_string_data()->add_data(v);
  }
  // Nullable: two values of three rows, compact.
  auto& score = AddScalars(request, "score", pb::schema::DataType::Float);
  for (float v : {1.0f, 3.0f}) score.mutable_scalars()->mutable_float_data()->add_data(v);
  for (bool v : {true, false, true}) score.add_valid_data(v);
  auto& meta = AddScalars(request, "$meta", pb::schema::DataType::JSON);
  meta.set_is_dynamic(true);
  for (const char* v : {"{}", "{\"k\":1}", "{}"}) {
    meta.mutable_scalars()->mutable_json_data()->add_data(v);
  }
  auto& tags = AddScalars(request, "tags", pb::schema::DataType::Array);
  auto& arrays = *tags.mutable_scalars()->mutable_array_data();
  arrays.set_element_type(pb::schema::DataType::VarChar);
  for (const std::vector<std::string>& row : {std::vector<std::string>{"a", "größe"}, {}, {""}}) {
    auto& texts = *arrays.add_data()->mutable_string_data();
    for (const std::string& text : row) texts.add_data(text);
  }
  auto& sparse = *request.add_fields_data();
  sparse.set_field_name("sparse");
  sparse.set_type(pb::schema::DataType::SparseFloatVector);
  for (const std::string& row : {std::string(8, '\1'), std::string(), std::string(16, '\2')}) {
    sparse.mutable_vectors()->mutable_sparse_float_vector()->add_contents(row);
  }
  auto& bits = *request.add_fields_data();
  bits.set_field_name("bits");
  bits.set_type(pb::schema::DataType::BinaryVector);
  bits.mutable_vectors()->set_dim(16);
  bits.mutable_vectors()->set_binary_vector("abcdef");
  auto& shape = AddScalars(request, "shape", pb::schema::DataType::Geometry);
  for (const char* v : {"POINT (1 2)", "POINT EMPTY", ""}) {
    shape.mutable_scalars()->mutable_geometry_wkt_data()->add_data(v);
  }
  return request;
}

void ExpectSample(const service::MutationCall& call) {
  EXPECT_EQ(call.collection, "books");
  EXPECT_EQ(call.partition, "p");
  EXPECT_EQ(call.num_rows, 3);
  EXPECT_EQ(call.schema_timestamp, 1ull << 60);
  ASSERT_EQ(call.columns.size(), 12u);
  for (const auto& user : call.columns) {
    EXPECT_TRUE(user.column.Validate().ok()) << user.name;
    EXPECT_EQ(user.column.rows, 3u) << user.name;
  }
  const auto ids = call.columns[0].column.Values<int64_t>();
  EXPECT_EQ(std::vector<int64_t>(ids.begin(), ids.end()), (std::vector<int64_t>{-1, 0, 1ll << 62}));
  EXPECT_EQ(call.columns[1].column.dim, 4);
  EXPECT_EQ(call.columns[1].column.Values<float>()[11], 5.5f);
  EXPECT_EQ(call.columns[2].column.type, DataType::kInt8);
  EXPECT_EQ(call.columns[2].column.Values<int8_t>()[0], -128);
  EXPECT_EQ(call.columns[3].column.Values<uint8_t>()[2], 1);
  EXPECT_EQ(call.columns[4].column.Values<double>()[1], -2.0);
  EXPECT_EQ(call.columns[5].column.StringAt(2), "größe");
  EXPECT_TRUE(call.columns[6].valid_given);
  EXPECT_TRUE(call.columns[6].column.IsNull(1));
  EXPECT_EQ(call.columns[6].column.Values<float>()[2], 3.0f);
  EXPECT_EQ(call.columns[7].column.StringAt(1), "{\"k\":1}");
  EXPECT_TRUE(call.columns[7].is_dynamic);
  const auto tags = model::ArrayView::Open(call.columns[8].column.StringAt(0));
  ASSERT_TRUE(tags.has_value());
  ASSERT_EQ(tags->size(), 2u);
  EXPECT_EQ(tags->At(1), "größe");
  EXPECT_EQ(call.columns[9].column.StringAt(2), std::string(16, '\2'));
  EXPECT_EQ(call.columns[10].column.ValueAt(1), "cd");
  EXPECT_EQ(call.columns[11].column.StringAt(0), "POINT (1 2)");
}

TEST(InsertRequest, ReadsWhatProtobufWroteInPiecesOfAnySize) {
  const std::string bytes = SampleInsert().SerializeAsString();
  for (size_t size : {1ul, 2ul, 3ul, 7ul, 16ul, 64ul, bytes.size()}) {
    auto pieces = Cut(bytes, size);
    auto request = ReadMutation(pieces, service::MutationKind::kInsert);
    ASSERT_TRUE(request.has_value()) << request.error().message();
    EXPECT_EQ(request->database, "db");
    ExpectSample(request->call);
  }
}

TEST(InsertRequest, RefusesEveryPrefixThatProtobufRefuses) {
  const std::string bytes = SampleInsert().SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string_view prefix = std::string_view(bytes).substr(0, size);
    pb::milvus::InsertRequest reference;
    const bool readable = reference.ParseFromArray(prefix.data(), static_cast<int>(size));
    auto pieces = Cut(prefix, 5);
    auto request = ReadMutation(pieces, service::MutationKind::kInsert);
    if (!readable) EXPECT_FALSE(request.has_value()) << size;
  }
}

TEST(InsertRequest, SurvivesEveryBitFlip) {
  const std::string bytes = SampleInsert().SerializeAsString();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    auto pieces = Cut(flipped, 11);
    auto request = ReadMutation(pieces, service::MutationKind::kInsert);
    if (!request) continue;
    for (const auto& user : request->call.columns) {
      // Vectors of the wrong length are the proxy's to refuse; all else must be well formed.
      if (!model::IsVector(user.column.type)) {
        EXPECT_TRUE(user.column.Validate().ok()) << bit;
      }
    }
  }
}

TEST(InsertRequest, NamesTheElementThatIsOutOfRange) {
  auto sample = SampleInsert();
  sample.mutable_fields_data(2)->mutable_scalars()->mutable_int_data()->set_data(0, 300);
  const std::string bytes = sample.SerializeAsString();
  auto pieces = Cut(bytes, bytes.size());
  auto request = ReadMutation(pieces, service::MutationKind::kInsert);
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error(), InvalidParameter("the 0th element (300) out of range: [-128, 127]"));
}

TEST(InsertRequest, RefusesValuesThatDisagreeWithTheirValidity) {
  auto sample = SampleInsert();
  sample.mutable_fields_data(6)->add_valid_data(true);
  const std::string bytes = sample.SerializeAsString();
  auto pieces = Cut(bytes, bytes.size());
  EXPECT_FALSE(ReadMutation(pieces, service::MutationKind::kInsert).has_value());
}

TEST(InsertRequest, RefusesTextThatIsNotUtf8) {
  auto sample = SampleInsert();
  std::string bytes = sample.SerializeAsString();
  bytes.replace(bytes.find("gr\xC3"), 3, "gr\xFF");
  auto pieces = Cut(bytes, bytes.size());
  EXPECT_FALSE(ReadMutation(pieces, service::MutationKind::kInsert).has_value());
}

TEST(InsertRequest, ReadsUnpackedNumbersToo) {
  // field_data{type Int64, field_name "id", scalars{long_data{data 1, data 2}}}, data not packed
  const std::string long_data = std::string("\x08\x01\x08\x02", 4);
  const std::string scalars = "\x1a" + std::string(1, 4) + long_data;
  const std::string field =
      std::string("\x08\x05\x12\x02id\x1a", 7) + static_cast<char>(scalars.size()) + scalars;
  const std::string bytes = "\x2a" + std::string(1, static_cast<char>(field.size())) + field;
  auto pieces = Cut(bytes, 3);
  auto request = ReadMutation(pieces, service::MutationKind::kInsert);
  ASSERT_TRUE(request.has_value());
  ASSERT_EQ(request->call.columns.size(), 1u);
  EXPECT_EQ(request->call.columns[0].column.Values<int64_t>()[1], 2);
}

pb::milvus::SearchRequest SampleSearch() {
  pb::milvus::SearchRequest request;
  request.set_collection_name("books");
  request.add_partition_names("p");
  request.set_dsl("price > {low}");
  request.add_output_fields("*");
  request.set_use_default_consistency(true);
  request.set_guarantee_timestamp(1);
  auto& param = *request.add_search_params();
  param.set_key("topk");
  param.set_value("10");
  (*request.mutable_expr_template_values())["low"].set_float_val(1.5);
  auto& array = *(*request.mutable_expr_template_values())["names"].mutable_array_val();
  array.mutable_string_data()->add_data("x");
  (*request.mutable_expr_template_values())["set"].set_bytes_val("\xff\x01");
  pb::common::PlaceholderGroup group;
  auto& placeholder = *group.add_placeholders();
  placeholder.set_tag("$0");
  placeholder.set_type(pb::common::PlaceholderType::FloatVector);
  for (float base : {1.0f, 2.0f}) {
    const float values[] = {base, base + 1};
    placeholder.add_values(values, sizeof(values));
  }
  request.set_placeholder_group(group.SerializeAsString());
  request.set_nq(2);
  return request;
}

TEST(SearchRequest, ReadsWhatProtobufWroteInPiecesOfAnySize) {
  const std::string bytes = SampleSearch().SerializeAsString();
  for (size_t size : {1ul, 4ul, 9ul, bytes.size()}) {
    auto pieces = Cut(bytes, size);
    auto request = ReadSearch(pieces);
    ASSERT_TRUE(request.has_value()) << request.error().message();
    const service::SearchCall& call = request->call;
    EXPECT_EQ(call.collection, "books");
    EXPECT_EQ(call.partitions, std::vector<std::string>{"p"});
    EXPECT_EQ(call.filter, "price > {low}");
    EXPECT_EQ(call.nq, 2);
    EXPECT_EQ(call.vector_type, DataType::kFloatVector);
    ASSERT_EQ(call.vectors.size(), 4 * sizeof(float));
    EXPECT_EQ(reinterpret_cast<const float*>(call.vectors.data())[2], 2.0f);
    EXPECT_EQ(call.params, (model::KeyValues{{"topk", "10"}}));
    EXPECT_TRUE(call.consistency.use_default);
    EXPECT_EQ(call.consistency.guarantee, 1u);
    EXPECT_EQ(call.templates.values.at("low"), expr::Value{1.5});
    EXPECT_EQ(call.templates.values.at("names"),
              expr::Value{std::vector{expr::Value{std::string("x")}}});
    EXPECT_FALSE(call.templates.values.contains("set"));
    EXPECT_EQ(*call.templates.blobs.at("set"), "\xff\x01");
  }
}

TEST(SearchRequest, RefusesEveryPrefixThatProtobufRefuses) {
  const std::string bytes = SampleSearch().SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string_view prefix = std::string_view(bytes).substr(0, size);
    pb::milvus::SearchRequest reference;
    auto pieces = Cut(prefix, 6);
    auto request = ReadSearch(pieces);
    if (!reference.ParseFromArray(prefix.data(), static_cast<int>(size))) {
      EXPECT_FALSE(request.has_value()) << size;
    }
  }
}

TEST(SearchRequest, RefusesQueriesOfDifferentLength) {
  auto sample = SampleSearch();
  pb::common::PlaceholderGroup group;
  ASSERT_TRUE(group.ParseFromString(sample.placeholder_group()));
  group.mutable_placeholders(0)->add_values("short");
  sample.set_placeholder_group(group.SerializeAsString());
  const std::string bytes = sample.SerializeAsString();
  auto pieces = Cut(bytes, bytes.size());
  auto request = ReadSearch(pieces);
  ASSERT_FALSE(request.has_value());
  EXPECT_NE(request.error().message().find("vector dimension mismatch"), std::string::npos);
}

TEST(SearchRequest, KeepsSparseQueriesApart) {
  auto sample = SampleSearch();
  pb::common::PlaceholderGroup group;
  auto& placeholder = *group.add_placeholders();
  placeholder.set_type(pb::common::PlaceholderType::SparseFloatVector);
  for (size_t bytes : {8, 0, 24}) placeholder.add_values(std::string(bytes, 'x'));
  sample.set_placeholder_group(group.SerializeAsString());
  const std::string bytes = sample.SerializeAsString();
  auto pieces = Cut(bytes, bytes.size());
  auto request = ReadSearch(pieces);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->call.nq, 3);
  EXPECT_EQ(request->call.vector_offsets, (std::vector<uint64_t>{0, 8, 8, 32}));
}

TEST(SearchRequest, RefusesWhatItWouldHaveToIgnore) {
  auto sample = SampleSearch();
  sample.mutable_highlighter();
  const std::string bytes = sample.SerializeAsString();
  auto pieces = Cut(bytes, bytes.size());
  auto request = ReadSearch(pieces);
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error().code(), Code::kUnimplemented);
}

TEST(MutationRequest, NullVectorsDoNotCostMoreThanARequestMayAskFor) {
  pb::milvus::InsertRequest sample;
  auto& field = *sample.add_fields_data();
  field.set_type(pb::schema::DataType::FloatVector);
  field.set_field_name("v");
  field.mutable_vectors()->set_dim(1 << 20);
  for (int row = 0; row < 4000; ++row) field.add_valid_data(false);
  std::string bytes = sample.SerializeAsString();
  auto request = ReadMutation(Cut(bytes, bytes.size()), service::MutationKind::kInsert);
  ASSERT_TRUE(request.has_value()) << request.error().message();
  const model::Column& nulls = request->call.columns[0].column;
  EXPECT_EQ(nulls.rows, 4000u);
  EXPECT_TRUE(nulls.IsNull(3999));
  EXPECT_LT(nulls.fixed.size() + nulls.bytes.size() + 8 * nulls.offsets.size(), 100'000u);
  field.mutable_vectors()->set_dim(1 << 15);
  for (int d = 0; d < 1 << 15; ++d) field.mutable_vectors()->mutable_float_vector()->add_data(1);
  field.set_valid_data(7, true);
  for (int row = 0; row < 2000; ++row) field.add_valid_data(false);
  bytes = sample.SerializeAsString();
  request = ReadMutation(Cut(bytes, bytes.size()), service::MutationKind::kInsert);
  ASSERT_FALSE(request.has_value());
  EXPECT_NE(request.error().message().find("too many for one request"), std::string::npos);
}

TEST(MutationRequest, TakesTheLastOfSeveralKindsOfVectors) {
  // vectors { binary_vector: 3 bytes, sparse_float_vector {}, dim: 2 }
  const std::string_view bytes("\x22\x09\x1a\x03\x00\x42\x40\x32\x00\x08\x02", 11);
  std::vector<service::UserColumn> columns;
  bool ok = true;
  ASSERT_TRUE(ReadColumns(WireReader({&bytes, 1}, &ok), columns).ok());
  ASSERT_TRUE(ok);
  ASSERT_EQ(columns.size(), 1u);
  EXPECT_EQ(columns[0].column.type, DataType::kSparseFloatVector);
  EXPECT_TRUE(columns[0].column.fixed.empty());
  EXPECT_EQ(columns[0].column.rows, 0u);
}

TEST(MutationRequest, AnEmptyMessageOfVectorsIsAnEmptyColumnOfAnyType) {
  for (int type : {0, 5, 21, 23, 96, 100, 101, 104, 106}) {
    pb::milvus::InsertRequest request;
    auto& field = *request.add_fields_data();
    field.set_field_name("field");
    field.set_type(static_cast<pb::schema::DataType>(type));
    field.mutable_vectors();
    const std::string bytes = request.SerializeAsString();
    const auto read = ReadMutation(Cut(bytes, bytes.size()), service::MutationKind::kInsert);
    ASSERT_TRUE(read.has_value()) << type << ": " << read.error().message();
    const model::Column& column = read->call.columns[0].column;
    EXPECT_EQ(column.rows, 0u) << type;
    EXPECT_TRUE(column.Validate().ok()) << type;
  }
}

TEST(MutationRequest, RefusesNullElements) {
  for (const bool vectors : {false, true}) {
    pb::milvus::InsertRequest sample;
    auto& field = *sample.add_fields_data();
    field.set_type(pb::schema::DataType::ArrayOfStruct);
    field.set_field_name("clips");
    auto& member = *field.mutable_struct_arrays()->add_fields();
    member.set_field_name("m");
    if (vectors) {
      member.set_type(pb::schema::DataType::ArrayOfVector);
      auto& list = *member.mutable_vectors()->mutable_vector_array()->add_data();
      list.set_dim(1);
      list.mutable_float_vector()->add_data(1);
      list.add_valid_data(true);
      list.add_valid_data(false);
    } else {
      member.set_type(pb::schema::DataType::Array);
      auto& row = *member.mutable_scalars()->mutable_array_data()->add_data();
      row.mutable_long_data()->add_data(7);
      row.add_valid_data(false);
    }
    const std::string bytes = sample.SerializeAsString();
    auto request = ReadMutation(Cut(bytes, bytes.size()), service::MutationKind::kInsert);
    ASSERT_FALSE(request.has_value());
    EXPECT_NE(request.error().message().find("has null elements: not supported"),
              std::string::npos);
  }
}

TEST(MutationRequest, ReadsTheMembersOfStructArraysAndFieldOps) {
  pb::milvus::UpsertRequest sample;
  sample.set_collection_name("films");
  sample.set_num_rows(2);
  auto& field = *sample.add_fields_data();
  field.set_type(pb::schema::DataType::ArrayOfStruct);
  field.set_field_name("clips");
  auto& scores = *field.mutable_struct_arrays()->add_fields();
  scores.set_type(pb::schema::DataType::Array);
  scores.set_field_name("score");
  auto& arrays = *scores.mutable_scalars()->mutable_array_data();
  arrays.add_data()->mutable_long_data()->add_data(7);
  arrays.add_data()->mutable_long_data();
  auto& vectors = *field.mutable_struct_arrays()->add_fields();
  vectors.set_type(pb::schema::DataType::ArrayOfVector);
  vectors.set_field_name("clips[emb]");
  auto& lists = *vectors.mutable_vectors()->mutable_vector_array();
  lists.set_dim(2);
  lists.set_element_type(pb::schema::DataType::FloatVector);
  auto& list = *lists.add_data();
  list.set_dim(2);
  for (float x : {1.0F, 2.0F}) list.mutable_float_vector()->add_data(x);
  lists.add_data()->set_dim(2);
  auto& op = *sample.add_field_ops();
  op.set_field_name("tags");
  op.set_op(pb::schema::FieldPartialUpdateOp::ARRAY_REMOVE);
  const std::string bytes = sample.SerializeAsString();
  for (size_t size : {1ul, 7ul, bytes.size()}) {
    auto pieces = Cut(bytes, size);
    auto request = ReadMutation(pieces, service::MutationKind::kUpsert);
    ASSERT_TRUE(request.has_value()) << request.error().message();
    const auto& columns = request->call.columns;
    ASSERT_EQ(columns.size(), 2u);
    EXPECT_EQ(columns[0].name, "clips[score]");
    EXPECT_EQ(columns[0].column.rows, 2u);
    EXPECT_EQ(columns[1].name, "clips[emb]");
    EXPECT_EQ(columns[1].element_type, model::DataType::kFloatVector);
    EXPECT_EQ(columns[1].column.type, model::DataType::kArrayOfVector);
    EXPECT_EQ(columns[1].column.dim, 2);
    ASSERT_EQ(columns[1].column.rows, 2u);
    EXPECT_EQ(columns[1].column.StringAt(0).size(), 8u);
    EXPECT_TRUE(columns[1].column.StringAt(1).empty());
    ASSERT_EQ(request->call.field_ops.size(), 1u);
    EXPECT_EQ(request->call.field_ops[0].field, "tags");
    EXPECT_EQ(request->call.field_ops[0].kind, service::FieldOpKind::kArrayRemove);
  }
}

TEST(SearchRequest, ReadsAnAggregationLevelByLevel) {
  auto sample = SampleSearch();
  auto& outer = *sample.mutable_search_aggregation();
  outer.add_fields("brand");
  outer.set_size(3);
  outer.set_search_size(9);
  auto& metric = (*outer.mutable_metrics())["total"];
  metric.set_op("sum");
  metric.set_field_name("price");
  outer.add_order()->set_key("total");
  outer.mutable_order(0)->set_direction("desc");
  auto& inner = *outer.mutable_sub_aggregation();
  inner.add_fields("color");
  inner.add_fields("size");
  inner.mutable_top_hits()->set_size(2);
  auto& sort = *inner.mutable_top_hits()->add_sort();
  sort.set_field_name("price");
  sort.set_direction("asc");
  sort.set_null_first(true);
  const std::string bytes = sample.SerializeAsString();
  auto pieces = Cut(bytes, 7);
  auto request = ReadSearch(pieces);
  ASSERT_TRUE(request.has_value()) << request.error().message();
  ASSERT_TRUE(request->call.aggregation.has_value());
  const auto& levels = request->call.aggregation->levels;
  ASSERT_EQ(levels.size(), 2u);
  EXPECT_EQ(levels[0].fields, std::vector<std::string>{"brand"});
  EXPECT_EQ(levels[0].size, 3);
  EXPECT_EQ(levels[0].search_size, 9);
  ASSERT_EQ(levels[0].metrics.size(), 1u);
  EXPECT_EQ(levels[0].metrics[0].alias, "total");
  EXPECT_EQ(levels[0].metrics[0].op, "sum");
  EXPECT_EQ(levels[0].metrics[0].field, "price");
  EXPECT_EQ(levels[0].order.at(0).direction, "desc");
  EXPECT_FALSE(levels[0].top_hits.has_value());
  EXPECT_EQ(levels[1].fields, (std::vector<std::string>{"color", "size"}));
  ASSERT_TRUE(levels[1].top_hits.has_value());
  EXPECT_EQ(levels[1].top_hits->size, 2);
  EXPECT_TRUE(levels[1].top_hits->sort.at(0).nulls_first);
}

pb::milvus::HybridSearchRequest SampleHybrid() {
  pb::milvus::HybridSearchRequest request;
  request.set_collection_name("books");
  request.add_partition_names("p");
  for (int i = 0; i < 2; ++i) *request.add_requests() = SampleSearch();
  request.add_output_fields("price");
  auto* pair = request.add_rank_params();
  pair->set_key("limit");
  pair->set_value("3");
  auto* function = request.mutable_function_score()->add_functions();
  function->set_name("f");
  function->add_input_field_names("price");
  pair = function->add_params();
  pair->set_key("reranker");
  pair->set_value("decay");
  request.set_use_default_consistency(true);
  request.set_guarantee_timestamp(7);
  return request;
}

TEST(HybridSearchRequest, ReadsWhatProtobufWroteInPiecesOfAnySize) {
  const std::string bytes = SampleHybrid().SerializeAsString();
  for (size_t size : {1ul, 7ul, bytes.size()}) {
    auto pieces = Cut(bytes, size);
    auto request = ReadHybridSearch(pieces);
    ASSERT_TRUE(request.has_value()) << request.error().message();
    const service::HybridSearchCall& call = request->call;
    EXPECT_EQ(call.collection, "books");
    EXPECT_EQ(call.output_fields, std::vector<std::string>{"price"});
    EXPECT_EQ(call.rank_params, (model::KeyValues{{"limit", "3"}}));
    EXPECT_TRUE(call.consistency.use_default);
    EXPECT_EQ(call.consistency.guarantee, 7U);
    ASSERT_EQ(call.searches.size(), 2U);
    EXPECT_EQ(call.searches[1].nq, 2);
    EXPECT_EQ(call.searches[1].filter, "price > {low}");
    ASSERT_TRUE(call.function_score.has_value());
    ASSERT_EQ(call.function_score->functions.size(), 1U);
    EXPECT_EQ(call.function_score->functions[0].input_fields, std::vector<std::string>{"price"});
    EXPECT_EQ(call.function_score->functions[0].params, (model::KeyValues{{"reranker", "decay"}}));
  }
}

TEST(HybridSearchRequest, RefusesEveryPrefixThatProtobufRefuses) {
  const std::string bytes = SampleHybrid().SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string_view prefix = std::string_view(bytes).substr(0, size);
    pb::milvus::HybridSearchRequest reference;
    auto pieces = Cut(prefix, 6);
    auto request = ReadHybridSearch(pieces);
    if (!reference.ParseFromArray(prefix.data(), static_cast<int>(size))) {
      EXPECT_FALSE(request.has_value()) << size;
    }
  }
}

TEST(QueryAndDelete, ReadWhatProtobufWrote) {
  pb::milvus::QueryRequest query;
  query.set_collection_name("books");
  query.set_expr("id in [1]");
  query.add_output_fields("id");
  query.set_consistency_level(pb::common::ConsistencyLevel::Bounded);
  query.set_guarantee_timestamp(2);
  query.set_travel_timestamp(450);
  std::string bytes = query.SerializeAsString();
  auto read = ReadQuery(Cut(bytes, 4));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->call.consistency.travel, 450U);
  query.set_travel_timestamp(~uint64_t{0});
  bytes = query.SerializeAsString();
  EXPECT_EQ(ReadQuery(Cut(bytes, 4))->call.consistency.travel, 0U) << "now, as old clients say it";
  EXPECT_EQ(read->call.filter, "id in [1]");
  EXPECT_FALSE(read->call.consistency.use_default);
  EXPECT_EQ(read->call.consistency.level, model::ConsistencyLevel::kBounded);

  pb::milvus::DeleteRequest deletion;
  deletion.set_collection_name("books");
  deletion.set_partition_name("p");
  deletion.set_expr("id in [1]");
  bytes = deletion.SerializeAsString();
  auto removed = ReadDelete(Cut(bytes, 4));
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(removed->call.partition, "p");
  EXPECT_EQ(removed->call.filter, "id in [1]");
}

}  // namespace
}  // namespace elanus::gateway
