#include "proxy/json.h"

#include <gtest/gtest.h>

namespace elanus::proxy {
namespace {

TEST(Json, KeepsTheTypesOfAnObjectsMembers) {
  JsonReader reader;
  auto object = reader.Object(R"({"i":-3,"r":2.0,"b":true,"n":null,"s":"aé","a":[1,{"x":2}]})");
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->at("i").integer, -3);
  EXPECT_EQ(object->at("r").kind, JsonValue::Kind::kReal);
  EXPECT_EQ(object->at("r").text, "2.0");
  EXPECT_TRUE(object->at("b").boolean);
  EXPECT_EQ(object->at("n").text, "null");
  EXPECT_EQ(object->at("s").text, "a\xc3\xa9");
  EXPECT_EQ(object->at("a").text, R"([1,{"x":2}])");
}

TEST(Json, RefusesWhatIsNotAnObjectAtEveryCut) {
  JsonReader reader;
  const std::string text = R"({"key":[1,2.5,"x"],"other":{"y":null}})";
  for (size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_FALSE(reader.Object(text.substr(0, cut)).has_value()) << cut;
    EXPECT_FALSE(reader.Check(text.substr(0, cut)).ok()) << cut;
  }
  EXPECT_TRUE(reader.Object(text).has_value());
  EXPECT_FALSE(reader.Object("[1]").has_value());
  EXPECT_TRUE(reader.Check("[1]").ok());
  EXPECT_FALSE(reader.Check(std::string(2'000, '[') + std::string(2'000, ']')).ok());
}

TEST(Json, TrimsAndMergesTheTopLevel) {
  JsonReader reader;
  const std::vector<std::string> wanted = {"b", "quote\"d"};
  EXPECT_EQ(reader.Trim(R"({"a":1,"b":{"a":2},"quote\"d":[1]})", wanted),
            R"({"b":{"a":2},"quote\"d":[1]})");
  EXPECT_EQ(reader.Trim("{}", wanted), "{}");
  EXPECT_EQ(reader.Merge(R"({"a":1,"b":2})", R"({"b":{"c":3},"d":"x"})"),
            R"({"a":1,"b":{"c":3},"d":"x"})");
}

}  // namespace
}  // namespace elanus::proxy
