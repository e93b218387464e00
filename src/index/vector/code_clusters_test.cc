// Clusters of int8 codes: each row goes to its nearest centre, centres are means of theirs, and
// nothing depends on threads.
#include "index/vector/code_clusters.h"

#include <gtest/gtest.h>

#include "index/vector/graph_inserter.h"
#include "index/vector/testing.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 3'000, kDim = 37, kClusters = 70;

class CodeClustersTest : public ::testing::TestWithParam<Metric> {
 protected:
  CodeClustersTest()
      : data_(testing::Clustered(kRows, kDim, 1)),
        table_(Sq8::Train(GetParam(), data_.view()), kRows) {
    for (size_t row = 0; row < kRows; ++row) table_.Write(row, data_.Row(row));
  }
  CodeClusters Made(int threads, int rounds = 4) const {
    auto made = ClusterCodes(table_.codec(), table_.view(), kRows,
                             {.clusters = kClusters, .rounds = rounds, .threads = threads}, {});
    EXPECT_TRUE(made.has_value());
    return std::move(*made);
  }
  int64_t Distance(const CodeClusters& made, size_t row, size_t centre) const {
    const uint8_t* a = table_.view().Row(row);
    const uint8_t* b = made.centres.As<uint8_t>() + centre * table_.codec().stride();
    int64_t sum = 0;
    for (size_t d = 0; d < kDim; ++d) sum += (int64_t{a[d]} - b[d]) * (int64_t{a[d]} - b[d]);
    return sum;
  }
  int64_t Spread(const CodeClusters& made) const {
    int64_t sum = 0;
    for (size_t row = 0; row < kRows; ++row) sum += Distance(made, row, made.nearest[row]);
    return sum;
  }

  const testing::Data data_;
  CodeTable table_;
};

TEST_P(CodeClustersTest, EachRowGoesToItsNearestCentre) {
  const CodeClusters made = Made(1);
  ASSERT_EQ(made.nearest.size(), kRows);
  ASSERT_EQ(made.centres.size(), kClusters * table_.codec().stride());
  for (size_t row = 0; row < kRows; row += 10) {
    ASSERT_LT(made.nearest[row], kClusters);
    const int64_t own = Distance(made, row, made.nearest[row]);
    for (size_t c = 0; c < kClusters; ++c)
      EXPECT_LE(own, Distance(made, row, c) + 1);  // half of an odd square is rounded
  }
}

TEST_P(CodeClustersTest, RoundsBringTheCentresNearer) {
  EXPECT_LT(Spread(Made(1, 4)), Spread(Made(1, 0)) * 9 / 10);
}

TEST_P(CodeClustersTest, ThreadsDoNotMatter) {
  const CodeClusters one = Made(1), three = Made(3);
  EXPECT_EQ(one.nearest, three.nearest);
  EXPECT_TRUE(std::ranges::equal(one.centres.span(), three.centres.span()));
}

TEST_P(CodeClustersTest, ARequestToStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  const auto made =
      ClusterCodes(table_.codec(), table_.view(), kRows, {.clusters = kClusters}, stop.get_token());
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), Code::kCanceled);
}

INSTANTIATE_TEST_SUITE_P(Metrics, CodeClustersTest,
                         ::testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine),
                         [](const auto& info) {
                           return std::to_string(static_cast<int>(info.param));
                         });

}  // namespace
}  // namespace elanus::index
