// All kinds of index behind the one interface, against the plain search.
#include "index/vector/vector_index.h"

#include <gtest/gtest.h>

#include "index/vector/testing.h"

namespace elanus::index {
namespace {

using testing::BitsWhere;
using testing::BuildAndOpen;
using testing::Clustered;
using testing::RecallOf;
using testing::Reference;

struct Case {
  testing::Form form;
  Metric metric;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const testing::Form& form : testing::AllForms()) {
    for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine})
      cases.push_back({form, metric});
  }
  return cases;
}

// Product codes of about two dimensions a part, so that they say something about a row.
BuildParams ParamsOf(const Case& c, size_t dim) {
  BuildParams params{.kind = c.form.kind,
                     .metric = c.metric,
                     .m = 12,
                     .ef_construction = 100,
                     .nlist = 32,
                     .codec = c.form.codec,
                     .seed = 7};
  if (c.form.codec.kind == CodecKind::kProduct) {
    params.codec.parts = static_cast<int>(std::max<size_t>(1, dim / 2));
    while (dim % static_cast<size_t>(params.codec.parts) != 0) --params.codec.parts;
  }
  return params;
}

class VectorIndexTest : public ::testing::TestWithParam<Case> {
 protected:
  Metric metric() const { return GetParam().metric; }
};

void ExpectExactAndSorted(Metric metric, const testing::Data& data, const float* query,
                          const HiddenBits& hidden, const std::vector<Hit>& hits) {
  for (size_t i = 0; i < hits.size(); ++i) {
    ASSERT_FALSE(hidden.Hidden(hits[i].row));
    const double want = testing::ExactDistanceOf(metric, query, data.Row(hits[i].row), data.dim);
    ASSERT_NEAR(hits[i].distance, want, 1e-5 * std::max(1.0, std::fabs(want)));
    if (i > 0) {
      ASSERT_TRUE(Nearer(hits[i - 1], hits[i]));
    }
  }
}

void ExpectCloseToEstimate(const testing::Opened& opened, size_t rows, size_t dim,
                           const BuildParams& params) {
  const auto estimate = static_cast<double>(EstimateIndexBytes(rows, dim, params));
  EXPECT_NEAR(static_cast<double>(opened.file->size()), estimate, 0.03 * estimate + 512);
}

TEST_P(VectorIndexTest, ReachesItsRecallOnUnseenQueriesByItsOwnChoiceOfWidth) {
  const auto data = Clustered(6000, 32, 1);
  const auto queries = Clustered(100, 32, 1, 6000);
  const auto params = ParamsOf(GetParam(), 32);
  const auto opened = BuildAndOpen(data, params);
  ASSERT_NE(opened.index, nullptr);
  ExpectCloseToEstimate(opened, 6000, 32, params);
  for (size_t k : {1, 10, 100}) {
    double recall = 0;
    for (size_t q = 0; q < 100; ++q) {
      auto hits = opened.index->Search(queries.Row(q), {.top_k = k}, {}, {});
      ASSERT_TRUE(hits.has_value());
      ASSERT_EQ(hits->size(), k);
      ExpectExactAndSorted(metric(), data, queries.Row(q), {}, *hits);
      recall += RecallOf(*hits, Reference(metric(), data, queries.Row(q), {}), k) / 100;
    }
    EXPECT_GE(recall, 0.93) << "k " << k;
  }
}

TEST_P(VectorIndexTest, ReachesItsRecallOverHalvesAndBytes) {
  for (auto element : {simd::Element::kFloat16, simd::Element::kBfloat16, simd::Element::kInt8}) {
    const auto data = testing::As(element, Clustered(3000, 32, 1));
    const auto queries = testing::As(element, Clustered(30, 32, 1, 3000));
    const auto opened = BuildAndOpen(data.view(), ParamsOf(GetParam(), 32));
    ASSERT_NE(opened.index, nullptr);
    double recall = 0;
    for (size_t q = 0; q < 30; ++q) {
      const float* query = queries.floats.Row(q);
      auto hits = opened.index->Search(query, {.top_k = 10}, {}, {});
      ASSERT_TRUE(hits.has_value());
      ExpectExactAndSorted(metric(), data.floats, query, {}, *hits);
      recall += RecallOf(*hits, Reference(metric(), data.floats, query, {}), 10) / 30;
    }
    EXPECT_GE(recall, 0.92);
  }
}

