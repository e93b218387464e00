#include "proxy/json_index.h"

#include <gtest/gtest.h>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using Path = std::vector<std::string>;

service::CreateIndex On(const std::string& field, const std::string& path) {
  return {.field = field, .params = {{"json_path", path}}};
}

TEST(JsonIndex, PlacesAPathInItsFieldAndNamesIt) {
  const auto json = Field(3, "j", DataType::kJson);
  auto request = On("j", "j['a'][0][\"b\"]");
  ASSERT_TRUE(PlaceJsonIndex(json, request).ok());
  EXPECT_EQ(request.field, "j");
  EXPECT_EQ(request.json_path, (Path{"a", "0", "b"}));
  EXPECT_EQ(request.index_name, "j/a/0/b");
  request = On("j", "j");
  ASSERT_TRUE(PlaceJsonIndex(json, request).ok());
  EXPECT_EQ(request.json_path, Path{});
  EXPECT_EQ(request.index_name, "j");
  request = {.field = "j", .index_name = "mine"};
  ASSERT_TRUE(PlaceJsonIndex(json, request).ok());
  EXPECT_EQ(request.index_name, "mine");
  EXPECT_EQ(*model::FindValue(request.params, "json_path"), "j");
}

TEST(JsonIndex, PlacesAKeyOfTheDynamicField) {
  auto meta = Field(4, "$meta", DataType::kJson);
  meta.is_dynamic = true;
  auto request = On("k", "k['a']");
  ASSERT_TRUE(PlaceJsonIndex(meta, request).ok());
  EXPECT_EQ(request.field, "$meta");
  EXPECT_EQ(request.json_path, (Path{"k", "a"}));
  EXPECT_EQ(request.index_name, "$meta/k/a");
  request = On("k", "$meta['k']['a']");
  ASSERT_TRUE(PlaceJsonIndex(meta, request).ok());
  EXPECT_EQ(request.json_path, (Path{"k", "a"}));
  request = {.field = "k"};
  ASSERT_TRUE(PlaceJsonIndex(meta, request).ok());
  EXPECT_EQ(request.index_name, "$meta/k");
}

TEST(JsonIndex, RefusesWhatIsNoPath) {
  const auto json = Field(3, "j", DataType::kJson);
  const std::pair<std::string, std::string> cases[] = {
      {"1", "cannot parse identifier: 1"},
      {"1.0", "cannot parse identifier: 1.0"},
      {"/", "mismatched input '/'"},
      {"", "mismatched input ''"},
      {"j['a'] + 1", "cannot parse identifier: j['a'] + 1"},
      {"j['']", "invalid identifier"},
      {"other['a']", "it does not belong to field j"},
  };
  for (const auto& [path, text] : cases) {
    auto request = On("j", path);
    ExpectError(PlaceJsonIndex(json, request), Code::kInvalidParameter, text);
  }
}

TEST(JsonIndex, RefusesCastsThatTheIndexCannotHold) {
  EXPECT_TRUE(CheckJsonCast("INVERTED", {{"json_cast_type", "JSON"}}).ok());
  EXPECT_TRUE(CheckJsonCast("AUTOINDEX", {{"json_cast_type", "array_double"}}).ok());
  EXPECT_TRUE(CheckJsonCast("STL_SORT", {{"json_cast_type", "double"}}).ok());
  EXPECT_TRUE(CheckJsonCast("INVERTED", {{"json_cast_type", "DOUBLE"},
                                         {"json_cast_function", "STRING_TO_DOUBLE"}})
                  .ok());
  ExpectError(CheckJsonCast("INVERTED", {}), Code::kMissingParameter,
              "json index must specify cast type: missing parameter[missing_param=json_cast_type]");
  ExpectError(CheckJsonCast("NGRAM", {}), Code::kMissingParameter,
              "JSON field with ngram index must specify json_cast_type: missing parameter");
  ExpectError(CheckJsonCast("NGRAM", {{"json_cast_type", "double"}}), Code::kInvalidParameter,
              "JSON field with ngram index only supports VARCHAR cast type, got: DOUBLE");
  ExpectError(CheckJsonCast("INVERTED", {{"json_cast_type", "INT8"}}), Code::kInvalidParameter,
              "json_cast_type INT8 is not supported");
  ExpectError(CheckJsonCast("BITMAP", {{"json_cast_type", "DOUBLE"}}), Code::kInvalidParameter,
              "json_cast_type DOUBLE is not supported for index BITMAP");
  ExpectError(CheckJsonCast("INVERTED", {{"json_cast_type", "VARCHAR"},
                                         {"json_cast_function", "STRING_TO_DOUBLE"}}),
              Code::kInvalidParameter, "json_cast_function STRING_TO_DOUBLE is not supported");
}

}  // namespace
}  // namespace elanus::proxy
