#include "index/vector/brute_force.h"

#include <gtest/gtest.h>

#include "index/vector/testing.h"

namespace elanus::index {
namespace {

using testing::BitsWhere;
using testing::Clustered;
using testing::Reference;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kIp, Metric::kCosine};

void ExpectSame(const std::vector<Hit>& got, const std::vector<Hit>& want, size_t k) {
  ASSERT_EQ(got.size(), std::min(k, want.size()));
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i].distance, want[i].distance,
                1e-5 * std::max(1.0f, std::fabs(want[i].distance)))
        << i;
    if (i > 0) {
      ASSERT_TRUE(Nearer(got[i - 1], got[i]));
    }
  }
}

TEST(BruteForce, FindsTheNearestRowsOfEveryMetricAndShape) {
  for (Metric metric : kMetrics) {
    for (size_t dim : {1, 3, 16, 50, 129}) {
      for (size_t rows : {0, 1, 63, 64, 65, 1500}) {
        const auto data = Clustered(rows, dim, rows + dim);
        const auto query = Clustered(1, dim, 77);
        TopK top(10);
        ASSERT_TRUE(BruteForce(metric, query.Row(0), {.vectors = data.view()}, {}, {}, top).ok());
        ExpectSame(top.Take(), Reference(metric, data, query.Row(0), {}), 10);
      }
    }
  }
}

TEST(BruteForce, SeesOnlyVisibleRowsAtEverySelectivity) {
  const auto data = Clustered(5000, 24, 1);
  const auto query = Clustered(1, 24, 2);
  for (Metric metric : kMetrics) {
    for (size_t keep_one_in : {1, 2, 3, 10, 100, 1000, 6000}) {
      const auto bits =
          BitsWhere(5000, [&](size_t row) { return row % keep_one_in != keep_one_in - 1; });
      TopK top(20);
      ASSERT_TRUE(
          BruteForce(metric, query.Row(0), {.vectors = data.view()}, bits.view(), {}, top).ok());
      ExpectSame(top.Take(), Reference(metric, data, query.Row(0), bits.view()), 20);
    }
  }
}

TEST(BruteForce, HalvesAndBytesAreMeasuredAsTheNumbersTheyAre) {
  for (auto element : {simd::Element::kFloat16, simd::Element::kBfloat16, simd::Element::kInt8}) {
    for (size_t dim : {1, 7, 48, 130}) {
      const auto data = testing::As(element, Clustered(1500, dim, dim));
      const auto queries = testing::As(element, Clustered(5, dim, dim, 1500));
      const auto bits = BitsWhere(1500, [](size_t row) { return row % 7 == 0; });
      for (Metric metric : kMetrics) {
        std::vector<TopK> tops(5, TopK(20));
        const VectorChunk chunk{.vectors = data.view()};
        ASSERT_TRUE(
            BruteForceMany(metric, queries.floats.values.data(), chunk, bits.view(), {}, tops)
                .ok());
        for (size_t q = 0; q < 5; ++q) {
          const auto want = Reference(metric, data.floats, queries.floats.Row(q), bits.view());
          ExpectSame(tops[q].Take(), want, 20);
          TopK top(20);
          ASSERT_TRUE(BruteForce(metric, queries.floats.Row(q), chunk, bits.view(), {}, top).ok());
          ExpectSame(top.Take(), want, 20);
        }
      }
    }
  }
}

TEST(BruteForce, AddsUpOverChunksWithOneAccumulator) {
  const auto data = Clustered(3000, 20, 3);
  const auto query = Clustered(1, 20, 4);
  const auto bits = BitsWhere(3000, [](size_t row) { return row % 3 == 0; });
  TopK top(50);
  for (size_t first = 0; first < 3000; first += 700) {  // no multiple of 64: bits straddle words
    const size_t rows = std::min<size_t>(700, 3000 - first);
    const VectorChunk chunk{.vectors = {data.Row(first), rows, 20}, .row_offset = first};
    ASSERT_TRUE(BruteForce(Metric::kL2, query.Row(0), chunk, bits.view(), {}, top).ok());
  }
  const auto got = top.Take(), want = Reference(Metric::kL2, data, query.Row(0), bits.view());
  ExpectSame(got, want, 50);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].row, want[i].row);
}

