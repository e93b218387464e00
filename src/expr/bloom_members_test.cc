#include "expr/bloom_members.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include "base/codec.h"
#include "expr/members_build.h"

namespace elanus::expr {
namespace {

Result<std::shared_ptr<const BloomMembers>> Open(std::string blob) {
  return BloomMembers::Open(std::make_shared<const std::string>(std::move(blob)));
}

std::string WhyNot(std::string blob) {
  const auto set = Open(std::move(blob));
  return set ? "" : std::string(set.error().message());
}

TEST(BloomMembers, FindsWhatMilvusGoClientPutIn) {
  const auto ints =
      Open(FromHex("4d424631010001000800000000000000fca9f1d24d62503f0100000001000000"
                   "0117100a804845062834804200440612100448a40680089c4040542838410046"));
  ASSERT_TRUE(ints) << ints.error().message();
  for (const int64_t v : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{2}, int64_t{42},
                          int64_t{1'000'000'007}, INT64_MAX})
    EXPECT_TRUE((*ints)->Has(v)) << v;
  for (const int64_t v : {int64_t{3}, int64_t{7}, int64_t{-2}, int64_t{123'456'789}, int64_t{9999},
                          INT64_MIN + 1, INT64_MAX - 1})
    EXPECT_FALSE((*ints)->Has(v)) << v;
  EXPECT_FALSE((*ints)->Has("milvus"));

  const auto texts =
      Open(FromHex("4d424631010001000700000000000000fca9f1d24d62503f0100000002000000"
                   "10002c24010e020492110042181000b08a40860000284209010114a8015410c0"));
  ASSERT_TRUE(texts) << texts.error().message();
  for (const std::string_view v : {"", "a", "milvus", "bloom", "日本語", "🚀🚀", "hello world"})
    EXPECT_TRUE((*texts)->Has(v)) << v;
  EXPECT_FALSE((*texts)->Has("milvus2"));
}

TEST(BloomMembers, KeepsKindsOfValuesApart) {
  // Eight bytes of text that are the number's bytes: one hash, two kinds.
  constexpr int64_t kNumber = 5208208757389214273;
  const auto ints = Open(BloomBlob({kNumber}, {}, 1));
  ASSERT_TRUE(ints);
  EXPECT_TRUE((*ints)->Has(kNumber));
  EXPECT_FALSE((*ints)->Has("ABCDEFGH"));
  const auto both = Open(BloomBlob({kNumber}, {"x"}, 1));
  ASSERT_TRUE(both);
  EXPECT_TRUE((*both)->Has("ABCDEFGH"));
}

TEST(BloomMembers, HasFewFalseHits) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 10'000; ++i) values.push_back(i * 7919);
  const auto set = Open(BloomBlob(values, {}, 512));  // 13 bits a value: .2 % by the formula
  ASSERT_TRUE(set);
  for (const int64_t v : values) ASSERT_TRUE((*set)->Has(v));
  int false_hits = 0;
  for (int64_t i = 0; i < 100'000; ++i) false_hits += (*set)->Has(i * 7919 + 1) ? 1 : 0;
  EXPECT_GT(false_hits, 50);
  EXPECT_LT(false_hits, 600);
}

TEST(BloomMembers, SaysWhatIsWrongWithTheEnvelope) {
  const std::string good = BloomBlob({1}, {}, 1);
  const auto with = [&](size_t at, std::string_view bytes) {
    std::string bad = good;
    return WhyNot(bad.replace(at, bytes.size(), bytes));
  };
  EXPECT_EQ(WhyNot(good), "");
  EXPECT_EQ(WhyNot("MBF1"), "bloom filter blob too short: 4 bytes, need at least 32");
  EXPECT_EQ(with(0, "n\x01\"t"),
            "bloom filter blob has invalid magic \"n\\x01\\\"t\", expected \"MBF1\"");
  EXPECT_EQ(with(4, "\x02"), "unsupported bloom filter version 2, expected 1");
  EXPECT_EQ(with(6, "\x03"), "unsupported bloom filter algo 3, expected 1");
  EXPECT_EQ(with(28, "\x07"), "bloom filter declares unknown value domains 0x07, known bits 0x03");
  EXPECT_EQ(with(30, "\xff"), "bloom filter reserved field must be 0, got 255");
  EXPECT_EQ(with(24, "\x03"), "bloom filter num_blocks 3 is not a power of two in [1, 4194304]");
  EXPECT_EQ(with(24, std::string_view("\0", 1)),
            "bloom filter num_blocks 0 is not a power of two in [1, 4194304]");
  EXPECT_EQ(with(24, std::string_view("\0\0\0\x80", 4)),
            "bloom filter num_blocks 2147483648 is not a power of two in [1, 4194304]");
  EXPECT_EQ(with(24, "\x02"),
            "bloom filter body length 32 does not match num_blocks 2 (want 64 bytes)");
  EXPECT_EQ(WhyNot(good + "x"),
            "bloom filter body length 33 does not match num_blocks 1 (want 32 bytes)");
}

TEST(BloomMembers, IsCheckedAgainWhenItComesAsBytes) {
  const auto set = Open(BloomBlob({1, 2}, {}, 1));
  ASSERT_TRUE(set);
  const auto again = DecodeBytes<BloomMembers>(EncodeBytes(**set), "set");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->ok() && again->Has(int64_t{2}));
  const auto damaged =
      DecodeBytes<BloomMembers>(EncodeBytes(std::make_shared<const std::string>("MBF1")), "set");
  ASSERT_TRUE(damaged);
  EXPECT_FALSE(damaged->ok() || damaged->Has(int64_t{2}));
}

}  // namespace
}  // namespace elanus::expr
