#include "base/codec.h"

#include <gtest/gtest.h>

namespace elanus {
namespace {

struct Inner {
  int32_t number = 0;
  std::string text;
  template <class V>
  void Visit(V& v) {
    v(number);
    v(text);
  }
  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Outer {
  CollectionId id;
  std::vector<Inner> list;
  std::optional<double> maybe;
  std::map<std::string, bool> flags;
  std::variant<std::monostate, int64_t, std::string> choice;
  std::vector<float> floats;
  template <class V>
  void Visit(V& v) {
    v(id);
    v(list);
    v(maybe);
    v(flags);
    v(choice);
    v(floats);
  }
  friend bool operator==(const Outer&, const Outer&) = default;
};

Outer Example() {
  return {.id = {42},
          .list = {{-1, "a"}, {7, ""}},
          .maybe = 2.5,
          .flags = {{"x", true}},
          .choice = std::string("s"),
          .floats = {1, 2, 3}};
}

TEST(Codec, ReadsBackEveryKindOfMember) {
  auto decoded = DecodeBytes<Outer>(EncodeBytes(Example()), "outer");
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, Example());
}

TEST(Codec, RefusesEveryPrefixAndTrailingBytes) {
  std::string bytes = EncodeBytes(Example());
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(DecodeBytes<Outer>(bytes.substr(0, cut), "outer").has_value()) << cut;
  }
  auto longer = DecodeBytes<Outer>(bytes + "x", "outer");
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(longer.error().code(), Code::kDataIntegrity);
}

}  // namespace
}  // namespace elanus
