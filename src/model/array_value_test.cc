#include "model/array_value.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace elanus::model {
namespace {

template <class T>
std::string BytesOf(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string Numbers(const std::vector<int16_t>& values) {
  ArrayBuilder builder(DataType::kInt16);
  for (int16_t value : values) builder.Append(BytesOf(value));
  return builder.Take();
}

std::string Texts(const std::vector<std::string>& values) {
  ArrayBuilder builder(DataType::kVarChar);
  for (const std::string& value : values) builder.Append(value);
  return builder.Take();
}

TEST(ArrayValue, GivesBackItsElements) {
  const std::string bytes = Numbers({1, -2, 300});
  const auto view = ArrayView::Open(bytes);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->element_type(), DataType::kInt16);
  ASSERT_EQ(view->size(), 3U);
  EXPECT_EQ(view->At(1), BytesOf(int16_t{-2}));
  EXPECT_EQ(view->At(2), BytesOf(int16_t{300}));

  const std::string texts = Texts({"", "alpha", "", "漢"});
  const auto strings = ArrayView::Open(texts);
  ASSERT_TRUE(strings.has_value());
  ASSERT_EQ(strings->size(), 4U);
  EXPECT_EQ(strings->At(0), "");
  EXPECT_EQ(strings->At(1), "alpha");
  EXPECT_EQ(strings->At(3), "漢");
  EXPECT_TRUE(strings->StringsAreWhole());
}

TEST(ArrayValue, MayBeEmptyOfEveryElementType) {
  for (int number = 0; number < 256; ++number) {
    const auto type = static_cast<DataType>(number);
    if (!TraitsOf(type).is_array_element) continue;
    const std::string bytes = ArrayBuilder(type).Take();
    const auto view = ArrayView::Open(bytes);
    ASSERT_TRUE(view.has_value()) << DataTypeName(type);
    EXPECT_EQ(view->size(), 0U);
    EXPECT_EQ(view->element_type(), type);
  }
}

TEST(ArrayValue, RefusesAnElementTypeThatArraysCannotHave) {
  std::string bytes = Numbers({1});
  for (DataType type :
       {DataType::kNone, DataType::kJson, DataType::kArray, DataType::kFloatVector}) {
    bytes[0] = static_cast<char>(type);
    EXPECT_FALSE(ArrayView::Open(bytes).has_value()) << DataTypeName(type);
  }
}

/// Reads everything a view offers; the address sanitizer watches.
size_t ReadAll(std::string_view bytes) {
  // A copy of exactly this size, so that a read past the end is one past an allocation.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  const auto view = ArrayView::Open({exact.data(), exact.size()});
  if (!view || !view->StringsAreWhole()) return 0;
  size_t total = 0;
  for (size_t i = 0; i < view->size(); ++i) total += view->At(i).size();
  return total;
}

TEST(ArrayValue, ReadsNothingOutsideAnyPrefixOrFlippedBits) {
  for (const std::string& whole : {Numbers({1, 2, 3, 4}), Texts({"a", "bcd", "", "efghi"})}) {
    for (size_t length = 0; length < whole.size(); ++length) {
      EXPECT_EQ(ReadAll(std::string_view(whole).substr(0, length)), 0U);
    }
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string flipped = whole;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_LE(ReadAll(flipped), flipped.size());
    }
  }
}

}  // namespace
}  // namespace elanus::model
