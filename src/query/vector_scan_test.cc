#include "query/vector_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "model/vector_values.h"

namespace elanus::query {
namespace {

using model::Column;
using model::DataType;
using model::Metric;

std::string RandomVector(DataType type, int64_t dim, std::mt19937& random) {
  if (type == DataType::kSparseFloatVector) {
    std::map<uint32_t, float> elements;
    for (size_t i = random() % 6; i > 0; --i) {
      elements[static_cast<uint32_t>(random() % 12)] = static_cast<float>(random() % 8) / 4;
    }
    std::string row;
    for (const auto& [index, value] : elements) {
      const model::SparseElement element{index, value};
      row.append(reinterpret_cast<const char*>(&element), sizeof(element));
    }
    return row;
  }
  const size_t bytes = model::ValueBytes(type, dim);
  std::string row(bytes, '\0');
  if (model::IsDenseVector(type) && type != DataType::kInt8Vector) {
    std::vector<float> values(static_cast<size_t>(dim));
    for (float& value : values) value = static_cast<float>(random() % 64) / 16 - 2;
    model::FloatsToDense(type, values.data(), values.size(), row.data());
    return row;
  }
  for (char& byte : row) byte = static_cast<char>(random() & random());
  return row;
}

Column RandomColumn(DataType type, int64_t dim, size_t rows, std::mt19937& random) {
  Column column = model::MakeColumn({1}, type, dim);
  for (size_t i = 0; i < rows; ++i) column.AppendValue(RandomVector(type, dim, random));
  return column;
}

bool Bit(std::string_view bytes, size_t i) {
  return (static_cast<uint8_t>(bytes[i / 8]) >> (i % 8) & 1) != 0;
}

/// By the definitions, a bit or an element at a time; nullopt: never a hit.
std::optional<double> PlainBits(Metric metric, std::string_view a, std::string_view b) {
  int both = 0;
  int either = 0;
  int only_a = 0;
  int only_b = 0;
  for (size_t i = 0; i < a.size() * 8; ++i) {
    both += Bit(a, i) && Bit(b, i) ? 1 : 0;
    either += Bit(a, i) || Bit(b, i) ? 1 : 0;
    only_a += Bit(a, i) && !Bit(b, i) ? 1 : 0;
    only_b += !Bit(a, i) && Bit(b, i) ? 1 : 0;
  }
  switch (metric) {
    case Metric::kHamming: return only_a + only_b;
    case Metric::kJaccard: return either == 0 ? 1.0 : 1.0 - static_cast<double>(both) / either;
    case Metric::kSubstructure: return only_a == 0 ? std::optional(0.0) : std::nullopt;
    default: return only_b == 0 ? std::optional(0.0) : std::nullopt;
  }
}

std::optional<double> PlainSparse(std::string_view a, std::string_view b) {
  std::map<uint32_t, double> left;
  for (size_t i = 0; i < model::SparseSize(a); ++i) {
    left[model::SparseAt(a, i).index] = model::SparseAt(a, i).value;
  }
  double sum = 0;
  for (size_t i = 0; i < model::SparseSize(b); ++i) {
    const auto element = model::SparseAt(b, i);
    if (left.contains(element.index)) sum += left[element.index] * element.value;
  }
  return sum > 0 ? std::optional(-sum) : std::nullopt;
}

std::optional<double> PlainDense(Metric metric, DataType type, int64_t dim, std::string_view a,
                                 std::string_view b) {
  const auto size = static_cast<size_t>(dim);
  std::vector<float> x(size);
  std::vector<float> y(size);
  model::DenseToFloats(type, a.data(), size, x.data());
  model::DenseToFloats(type, b.data(), size, y.data());
  double square = 0;
  double product = 0;
  double xx = 0;
  double yy = 0;
  for (size_t i = 0; i < size; ++i) {
    square += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
    product += double{x[i]} * y[i];
    xx += double{x[i]} * x[i];
    yy += double{y[i]} * y[i];
  }
  if (metric == Metric::kL2) return square;
  if (metric == Metric::kIp) return -product;
  return xx == 0 || yy == 0 ? 0 : -product / std::sqrt(xx * yy);
}

std::optional<double> Plain(Metric metric, const Column& queries, size_t q, const Column& rows,
                            size_t row) {
  const std::string_view a = queries.ValueAt(q);
  const std::string_view b = rows.ValueAt(row);
  if (rows.type == DataType::kBinaryVector) return PlainBits(metric, a, b);
  if (rows.type == DataType::kSparseFloatVector) return PlainSparse(a, b);
  return PlainDense(metric, rows.type, rows.dim, a, b);
}

struct Case {
  DataType type;
  Metric metric;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (int type = 100; type < 106; ++type) {
    for (int metric = 0; metric < model::kMetrics; ++metric) {
      const Case one{static_cast<DataType>(type), static_cast<Metric>(metric)};
      if (model::SupportsMetric(one.type, one.metric)) cases.push_back(one);
    }
  }
  return cases;
}

class VectorScan : public testing::TestWithParam<Case> {};

TEST_P(VectorScan, FindsWhatAPlainScanFinds) {
  const auto [type, metric] = GetParam();
  std::mt19937 random(7);
  constexpr size_t kRows = 700;
  constexpr uint32_t kFirst = 64;
  for (const auto& [dim, nq] : {std::pair<int64_t, size_t>{8, 1}, {24, 1}, {72, 5}, {1024, 2}}) {
    const Column rows = RandomColumn(type, dim, kRows, random);
    const Column queries = RandomColumn(type, dim, nq, random);
    std::vector<uint64_t> words((kFirst + kRows + 63) / 64);
    for (uint64_t& word : words) word = random() & random();
    const index::HiddenBits hidden(words.data(), kFirst + kRows);
    std::vector<index::TopK> tops(nq, index::TopK(kRows));
    ASSERT_TRUE(ScanVectors(metric, segment::ViewOf(queries), {segment::ViewOf(rows), kFirst},
                            hidden, Cancel(), tops)
                    .ok());
    for (size_t q = 0; q < nq; ++q) {
      std::map<uint32_t, double> wanted;
      for (uint32_t row = 0; row < kRows; ++row) {
        const auto distance = Plain(metric, queries, q, rows, row);
        if (distance && !hidden.Hidden(kFirst + row)) wanted[kFirst + row] = *distance;
      }
      const auto hits = tops[q].Take();
      ASSERT_EQ(hits.size(), wanted.size());
      EXPECT_TRUE(std::ranges::is_sorted(hits, index::Nearer));
      for (const index::Hit& hit : hits) {
        ASSERT_TRUE(wanted.contains(hit.row));
        ASSERT_NEAR(hit.distance, wanted[hit.row],
                    1e-5 * std::max(1.0, std::fabs(wanted[hit.row])));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, VectorScan, testing::ValuesIn(Cases()), [](const auto& info) {
  return std::string(model::DataTypeName(info.param.type)) + "By" +
         std::string(model::MetricName(info.param.metric));
});

TEST(VectorScanMetric, RefusesAMetricThatTheTypeHasNot) {
  std::mt19937 random(1);
  const Column rows = RandomColumn(DataType::kBinaryVector, 8, 3, random);
  std::vector<index::TopK> tops(1, index::TopK(1));
  const Status status = ScanVectors(Metric::kL2, segment::ViewOf(rows), {segment::ViewOf(rows)},
                                    index::HiddenBits(), Cancel(), tops);
  EXPECT_EQ(status.code(), Code::kInvalidParameter);
}

TEST(VectorScanMetric, StopsWhenCanceled) {
  std::mt19937 random(1);
  std::stop_source stop;
  stop.request_stop();
  for (DataType type :
       {DataType::kBinaryVector, DataType::kSparseFloatVector, DataType::kFloat16Vector}) {
    const Column rows = RandomColumn(type, 8, 3, random);
    std::vector<index::TopK> tops(1, index::TopK(1));
    const Status status = ScanVectors(model::TraitsOf(type).default_metric, segment::ViewOf(rows),
                                      {segment::ViewOf(rows)}, index::HiddenBits(),
                                      Cancel{.stop = stop.get_token()}, tops);
    EXPECT_EQ(status.code(), Code::kCanceled) << model::DataTypeName(type);
  }
}

}  // namespace
}  // namespace elanus::query
