// REST v2 without a network: request in, reply out.
#include "gateway/rest_api.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <future>

#include "gateway/fake_frontend.h"
#include "gateway/json_writer.h"

namespace elanus::gateway {
namespace {

struct RestTest : testing::Test {
  FakeFrontend frontend;
  MetricRegistry metrics;
  Gateway gateway{
      {}, Services{.catalog = &frontend, .data = &frontend, .version = "2.6.6-test"}, metrics};

  HttpReply Send(std::string path, std::string body,
                 std::vector<std::pair<std::string, std::string>> headers = {}) {
    std::promise<HttpReply> reply;
    HandleRest(gateway,
               {.method = "POST",
                .path = "/v2/vectordb/" + std::move(path),
                .headers = std::move(headers),
                .body = std::move(body)},
               [&](HttpReply answer) { reply.set_value(std::move(answer)); });
    return reply.get_future().get();
  }
  std::string Post(std::string path, std::string body) {
    return Send(std::move(path), std::move(body)).body;
  }
  int64_t CodeOf(std::string path, std::string body) {
    simdjson::dom::parser parser;
    simdjson::padded_string text(Post(std::move(path), std::move(body)));
    return parser.parse(text)["code"].get_int64().value();
  }
  void MakeBooks() {
    ASSERT_EQ(
        Post("collections/create", R"({"collectionName":"books","dimension":2,"metricType":"L2"})"),
        R"({"code":0,"data":{}})");
    ASSERT_EQ(Post("entities/insert", R"({"collectionName":"books","data":[
                       {"id":1,"vector":[0.5,1],"color":"red","n":{"a":[1,2]}},
                       {"id":"9007199254740993","vector":[2,3]}]})"),
              R"({"code":0,"data":{"insertCount":2,"insertIds":[1,9007199254740993]}})");
  }
};

TEST_F(RestTest, CreatesListsDescribesAndDropsACollection) {
  MakeBooks();
  EXPECT_EQ(Post("collections/list", "{}"), R"({"code":0,"data":["books"]})");
  EXPECT_EQ(Post("collections/has", R"({"collectionName":"books"})"),
            R"({"code":0,"data":{"has":true}})");
  const std::string about = Post("collections/describe", R"({"collectionName":"books"})");
  for (std::string_view part :
       {R"("collectionName":"books")", R"("name":"id")", R"("type":"FloatVector")",
        R"("params":[{"key":"dim","value":"2"}])", R"("load":"LoadStateLoaded")",
        R"("indexes":[{"fieldName":"vector","indexName":"vector","metricType":"L2"}])",
        R"("enableDynamicField":true)", R"("consistencyLevel":"Bounded")"}) {
    EXPECT_NE(about.find(part), std::string::npos) << part << " in " << about;
  }
  EXPECT_EQ(about.find("$meta"), std::string::npos);
  EXPECT_EQ(Post("collections/drop", R"({"collectionName":"books"})"), R"({"code":0,"data":{}})");
  EXPECT_EQ(Post("collections/list", "{}"), R"({"code":0,"data":[]})");
}

TEST_F(RestTest, WritesAndReadsRowsWithDynamicKeys) {
  MakeBooks();
  EXPECT_EQ(Post("entities/query", R"({"collectionName":"books","filter":"id > 0"})"),
            R"({"code":0,"data":[)"
            R"({"id":1,"vector":[0.5,1],"color":"red","n":{"a":[1,2]}},)"
            R"({"id":9007199254740993,"vector":[2,3]}]})");
  EXPECT_EQ(frontend.last_query.filter, "id > 0");
  EXPECT_EQ(frontend.last_query.output_fields, std::vector<std::string>{"*"});
  EXPECT_EQ(*model::FindValue(frontend.last_query.params, "limit"), "100");
}

TEST_F(RestTest, TellsHowFarALoadIs) {
  MakeBooks();
  const std::string body = R"({"collectionName":"books"})";
  EXPECT_EQ(Post("collections/get_load_state", body),
            R"({"code":0,"data":{"loadState":"LoadStateLoaded","loadProgress":100}})");
  frontend.load_status = {.state = service::LoadState::kLoading,
                          .progress = 40,
                          .refresh_progress = 40,
                          .fault = {Code::kDataIntegrity, "a file is damaged"}};
  EXPECT_EQ(Post("collections/get_load_state", body),
            R"({"code":0,"data":{"loadState":"LoadStateLoading","loadProgress":40,)"
            R"("message":"a file is damaged"}})");
  EXPECT_NE(Post("collections/describe", body).find(R"("load":"LoadStateLoading")"),
            std::string::npos);
}

