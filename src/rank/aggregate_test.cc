#include "rank/aggregate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

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

/// The plain way: a row at a time, groups by their texts, values as doubles and integers.
struct PlainGroup {
  int64_t rows = 0;
  std::map<int64_t, int64_t> counts;  // by field
  std::map<int64_t, int64_t> sums;
  std::map<int64_t, double> reals;
  std::optional<std::string> least_text;
  std::optional<int16_t> largest;
};

template <class T>
void Fill(Column& column, std::mt19937& random, size_t rows, int nulls, std::span<const T> values) {
  for (size_t row = 0; row < rows; ++row) {
    if (nulls != 0 && random() % static_cast<unsigned>(nulls) == 0) {
      column.AppendNull();
      continue;
    }
    const T& value = values[random() % values.size()];
    if constexpr (std::is_same_v<T, std::string>) {
      column.AppendValue(value);
    } else {
      column.Append(value);
    }
  }
}

/// Some thousand rows whose group field has so many values; every other row is left out.
void ExpectAsPlain(const std::vector<FieldId>& group_by, size_t groups, int nulls, uint32_t seed) {
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  AggregateSpec spec = kEverything;
  spec.group_by = group_by;
  Aggregator aggregator(spec, Schema());
  std::vector<std::string> words;
  for (size_t i = 0; i < groups; ++i) words.push_back("w" + std::to_string(random() % 100'000));
  const std::vector<int16_t> wholes = {-32768, -3, 0, 1, 2, 32767};
  const std::vector<float> reals = {-1.5F, 0.25F, 8};
  std::map<std::string, PlainGroup> expected;
  std::vector<std::string> order;
  for (int block = 0; block < 3; ++block) {
    constexpr size_t kRows = 1500;
    model::RowBatch batch{.rows = kRows};
    for (FieldId id : aggregator.Fields()) {
      Column column = model::MakeColumn(id, Schema().FindField(id)->type);
      if (id == kWhole) {
        Fill<int16_t>(column, random, kRows, nulls, wholes);
      } else if (id == kReal) {
        Fill<float>(column, random, kRows, nulls, reals);
      } else {
        Fill<std::string>(column, random, kRows, nulls, words);
      }
      batch.columns.push_back(std::move(column));
    }
    std::vector<model::ColumnView> views;
    for (const Column& column : batch.columns) views.push_back(model::ViewOf(column));
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < kRows; ++row) {
      if (block == 0 || random() % 2 == 0) rows.push_back(row);
    }
    aggregator.Add(views, rows);
    for (const uint32_t row : rows) {
      std::string key;
      for (FieldId id : group_by) {
        const Column& column = *batch.Find(id);
        key += column.IsNull(row) ? "null"
               : id == kWhole     ? std::to_string(column.Values<int16_t>()[row])
                                  : std::string(column.ValueAt(row));
        key += ' ';
      }
      if (!expected.contains(key)) order.push_back(key);
      PlainGroup& group = expected[key];
      ++group.rows;
      const Column& whole = *batch.Find(kWhole);
      if (!whole.IsNull(row)) {
        const int16_t value = whole.Values<int16_t>()[row];
        ++group.counts[kWhole.value];
        group.sums[kWhole.value] += value;
        group.largest = std::max(group.largest.value_or(value), value);
      }
      const Column& real = *batch.Find(kReal);
      if (!real.IsNull(row)) group.reals[kReal.value] += real.Values<float>()[row];
      const Column& text = *batch.Find(kText);
      if (!text.IsNull(row)) {
        const std::string value(text.ValueAt(row));
        group.least_text = std::min(group.least_text.value_or(value), value);
      }
    }
  }
  std::vector<std::string> lines;
  for (const std::string& key : order) {
    PlainGroup& g = expected[key];
    const int64_t count = g.counts[kWhole.value];
    const int64_t sum = g.sums[kWhole.value];
    const double mean = count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count);
    lines.push_back(key + std::to_string(g.rows) + ' ' + std::to_string(count) + ' ' +
                    std::to_string(sum) + ' ' + std::to_string(mean).substr(0, 4) + ' ' +
                    std::to_string(g.reals[kReal.value]).substr(0, 4) + ' ' +
                    g.least_text.value_or("") + ' ' + std::to_string(g.largest.value_or(0)));
  }
  EXPECT_EQ(Texts(aggregator.Finish()), lines);
}

TEST(Aggregator, EqualsThePlainWayOverBlocksOfRows) {
  for (const int nulls : {0, 5, 1}) {
    ExpectAsPlain({}, 10, nulls, 1);
    for (const size_t groups : {1U, 7U, 300U, 2000U}) {
      ExpectAsPlain({kGroup}, groups, nulls, 2);
      ExpectAsPlain({kGroup, kWhole}, groups, nulls, 3);
    }
    ExpectAsPlain({kWhole}, 3, nulls, 4);
    ExpectAsPlain({kWhole, kText, kGroup}, 4, nulls, 5);
  }
}

TEST(Aggregator, KeepsTheEmptyTextNoTextAndLongTextsApart) {
  Aggregator aggregator({.group_by = {kGroup}, .aggregates = {{}}}, Schema());
  const std::string text(70'000, 'x');
  for (int round = 0; round < 2; ++round) {
    model::RowBatch batch{.rows = 90, .columns = {model::MakeColumn(kGroup, DataType::kVarChar)}};
    for (int row = 0; row < 90; row += 3) {
      batch.columns[0].AppendNull();
      batch.columns[0].AppendValue("");
      batch.columns[0].AppendValue(row == 30 ? text : "short");
    }
    aggregator.Add(batch);
  }
  const model::RowBatch result = aggregator.Finish();
  ASSERT_EQ(result.rows, 4U);
  EXPECT_TRUE(result.columns[0].IsNull(0));
  EXPECT_FALSE(result.columns[0].IsNull(1));
  EXPECT_EQ(result.columns[0].ValueAt(1), "");
  EXPECT_EQ(result.columns[0].ValueAt(3), text);
  const auto counts = result.columns[1].Values<int64_t>();
  EXPECT_EQ(std::vector<int64_t>(counts.begin(), counts.end()),
            (std::vector<int64_t>{60, 60, 58, 2}));
}

TEST(Aggregator, TakesNotANumberForTheLargest) {
  model::CollectionSchema schema = Schema();
  schema.fields[2].type = DataType::kDouble;
  const AggregateSpec spec{.aggregates = {{AggregateOp::kMin, kReal}, {AggregateOp::kMax, kReal}}};
  Aggregator aggregator(spec, schema);
  auto add = [&](std::initializer_list<double> values) {
    model::RowBatch batch{.rows = values.size(),
                          .columns = {model::MakeColumn(kReal, DataType::kDouble)}};
    for (const double value : values) batch.columns[0].Append(value);
    aggregator.Add(batch);
    const model::RowBatch result = aggregator.Finish();
    return std::pair(result.columns[0].Values<double>()[0], result.columns[1].Values<double>()[0]);
  };
  EXPECT_TRUE(std::isnan(add({std::nan("")}).first));
  EXPECT_EQ(add({7, -INFINITY}).first, -INFINITY);
  EXPECT_TRUE(std::isnan(add({1e300}).second));
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
