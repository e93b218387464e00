#include "worker/build/load_budget.h"

#include <gtest/gtest.h>

namespace elanus::worker {
namespace {

TEST(LoadBudget, GivesOutNoMoreThanThereIsAndTakesItBack) {
  const LoadBudget budget(100);
  const LoadBudget same = budget;
  std::shared_ptr<const void> a = budget.Take(60);
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(same.Take(41), nullptr);
  std::shared_ptr<const void> b = same.Take(40);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(budget.bytes_left(), 0u);
  const auto copy = a;
  a.reset();
  EXPECT_EQ(budget.bytes_left(), 0u);  // the copy has it
}

TEST(LoadBudget, LeasesOutliveTheBudget) {
  std::shared_ptr<const void> lease = LoadBudget(10).Take(10);
  ASSERT_NE(lease, nullptr);
  lease.reset();
}

TEST(LoadBudget, WhatFieldOrIndexSayGoesBeforeTheCollection) {
  model::CollectionInfo collection;
  model::FieldSchema field;
  model::IndexInfo index;
  EXPECT_FALSE(WantsMapped(collection, field));
  EXPECT_FALSE(WantsMapped(collection, index));
  collection.properties = {{"mmap.enabled", "True"}};
  EXPECT_TRUE(WantsMapped(collection, field));
  EXPECT_TRUE(WantsMapped(collection, index));
  field.type_params = {{"mmap_enabled", "false"}};
  index.params = {{"mmap.enabled", "false"}};
  EXPECT_FALSE(WantsMapped(collection, field));
  EXPECT_FALSE(WantsMapped(collection, index));
}

}  // namespace
}  // namespace elanus::worker