TEST_F(RestTest, GivesInt64AsTextWhenAsked) {
  MakeBooks();
  const HttpReply reply = Send("entities/query", R"({"collectionName":"books","filter":"id > 0"})",
                               {{"accept-type-allow-int64", "false"}});
  EXPECT_NE(reply.body.find(R"("id":"9007199254740993")"), std::string::npos);
}

TEST_F(RestTest, SearchesWithMergedParameters) {
  MakeBooks();
  const std::string reply = Post("entities/search", R"({"collectionName":"books",
      "data":[[1,2],[3,4]],"annsField":"vector","limit":3,"filter":"id > 0",
      "consistencyLevel":"Strong",
      "searchParams":{"metricType":"L2","ef":10,"params":{"radius":0.5}}})");
  EXPECT_EQ(reply, R"({"code":0,"cost":0,"data":[{"id":1,"distance":0},)"
                   R"({"id":9007199254740993,"distance":1},{"id":1,"distance":0},)"
                   R"({"id":9007199254740993,"distance":1}],"topks":[2,2]})");
  const service::SearchCall& call = frontend.last_search;
  EXPECT_EQ(call.nq, 2);
  EXPECT_EQ(call.vectors.size(), 4 * sizeof(float));
  EXPECT_EQ(*model::FindValue(call.params, "topk"), "3");
  EXPECT_EQ(*model::FindValue(call.params, "metric_type"), "L2");
  EXPECT_EQ(*model::FindValue(call.params, "params"), R"({"radius":0.5,"ef":10})");
  EXPECT_FALSE(call.consistency.use_default);
  EXPECT_EQ(CodeOf("entities/search", R"({"collectionName":"books","data":[[1,2]],
      "searchParams":{"ef":10,"params":{"ef":11}}})"),
            1100);
}

TEST_F(RestTest, GetsByKeysWithoutQuotingThem) {
  MakeBooks();
  Post("entities/get", R"({"collectionName":"books","id":[4,"2"],"outputFields":["id"]})");
  EXPECT_EQ(frontend.last_query.filter, "id in {ids}");
  EXPECT_EQ(frontend.last_query.templates.values.at("ids"),
            (expr::Value{std::vector{expr::Value{int64_t{4}}, expr::Value{int64_t{2}}}}));
  EXPECT_EQ(CodeOf("entities/get", R"({"collectionName":"books","id":1.5})"), 1806);
}

TEST_F(RestTest, DeletesByFilter) {
  MakeBooks();
  EXPECT_EQ(Post("entities/delete", R"({"collectionName":"books","filter":"id in [1]"})"),
            R"({"code":0,"data":{"deleteCount":1}})");
  EXPECT_EQ(frontend.last_delete.filter, "id in [1]");
}

TEST_F(RestTest, CountsWithoutALimit) {
  MakeBooks();
  Post("entities/query", R"x({"collectionName":"books","outputFields":["count(*)"]})x");
  EXPECT_EQ(model::FindValue(frontend.last_query.params, "limit"), nullptr);
}

TEST_F(RestTest, AnswersMilvusCodesForWhatIsWrong) {
  MakeBooks();
  EXPECT_EQ(CodeOf("collections/describe", R"({"collectionName":"none"})"), 100);
  EXPECT_EQ(CodeOf("collections/describe", "{}"), 1802);
  EXPECT_EQ(CodeOf("collections/list", R"({"dbName":"nowhere"})"), 800);
  for (std::string body : {"", "{", "[1, 2", "\xff\xfe", "\"text\"", "[]"}) {
    EXPECT_EQ(CodeOf("collections/list", body), 1801) << body;
  }
  EXPECT_EQ(CodeOf("collections/list", std::string(5000, '{')), 1801);
  EXPECT_EQ(CodeOf("collections/create", R"({"collectionName":"x"})"), 1100);
  EXPECT_EQ(CodeOf("collections/describe", R"({"collectionName":5})"), 1801);
}

