#include "segment/delete_log.h"

#include <gtest/gtest.h>

namespace elanus::segment {
namespace {

TEST(DeleteLog, HidesRowsFromTheirDeleteOn) {
  DeleteLog log;
  EXPECT_EQ(log.HiddenAt(100, 10), nullptr);
  EXPECT_TRUE(log.Add(3, 10));
  EXPECT_TRUE(log.Add(7, 20));
  EXPECT_EQ(log.HiddenAt(9, 10), nullptr);
  EXPECT_EQ(log.HiddenAt(10, 10)->Count(), 1u);
  EXPECT_TRUE(log.HiddenAt(25, 10)->Test(7));
  EXPECT_FALSE(log.HiddenAt(19, 10)->Test(7)) << "a read in the past after a later one";
}

TEST(DeleteLog, KeepsTheOldestDeleteOfARow) {
  DeleteLog log;
  EXPECT_TRUE(log.Add(3, 10));
  EXPECT_FALSE(log.Add(3, 30));
  EXPECT_EQ(log.UpTo(100), (std::vector<format::RowDelete>{{3, 10}}));
}

TEST(DeleteLog, LeavesBitsetsThatReadersHold) {
  DeleteLog log;
  log.Add(1, 10);
  auto before = log.HiddenAt(10, 64);
  log.Add(2, 20);
  auto after = log.HiddenAt(20, 64);
  EXPECT_EQ(before->Count(), 1u);
  EXPECT_EQ(after->Count(), 2u);
  EXPECT_EQ(log.HiddenAt(21, 64), after) << "nothing new: the same bitset";
}

TEST(DeleteLog, IgnoresRowsBeyondTheReadersCut) {
  DeleteLog log;
  log.Add(50, 10);
  EXPECT_EQ(log.HiddenAt(10, 20)->Count(), 0u);
  EXPECT_EQ(log.HiddenAt(10, 64)->Count(), 1u);
}

TEST(DeleteLog, LoadsARunInAnyOrder) {
  DeleteLog log;
  log.Load({{1, 30}, {2, 10}, {5, 20}});
  EXPECT_EQ(log.HiddenAt(20, 10)->Count(), 2u);
  EXPECT_EQ(log.UpTo(25), (std::vector<format::RowDelete>{{2, 10}, {5, 20}}));
}

}  // namespace
}  // namespace elanus::segment
