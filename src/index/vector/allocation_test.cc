// A search allocates what it answers and nothing else, once the thread has searched the index
// before.
#include <gtest/gtest.h>

#include "base/counted_allocations.h"
#include "index/vector/testing.h"

namespace elanus::index {
namespace {

class AllocationTest : public ::testing::TestWithParam<testing::Form> {};
INSTANTIATE_TEST_SUITE_P(Forms, AllocationTest, ::testing::ValuesIn(testing::AllForms()),
                         [](const auto& info) { return testing::FormName(info.param); });

TEST_P(AllocationTest, ASearchAllocatesItsAnswerOnly) {
  if (!kAllocationsAreCounted) GTEST_SKIP() << "the sanitizer has an allocator of its own";
  const auto data = testing::Clustered(9000, 24, 1), queries = testing::Clustered(8, 24, 1, 9000);
  for (const Metric metric : {Metric::kL2, Metric::kCosine}) {
    const auto opened = testing::BuildAndOpen(data, {.kind = GetParam().kind,
                                                     .metric = metric,
                                                     .m = 12,
                                                     .ef_construction = 60,
                                                     .nlist = 64,
                                                     .codec = GetParam().codec});
    ASSERT_NE(opened.index, nullptr);
    for (const size_t every : {1, 3, 12, 90}) {  // each plan of a filter
      const auto bits = testing::BitsWhere(9000, [&](size_t i) { return i % every != 0; });
      const HiddenBits hidden = every == 1 ? HiddenBits() : bits.view();
      for (int round = 0; round < 2; ++round) {
        for (size_t q = 0; q < 8; ++q) {
          const uint64_t before = allocations.made;
          const auto hits = opened.index->Search(queries.Row(q), {.top_k = 10}, hidden, {});
          const uint64_t made = allocations.made - before;
          ASSERT_TRUE(hits.has_value());
          ASSERT_EQ(hits->size(), 10u);
          if (round == 1) EXPECT_LE(made, 1u) << "every " << every;
        }
      }
    }
  }
}

}  // namespace
}  // namespace elanus::index