TEST_P(VectorIndexTest, AnswersMinOfKAndVisibleUnderEveryFilter) {
  const auto data = Clustered(4000, 24, 3);
  const auto queries = Clustered(20, 24, 3, 4000);
  const auto params = ParamsOf(GetParam(), 24);
  const auto opened = BuildAndOpen(data, params);
  ASSERT_NE(opened.index, nullptr);
  ExpectCloseToEstimate(opened, 4000, 24, params);
  auto expect = [&](const testing::Bits& bits, size_t visible, double least) {
    double recall = 0;
    for (size_t q = 0; q < 20; ++q) {
      auto hits = opened.index->Search(queries.Row(q), {.top_k = 10}, bits.view(), {});
      ASSERT_TRUE(hits.has_value());
      ASSERT_EQ(hits->size(), std::min<size_t>(10, visible));
      ExpectExactAndSorted(metric(), data, queries.Row(q), bits.view(), *hits);
      recall += RecallOf(*hits, Reference(metric(), data, queries.Row(q), bits.view()), 10) / 20;
    }
    EXPECT_GE(recall, least) << visible << " visible";
  };
  for (size_t visible : {4000, 3999, 3000, 2000, 1000, 400, 100, 40, 11, 9, 1, 0}) {
    std::mt19937_64 random(visible);
    std::vector<size_t> order(4000);
    for (size_t i = 0; i < 4000; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    std::vector<bool> seen(4000, false);
    for (size_t i = 0; i < visible; ++i) seen[order[i]] = true;
    expect(BitsWhere(4000, [&](size_t row) { return !seen[row]; }), visible, 0.92);
  }
  // Only rows on one side of the origin are visible: whole clusters vanish.
  expect(BitsWhere(4000, [&](size_t row) { return data.Row(row)[0] + data.Row(row)[1] < 0.8f; }),
         4000, 0.9);
}

TEST_P(VectorIndexTest, TinyAndOddInputsWork) {
  for (size_t rows : {0, 1, 2, 3, 50}) {
    for (size_t dim : {1, 2, 61, 64, 65, 200}) {
      const auto data = Clustered(rows, dim, rows + dim);
      const auto query = Clustered(1, dim, 9);
      const auto opened = BuildAndOpen(data, ParamsOf(GetParam(), dim));
      ASSERT_NE(opened.index, nullptr) << rows << " x " << dim;
      auto hits = opened.index->Search(query.Row(0), {.top_k = 100}, {}, {});
      ASSERT_TRUE(hits.has_value());
      ASSERT_EQ(hits->size(), rows);
      ExpectExactAndSorted(metric(), data, query.Row(0), {}, *hits);
      EXPECT_EQ(opened.index->kind(), GetParam().form.kind);
    }
  }
}

TEST_P(VectorIndexTest, DuplicatesAndZeroVectorsAreAllFound) {
  auto data = Clustered(1200, 16, 4);
  for (size_t row = 100; row < 700; ++row)
    std::copy_n(data.Row(99), 16, data.values.begin() + row * 16);
  for (size_t row = 800; row < 900; ++row) std::fill_n(data.values.begin() + row * 16, 16, 0.0f);
  const auto opened = BuildAndOpen(data, ParamsOf(GetParam(), 16));
  ASSERT_NE(opened.index, nullptr);
  double recall = 0;
  for (size_t row = 99; row < 1199; row += 50) {
    auto hits = opened.index->Search(data.Row(row), {.top_k = 50}, {}, {});
    ASSERT_TRUE(hits.has_value());
    ASSERT_EQ(hits->size(), 50u);
    recall += RecallOf(*hits, Reference(metric(), data, data.Row(row), {}), 50) / 22;
  }
  EXPECT_GE(recall, 0.9);
  const std::vector<float> zero(16, 0.0f);
  auto hits = opened.index->Search(zero.data(), {.top_k = 20}, {}, {});
  ASSERT_TRUE(hits.has_value());
  EXPECT_EQ(hits->size(), 20u);
}

TEST_P(VectorIndexTest, AllRowsEqualStillAnswersK) {
  testing::Data data{std::vector<float>(500 * 8, 0.25f), 8};
  const auto opened = BuildAndOpen(data, ParamsOf(GetParam(), 8));
  ASSERT_NE(opened.index, nullptr);
  for (size_t k : {1, 10, 200, 500, 600}) {
    auto hits = opened.index->Search(data.Row(0), {.top_k = k}, {}, {});
    ASSERT_TRUE(hits.has_value());
    EXPECT_EQ(hits->size(), std::min<size_t>(k, 500));
  }
}

TEST_P(VectorIndexTest, OneThreadAndOneSeedGiveTheSameBytes) {
  const auto data = Clustered(1500, 20, 5);
  const auto a = BuildIndexFile(data.view(), ParamsOf(GetParam(), 20)),
             b = BuildIndexFile(data.view(), ParamsOf(GetParam(), 20));
  ASSERT_TRUE(a.has_value() && b.has_value());
  EXPECT_TRUE(a->Join() == b->Join());
}

TEST_P(VectorIndexTest, SeveralThreadsBuildAnIndexAsGood) {
  const auto data = Clustered(3000, 20, 6);
  auto params = ParamsOf(GetParam(), 20);
  params.threads = 4;
  const auto opened = BuildAndOpen(data, params);
  ASSERT_NE(opened.index, nullptr);
  double recall = 0;
  for (size_t row = 0; row < 50; ++row) {
    auto hits = opened.index->Search(data.Row(row * 60), {.top_k = 10}, {}, {});
    ASSERT_TRUE(hits.has_value());
    recall += RecallOf(*hits, Reference(metric(), data, data.Row(row * 60), {}), 10) / 50;
  }
  EXPECT_GE(recall, 0.93);
}

TEST_P(VectorIndexTest, MappedAndManyAnswerAsResidentAndSingle) {
  const auto data = Clustered(2000, 20, 8);
  const auto queries = Clustered(9, 20, 8, 2000);
  const auto resident = BuildAndOpen(data, ParamsOf(GetParam(), 20));
  const auto mapped = BuildAndOpen(data, ParamsOf(GetParam(), 20), OpenMode::kMapped);
  const auto bits = BitsWhere(2000, [](size_t row) { return row % 4 == 1; });
  auto many = mapped.index->SearchMany(queries.values.data(), 9, {.top_k = 5}, bits.view(), {});
  ASSERT_TRUE(many.has_value());
  for (size_t q = 0; q < 9; ++q) {
    auto one = resident.index->Search(queries.Row(q), {.top_k = 5}, bits.view(), {});
    ASSERT_TRUE(one.has_value());
    ASSERT_EQ(one->size(), (*many)[q].size());
    for (size_t i = 0; i < one->size(); ++i) {
      EXPECT_EQ((*one)[i].row, (*many)[q][i].row);
      EXPECT_NEAR((*one)[i].distance, (*many)[q][i].distance, 1e-4);
    }
  }
  EXPECT_EQ(mapped.index->Memory().resident_bytes, 0u);
  EXPECT_EQ(resident.index->Memory().mapped_bytes, 0u);
}

TEST_P(VectorIndexTest, PagesOfAWindowSearchCoverAllRowsOnceInOrder) {
  const auto data = Clustered(900, 12, 9);
  const auto opened = BuildAndOpen(data, ParamsOf(GetParam(), 12));
  const auto bits = BitsWhere(900, [](size_t row) { return row % 5 == 0; });
  const auto want = Reference(metric(), data, data.Row(3), bits.view());
  std::vector<Hit> all;
  Window window;
  for (;;) {
    auto page = opened.index->SearchWindow(data.Row(3), 70, window, bits.view(), {});
    ASSERT_TRUE(page.has_value());
    if (page->empty()) break;
    all.insert(all.end(), page->begin(), page->end());
    window = Window::After(page->back());
  }
  ASSERT_EQ(all.size(), want.size());
  ExpectExactAndSorted(metric(), data, data.Row(3), bits.view(), all);
}

TEST_P(VectorIndexTest, RefusesParametersOutOfRange) {
  const auto data = Clustered(500, 8, 10);
  const auto opened = BuildAndOpen(data, ParamsOf(GetParam(), 8));
  EXPECT_EQ(opened.index->Search(data.Row(0), {.top_k = 0}, {}, {}).error().code(),
            Code::kInvalidParameter);
  if (GetParam().form.kind == Kind::kHnsw) {
    const auto small_ef = opened.index->Search(data.Row(0), {.top_k = 10, .ef = 9}, {}, {});
    ASSERT_FALSE(small_ef.has_value());
    EXPECT_NE(small_ef.error().message().find("ef(9) should be larger than k(10)"),
              std::string::npos);
  }
  auto params = ParamsOf(GetParam(), 8);
  params.m = 1;
  params.nlist = 0;
  EXPECT_EQ(BuildIndexFile(data.view(), params).has_value(), GetParam().form.kind == Kind::kFlat);
}

TEST_P(VectorIndexTest, StopsWhenCanceled) {
  const auto data = Clustered(3000, 8, 11);
  std::stop_source source;
  source.request_stop();
  const auto opened = BuildAndOpen(data, ParamsOf(GetParam(), 8));
  auto params = SearchParams{.top_k = 2000};
  const auto hits =
      opened.index->Search(data.Row(0), params, {}, Cancel{.stop = source.get_token()});
  ASSERT_FALSE(hits.has_value());
  EXPECT_EQ(hits.error().code(), Code::kCanceled);
  if (GetParam().form.kind == Kind::kFlat) return;
  const auto built =
      BuildIndexFile(data.view(), ParamsOf(GetParam(), 8), {.stop = source.get_token()});
  ASSERT_FALSE(built.has_value());
  EXPECT_EQ(built.error().code(), Code::kCanceled);
}

TEST_P(VectorIndexTest, ASearchOfManyQueriesStopsBetweenThem) {
  const auto data = Clustered(3000, 8, 13);
  const auto opened = BuildAndOpen(data, ParamsOf(GetParam(), 8));
  // Each of them alone is over before it would ask.
  const Cancel late{.deadline_us = 0};
  const auto many = opened.index->SearchMany(data.values.data(), 1000, {.top_k = 1}, {}, late);
  if (GetParam().form.kind == Kind::kFlat) return;  // all of them together are over before, too
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().code(), Code::kTimeout);
}

