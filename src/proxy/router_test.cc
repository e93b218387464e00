#include "proxy/router.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace elanus::proxy {
namespace {

// Rows at rest depend on these numbers: a change here is a loss of data. They were worked out apart
// from this code, from the published definitions of XXH64, MurmurHash3 and CRC-32.
TEST(Router, PlacesKeysWhereTheyWereAlwaysPlaced) {
  EXPECT_EQ(ShardOf(int64_t{0}, 16), 11u);
  EXPECT_EQ(ShardOf(int64_t{1}, 16), 5u);
  EXPECT_EQ(ShardOf(int64_t{-1}, 16), 9u);
  EXPECT_EQ(ShardOf(int64_t{1234567890123}, 16), 13u);
  EXPECT_EQ(ShardOf(std::string_view(""), 16), 9u);
  EXPECT_EQ(ShardOf(std::string_view("abc"), 16), 9u);
  EXPECT_EQ(ShardOf(std::string_view("key-17"), 16), 10u);
  EXPECT_EQ(ShardOf(int64_t{1}, 1), 0u);
}

TEST(Router, PlacesPartitionKeysAsMilvusDoes) {
  model::Column numbers = model::MakeColumn(FieldId{1}, model::DataType::kInt64);
  for (int64_t value : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{1234567890123}}) {
    numbers.Append(value);
  }
  EXPECT_EQ(PartitionsOf(numbers, 16), (std::vector<uint32_t>{12, 4, 8, 14}));
  model::Column texts = model::MakeColumn(FieldId{1}, model::DataType::kVarChar);
  for (const std::string& value :
       {std::string(), std::string("a"), std::string("hello"), std::string(200, 'x')}) {
    texts.AppendValue(value);
  }
  EXPECT_EQ(PartitionsOf(texts, 16), (std::vector<uint32_t>{0, 3, 6, 15}));
}

TEST(Router, SplitsEveryKeyIntoExactlyOneShardInOrder) {
  model::PrimaryKeys keys;
  for (int64_t i = 0; i < 1000; ++i) keys.ints.push_back(i * 7);
  const auto split = SplitByShard(keys, 3);
  std::vector<uint32_t> all;
  for (size_t shard = 0; shard < split.size(); ++shard) {
    EXPECT_TRUE(std::ranges::is_sorted(split[shard]));
    EXPECT_GT(split[shard].size(), 250u) << "keys in a row spread over the shards";
    for (uint32_t at : split[shard]) {
      EXPECT_EQ(ShardOf(keys.ints[at], 3), shard);
      all.push_back(at);
    }
    EXPECT_EQ(TakeKeys(keys, split[shard]).size(), split[shard].size());
  }
  std::ranges::sort(all);
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(all[i], i);
}

}  // namespace
}  // namespace elanus::proxy
