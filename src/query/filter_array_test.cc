#include "query/filter_array.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "expr/filter.h"
#include "query/filter.h"

namespace elanus::query {
namespace {

using model::DataType;

model::CollectionSchema ArraySchema() {
  model::CollectionSchema schema{.name = "c"};
  schema.fields.push_back(
      {.id = {100}, .name = "pk", .type = DataType::kInt64, .is_primary = true});
  auto add = [&](int64_t id, std::string name, DataType element) {
    schema.fields.push_back({.id = FieldId{id},
                             .name = std::move(name),
                             .type = DataType::kArray,
                             .element_type = element,
                             .nullable = true});
  };
  add(101, "ints", DataType::kInt32);
  add(102, "words", DataType::kVarChar);
  add(103, "flags", DataType::kBool);
  add(104, "reals", DataType::kDouble);
  add(105, "singles", DataType::kFloat);
  return schema;
}

template <class T>
std::string ArrayOf(DataType type, std::initializer_list<T> values) {
  model::ArrayBuilder builder(type);
  for (const T& value : values) {
    if constexpr (std::is_same_v<T, std::string>) {
      builder.Append(value);
    } else {
      builder.Append({reinterpret_cast<const char*>(&value), sizeof(value)});
    }
  }
  return builder.Take();
}

/// Five rows; the last is null in every column.
class ArrayRows final : public segment::RowSource {
 public:
  ArrayRows() {
    model::Column& ints = Add(101);
    ints.AppendValue(ArrayOf<int32_t>(DataType::kInt32, {1, 2, 3}));
    ints.AppendValue(ArrayOf<int32_t>(DataType::kInt32, {3, -7}));
    ints.AppendValue(ArrayOf<int32_t>(DataType::kInt32, {}));
    ints.AppendValue(ArrayOf<int32_t>(DataType::kInt32, {5}));
    model::Column& words = Add(102);
    words.AppendValue(ArrayOf<std::string>(DataType::kVarChar, {"red", "green"}));
    words.AppendValue(ArrayOf<std::string>(DataType::kVarChar, {"a\\\"b", ""}));
    words.AppendValue(ArrayOf<std::string>(DataType::kVarChar, {}));
    words.AppendValue(ArrayOf<std::string>(DataType::kVarChar, {"blue"}));
    model::Column& flags = Add(103);
    for (int i = 0; i < 4; ++i) {
      flags.AppendValue(ArrayOf<uint8_t>(DataType::kBool, {static_cast<uint8_t>(i % 2)}));
    }
    model::Column& reals = Add(104);
    for (int i = 0; i < 4; ++i) reals.AppendValue(ArrayOf<double>(DataType::kDouble, {i / 2.0}));
    model::Column& singles = Add(105);
    for (int i = 0; i < 4; ++i) {
      singles.AppendValue(ArrayOf<float>(DataType::kFloat, {0.1F, 16777216.0F + 2.0F * i}));
    }
    for (auto& [field, column] : columns_) column.AppendNull();
  }
  size_t rows() const override { return 5; }
  std::optional<segment::ColumnView> Column(FieldId field) const override {
    auto found = columns_.find(field);
    if (found == columns_.end()) return std::nullopt;
    return segment::ViewOf(found->second);
  }