TEST_P(VectorIndexTest, ReportsProgressUpToTheEnd) {
  const auto data = Clustered(3000, 8, 12);
  double last = 0;
  bool ordered = true;
  const auto built =
      BuildIndexFile(data.view(), ParamsOf(GetParam(), 8), {.progress = [&](double done) {
                       ordered &= done >= last;
                       last = done;
                     }});
  ASSERT_TRUE(built.has_value());
  if (GetParam().form.kind == Kind::kFlat) return;
  EXPECT_TRUE(ordered);
  EXPECT_EQ(last, 1.0);
}

class LargeWindowTest : public ::testing::TestWithParam<testing::Form> {};

TEST_P(LargeWindowTest, RangesAndFirstPagesGoThroughTheIndex) {
  constexpr Metric kMetric = Metric::kL2;
  constexpr size_t kRows = 24000, kLimit = 30, kNear = 25;
  const auto data = Clustered(kRows, 8, 14);
  const auto queries = Clustered(20, 8, 14, kRows);
  const auto opened = BuildAndOpen(data, ParamsOf({GetParam(), kMetric}, 8));
  const auto bits = BitsWhere(kRows, [](size_t row) { return row % 4 == 1; });
  ASSERT_NE(opened.index, nullptr);
  double in_range = 0, in_pages = 0;
  for (size_t q = 0; q < 20; ++q) {
    const float* query = queries.Row(q);
    const auto truth = Reference(kMetric, data, query, bits.view());
    // From after the fifth up to before the 25th.
    const Window range{
        .lower = truth[4].distance, .after_row = truth[4].row, .upper = truth[kNear].distance};
    auto hits = opened.index->SearchWindow(query, kLimit, range, bits.view(), {});
    ASSERT_TRUE(hits.has_value());
    ExpectExactAndSorted(kMetric, data, query, bits.view(), *hits);
    for (const Hit& hit : *hits) {
      ASSERT_GE(hit.distance, range.lower);
      ASSERT_LT(hit.distance, range.upper);
    }
    in_range += static_cast<double>(hits->size()) / (kNear - 5) / 20;
    std::vector<Hit> pages;
    Window window;
    for (int page = 0; page < 3; ++page) {
      auto next = opened.index->SearchWindow(query, 10, window, bits.view(), {});
      ASSERT_TRUE(next.has_value());
      ASSERT_EQ(next->size(), 10u);
      pages.insert(pages.end(), next->begin(), next->end());
      window = Window::After(next->back());
    }
    ExpectExactAndSorted(kMetric, data, query, bits.view(), pages);  // and none comes twice
    in_pages += RecallOf(pages, truth, 30) / 20;
  }
  EXPECT_GE(in_range, 0.93);
  EXPECT_LE(in_range, 1.05);  // kernels add in different orders than the plain search
  EXPECT_GE(in_pages, 0.93);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, LargeWindowTest,
    ::testing::Values(testing::Form{Kind::kFlat}, testing::Form{Kind::kIvfFlat},
                      testing::Form{Kind::kHnsw}, testing::Form{Kind::kScann},
                      testing::Form{Kind::kIvfCoded, {.kind = CodecKind::kRabitq, .bits = 4}},
                      testing::Form{Kind::kNsg}, testing::Form{Kind::kForest}),
    [](const auto& info) { return testing::FormName(info.param); });

INSTANTIATE_TEST_SUITE_P(Kinds, VectorIndexTest, ::testing::ValuesIn(Cases()),
                         [](const auto& info) {
                           return testing::FormName(info.param.form) +
                                  testing::MetricName(info.param.metric);
                         });

}  // namespace
}  // namespace elanus::index
