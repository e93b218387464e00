// Partial updates that operate on arrays, and struct arrays in writes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <optional>

#include "model/array_value.h"
#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using service::FieldOpKind;
using service::MutationKind;

using Row = std::optional<std::vector<int64_t>>;

Row Values(std::vector<int64_t> values) { return values; }

service::UserColumn Arrays(const std::string& name, const std::vector<Row>& rows) {
  model::Column column = model::MakeColumn(FieldId{}, DataType::kArray);
  for (const Row& row : rows) {
    if (!row) {
      column.AppendNull();
      continue;
    }
    model::ArrayBuilder builder(DataType::kInt64);
    for (int64_t value : *row) {
      builder.Append({reinterpret_cast<const char*>(&value), sizeof(value)});
    }
    column.AppendValue(builder.Take());
  }
  return {.name = name, .valid_given = !column.valid.empty(), .column = std::move(column)};
}

struct FieldOpsTest : FrontendTest {
  void SetUp() override {
    auto info = SampleCollection();
    info.schema.fields[3] = Field(103, "tags", DataType::kArray, {{"max_capacity", "4"}});
    info.schema.fields[3].element_type = DataType::kInt64;
    info.schema.fields[3].nullable = true;
    Use(info);
    ASSERT_TRUE(Insert({Ints("id", {1, 2, 3}), Vectors("v", {1, 2, 3, 4, 5, 6}),
                        Arrays("tags", {Values({7, 8, 7}), Row(), Values({})})}));
  }
  Result<service::MutationReply> Update(std::vector<service::FieldOp> ops,
                                        std::vector<int64_t> keys, std::vector<Row> tags) {
    service::MutationCall mutation{.kind = MutationKind::kUpsert, .collection = "c"};
    mutation.num_rows = static_cast<int64_t>(keys.size());
    mutation.columns = {Ints("id", keys), Arrays("tags", tags)};
    mutation.field_ops = std::move(ops);
    return Mutate(std::move(mutation));
  }
  Row TagsOf(int64_t key) {
    for (const auto& [shard, rows] : shards.rows) {
      for (const FakeRow& row : rows) {
        if (row.key != model::PrimaryKey(key)) continue;
        const model::Column& column = *row.row.Find(FieldId{103});
        if (column.IsNull(0)) return std::nullopt;
        const auto array = model::ArrayView::Open(column.StringAt(0));
        std::vector<int64_t> values(array->size());
        for (size_t i = 0; i < values.size(); ++i) {
          std::memcpy(&values[i], array->At(i).data(), sizeof(int64_t));
        }
        return values;
      }
    }
    return std::nullopt;
  }
};

TEST_F(FieldOpsTest, AppendPutsElementsBehindTheOldOnes) {
  auto reply = Update({{"tags", FieldOpKind::kArrayAppend}}, {1, 2, 3},
                      {Values({9}), Values({1, 2}), Row()});
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(TagsOf(1), Values({7, 8, 7, 9}));
  EXPECT_EQ(TagsOf(2), Values({1, 2})) << "null is no element";
  EXPECT_EQ(TagsOf(3), Values({})) << "null leaves the old value";
}

TEST_F(FieldOpsTest, RemoveTakesEveryEqualElement) {
  auto reply =
      Update({{"tags", FieldOpKind::kArrayRemove}}, {1, 2}, {Values({7, 99}), Values({1})});
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(TagsOf(1), Values({8}));
  EXPECT_EQ(TagsOf(2), Values({}));
}

TEST_F(FieldOpsTest, WrongOpsAreRefusedWithMilvusTextsAndChangeNothing) {
  const std::vector<Row> one = {Values({1, 2})};
  auto refused = [&](std::vector<service::FieldOp> ops, const std::string& text) {
    ExpectError(StatusOf(Update(std::move(ops), {1}, one)), Code::kInvalidParameter, text);
  };
  const auto append = FieldOpKind::kArrayAppend;
  refused({{"tags", append}, {"tags", append}}, "duplicate partial-update op for field \"tags\"");
  refused({{"", append}}, "FieldPartialUpdateOp.field_name is required");
  refused({{"id", append}}, "field \"id\" is the primary key and cannot carry a partial-update op");
  refused({{"s", append}}, "op ARRAY_APPEND requires Array field, but field \"s\" is VarChar");
  refused({{"x", append}}, "field \"x\" not found in collection schema");
  refused({{"tags", static_cast<FieldOpKind>(9)}}, "unsupported partial update op: 9");
  ExpectError(StatusOf(Update({{"tags", append}}, {1}, one)), Code::kUnexpected,
              "array length 5 exceeds max_capacity 4");
  EXPECT_EQ(TagsOf(1), Values({7, 8, 7}));
  service::MutationCall mutation{.kind = MutationKind::kUpsert, .collection = "c"};
  mutation.num_rows = 1;
  mutation.columns = {Ints("id", {1})};
  mutation.field_ops = {{"tags", append}};
  ExpectError(StatusOf(Mutate(std::move(mutation))), Code::kInvalidParameter,
              "partial-update op targets field \"tags\" not present in fields_data");
}