TEST_F(RestTest, RefusesRowsThatDoNotFit) {
  MakeBooks();
  for (std::string row : {R"({"id":1,"vector":[1]})", R"({"id":1,"vector":["x",1]})", R"({"id":1})",
                          R"({"id":"x","vector":[1,2]})", R"({"vector":[1,2]})",
                          R"({"id":1,"vector":[1,2],"$meta":{}})", R"(5)",
                          R"({"id":1,"id":2,"vector":[1,2]})", R"({"id":null,"vector":[1,2]})"}) {
    EXPECT_EQ(CodeOf("entities/insert", R"({"collectionName":"books","data":[)" + row + "]}"), 1804)
        << row;
  }
}

TEST_F(RestTest, CreatesFromASchema) {
  EXPECT_EQ(Post("collections/create", R"({"collectionName":"full","schema":{"fields":[
      {"fieldName":"pk","dataType":"VarChar","isPrimary":true,"elementTypeParams":{"max_length":10}},
      {"fieldName":"v","dataType":"FloatVector","elementTypeParams":{"dim":"4"}},
      {"fieldName":"i","dataType":"Int16","nullable":true}]}})"),
            R"({"code":0,"data":{}})");
  const std::string about = Post("collections/describe", R"({"collectionName":"full"})");
  EXPECT_NE(about.find(R"("load":"LoadStateNotLoad")"), std::string::npos) << about;
  EXPECT_NE(about.find(R"([{"key":"max_length","value":"10"}])"), std::string::npos) << about;
  EXPECT_EQ(Post("entities/insert", R"({"collectionName":"full","data":[
      {"pk":"a\"\n","v":[1,2,3,4],"i":-3},{"pk":"b","v":[1,2,3,4],"i":null}]})"),
            R"({"code":0,"data":{"insertCount":2,"insertIds":["a\"\n","b"]}})");
  const std::string rows = Post("entities/query", R"({"collectionName":"full","filter":"x"})");
  EXPECT_NE(rows.find(R"({"pk":"a\"\n","v":[1,2,3,4],"i":-3})"), std::string::npos) << rows;
  EXPECT_NE(rows.find(R"("i":null)"), std::string::npos) << rows;
  EXPECT_EQ(CodeOf("collections/create", R"({"collectionName":"bad","schema":{"fields":[
      {"fieldName":"pk","dataType":"int64"}]}})"),
            1100);
}

/// A key, a vector and a nullable struct array of an integer, a text and a vector.
constexpr const char* kClips = R"({"collectionName":"clips","schema":{"fields":[
    {"fieldName":"id","dataType":"Int64","isPrimary":true},
    {"fieldName":"v","dataType":"FloatVector","elementTypeParams":{"dim":"2"}},
    {"fieldName":"tags","dataType":"Array","elementDataType":"Int64","nullable":true,
     "elementTypeParams":{"max_capacity":"4"}}],
  "structFields":[{"fieldName":"parts","nullable":true,"typeParams":{"max_capacity":"8"},"fields":[
    {"fieldName":"n","dataType":"Array","elementDataType":"Int16"},
    {"fieldName":"t","dataType":"Array","elementDataType":"VarChar",
     "elementTypeParams":{"max_length":"9"}},
    {"fieldName":"e","dataType":"ArrayOfVector","elementDataType":"FloatVector",
     "elementTypeParams":{"dim":"2"}}]}]}})";

TEST_F(RestTest, CreatesAndDescribesStructs) {
  ASSERT_EQ(Post("collections/create", kClips), R"({"code":0,"data":{}})");
  const auto& schema = std::get<service::CreateCollection>(frontend.last_change).schema;
  ASSERT_NE(schema.FindStruct("parts"), nullptr);
  EXPECT_TRUE(schema.FindStruct("parts")->nullable);
  const model::FieldSchema& e = *schema.FindField("parts[e]");
  EXPECT_EQ(e.type, model::DataType::kArrayOfVector);
  EXPECT_EQ(e.element_type, model::DataType::kFloatVector);
  EXPECT_EQ(e.struct_name, "parts");
  EXPECT_TRUE(e.nullable);
  EXPECT_EQ(e.max_capacity(), 8);
  EXPECT_EQ(schema.FindField("tags")->element_type, model::DataType::kInt64);
  const std::string about = Post("collections/describe", R"({"collectionName":"clips"})");
  for (std::string_view part :
       {R"("structFields":[{"name":"parts")", R"("name":"e")", R"("type":"ArrayOfVector")",
        R"("elementType":"FloatVector")", R"({"key":"max_capacity","value":"8"})"}) {
    EXPECT_NE(about.find(part), std::string::npos) << part << " in " << about;
  }
  EXPECT_EQ(about.find("parts[e]"), std::string::npos) << about;
}

