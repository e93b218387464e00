#include "rank/aggregate.h"

#include <gtest/gtest.h>

#include <limits>

namespace elanus::rank {
namespace {

using model::Column;
using model::DataType;

constexpr FieldId kGroup{101};
constexpr FieldId kWhole{102};
constexpr FieldId kReal{103};
constexpr FieldId kText{104};

model::CollectionSchema Schema() {
  model::CollectionSchema schema;
  for (auto [id, type] :
       {std::pair(kGroup, DataType::kVarChar), std::pair(kWhole, DataType::kInt16),
        std::pair(kReal, DataType::kFloat), std::pair(kText, DataType::kVarChar)}) {
    schema.fields.push_back({.id = id, .name = std::to_string(id.value), .type = type});
  }
  return schema;
}

struct Row {
  const char* group;
  std::optional<int16_t> whole;
  std::optional<float> real;
  std::optional<std::string> text;
};

/// The columns an Aggregator asks for, from plain rows.
model::RowBatch Batch(const Aggregator& aggregator, const std::vector<Row>& rows) {
  const model::CollectionSchema schema = Schema();
  model::RowBatch batch{.rows = rows.size()};
  for (FieldId id : aggregator.Fields()) {
    Column column = model::MakeColumn(id, schema.FindField(id)->type);
    for (const Row& row : rows) {
      if (id == kGroup && row.group != nullptr) {
        column.AppendValue(row.group);
      } else if (id == kWhole && row.whole) {
        column.Append(*row.whole);
      } else if (id == kReal && row.real) {
        column.Append(*row.real);
      } else if (id == kText && row.text) {
        column.AppendValue(*row.text);
      } else {
        column.AppendNull();
      }
    }
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

const AggregateSpec kEverything = {.aggregates = {{AggregateOp::kCount, {}},
                                                  {AggregateOp::kCount, kWhole},
                                                  {AggregateOp::kSum, kWhole},
                                                  {AggregateOp::kAverage, kWhole},
                                                  {AggregateOp::kSum, kReal},
                                                  {AggregateOp::kMin, kText},
                                                  {AggregateOp::kMax, kWhole}}};
const std::vector<Row> kRows = {{"a", 3, 0.5F, "m"},
                                {"b", -4, std::nullopt, "z"},
                                {nullptr, std::nullopt, 2.0F, "aa"},
                                {"a", 10, 1.0F, std::nullopt},
                                {"b", 7, -1.0F, "k"}};

std::vector<std::string> Texts(const model::RowBatch& result) {
  std::vector<std::string> rows;
  for (size_t row = 0; row < result.rows; ++row) {
    std::string text;
    for (const Column& column : result.columns) {
      if (!text.empty()) text += ' ';
      if (column.IsNull(row)) {
        text += "null";
      } else if (column.type == DataType::kInt64) {
        text += std::to_string(column.Values<int64_t>()[row]);
      } else if (column.type == DataType::kInt16) {
        text += std::to_string(column.Values<int16_t>()[row]);
      } else if (column.type == DataType::kDouble) {
        text += std::to_string(column.Values<double>()[row]).substr(0, 4);
      } else {
        text += column.ValueAt(row);
      }
    }
    rows.push_back(text);
  }
  return rows;
}

TEST(Aggregator, ComputesOverAllRowsWithoutGroups) {
  Aggregator aggregator(kEverything, Schema());
  aggregator.Add(Batch(aggregator, kRows));
  EXPECT_EQ(Texts(aggregator.Finish()), (std::vector<std::string>{"5 4 16 4.00 2.50 aa 10"}));
}

TEST(Aggregator, AnswersZeroOverNoRows) {
  const Aggregator aggregator(kEverything, Schema());
  EXPECT_EQ(Texts(aggregator.Finish()), (std::vector<std::string>{"0 0 0 0.00 0.00  0"}));
  EXPECT_EQ(Aggregator({.group_by = {kGroup}}, Schema()).Finish().rows, 0U);
}

TEST(Aggregator, MakesNullAGroupAndKeepsTheOrderOfFirstSight) {
  AggregateSpec spec = kEverything;
  spec.group_by = {kGroup};
  Aggregator aggregator(spec, Schema());
  aggregator.Add(Batch(aggregator, kRows));
  EXPECT_EQ(Texts(aggregator.Finish()),
            (std::vector<std::string>{"a 2 2 13 6.50 1.50 m 10", "b 2 2 3 1.50 -1.0 k 7",
                                      "null 1 0 0 0.00 2.00 aa 0"}));
}

TEST(Aggregator, GivesTheSameWhenSharesAreMerged) {
  AggregateSpec spec = kEverything;
  spec.group_by = {kGroup};
  Aggregator whole(spec, Schema());
  Aggregator merged(spec, Schema());
  for (const Row& row : kRows) {
    Aggregator share(spec, Schema());
    share.Add(Batch(share, {row}));
    whole.Add(Batch(whole, {row}));
    ASSERT_TRUE(merged.Merge(share.Partial()).ok());
  }
  EXPECT_EQ(merged.Finish(), whole.Finish());
}

TEST(Aggregator, WrapsSumsInsteadOfFailing) {
  model::CollectionSchema schema = Schema();
  schema.fields[1].type = DataType::kInt64;
  Aggregator aggregator({.aggregates = {{AggregateOp::kSum, kWhole}}}, schema);
  model::RowBatch batch{.rows = 2, .columns = {model::MakeColumn(kWhole, DataType::kInt64)}};
  batch.columns[0].Append(std::numeric_limits<int64_t>::max());
  batch.columns[0].Append(int64_t{1});
  aggregator.Add(batch);
  EXPECT_EQ(aggregator.Finish().columns[0].Values<int64_t>()[0],
            std::numeric_limits<int64_t>::min());
}

TEST(Aggregator, RefusesPartialRowsOfAnotherQuery) {
  AggregateSpec spec = kEverything;
  Aggregator aggregator(spec, Schema());
  spec.aggregates.pop_back();
  EXPECT_EQ(aggregator.Merge(Aggregator(spec, Schema()).Partial()).code(), Code::kDataIntegrity);
  spec.aggregates.push_back({AggregateOp::kMax, kText});
  EXPECT_EQ(aggregator.Merge(Aggregator(spec, Schema()).Partial()).code(), Code::kDataIntegrity);
}

}  // namespace
}  // namespace elanus::rank
