// Rows that are searched while they arrive: by a graph, and after their flush by the same graph
// until the index is built. Every answer against a plain scan.
#include <numeric>
#include <random>

#include "worker/stream/shard_owner_test_support.h"

namespace elanus::worker {
namespace {

constexpr int64_t kQueries = 40;
constexpr int64_t kTopK = 10;

std::vector<float> PointOf(int64_t key) {
  std::mt19937_64 random(static_cast<uint64_t>(key) * 7919 + 1);
  std::normal_distribution<float> normal;
  return {normal(random), normal(random), normal(random), normal(random)};
}

float Square(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0;
  for (size_t i = 0; i < kDim; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

class GrowingRows : public ShardOwnerTest {
 protected:
  GrowingRows() {
    options_.maintenance.threads = false;
    options_.maintenance.flush.growing_bytes = 1 << 30;
    options_.maintenance.flush.log_files = UINT64_MAX;
    Restart();
  }

  void Insert(int64_t from, int64_t to) {
    std::vector<int64_t> keys(static_cast<size_t>(to - from));
    std::iota(keys.begin(), keys.end(), from);
    Insert(keys);
  }

  void Insert(const std::vector<int64_t>& keys) {
    model::RowBatch rows = Rows(keys, 1);
    model::Column vectors = model::MakeColumn({101}, model::DataType::kFloatVector, kDim);
    for (int64_t key : keys) {
      const std::vector<float> v = PointOf(key);
      vectors.AppendValue({reinterpret_cast<const char*>(v.data()), kDim * sizeof(float)});
      there_.push_back(key);
    }
    std::ranges::sort(there_);
    rows.columns[1] = vectors;
    const auto reply = Write(std::move(rows), {});
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
  }

  void Delete(const std::vector<int64_t>& keys) {
    ASSERT_TRUE(Write({}, keys).has_value());
    std::erase_if(there_, [&](int64_t key) { return std::ranges::find(keys, key) != keys.end(); });
  }

  std::vector<int64_t> SearchNear(const std::vector<float>& v) {
    service::SearchRequest request{.shard = {1}, .collection = {1}, .field = {101}, .top_k = kTopK};
    request.vectors.assign(reinterpret_cast<const char*>(v.data()), kDim * sizeof(float));
    auto reply = process_->owner->Search(request, {});
    EXPECT_TRUE(reply.has_value()) << reply.error().message();
    return reply->keys.ints;
  }

  /// Recall over queries that are no rows; each hit must be a row that is there, nearest first.
  double Recall() {
    int64_t found = 0;
    for (int64_t q = 0; q < kQueries; ++q) {
      const std::vector<float> query = PointOf(-1 - q);
      const auto near = [&](int64_t key) { return Square(PointOf(key), query); };
      std::vector<int64_t> truth = there_;
      std::ranges::partial_sort(truth, truth.begin() + kTopK, {}, near);
      const std::vector<int64_t> hits = SearchNear(query);
      EXPECT_EQ(hits.size(), static_cast<size_t>(kTopK));
      EXPECT_TRUE(std::ranges::is_sorted(hits, {}, near));
      for (int64_t key : hits) {
        EXPECT_TRUE(std::ranges::binary_search(there_, key)) << key;
        found += std::find(truth.begin(), truth.begin() + kTopK, key) != truth.begin() + kTopK;
      }
    }
    return static_cast<double>(found) / (kQueries * kTopK);
  }

  ShardOwner::Counters counters() const { return process_->owner->counters(); }

  std::vector<int64_t> there_;  // keys, ascending
};

TEST_F(GrowingRows, GetAGraphOnceASearchHasReadMany) {
  Insert(0, 4000);
  EXPECT_EQ(Recall(), 1.0);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, 0u) << "few rows are read as fast";

  Insert(4000, 6000);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, 0u) << "nobody has searched these";
  EXPECT_EQ(Recall(), 1.0);
  process_->owner->RunMaintenance();
  const uint64_t bytes = counters().bytes_graphs;
  EXPECT_GT(bytes, 0u);
  EXPECT_GE(Recall(), 0.97);

  Insert(6000, 8000);
  EXPECT_GE(Recall(), 0.97);
  EXPECT_EQ(SearchNear(PointOf(7999))[0], 7999) << "rows outside the graph are read";
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, bytes / 6 * 8) << "a graph follows the rows";
  Insert(8000, 8050);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, bytes / 6 * 8) << "few rows are outside";
  Insert(8050, 8100);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, bytes / 60 * 81) << "a hundred are worth linking";

  Delete({7000, 7500, 100, 200});
  Insert(8100, 12000);
  EXPECT_GE(Recall(), 0.97);
  EXPECT_NE(SearchNear(PointOf(200))[0], 200);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, bytes * 2);
  EXPECT_GE(Recall(), 0.97);
}