TEST_F(RestTest, WritesAndReadsStructs) {
  ASSERT_EQ(Post("collections/create", kClips), R"({"code":0,"data":{}})");
  ASSERT_EQ(Post("entities/insert", R"({"collectionName":"clips","data":[
      {"id":1,"v":[0,1],"parts":[{"n":-3,"t":"a","e":[0.5,1]},{"t":"b","e":[2,3],"n":4}]},
      {"id":2,"v":[0,1],"tags":[7],"parts":[]},{"id":3,"v":[0,1],"parts":null},{"id":4,"v":[1,1]}]})"),
            R"({"code":0,"data":{"insertCount":4,"insertIds":[1,2,3,4]}})");
  EXPECT_EQ(Post("entities/query", R"({"collectionName":"clips","filter":"id > 0"})"),
            R"({"code":0,"data":[)"
            R"({"id":1,"v":[0,1],"tags":null,"parts":[{"n":-3,"t":"a","e":[0.5,1]},)"
            R"({"n":4,"t":"b","e":[2,3]}]},)"
            R"({"id":2,"v":[0,1],"tags":[7],"parts":[]},)"
            R"({"id":3,"v":[0,1],"tags":null,"parts":null},)"
            R"({"id":4,"v":[1,1],"tags":null,"parts":null}]})");
}

TEST_F(RestTest, RefusesStructsThatDoNotFit) {
  ASSERT_EQ(Post("collections/create", kClips), R"({"code":0,"data":{}})");
  for (std::string parts :
       {"5", "[5]", R"({"n":1,"t":"a","e":[0,1]})", R"([{"n":1,"t":"a"}])",
        R"([{"n":1,"t":"a","e":[0,1],"x":1}])", R"([{"n":1,"t":"a","e":[0]}])",
        R"([{"n":70000,"t":"a","e":[0,1]}])", R"([{"n":null,"t":"a","e":[0,1]}])",
        R"([{"n":1,"t":2,"e":[0,1]}])", R"([],"parts":[])", R"([],"parts[n]":[1])"}) {
    EXPECT_EQ(
        CodeOf("entities/insert",
               R"({"collectionName":"clips","data":[{"id":1,"v":[1,2],"parts":)" + parts + "}]}"),
        1804)
        << parts;
  }
}

TEST_F(RestTest, PartialUpdatesCarryWhatRowsHave) {
  ASSERT_EQ(Post("collections/create", kClips), R"({"code":0,"data":{}})");
  ASSERT_EQ(Post("entities/upsert", R"({"collectionName":"clips","partialUpdate":true,"data":[
      {"id":1,"tags":[5,6]},{"id":2,"tags":null}],
      "fieldOps":[{"fieldName":"tags","op":"ARRAY_APPEND"}]})"),
            R"({"code":0,"data":{"upsertCount":2,"upsertIds":[1,2]}})");
  EXPECT_TRUE(frontend.last_mutation.partial_update);
  ASSERT_EQ(frontend.last_mutation.field_ops.size(), 1u);
  EXPECT_EQ(frontend.last_mutation.field_ops[0].field, "tags");
  EXPECT_EQ(frontend.last_mutation.field_ops[0].kind, service::FieldOpKind::kArrayAppend);
  EXPECT_EQ(Post("entities/query", R"({"collectionName":"clips","filter":"id > 0"})"),
            R"({"code":0,"data":[{"id":1,"tags":[5,6]},{"id":2,"tags":null}]})");
  EXPECT_EQ(CodeOf("entities/upsert", R"({"collectionName":"clips","partialUpdate":true,"data":[
      {"id":1,"tags":[5]},{"id":2}]})"),
            1804)
      << "in some rows only";
  EXPECT_EQ(CodeOf("entities/upsert", R"({"collectionName":"clips","data":[{"id":1,"tags":[5]}]})"),
            1804)
      << "a whole row lacks its vector";
  EXPECT_EQ(CodeOf("entities/upsert", R"({"collectionName":"clips","data":[{"id":1,"tags":[5]}],
      "fieldOps":[{"fieldName":"tags","op":"SHUFFLE"}]})"),
            1100);
}

