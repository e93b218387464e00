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
