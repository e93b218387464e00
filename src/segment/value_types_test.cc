// A value of any type, null or not, is the same bytes in a growing segment, in a sealed one and
// after a merge.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "segment/field_reader.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"

namespace elanus::segment {
namespace {

using model::DataType;

constexpr int64_t kDim = 16;
constexpr FieldId kValue{101};

model::CollectionSchema Schema(DataType type) {
  model::CollectionSchema schema{.name = "c"};
  schema.fields.push_back(
      {.id = {100}, .name = "id", .type = DataType::kInt64, .is_primary = true});
  schema.fields.push_back({.id = kValue, .name = "x", .type = type, .nullable = true});
  if (model::IsVector(type) && type != DataType::kSparseFloatVector) {
    schema.fields.back().type_params = {{"dim", std::to_string(kDim)}};
  }
  return schema;
}

using Plain = std::map<int64_t, std::optional<std::string>>;

std::optional<std::string> RandomValue(DataType type, std::mt19937& random) {
  if (random() % 5 == 0) return std::nullopt;
  const size_t width = model::ValueBytes(type, kDim);
  std::string value(width != 0 ? width : random() % 40, '\0');
  for (char& byte : value) byte = static_cast<char>(random());
  return value;
}

/// Rows with keys first, first + 2, ..., in a growing segment and in a plain map.
std::shared_ptr<GrowingSegment> Fill(const model::CollectionSchema& schema, int64_t first,
                                     Plain& plain, std::mt19937& random) {
  auto growing = std::make_shared<GrowingSegment>(SegmentId{first + 1}, PartitionId{1}, schema);
  const DataType type = schema.fields[1].type;
  const int64_t dim = model::IsVector(type) ? schema.fields[1].dim() : 0;
  int64_t key = first;
  for (model::Timestamp ts = 10; ts < 16; ++ts) {
    model::Column keys = model::MakeColumn({100}, DataType::kInt64);
    model::Column values = model::MakeColumn(kValue, type, dim);
    for (int i = 0; i < 300; ++i, key += 2) {
      keys.Append(key);
      const auto value = RandomValue(type, random);
      if (value) {
        values.AppendValue(*value);
      } else {
        values.AppendNull();
      }
      plain[key] = value;
    }
    growing->Append({.rows = keys.rows, .columns = {keys, values}}, ts);
  }
  return growing;
}

std::shared_ptr<SealedSegment> Seal(const model::CollectionSchema& schema,
                                    const std::vector<SegmentPtr>& inputs) {
  auto bytes = std::make_shared<std::string>();
  std::vector<SealedInput> sources;
  for (const SegmentPtr& input : inputs) sources.push_back({input, input->RowsAt(100), {}});
  const auto build =
      BuildSealedFile(sources, {.id = {9}, .schema = &schema}, [&](std::string_view piece) {
        bytes->append(piece);
        return Status::Ok();
      });
  EXPECT_TRUE(build.has_value());
  auto sealed = SealedSegment::Open({.id = {9}, .partition = {1}, .rows = build->rows},
                                    {"file", std::as_bytes(std::span(*bytes)), bytes}, {});
  EXPECT_TRUE(sealed.has_value());
  return *sealed;
}

void ExpectSame(const Segment& segment, const model::CollectionSchema& schema, const Plain& plain) {
  const uint32_t rows = segment.RowsAt(100);
  ASSERT_EQ(rows, plain.size());
  FieldReader values(segment, rows, schema.fields[1]);
  for (uint32_t row = 0; row < rows; ++row) {
    const auto& wanted = plain.at(std::get<int64_t>(segment.KeyAt(row)));
    ASSERT_EQ(values.IsNull(row), !wanted.has_value()) << row;
    if (wanted) ASSERT_EQ(values.ValueAt(row), *wanted) << row;
  }
}

class ValueTypes : public testing::TestWithParam<DataType> {};

TEST_P(ValueTypes, KeepTheirBytesThroughEveryStage) {
  const model::CollectionSchema schema = Schema(GetParam());
  std::mt19937 random(3);
  Plain even;
  Plain odd;
  const auto growing_even = Fill(schema, 0, even, random);
  const auto growing_odd = Fill(schema, 1, odd, random);
  ExpectSame(*growing_even, schema, even);
  const auto sealed_even = Seal(schema, {growing_even});
  ExpectSame(*sealed_even, schema, even);
  ASSERT_TRUE(sealed_even->LoadVectors(kValue).ok());
  ExpectSame(*sealed_even, schema, even);
  Plain all = even;
  all.insert(odd.begin(), odd.end());
  const auto merged = Seal(schema, {sealed_even, growing_odd});
  ExpectSame(*merged, schema, all);
}

std::vector<DataType> StoredTypes() {
  std::vector<DataType> types;
  for (int number = 1; number < 106; ++number) {
    const auto type = static_cast<DataType>(number);
    if (model::TraitsOf(type).type == type) types.push_back(type);
  }
  return types;
}

INSTANTIATE_TEST_SUITE_P(Types, ValueTypes, testing::ValuesIn(StoredTypes()), [](const auto& info) {
  return std::string(model::DataTypeName(info.param));
});

}  // namespace
}  // namespace elanus::segment
