#include "server/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace elanus {
namespace {

TEST(Machine, HasMemory) { EXPECT_GT(MemoryTotalBytes(), uint64_t{64} << 20); }

TEST(Machine, CountsTheCoresItMayUse) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  EXPECT_GE(CoresTotal(), 1);
  EXPECT_LE(CoresTotal(), CPU_COUNT(&all));

  cpu_set_t one;
  CPU_ZERO(&one);
  int first = 0;
  while (!CPU_ISSET(first, &all)) ++first;
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(CoresTotal(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

}  // namespace
}  // namespace elanus