TEST(BruteForce, ManyQueriesAnswerAsEachAlone) {
  const auto data = Clustered(2000, 33, 5);
  for (Metric metric : kMetrics) {
    for (size_t nq : {1, 2, 3, 12, 13, 29}) {
      const auto queries = Clustered(nq, 33, 6);
      for (size_t keep_one_in : {1, 2, 50}) {
        const auto bits = BitsWhere(2000, [&](size_t row) { return row % keep_one_in != 0; });
        std::vector<TopK> tops(nq, TopK(7));
        ASSERT_TRUE(BruteForceMany(metric, queries.values.data(), {.vectors = data.view()},
                                   bits.view(), {}, tops)
                        .ok());
        for (size_t q = 0; q < nq; ++q) {
          ExpectSame(tops[q].Take(), Reference(metric, data, queries.Row(q), bits.view()), 7);
        }
      }
    }
  }
}

TEST(BruteForce, AShorterBitsetHidesTheRowsPastItsEnd) {
  const auto data = Clustered(300, 8, 7);
  const auto bits = BitsWhere(100, [](size_t) { return false; });
  TopK top(300);
  ASSERT_TRUE(
      BruteForce(Metric::kL2, data.Row(5), {.vectors = data.view()}, bits.view(), {}, top).ok());
  const auto hits = top.Take();
  EXPECT_EQ(hits.size(), 100u);
  for (const Hit& hit : hits) EXPECT_LT(hit.row, 100u);
}

TEST(BruteForce, EqualDistancesComeInRowOrder) {
  testing::Data data{std::vector<float>(200 * 4, 1.0f), 4};
  TopK top(10);
  ASSERT_TRUE(BruteForce(Metric::kIp, data.Row(0), {.vectors = data.view()}, {}, {}, top).ok());
  const auto hits = top.Take();
  for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(hits[i].row, i);
}

TEST(BruteForce, ZeroVectorHasCosineZeroWithEverything) {
  testing::Data data{std::vector<float>(3 * 4, 0.0f), 4};
  data.values[4] = 1.0f;   // row 1 points one way
  data.values[8] = -1.0f;  // row 2 the other
  TopK top(3);
  ASSERT_TRUE(BruteForce(Metric::kCosine, data.Row(1), {.vectors = data.view()}, {}, {}, top).ok());
  const auto hits = top.Take();
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[0], (Hit{1, -1.0f}));
  EXPECT_EQ(hits[1], (Hit{0, 0.0f}));
  EXPECT_EQ(hits[2], (Hit{2, 1.0f}));
}

TEST(BruteForce, StopsWhenCanceledOrLate) {
  const auto data = Clustered(100, 4, 8);
  std::stop_source source;
  source.request_stop();
  TopK top(1);
  EXPECT_EQ(BruteForce(Metric::kL2, data.Row(0), {.vectors = data.view()}, {},
                       Cancel{.stop = source.get_token()}, top)
                .code(),
            Code::kCanceled);
  const Cancel late{.deadline_us = 0};
  EXPECT_EQ(BruteForce(Metric::kL2, data.Row(0), {.vectors = data.view()}, {}, late, top).code(),
            Code::kTimeout);
}

/// A clock that is late from its n-th look on.
class LateFrom final : public Clock {
 public:
  explicit LateFrom(size_t n) : left_(n) {}
  int64_t WallMs() const override { return 0; }
  int64_t MonotonicUs() const override {
    ++looks_;
    if (left_ == 0) return 1;
    --left_;
    return 0;
  }
  size_t looks() const { return looks_; }

 private:
  mutable size_t left_;
  mutable size_t looks_ = 0;
};

struct ManyShape {
  size_t nq, rows, dim;
  bool few_visible = false;
};