struct StructWriteTest : FrontendTest {
  void SetUp() override {
    auto info = SampleCollection();
    auto member = [&](int64_t id, const std::string& name, DataType type, DataType element) {
      auto field = Field(id, "clips[" + name + "]", type, {{"max_capacity", "2"}, {"dim", "2"}});
      field.element_type = element;
      field.struct_name = "clips";
      info.schema.fields.insert(info.schema.fields.end() - 1, field);
    };
    member(106, "n", DataType::kArray, DataType::kInt64);
    member(107, "emb", DataType::kArrayOfVector, DataType::kFloatVector);
    info.schema.structs.push_back({.id = FieldId{105}, .name = "clips"});
    Use(info);
  }
  static service::UserColumn Lists(const std::vector<std::vector<float>>& rows, int64_t dim = 2) {
    model::Column column = model::MakeColumn(FieldId{}, DataType::kArrayOfVector, dim);
    for (const auto& row : rows) {
      column.AppendValue({reinterpret_cast<const char*>(row.data()), row.size() * sizeof(float)});
    }
    return {
        .name = "clips[emb]", .element_type = DataType::kFloatVector, .column = std::move(column)};
  }
  Status Put(service::UserColumn numbers, service::UserColumn lists) {
    return StatusOf(
        Insert({Ints("id", {1}), Vectors("v", {1, 2}), std::move(numbers), std::move(lists)}));
  }
};

TEST_F(StructWriteTest, MembersGoInTogether) {
  EXPECT_TRUE(Put(Arrays("clips[n]", {Values({1, 2})}), Lists({{1, 2, 3, 4}})).ok());
  EXPECT_EQ(RowCount(), 1u);
  ExpectError(
      Put(Arrays("clips[n]", {Values({1})}), Lists({{1, 2, 3, 4}})), Code::kInvalidParameter,
      "inconsistent struct element count in struct 'clips' at row 0: 'n' has 1, 'emb' has 2");
  ExpectError(StatusOf(Insert({Ints("id", {1}), Vectors("v", {1, 2})})), Code::kInvalidParameter,
              "required struct array field 'clips' is missing in insert data");
  ExpectError(
      StatusOf(Insert({Ints("id", {1}), Vectors("v", {1, 2}), Arrays("clips[n]", {Values({1})})})),
      Code::kInvalidParameter,
      "inconsistent sub-field data in struct 'clips': 1 of 2 sub-fields have data");
  ExpectError(Put(Arrays("clips[n]", {Values({1, 2, 3})}), Lists({{1, 2, 3, 4, 5, 6}})),
              Code::kInvalidParameter, "exceeds max capacity (2)");
  ExpectError(Put(Arrays("clips[n]", {Values({1})}), Lists({{1, 2, 3}})), Code::kInvalidParameter,
              "should divide the dim(2)");
  ExpectError(Put(Arrays("clips[n]", {Values({1})}), Lists({{1, 2, 3}}, 3)),
              Code::kInvalidParameter,
              "the dim (3) of field data(clips[emb]) is not equal to schema dim (2)");
  ExpectError(Put(Arrays("clips[n]", {Values({1})}), Lists({{1, NAN}})), Code::kInvalidParameter,
              "is not a number or infinity");
  auto halves = Lists({{1}});
  halves.element_type = DataType::kFloat16Vector;
  ExpectError(Put(Arrays("clips[n]", {Values({1})}), std::move(halves)), Code::kInvalidParameter,
              "need FloatVector array");
}

}  // namespace
}  // namespace elanus::proxy