TEST_F(RestTest, SearchesByListsOfVectors) {
  ASSERT_EQ(Post("collections/create", kClips), R"({"code":0,"data":{}})");
  Post("entities/search", R"({"collectionName":"clips","annsField":"parts[e]",
      "data":[[[1,2],[3,4]],[[5,6]]],"limit":3})");
  EXPECT_EQ(frontend.last_search.nq, 2);
  EXPECT_EQ(static_cast<int>(frontend.last_search.vector_type), 301);
  EXPECT_EQ(frontend.last_search.vector_offsets, (std::vector<uint64_t>{0, 16, 24}));
  EXPECT_EQ(frontend.last_search.vectors.size(), 24u);
  for (std::string data : {"[[[1,2],[3]]]", "[[[1,2],3]]", "[[1,2],[[3,4]]]", "[[[1,2]],[3,4]]"}) {
    EXPECT_EQ(CodeOf("entities/search",
                     R"({"collectionName":"clips","annsField":"parts[e]","data":)" + data + "}"),
              1801)
        << data;
  }
}

TEST_F(RestTest, AddsFieldsAndStructs) {
  ASSERT_EQ(Post("collections/create", kClips), R"({"code":0,"data":{}})");
  EXPECT_EQ(Post("collections/fields/add", R"({"collectionName":"clips","schema":
      {"fieldName":"more","dataType":"VarChar","nullable":true,
       "elementTypeParams":{"max_length":"5"}}})"),
            R"({"code":0,"data":{}})");
  const auto field = std::get<service::AddField>(frontend.last_change).field;
  EXPECT_EQ(field.name, "more");
  EXPECT_EQ(field.max_length(), 5);
  EXPECT_EQ(Post("collections/struct_fields/add", R"({"collectionName":"clips","schema":
      {"fieldName":"extra","dataType":"Array","elementDataType":"Struct","nullable":true,
       "typeParams":{"max_capacity":"3"},
       "fields":[{"fieldName":"k","dataType":"Array","elementDataType":"Int64"}]}})"),
            R"({"code":0,"data":{}})");
  const auto added = std::get<service::AddStructField>(frontend.last_change);
  EXPECT_EQ(added.collection, "clips");
  EXPECT_TRUE(added.field.nullable);
  ASSERT_EQ(added.members.size(), 1u);
  EXPECT_EQ(added.members[0].name, "extra[k]");
  EXPECT_EQ(added.members[0].max_capacity(), 3);
  EXPECT_TRUE(added.members[0].nullable);
}

TEST_F(RestTest, Answers408WhenTheTimeIsUp) {
  MakeBooks();
  frontend.on_read = [](const service::CallContext& call) {
    while (!call.cancel.Stopped()) std::this_thread::yield();
  };
  // The fake answers after the deadline; what counts is a call that was over before it began.
  const HttpReply reply = Send("entities/query", R"({"collectionName":"books","filter":"id > 0"})",
                               {{"Request-Timeout", "0"}});
  EXPECT_EQ(reply.status, 408);
  EXPECT_EQ(reply.body, R"({"code":10001,"message":"request timeout"})");
  EXPECT_NE(Send("collections/list", "{}", {{"Request-Timeout", "soon"}}).body.find("1100"),
            std::string::npos);
}

TEST_F(RestTest, AnswersPreflightAndHealth) {
  std::promise<HttpReply> reply;
  HandleRest(gateway, {.method = "OPTIONS", .path = "/v2/vectordb/collections/list"},
             [&](HttpReply answer) { reply.set_value(std::move(answer)); });
  const HttpReply answer = reply.get_future().get();
  EXPECT_EQ(answer.status, 204);
  EXPECT_FALSE(answer.headers.empty());
}

TEST(JsonWriter, EscapesTextAndPlacesCommas) {
  JsonWriter json;
  json.BeginObject().Key("a").Text("x\"\\\n\x01ü").Key("b").BeginArray().Int(-1).Real(0.1f).Null();
  json.EndArray().Key("c").BeginObject().EndObject().EndObject();
  EXPECT_EQ(json.Take(), "{\"a\":\"x\\\"\\\\\\n\\u0001ü\",\"b\":[-1,0.1,null],\"c\":{}}");
}

}  // namespace
}  // namespace elanus::gateway
