// When a graph gets half bytes, and that its answers are as good with them.
#include "index/vector/graph_codes.h"

#include <gtest/gtest.h>

#include "index/vector/testing.h"

namespace elanus::index {
namespace {

using testing::BitsWhere;
using testing::BuildAndOpen;
using testing::Clustered;
using testing::RecallOf;
using testing::Reference;

BuildParams GraphOf(Metric metric, int bits) {
  return {.kind = Kind::kHnsw,
          .metric = metric,
          .m = 12,
          .ef_construction = 100,
          .codec = {.bits = bits},
          .seed = 7};
}

class GraphCodesTest : public ::testing::TestWithParam<Metric> {
 protected:
  using Truth = std::vector<std::vector<Hit>>;  // of each query

  Truth TruthOf(const testing::Data& data, const testing::Data& queries, const HiddenBits& hidden) {
    Truth truth;
    for (size_t q = 0; q < queries.view().rows; ++q)
      truth.push_back(Reference(GetParam(), data, queries.Row(q), hidden));
    return truth;
  }

  double Recall(const VectorIndex& index, const testing::Data& queries, const Truth& truth,
                const SearchParams& search, const HiddenBits& hidden) {
    double recall = 0;
    for (size_t q = 0; q < truth.size(); ++q) {
      auto hits = index.Search(queries.Row(q), search, hidden, {});
      EXPECT_TRUE(hits.has_value());
      if (!hits.has_value()) return 0;
      EXPECT_EQ(hits->size(), search.top_k);
      recall += RecallOf(*hits, truth[q], search.top_k);
    }
    return recall / static_cast<double>(truth.size());
  }
};

TEST_P(GraphCodesTest, AGraphOfHalfBytesIsSmallerAndAnswersAsWell) {
  constexpr size_t kRows = 4000, kDim = 100;
  const auto data = Clustered(kRows, kDim, 1);
  const auto queries = Clustered(40, kDim, 1, kRows);
  const auto bytes = BuildAndOpen(data, GraphOf(GetParam(), 8));
  const auto halves = BuildAndOpen(data, GraphOf(GetParam(), kHalfByte));
  ASSERT_NE(bytes.index, nullptr);
  ASSERT_NE(halves.index, nullptr);
  EXPECT_EQ(bytes.index->header().codec.bits, 8);
  EXPECT_EQ(halves.index->header().codec.bits, kHalfByte);
  EXPECT_EQ(bytes.file->size() - halves.file->size(), kRows * 64);
  const auto few = BitsWhere(kRows, [](size_t row) { return row % 4 != 1; });
  const auto most = BitsWhere(kRows, [](size_t row) { return row % 4 == 1; });
  for (const HiddenBits& hidden : {HiddenBits(), few.view(), most.view()}) {
    const Truth truth = TruthOf(data, queries, hidden);
    for (size_t k : {1, 10, 100}) {
      EXPECT_GE(Recall(*halves.index, queries, truth, {.top_k = k}, hidden), 0.93);
      for (int ef : {100, 400}) {
        const SearchParams search{.top_k = k, .ef = ef};
        EXPECT_GE(Recall(*halves.index, queries, truth, search, hidden),
                  Recall(*bytes.index, queries, truth, search, hidden) - 0.015)
            << "k " << k << ", ef " << ef;
      }
    }
  }
}

TEST_P(GraphCodesTest, RowsOfOtherElementsGetHalfBytesToo) {
  for (auto element : {simd::Element::kFloat16, simd::Element::kInt8}) {
    const auto data = testing::As(element, Clustered(2000, 100, 2));
    const auto queries = testing::As(element, Clustered(20, 100, 2, 2000));
    const auto opened = BuildAndOpen(data.view(), GraphOf(GetParam(), kHalfByte));
    ASSERT_NE(opened.index, nullptr);
    EXPECT_EQ(opened.index->header().codec.bits, kHalfByte);
    const Truth truth = TruthOf(data.floats, queries.floats, {});
    EXPECT_GE(Recall(*opened.index, queries.floats, truth, {.top_k = 10}, {}), 0.95);
  }
}

TEST_P(GraphCodesTest, BytesStayWhereHalvesSaveNoLine) {
  EXPECT_FALSE(HalfBytesSaveLines(GetParam(), 50));
  EXPECT_TRUE(HalfBytesSaveLines(GetParam(), 100));
  EXPECT_TRUE(HalfBytesSaveLines(GetParam(), 768));
  const auto data = Clustered(1000, 50, 3);
  const auto a = BuildIndexFile(data.view(), GraphOf(GetParam(), kHalfByte)),
             b = BuildIndexFile(data.view(), GraphOf(GetParam(), 8));
  ASSERT_TRUE(a.has_value() && b.has_value());
  EXPECT_TRUE(a->Join() == b->Join());
}

// All rows of a cluster have nearly the same half bytes.
TEST_P(GraphCodesTest, BytesStayWhereHalvesDoNotTellNeighboursApart) {
  constexpr size_t kDim = 100, kRows = 3000;
  testing::Data data{std::vector<float>(kRows * kDim), kDim};
  const auto centres = Clustered(10, kDim, 4), around = Clustered(kRows, kDim, 5);
  for (size_t i = 0; i < kRows * kDim; ++i)
    data.values[i] = centres.Row(i / kDim % 10)[i % kDim] + 0.02f * around.values[i];
  const auto opened = BuildAndOpen(data, GraphOf(GetParam(), kHalfByte));
  ASSERT_NE(opened.index, nullptr);
  EXPECT_EQ(opened.index->header().codec.bits, 8);
}

TEST_P(GraphCodesTest, EstimatesAreCloseToTheTruth) {
  for (size_t dim : {100, 200}) {
    const auto data = Clustered(3000, dim, 6);
    const BuildParams params = GraphOf(GetParam(), kHalfByte);
    const auto built = BuildIndexFile(data.view(), params);
    ASSERT_TRUE(built.has_value());
    const auto estimate = static_cast<double>(EstimateIndexBytes(3000, dim, params));
    EXPECT_NEAR(static_cast<double>(built->size()), estimate, 0.1 * estimate + 512);
  }
}

TEST_P(GraphCodesTest, DamagedCodesAreRefusedOrAnswered) {
  const auto data = Clustered(500, 100, 8);
  const auto built = BuildIndexFile(data.view(), GraphOf(GetParam(), kHalfByte));
  ASSERT_TRUE(built.has_value());
  std::string file = built->Join();
  file[file.size() / 2] ^= 1;
  EXPECT_FALSE(OpenIndex(nullptr, std::as_bytes(std::span(file)), data.view(), OpenMode::kResident)
                   .has_value());
}

INSTANTIATE_TEST_SUITE_P(Metrics, GraphCodesTest,
                         ::testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine),
                         [](const auto& info) { return testing::MetricName(info.param); });

}  // namespace
}  // namespace elanus::index