TEST_F(GrowingRows, KeepTheirGraphAfterTheFlushUntilTheIndexIsBuilt) {
  Insert(0, 6000);
  Recall();
  process_->owner->RunMaintenance();
  Insert(6000, 7000);  // linked by the flush
  Delete({1, 17, 6500});
  Flush();
  EXPECT_EQ(counters().bytes_graphs, 0u);
  EXPECT_GT(counters().bytes_indexes, 0u);
  EXPECT_GE(Recall(), 0.97);
  EXPECT_EQ(SearchNear(PointOf(6999))[0], 6999);
  EXPECT_TRUE(process_->owner->RunMaintenance()) << "the index that the user asked for";
  EXPECT_GE(Recall(), 0.97);
  Restart();
  process_->owner->RunMaintenance();
  EXPECT_GE(Recall(), 0.97);
}

TEST_F(GrowingRows, GetAGraphAtOnceWhereThoseBeforeWereSearched) {
  Insert(0, 5000);
  Flush();
  Insert(5000, 10'000);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, 0u) << "nobody has searched those before";
  SearchNear(PointOf(1));
  Flush();
  Insert(10'000, 15'000);
  process_->owner->RunMaintenance();
  EXPECT_GT(counters().bytes_graphs, 0u);
  EXPECT_GE(Recall(), 0.97);
  Flush();  // they were searched too
  Insert(15'000, 20'000);
  process_->owner->RunMaintenance();
  EXPECT_GT(counters().bytes_graphs, 0u);
  Flush();  // these were not
  Insert(20'000, 25'000);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, 0u);
}

TEST_F(GrowingRows, GetAGraphUnsearchedWhenTheyComeSlowly) {
  for (int64_t second = 0; second < 4; ++second) {
    Insert(second * 1000, (second + 1) * 1000);
    process_->owner->RunMaintenance();
    EXPECT_EQ(counters().bytes_graphs, 0u) << "few rows are read as fast";
    process_->wall.AdvanceMs(1000);
  }
  Insert(4000, 5000);
  process_->owner->RunMaintenance();
  const uint64_t bytes = counters().bytes_graphs;
  EXPECT_GT(bytes, 0u);
  Insert(5000, 10'000);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, bytes * 2) << "once there it follows them, fast or slow";
  EXPECT_GE(Recall(), 0.97);
}

TEST_F(GrowingRows, GetNoGraphUnsearchedWhenManyComeAtOnceAfterAFewSlowOnes) {
  Insert(0, 100);
  process_->wall.AdvanceMs(60'000);
  Insert(100, 25'000);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, 0u);
}

TEST_F(GrowingRows, GetNoGraphUnsearchedWhileTheyAreNotLoaded) {
  collection_->partitions[0].loaded = collection_->loaded = false;
  Restart();
  for (int64_t second = 0; second < 8; ++second) {
    Insert(second * 1000, (second + 1) * 1000);
    process_->wall.AdvanceMs(1000);
    process_->owner->RunMaintenance();
  }
  EXPECT_EQ(counters().bytes_graphs, 0u);
}

TEST_F(GrowingRows, AreInsertedIntoTheGraphOfTheLargerSegmentTheyAreMergedWith) {
  std::vector<int64_t> first, then;
  for (int64_t key = 0; key < 8000; ++key) (key % 4 == 0 ? then : first).push_back(key);
  Insert(first);
  Flush();
  EXPECT_TRUE(process_->owner->RunMaintenance()) << "its index";
  EXPECT_FALSE(process_->owner->RunMaintenance());
  Insert(then);
  Delete({1, 2, 4, 8, 5001, 5002});
  Flush();
  EXPECT_EQ(counters().segments_sealed, 2u);
  EXPECT_TRUE(process_->owner->RunMaintenance());
  EXPECT_EQ(counters().segments_sealed, 1u);
  EXPECT_FALSE(process_->owner->RunMaintenance());
  EXPECT_GE(Recall(), 0.97);
  for (const int64_t key : {0, 3, 12, 5003, 7996}) EXPECT_EQ(SearchNear(PointOf(key))[0], key);
  Restart();
  process_->owner->RunMaintenance();
  EXPECT_GE(Recall(), 0.97);
}

TEST_F(GrowingRows, OfACollectionWithoutAnIndexAreRead) {
  collection_->indexes.clear();
  Restart();
  Insert(0, 6000);
  EXPECT_EQ(Recall(), 1.0);
  process_->owner->RunMaintenance();
  EXPECT_EQ(counters().bytes_graphs, 0u);
}

}  // namespace
}  // namespace elanus::worker
