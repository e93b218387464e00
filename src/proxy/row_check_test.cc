#include "proxy/row_check.h"

#include <gtest/gtest.h>

#include <cstring>

#include "model/array_value.h"
#include "model/vector_values.h"
#include "proxy/fixture.h"
#include "proxy/value_text.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;

Column Fixed(DataType type, int64_t dim, std::string bytes) {
  Column column = model::MakeColumn({}, type, dim);
  const size_t width = model::ValueBytes(type, dim);
  column.rows = width == 0 ? 0 : bytes.size() / width;
  column.fixed = std::move(bytes);
  return column;
}

template <class T>
std::string BytesOf(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

void ExpectRefused(const FieldSchema& field, uint64_t rows, Column column, std::string_view text) {
  ExpectError(CheckColumn(field, rows, "UTC", column), Code::kInvalidParameter, std::string(text));
}

TEST(RowCheck, RefusesVectorsThatDoNotDivideTheirRows) {
  const std::tuple<DataType, std::string, std::string> cases[] = {
      {DataType::kBinaryVector, "abc", "the num(24) of all bits should divide the dim(16)"},
      {DataType::kFloat16Vector, "abc",
       "the length(3) of float16 data should divide the row width(32)"},
      {DataType::kBFloat16Vector, "abc",
       "the length(3) of bfloat data should divide the row width(32)"},
      {DataType::kInt8Vector, "abc", "the length(3) of int8 data should divide the dim(16)"},
      {DataType::kFloatVector, "abcd", "the length(1) of float data should divide the dim(16)"},
  };
  for (const auto& [type, bytes, text] : cases) {
    ExpectRefused(Field(101, "v", type, {{"dim", "16"}}), 1, Fixed(type, 16, bytes), text);
  }
  const auto half = Field(101, "v", DataType::kFloat16Vector, {{"dim", "2"}});
  ExpectRefused(half, 1, Fixed(DataType::kFloat16Vector, 2, BytesOf<uint16_t>({0x7c00, 0})),
                "value '+Inf' is not a number or infinity");
  ExpectRefused(half, 1, Fixed(DataType::kFloat16Vector, 4, std::string(8, '\0')),
                "the dim (4) of field data(v) is not equal to schema dim (2)");
  ExpectRefused(half, 1, Fixed(DataType::kInt8Vector, 2, "ab"),
                "field v is illegal, array type mismatch");
}

TEST(RowCheck, SaysThatAColumnHasNoVectorAtAll) {
  const std::pair<DataType, std::string> cases[] = {
      {DataType::kFloatVector, "float"},     {DataType::kBinaryVector, "binary"},
      {DataType::kFloat16Vector, "float16"}, {DataType::kBFloat16Vector, "bfloat16"},
      {DataType::kInt8Vector, "int8"},       {DataType::kSparseFloatVector, "sparse float"},
  };
  for (const auto& [type, kind] : cases) {
    const auto field = Field(101, "v", type, {{"dim", "16"}});
    const std::string text = kind + " vector field 'v' is illegal, array type mismatch: invalid " +
                             "parameter[expected=need " + kind + " vector][actual=got nil]";
    ExpectRefused(field, 2, Fixed(type, 16, ""), text);
    Column nulls = model::MakeColumn({}, type, 16);
    nulls.AppendNull();
    nulls.AppendNull();
    ExpectRefused(field, 2, std::move(nulls), text);
  }
}

TEST(RowCheck, NarrowsFloatsForHalfAndBrainFloats) {
  for (DataType type : {DataType::kFloat16Vector, DataType::kBFloat16Vector}) {
    Column column = Fixed(DataType::kFloatVector, 2, BytesOf<float>({1.0F, -2.0F}));
    ASSERT_TRUE(CheckColumn(Field(101, "v", type, {{"dim", "2"}}), 1, "UTC", column).ok());
    EXPECT_EQ(column.type, type);
    float values[2];
    model::DenseToFloats(type, column.fixed.data(), 2, values);
    EXPECT_EQ(values[1], -2.0F);
  }
}

TEST(RowCheck, TakesAColumnWithoutAnyValueWhateverItsType) {
  FieldSchema field = Field(101, "v", DataType::kFloat16Vector, {{"dim", "2"}});
  field.nullable = true;
  Column column = model::MakeColumn({}, DataType::kNone);
  column.AppendNull();
  column.AppendNull();
  ASSERT_TRUE(CheckColumn(field, 2, "UTC", column).ok());
  EXPECT_EQ(column.type, DataType::kFloat16Vector);
  EXPECT_TRUE(column.IsNull(1) && column.Validate().ok());
}

Column Arrays(std::initializer_list<std::string> values) {
  Column column = model::MakeColumn({}, DataType::kArray);
  for (const std::string& value : values) column.AppendValue(value);
  return column;
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

FieldSchema ArrayField(DataType element) {
  FieldSchema field =
      Field(101, "a", DataType::kArray, {{"max_capacity", "3"}, {"max_length", "4"}});
  field.element_type = element;
  return field;
}

TEST(RowCheck, NarrowsArraysOfSmallIntegers) {
  const FieldSchema field = ArrayField(DataType::kInt8);
  Column column = Arrays(
      {ArrayOf<int32_t>(DataType::kInt32, {-128, 127}), ArrayOf<int64_t>(DataType::kInt64, {})});
  ASSERT_TRUE(CheckColumn(field, 2, "UTC", column).ok());
  const auto first = model::ArrayView::Open(column.StringAt(0));
  EXPECT_EQ(first->element_type(), DataType::kInt8);
  EXPECT_EQ(first->At(0), "\x80");
  EXPECT_EQ(model::ArrayView::Open(column.StringAt(1))->element_type(), DataType::kInt8);
  ExpectRefused(field, 1, Arrays({ArrayOf<int32_t>(DataType::kInt32, {1, 128})}),
                "the 1th element (128) out of range: [-128, 127]: invalid parameter");
}

TEST(RowCheck, HoldsArraysToTheirCapacityLengthAndType) {
  ExpectRefused(ArrayField(DataType::kInt64), 1,
                Arrays({ArrayOf<int64_t>(DataType::kInt64, {1, 2, 3, 4})}),
                "the length (4) of 0th array exceeds max capacity (3): invalid parameter[expected="
                "valid length array][actual=array length exceeds max capacity]");
  ExpectRefused(ArrayField(DataType::kVarChar), 1,
                Arrays({ArrayOf<std::string>(DataType::kVarChar, {"ok", "too long"})}),
                "length of Array array field \"a\" exceeds max length");
  ExpectRefused(ArrayField(DataType::kInt64), 1,
                Arrays({ArrayOf<std::string>(DataType::kVarChar, {"x"})}),
                "field a is illegal, array type mismatch");
}

Column TextColumn(std::initializer_list<std::string> values) {
  Column column = model::MakeColumn({}, DataType::kVarChar);
  for (const std::string& value : values) column.AppendValue(value);
  return column;
}

TEST(RowCheck, ReadsTimesAndShapesFromText) {
  Column times = TextColumn({"1970-01-01T00:00:01Z", "1970-01-01 08:00:02"});
  const auto at = Field(101, "t", DataType::kTimestamptz);
  ASSERT_TRUE(CheckColumn(at, 2, "Asia/Shanghai", times).ok());
  EXPECT_EQ(times.Values<int64_t>()[0], 1'000'000);
  EXPECT_EQ(times.Values<int64_t>()[1], 2'000'000);
  ExpectRefused(at, 1, TextColumn({"never"}),
                "got invalid timestamptz string 'never': invalid timezone name; must be a valid "
                "IANA Time Zone ID (e.g., 'Asia/Shanghai' or 'UTC'): invalid parameter");
  const auto where = Field(101, "g", DataType::kGeometry);
  ExpectRefused(where, 1, TextColumn({"POINT ()"}), "syntax error");
}

TEST(ValueText, TellsTimesInTheZoneOfTheRequest) {
  model::CollectionInfo collection{.properties = {{"timezone", "Asia/Shanghai"}}};
  const auto tell = [&](const model::KeyValues& params) {
    auto form = TimeFormOf(collection, params);
    if (!form) return form.error().message();
    Column column = model::MakeColumn({}, DataType::kTimestamptz);
    column.Append(int64_t{1'500'000});
    column.AppendNull();
    std::vector<service::OutputColumn> columns(1);
    columns[0].column = std::move(column);
    EXPECT_TRUE(TellAsText(*form, columns).ok());
    EXPECT_TRUE(columns[0].column.IsNull(1));
    EXPECT_EQ(columns[0].told, DataType::kTimestamptz);
    return std::string(columns[0].column.StringAt(0));
  };
  EXPECT_EQ(tell({}), "1970-01-01T08:00:01.5+08:00");
  EXPECT_EQ(tell({{"timezone", "UTC"}}), "1970-01-01T00:00:01.5Z");
  EXPECT_NE(
      tell({{"timezone", "Mars/City"}}).find("unknown or invalid IANA Time Zone ID: Mars/City"),
      std::string::npos);
}

TEST(ValueText, TellsPartsOfTimesAsNumbers) {
  const auto form = TimeFormOf({}, {{"time_fields", "year, hour,microsecond"}});
  ASSERT_TRUE(form.has_value());
  std::vector<service::OutputColumn> columns(1);
  columns[0].column = model::MakeColumn({}, DataType::kTimestamptz);
  columns[0].column.Append(int64_t{3'600'000'007});
  ASSERT_TRUE(TellAsText(*form, columns).ok());
  const auto parts = model::ArrayView::Open(columns[0].column.StringAt(0));
  ASSERT_EQ(parts->size(), 3U);
  int64_t values[3];
  for (size_t i = 0; i < 3; ++i) std::memcpy(&values[i], parts->At(i).data(), sizeof(int64_t));
  EXPECT_EQ(values[0], 1970);
  EXPECT_EQ(values[1], 1);
  EXPECT_EQ(values[2], 7);
}

}  // namespace
}  // namespace elanus::proxy
