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

/// As it was, and as it is three forms later.
struct First {
  std::string name;
  template <class V>
  void Visit(V& v) {
    v(name);
  }
};
struct Fourth {
  std::string before = "as made";
  std::string name;
  std::vector<int64_t> after = {7};
  template <class V>
  void Visit(V& v) {
    v.Since(2, before);
    v(name);
    v.Since(4, after);
  }
};

TEST(Codec, AMemberThatCameLaterIsLeftAloneInOlderBytes) {
  const std::vector<First> old = {{"a"}, {"b"}};
  auto read = DecodeBytes<std::vector<Fourth>>(EncodeBytes(old), "old", 1);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[1].name, "b");
  EXPECT_EQ((*read)[1].before, "as made");
  EXPECT_EQ((*read)[1].after, (std::vector<int64_t>{7}));

  auto again = DecodeBytes<std::vector<Fourth>>(EncodeBytes(*read), "new");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ((*again)[0].after, (std::vector<int64_t>{7}));
  EXPECT_FALSE(DecodeBytes<std::vector<Fourth>>(EncodeBytes(*read), "new", 3).has_value());
}

}  // namespace
}  // namespace elanus