 private:
  model::Column& Add(int64_t id) {
    return columns_.emplace(FieldId{id}, model::MakeColumn({id}, DataType::kArray)).first->second;
  }
  std::map<FieldId, model::Column> columns_;
};

/// One character a row: T true, F false, ? unknown.
std::string Ask(std::string_view text) {
  const model::CollectionSchema schema = ArraySchema();
  auto filter = expr::ParseFilter(text, schema, {});
  if (!filter) return filter.error().message();
  auto truth = Evaluate(*filter, ArrayRows(), schema);
  if (!truth) return truth.error().message();
  std::string answers;
  for (size_t row = 0; row < 5; ++row) {
    const bool is_true = (truth->is_true[0] >> row & 1) != 0;
    const bool is_unknown = (truth->is_unknown[0] >> row & 1) != 0;
    answers += is_true ? 'T' : is_unknown ? '?' : 'F';
  }
  return answers;
}

TEST(FilterArray, ComparesElementsAndPastTheEndIsUnknown) {
  EXPECT_EQ(Ask("ints[0] == 3"), "FT?F?");
  EXPECT_EQ(Ask("ints[1] < 0"), "FT???");
  EXPECT_EQ(Ask("not (ints[0] == 3)"), "TF?T?");
  EXPECT_EQ(Ask("1 < ints[0] <= 5"), "FT?T?");
  EXPECT_EQ(Ask("ints[0] in [1, 5]"), "TF?T?");
  EXPECT_EQ(Ask("ints[0] == 1 or ints[1] == -7"), "TT???");
  EXPECT_EQ(Ask("ints[0] + 1 == 4"), "FT?F?");
  EXPECT_EQ(Ask("words[0] like \"%e%\""), "TF?T?");
  EXPECT_EQ(Ask("words[0] == 'a\\\\\"b'"), "FT?F?");
  EXPECT_EQ(Ask("flags[0] == true"), "FTFT?");
  EXPECT_EQ(Ask("reals[0] >= 1"), "FFTT?");
}

TEST(FilterArray, LooksForElements) {
  EXPECT_EQ(Ask("array_contains(ints, 3)"), "TTFF?");
  EXPECT_EQ(Ask("array_contains_all(ints, [1, 3])"), "TFFF?");
  EXPECT_EQ(Ask("array_contains_any(ints, [5, -7])"), "FTFT?");
  EXPECT_EQ(Ask("ARRAY_CONTAINS(words, 'blue')"), "FFFT?");
  EXPECT_EQ(Ask("array_contains_all(ints, [])"), "TTTT?");
  EXPECT_EQ(Ask("array_contains_any(ints, [])"), "FFFF?");
  EXPECT_EQ(Ask("not array_contains(ints, 3)"), "FFTT?");
}

TEST(FilterArray, LooksForElementsInTheirPrecision) {
  EXPECT_EQ(Ask("array_contains(singles, 0.1)"), "TTTT?");
  EXPECT_EQ(Ask("array_contains(singles, 16777217)"), "TFFF?");
  EXPECT_EQ(Ask("array_contains_all(singles, [0.1, 16777220.3])"), "FFTF?");
  EXPECT_EQ(Ask("array_contains_any(singles, [0.11, 16777222])"), "FFFT?");
  EXPECT_EQ(Ask("array_contains(reals, 0.1)"), "FFFF?");
}

TEST(FilterArray, MeasuresAndComparesWholeArrays) {
  EXPECT_EQ(Ask("array_length(ints) == 2"), "FTFF?");
  EXPECT_EQ(Ask("array_length(words) > 0"), "TTFT?");
  EXPECT_EQ(Ask("ints == [3, -7]"), "FTFF?");
  EXPECT_EQ(Ask("ints != [3, -7]"), "TFTT?");
  EXPECT_EQ(Ask("ints == []"), "FFTF?");
  EXPECT_EQ(Ask("ints is null"), "FFFFT");
  EXPECT_EQ(Ask("ints is not null"), "TTTTF");
}

TEST(FilterArray, RefusesWhatArraysCannotDo) {
  EXPECT_NE(Ask("ints > 3").find("can not comparisons array fields directly"), std::string::npos);
  EXPECT_NE(Ask("ints[0] is null").find("not supported on array element access, got: ints[0]"),
            std::string::npos);
  EXPECT_NE(Ask("ints[0] == 'a'").find("comparisons between Int32 and VarChar"), std::string::npos);
  EXPECT_NE(Ask("ints[0] == 1.5").find("cannot cast value to Int32"), std::string::npos);
  EXPECT_NE(Ask("array_contains(ints, 'a')").find("cannot cast value to Int32"), std::string::npos);
  EXPECT_NE(Ask("array_contains_any(ints, ['a'])")
                .find("ContainsAny operation can't compare between array element type: Int32 and "
                      "VarChar"),
            std::string::npos);
}

}  // namespace
}  // namespace elanus::query
