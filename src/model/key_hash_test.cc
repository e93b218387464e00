#include "model/key_hash.h"

#include <gtest/gtest.h>

namespace elanus::model {
namespace {

// Files depend on these numbers: a change here is a loss of data. They were worked out apart from
// this code, from the published definition of XXH64.
TEST(KeyHash, NeverChanges) {
  EXPECT_EQ(HashKey(int64_t{42}, HashUse::kShard), 0xb556806fb6d14353u);
  EXPECT_EQ(HashKey(int64_t{-1}, HashUse::kShard), 0x85d136adb773c6c9u);
  EXPECT_EQ(HashKey(std::string_view(""), HashUse::kShard), 0xef46db3751d8e999u);
  EXPECT_EQ(HashKey(std::string_view("key-17"), HashUse::kShard), 0x5fc54e761f4d8bbau);
  EXPECT_EQ(HashKey(int64_t{42}, HashUse::kInShard), 0x602f275014cd5d53u);
  EXPECT_EQ(HashKey(int64_t{-1}, HashUse::kInShard), 0x0ad7f61289875125u);
  EXPECT_EQ(HashKey(std::string_view(""), HashUse::kInShard), 0xd5afba1336a3be4bu);
  EXPECT_EQ(HashKey(std::string_view("key-17"), HashUse::kInShard), 0xbb76a6eb5d37643cu);
}

TEST(KeyHash, OfAKeyByValueIsThatOfItsNumberOrText) {
  EXPECT_EQ(HashKey(PrimaryKey(int64_t{7}), HashUse::kInShard),
            HashKey(int64_t{7}, HashUse::kInShard));
  EXPECT_EQ(HashKey(PrimaryKey("seven"), HashUse::kInShard),
            HashKey(std::string_view("seven"), HashUse::kInShard));
}

}  // namespace
}  // namespace elanus::model