/// Numbers multiplied by a search that is late at its n-th look; each row measured is kept, so the
/// results tell how far it came. 0 products more: it was through before.
size_t ProductsUntilLate(const ManyShape& shape, const testing::Data& rows,
                         const testing::Data& queries, size_t n, Status& status) {
  std::vector<uint64_t> words((shape.rows + 63) / 64, shape.few_visible ? ~uint64_t{1} << 9 : 0);
  const HiddenBits hidden = shape.few_visible ? HiddenBits(words.data(), shape.rows) : HiddenBits();
  std::vector<TopK> tops(shape.nq, TopK(shape.rows));
  const LateFrom clock(n);
  status = BruteForceMany(Metric::kL2, queries.values.data(), {.vectors = rows.view()}, hidden,
                          Cancel{.deadline_us = 1, .clock = &clock}, tops);
  EXPECT_LE(clock.looks(), n + 1) << "it went on after it was told to stop";
  size_t measured = 0;
  for (TopK& top : tops) measured += top.Take().size();
  return measured * shape.dim;
}

TEST(BruteForce, MeasuresNothingAfterItsCancelAndAsksEveryFewMilliseconds) {
  // 32 million products are 5 to 10 ms on one core without wide registers.
  constexpr size_t kProductsMax = 32 << 20;
  for (const ManyShape& shape :
       {ManyShape{16'384, 64, 64}, ManyShape{2, 40'000, 16}, ManyShape{40, 700, 2048},
        ManyShape{16'384, 640, 4, true}, ManyShape{3, 80, 32'768}}) {
    const testing::Data rows = Clustered(shape.rows, shape.dim, 1);
    const testing::Data queries = Clustered(shape.nq, shape.dim, 1);
    size_t before = 0;
    Status status{Code::kTimeout, ""};
    for (size_t n = 0; !status.ok() && n < 24; ++n) {
      const size_t products = ProductsUntilLate(shape, rows, queries, n, status);
      EXPECT_LE(products - before, kProductsMax)
          << shape.nq << " x " << shape.rows << " look " << n;
      EXPECT_TRUE(status.ok() || status.code() == Code::kTimeout);
      before = products;
    }
  }
}

TEST(TopK, WindowKeepsWhatLiesBeyondTheLastHitAndBelowTheRadius) {
  TopK after(10, Window::After({5, 2.0f}));
  for (uint32_t row = 0; row < 10; ++row) after.Push(2.0f, row);
  after.Push(1.0f, 20);
  after.Push(3.0f, 0);
  const auto hits = after.Take();
  ASSERT_EQ(hits.size(), 5u);
  EXPECT_EQ(hits[0], (Hit{6, 2.0f}));
  EXPECT_EQ(hits[4], (Hit{0, 3.0f}));

  TopK range(10, {.lower = 1.0f, .upper = 2.0f});
  for (float d : {0.5f, 1.0f, 1.5f, 2.0f, 2.5f}) range.Push(d, static_cast<uint32_t>(d * 10));
  const auto inside = range.Take();
  ASSERT_EQ(inside.size(), 2u);
  EXPECT_EQ(inside[0].distance, 1.0f);
  EXPECT_EQ(inside[1].distance, 1.5f);
}

TEST(TopK, KeepsTheNearestOfManyAndRefusesNaN) {
  std::mt19937_64 random(1);
  for (size_t k : {0, 1, 5, 100}) {
    TopK top(k);
    std::vector<Hit> all;
    for (uint32_t row = 0; row < 3000; ++row) {
      const auto distance = static_cast<float>(random() % 500);
      all.push_back({row, distance});
      top.Push(distance, row);
    }
    top.Push(std::nanf(""), 1);
    std::sort(all.begin(), all.end(), Nearer);
    all.resize(k);
    EXPECT_EQ(top.Take(), all);
  }
}

TEST(HiddenBits, WordsAndCountsAgreeWithSingleBitsAtEveryOffset) {
  const auto bits = BitsWhere(203, [](size_t row) { return row * 7 % 5 < 2; });
  const HiddenBits hidden = bits.view();
  for (size_t row = 0; row < 300; ++row) {
    for (size_t i = 0; i < 64; ++i)
      EXPECT_EQ(hidden.Word(row) >> i & 1, hidden.Hidden(row + i) ? 1u : 0u);
  }
  for (size_t rows : {0, 1, 64, 200, 203, 250}) {
    size_t visible = 0;
    for (size_t i = 0; i < rows; ++i) visible += hidden.Hidden(i) ? 0 : 1;
    EXPECT_EQ(hidden.CountVisible(rows), visible);
  }
  EXPECT_EQ(HiddenBits().CountVisible(9), 9u);
}

}  // namespace
}  // namespace elanus::index
