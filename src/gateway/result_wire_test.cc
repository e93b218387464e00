// Replies and schemas: what our writers write, protobuf reads.
#include <gtest/gtest.h>

#include "gateway/column_wire.h"
#include "gateway/result_wire.h"
#include "gateway/schema_wire.h"
#include "gateway/status_wire.h"
#include "milvus.pb.h"
#include "model/array_value.h"

namespace elanus::gateway {
namespace {

namespace pb = milvus::proto;
using model::DataType;

TEST(QueryResults, PutTheMembersOfAStructArrayTogether) {
  service::QueryResult result;
  auto member = [&](const std::string& name, model::Column column, model::DataType element) {
    result.columns.push_back({.name = name,
                              .nullable = true,
                              .element_type = element,
                              .struct_name = "clips",
                              .column = std::move(column)});
  };
  model::Column lists = model::MakeColumn(FieldId{104}, model::DataType::kArrayOfVector, 2);
  const float values[] = {1, 2, 3, 4};
  lists.AppendValue({reinterpret_cast<const char*>(values), sizeof(values)});
  lists.AppendNull();
  model::Column arrays = model::MakeColumn(FieldId{103}, model::DataType::kArray);
  model::ArrayBuilder builder(model::DataType::kVarChar);
  builder.Append("a");
  builder.Append("b");
  arrays.AppendValue(builder.Take());
  arrays.AppendNull();
  member("emb", std::move(lists), model::DataType::kFloatVector);
  model::Column id = model::MakeColumn(FieldId{100}, model::DataType::kInt64);
  for (int64_t key : {1, 2}) id.Append(key);
  result.columns.push_back({.name = "id", .column = std::move(id)});
  member("name", std::move(arrays), model::DataType::kVarChar);
  result.elements = {{{0, 1}, {}}};
  pb::milvus::QueryResults read;
  ASSERT_TRUE(read.ParseFromString(WriteQueryResults(result)));
  ASSERT_EQ(read.fields_data_size(), 2);
  const auto& clips = read.fields_data(0);
  EXPECT_EQ(clips.type(), pb::schema::DataType::ArrayOfStruct);
  EXPECT_EQ(clips.field_name(), "clips");
  ASSERT_EQ(clips.struct_arrays().fields_size(), 2);
  const auto& emb = clips.struct_arrays().fields(0);
  EXPECT_EQ(emb.field_name(), "emb");
  const auto& vectors = emb.vectors().vector_array();
  EXPECT_EQ(vectors.element_type(), pb::schema::DataType::FloatVector);
  ASSERT_EQ(vectors.data_size(), 2) << "a row each, null or not";
  EXPECT_EQ(vectors.data(0).float_vector().data_size(), 4);
  EXPECT_FALSE(emb.valid_data(1));
  EXPECT_EQ(clips.struct_arrays().fields(1).scalars().array_data().data(0).string_data().data(1),
            "b");
  EXPECT_EQ(read.fields_data(1).field_name(), "id");
  ASSERT_EQ(read.element_indices_size(), 2);
  EXPECT_EQ(read.element_indices(0).indices().data_size(), 2);
  EXPECT_EQ(read.element_indices(1).indices().data_size(), 0);
}

TEST(StatusReply, IsTextWhateverTheMessageQuotes) {
  const std::string bytes = StatusReply(InvalidParameter("bad name: \xE4\xB8 and \xFF"), 1);
  pb::milvus::SearchResults reply;
  ASSERT_TRUE(reply.ParseFromString(bytes));
  EXPECT_EQ(reply.status().reason(),
            "bad name: \xEF\xBF\xBD\xEF\xBF\xBD and \xEF\xBF\xBD: invalid parameter");
}

model::Column Column(FieldId field, DataType type, int64_t dim,
                     std::initializer_list<std::string_view> values) {
  model::Column column = model::MakeColumn(field, type, dim);
  for (std::string_view value : values) column.AppendValue(value);
  return column;
}

service::CollectionPtr Books() {
  auto info = std::make_shared<model::CollectionInfo>();
  info->name = "books";
  info->schema.fields.push_back(
      {.id = FieldId{100}, .name = "id", .type = DataType::kInt64, .is_primary = true});
  return info;
}

TEST(SearchResults, AreReadByProtobuf) {
  service::SearchResult result{.collection = Books(), .counts = {2, 0}};
  result.keys.ints = {7, -9};
  result.scores = {0.25f, 0.5f};
  result.output_fields = {"title"};
  result.session_ts = 99;
  service::OutputColumn title{.name = "title",
                              .nullable = true,
                              .column = Column(FieldId{101}, DataType::kVarChar, 0, {"a"})};
  title.column.AppendNull();
  result.columns.push_back(std::move(title));
  pb::milvus::SearchResults read;
  ASSERT_TRUE(read.ParseFromString(WriteSearchResults(result)));
  EXPECT_TRUE(read.has_status());
  const auto& data = read.results();
  EXPECT_EQ(data.num_queries(), 2);
  EXPECT_EQ(data.top_k(), 2);
  ASSERT_EQ(data.topks_size(), 2);
  EXPECT_EQ(data.topks(1), 0);
  EXPECT_EQ(data.ids().int_id().data(1), -9);
  EXPECT_EQ(data.scores(1), 0.5f);
  EXPECT_EQ(data.primary_field_name(), "id");
  EXPECT_EQ(data.output_fields(0), "title");
  const auto& column = data.fields_data(0);
  EXPECT_EQ(column.field_name(), "title");
  EXPECT_EQ(column.field_id(), 101);
  EXPECT_EQ(column.scalars().string_data().data_size(), 2);
  ASSERT_EQ(column.valid_data_size(), 2);
  EXPECT_FALSE(column.valid_data(1));
  EXPECT_EQ(read.collection_name(), "books");
  EXPECT_EQ(read.session_ts(), 99u);
}

TEST(SearchResults, CarryBuckets) {
  service::SearchResult result{.counts = {0, 0}};
  service::Bucket inner{.key = {{FieldId{102}, "color", {}}}, .count = 1};
  service::Bucket outer{.key = {{FieldId{101}, "brand", std::string("x")}},
                        .count = 2,
                        .metrics = {{"n", int64_t{0}}, {"avg", 1.5}, {"none", {}}},
                        .hits = {{int64_t{0}, 0.5F, {{FieldId{103}, "p", int64_t{-1}}}},
                                 {std::string("k"), 0, {{FieldId{104}, "f", 2.5F}}}},
                        .buckets = {inner}};
  result.buckets = {outer, inner};
  result.bucket_counts = {2, 0};
  pb::milvus::SearchResults read;
  ASSERT_TRUE(read.ParseFromString(WriteSearchResults(result)));
  const auto& data = read.results();
  ASSERT_EQ(data.agg_buckets_size(), 2);
  EXPECT_EQ(data.agg_topks(0), 2);
  EXPECT_EQ(data.agg_topks(1), 0);
  const auto& bucket = data.agg_buckets(0);
  EXPECT_EQ(bucket.key(0).field_id(), 101);
  EXPECT_EQ(bucket.key(0).string_val(), "x");
  EXPECT_EQ(bucket.count(), 2);
  EXPECT_EQ(bucket.metrics().at("avg").double_val(), 1.5);
  EXPECT_TRUE(bucket.metrics().at("n").has_int_val()) << "a zero is there all the same";
  EXPECT_EQ(bucket.metrics().at("none").value_case(), pb::schema::MetricValue::VALUE_NOT_SET);
  EXPECT_TRUE(bucket.hits(0).has_int_pk());
  EXPECT_EQ(bucket.hits(0).fields(0).int_val(), -1);
  EXPECT_EQ(bucket.hits(1).str_pk(), "k");
  EXPECT_EQ(bucket.hits(1).fields(0).float_val(), 2.5F);
  EXPECT_EQ(bucket.sub_groups(0).key(0).value_case(), pb::schema::BucketKeyEntry::VALUE_NOT_SET);
}

TEST(SearchResults, WithoutHitsStillHaveTheirZeros) {
  service::SearchResult result{.collection = Books(), .counts = {0, 0, 0}};
  pb::milvus::SearchResults read;
  ASSERT_TRUE(read.ParseFromString(WriteSearchResults(result)));
  EXPECT_EQ(read.results().num_queries(), 3);
  EXPECT_EQ(read.results().topks_size(), 3);
}

TEST(QueryResults, CarryEveryTypeAsProtobufReadsIt) {
  service::QueryResult result{.collection = Books()};
  auto add = [&](const std::string& name, model::Column column, bool nullable = false) {
    result.columns.push_back({.name = name, .nullable = nullable, .column = std::move(column)});
  };
  model::Column small = model::MakeColumn(FieldId{1}, DataType::kInt16);
  small.Append<int16_t>(-5);
  small.Append<int16_t>(300);
  add("small", std::move(small));
  model::Column flag = model::MakeColumn(FieldId{2}, DataType::kBool);
  flag.Append<uint8_t>(1);
  flag.Append<uint8_t>(0);
  add("flag", std::move(flag));
  model::Column price = model::MakeColumn(FieldId{3}, DataType::kDouble);
  price.Append(0.5);
  price.AppendNull();
  add("price", std::move(price), true);
  model::Column vector = model::MakeColumn(FieldId{4}, DataType::kFloatVector, 2);
  const float values[] = {1, 2};
  vector.AppendNull();
  vector.AppendValue({reinterpret_cast<const char*>(values), sizeof(values)});
  add("vector", std::move(vector), true);
  add("meta", Column(FieldId{5}, DataType::kJson, 0, {"{}", "[]"}));
  model::ArrayBuilder array(DataType::kInt8);
  array.Append("\5");
  model::Column tags = model::MakeColumn(FieldId{6}, DataType::kArray);
  tags.AppendValue(array.Take());
  tags.AppendNull();
  add("tags", std::move(tags), true);
  result.columns.back().element_type = DataType::kInt8;
  add("sparse", Column(FieldId{7}, DataType::kSparseFloatVector, 0, {"", std::string(8, '\1')}));
  add("shape", Column(FieldId{8}, DataType::kVarChar, 0, {"POINT (1 2)", ""}));
  result.columns.back().told = DataType::kGeometry;
  pb::milvus::QueryResults read;
  ASSERT_TRUE(read.ParseFromString(WriteQueryResults(result)));
  ASSERT_EQ(read.fields_data_size(), 8);
  EXPECT_EQ(read.fields_data(5).scalars().array_data().element_type(), pb::schema::DataType::Int8);
  ASSERT_EQ(read.fields_data(5).scalars().array_data().data_size(), 2);
  EXPECT_EQ(read.fields_data(5).scalars().array_data().data(0).int_data().data(0), 5);
  ASSERT_EQ(read.fields_data(6).vectors().sparse_float_vector().contents_size(), 2);
  EXPECT_EQ(read.fields_data(6).vectors().dim(), 0x01010102);
  EXPECT_EQ(read.fields_data(7).type(), pb::schema::DataType::Geometry);
  EXPECT_EQ(read.fields_data(7).scalars().geometry_wkt_data().data(0), "POINT (1 2)");
  EXPECT_EQ(read.fields_data(0).scalars().int_data().data(0), -5);
  EXPECT_EQ(read.fields_data(0).type(), pb::schema::DataType::Int16);
  EXPECT_TRUE(read.fields_data(1).scalars().bool_data().data(0));
  EXPECT_EQ(read.fields_data(2).scalars().double_data().data_size(), 2);
  EXPECT_FALSE(read.fields_data(2).valid_data(1));
  EXPECT_EQ(read.fields_data(3).vectors().dim(), 2);
  ASSERT_EQ(read.fields_data(3).vectors().float_vector().data_size(), 2);
  EXPECT_EQ(read.fields_data(3).valid_data_size(), 2);
  EXPECT_EQ(read.fields_data(4).scalars().json_data().data(1), "[]");
  EXPECT_EQ(read.primary_field_name(), "id");
}

TEST(MutationResult, CountsUnderTheNameOfItsKind) {
  service::MutationReply reply{.count = 2, .timestamp = 5};
  reply.keys = {.is_string = true, .strings = {"a", "b"}};
  pb::milvus::MutationResult read;
  ASSERT_TRUE(read.ParseFromString(WriteMutationResult(reply, Mutation::kUpsert)));
  EXPECT_TRUE(read.has_status());
  EXPECT_EQ(read.upsert_cnt(), 2);
  EXPECT_EQ(read.insert_cnt(), 0);
  EXPECT_EQ(read.succ_index_size(), 2);
  EXPECT_EQ(read.ids().str_id().data(1), "b");
  ASSERT_TRUE(read.ParseFromString(WriteMutationResult(reply, Mutation::kDelete)));
  EXPECT_EQ(read.delete_cnt(), 2);
}

TEST(StatusReply, CarriesBothCodesTheTextAndTheFault) {
  const Status status(Code::kCollectionNotFound, "collection not found[database=default]");
  pb::common::Status read;
  ASSERT_TRUE(read.ParseFromString(StatusReply(status, kReplyIsStatus)));
  EXPECT_EQ(read.code(), 100);
  EXPECT_EQ(read.error_code(), pb::common::ErrorCode::CollectionNotExists);
  EXPECT_EQ(read.reason(), status.message());
  EXPECT_EQ(read.extra_info().at("is_input_error"), "true");
  EXPECT_FALSE(read.retriable());
  pb::milvus::BoolResponse wrapped;
  ASSERT_TRUE(wrapped.ParseFromString(StatusReply(Status::Ok(), 1)));
  EXPECT_TRUE(wrapped.has_status());
}

TEST(Schema, ComesBackAsItWentWithoutTheDynamicField) {
  pb::schema::CollectionSchema in;
  in.set_name("books");
  in.set_enable_dynamic_field(true);
  auto& id = *in.add_fields();
  id.set_name("id");
  id.set_data_type(pb::schema::DataType::Int64);
  id.set_is_primary_key(true);
  id.set_autoid(true);
  auto& price = *in.add_fields();
  price.set_name("price");
  price.set_data_type(pb::schema::DataType::Int16);
  price.set_nullable(true);
  price.mutable_default_value()->set_int_data(-3);
  auto& dim = *price.add_type_params();
  dim.set_key("dim");
  dim.set_value("8");
  auto schema = SchemaFromBytes(in.SerializeAsString());
  ASSERT_TRUE(schema.has_value());
  EXPECT_TRUE(schema->auto_id);
  ASSERT_EQ(schema->fields.size(), 2u) << "the dynamic field is the coordinator's to add";
  EXPECT_TRUE(schema->enable_dynamic_field);
  EXPECT_EQ(schema->fields[1].default_value, model::Scalar(int64_t{-3}));
  pb::schema::CollectionSchema out;
  SchemaToPb(*schema, out);
  ASSERT_EQ(out.fields_size(), 2);
  EXPECT_EQ(out.fields(1).default_value().int_data(), -3);
  EXPECT_EQ(out.fields(1).type_params(0).value(), "8");
  EXPECT_TRUE(out.enable_dynamic_field());
}

TEST(Schema, RefusesADefaultInTheFormOfAnotherType) {
  auto refused = [](pb::schema::DataType type, auto&& set) {
    pb::schema::FieldSchema in;
    in.set_name("f");
    in.set_data_type(type);
    set(*in.mutable_default_value());
    auto field = FieldFromBytes(in.SerializeAsString());
    return field.has_value() ? std::string() : field.error().message();
  };
  using pb::schema::DataType;
  EXPECT_EQ(refused(DataType::Int8, [](auto& v) { v.set_int_data(1); }), "");
  EXPECT_EQ(refused(DataType::Int64, [](auto& v) { v.set_long_data(1); }), "");
  EXPECT_EQ(refused(DataType::Float, [](auto& v) { v.set_float_data(1); }), "");
  EXPECT_EQ(refused(DataType::Int8, [](auto& v) { v.set_long_data(1); }),
            "type (Int8) of field (f) is not equal to the type(DataType_Int64) of default_value: "
            "invalid parameter");
  EXPECT_NE(refused(DataType::Int64, [](auto& v) { v.set_int_data(1); }), "");
  EXPECT_NE(refused(DataType::Float, [](auto& v) { v.set_double_data(1); }), "");
  EXPECT_NE(refused(DataType::Double, [](auto& v) { v.set_float_data(1); }), "");
}

TEST(Schema, RefusesFunctionsAndGarbage) {
  pb::schema::CollectionSchema in;
  in.add_functions();
  EXPECT_EQ(SchemaFromBytes(in.SerializeAsString()).error().code(), Code::kUnimplemented);
  EXPECT_EQ(SchemaFromBytes("\xff\xff").error().code(), Code::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::gateway
