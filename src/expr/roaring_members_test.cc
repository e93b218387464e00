#include "expr/roaring_members.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include "base/codec.h"
#include "expr/members_build.h"

namespace elanus::expr {
namespace {

Result<std::shared_ptr<const RoaringMembers>> Open(std::string blob) {
  return RoaringMembers::Open(std::make_shared<const std::string>(std::move(blob)));
}

std::string WhyNot(std::string blob) {
  const auto set = Open(std::move(blob));
  return set ? "" : std::string(set.error().message());
}

TEST(RoaringMembers, ReadsWhatCRoaringWrote) {
  const auto edges = Open(
      FromHex("4d524231010001000a0000000000000088000000000000000000000000000000"
              "0500000000000000000000003a300000020000000000030001000000180000002000000000000100"
              "2a00ffff0000010000003a3000000100000000000000100000000000ffffff7f3a30000001000000"
              "ffff000010000000ffff000000803a3000000100000000000000100000000000ffffffff3a300000"
              "01000000ffff01001000000080ffffff"));
  ASSERT_TRUE(edges) << edges.error().message();
  const std::vector<int64_t> values = {INT64_MIN,        -128,     -1, 0, 1, 42, 65535, 65536,
                                       int64_t{1} << 32, INT64_MAX};
  EXPECT_EQ((*edges)->size(), values.size());
  for (const int64_t v : values) {
    EXPECT_TRUE((*edges)->Has(v)) << v;
    const auto near = static_cast<int64_t>(static_cast<uint64_t>(v) + 2);
    EXPECT_EQ((*edges)->Has(near), near == 1) << near;
  }

  // -70000 to -69001 and 5 to 5004 as runs, twenty values from 2^40 on as an array.
  const auto runs = Open(
      FromHex("4d5242310100010084170000000000006a000000000000000000000000000000"
              "0300000000000000000000003b3000000100008713010005008713000100003a3000000100000000"
              "0013001000000000000300060009000c000f001200150018001b001e002100240027002a002d0030"
              "00330036003900ffffffff3b30000001feffe703010090eee703"));
  ASSERT_TRUE(runs) << runs.error().message();
  EXPECT_EQ((*runs)->size(), 6020U);
  for (int64_t v = -70'010; v < 6'000; ++v) {
    const bool wanted = (v >= -70'000 && v < -69'000) || (v >= 5 && v < 5'005);
    ASSERT_EQ((*runs)->Has(v), wanted) << v;
  }
  for (int64_t i = 0; i < 63; ++i)
    ASSERT_EQ((*runs)->Has((int64_t{1} << 40) + i), i % 3 == 0 && i < 60) << i;
}

/// Values that make every kind of container under several upper halves.
std::vector<int64_t> Mixed(uint32_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int64_t> values;
  for (int64_t v = -70'000; v < -60'000; ++v) values.push_back(v);
  for (int64_t v = 0; v < 60'000; v += 2) values.push_back(v);
  for (int i = 0; i < 3000; ++i) values.push_back(static_cast<int64_t>(random()));
  for (int i = 0; i < 3000; ++i)
    values.push_back(static_cast<int64_t>(random() % (int64_t{1} << 34)));
  values.push_back(INT64_MIN);
  values.push_back(INT64_MAX);
  return values;
}

TEST(RoaringMembers, HasExactlyItsMembers) {
  for (const RoaringForm form : {RoaringForm::kPlain, RoaringForm::kRuns}) {
    const std::vector<int64_t> values = Mixed(7);
    const std::set<int64_t> wanted(values.begin(), values.end());
    const auto set = Open(RoaringBlob(values, form));
    ASSERT_TRUE(set) << set.error().message();
    EXPECT_EQ((*set)->size(), wanted.size());
    for (const int64_t v : values) {
      for (const int64_t step : {-65536, -1, 0, 1, 2, 65536}) {
        const auto near =
            static_cast<int64_t>(static_cast<uint64_t>(v) + static_cast<uint64_t>(step));
        ASSERT_EQ((*set)->Has(near), wanted.contains(near)) << near;
      }
    }
  }
}

TEST(RoaringMembers, MayBeEmpty) {
  const auto set = Open(RoaringBlob({}));
  ASSERT_TRUE(set) << set.error().message();
  EXPECT_EQ((*set)->size(), 0U);
  EXPECT_FALSE((*set)->Has(0));
  // A child without containers is legal too.
  ByteWriter body;
  body.Fixed(uint64_t{1});
  body.Fixed(uint32_t{9});
  body.Fixed(uint32_t{12346});
  body.Fixed(uint32_t{0});
  const auto hollow = Open(RoaringEnvelope(body.view(), 0));
  ASSERT_TRUE(hollow) << hollow.error().message();
  EXPECT_FALSE((*hollow)->Has(int64_t{9} << 32));
}

/// A body of one child under the upper half 0.
std::string OneChild(std::string_view child, uint64_t size) {
  ByteWriter body;
  body.Fixed(uint64_t{1});
  body.Fixed(uint32_t{0});
  body.Raw(child.data(), child.size());
  return RoaringEnvelope(body.view(), size);
}

template <class... T>
std::string Join(T... parts) {
  ByteWriter out;
  (out.Fixed(parts), ...);
  return out.Take();
}

TEST(RoaringMembers, SaysWhatIsWrongWithTheEnvelope) {
  const std::string good = RoaringBlob({1, 2, 3});
  const auto with = [&](size_t at, std::string_view bytes) {
    std::string bad = good;
    return WhyNot(bad.replace(at, bytes.size(), bytes));
  };
  EXPECT_EQ(WhyNot(good), "");
  EXPECT_EQ(WhyNot("not-mrb1"), "roaring bitmap blob too short: 8 bytes, need at least 32");
  EXPECT_EQ(with(0, "MBF1"), "roaring bitmap blob has invalid magic, expected \"MRB1\"");
  EXPECT_EQ(with(4, "\x02"), "unsupported roaring bitmap version 2, expected 1");
  EXPECT_EQ(with(6, "\x02"), "unsupported roaring bitmap format 2, expected 1");
  EXPECT_EQ(with(8, "\x04"), "roaring bitmap cardinality 3 does not match declared value 4");
  EXPECT_EQ(with(24, "\x01"), "roaring bitmap reserved field must be 0, got 1");
  EXPECT_EQ(with(16, "\xff\xff\xff\xff"),
            "roaring bitmap body too large: 4294967295 bytes, exceeds max 134217728");
  EXPECT_EQ(WhyNot(good + "x"), "roaring bitmap body length 35 does not match header value 34");
}

TEST(RoaringMembers, SaysWhatIsWrongWithTheBody) {
  using U16 = uint16_t;
  using U32 = uint32_t;
  const std::string in = "invalid portable roaring64 body: ";
  EXPECT_EQ(WhyNot(RoaringEnvelope("1234567", 0)),
            in + "too short for high-container count: 7 bytes");
  EXPECT_EQ(WhyNot(RoaringEnvelope(Join(uint64_t{2}, U32{0}, U32{12346}, U32{0}), 0)),
            in + "high-container count 2 exceeds body-derived maximum 1");
  EXPECT_EQ(WhyNot(OneChild(Join(U32{99}, U32{0}), 0)), in + "unsupported Roaring32 cookie 99");
  EXPECT_EQ(WhyNot(OneChild(Join(U32{12346}, U32{65537}), 0)),
            in + "invalid Roaring32 container count 65537");
  EXPECT_EQ(WhyNot(OneChild(Join(U32{12346}, U32{2}, U16{0}), 0)),
            in + "truncated container descriptors");
  EXPECT_EQ(WhyNot(OneChild(Join(U32{12346}, U32{2}, U16{5}, U16{0}, U16{5}, U16{0}), 0)),
            in + "Roaring32 container 1 has a non-increasing key");
  EXPECT_EQ(WhyNot(OneChild(Join(U32{12346}, U32{1}, U16{5}, U16{0}), 0)),
            in + "truncated container offsets");
  EXPECT_EQ(WhyNot(OneChild(Join(U32{12346}, U32{1}, U16{5}, U16{1}, U32{0}, U16{7}), 0)),
            in + "truncated array container");
  EXPECT_EQ(WhyNot(OneChild(Join(U32{12346}, U32{1}, U16{5}, U16{1}, U32{0}, U16{7}, U16{7}), 0)),
            in + "array values must be strictly increasing");
  const U32 one_with_runs = 12347;
  EXPECT_EQ(WhyNot(OneChild(Join(one_with_runs, uint8_t{1}, U16{5}, U16{1}, uint8_t{0}), 0)),
            in + "truncated run count");
  EXPECT_EQ(WhyNot(OneChild(Join(one_with_runs, uint8_t{1}, U16{5}, U16{1}, U16{0}), 0)),
            in + "invalid run count 0");
  EXPECT_EQ(WhyNot(OneChild(Join(one_with_runs, uint8_t{1}, U16{5}, U16{1}, U16{1}, U16{9}), 0)),
            in + "truncated run intervals");
  const auto runs = [&](U16 size, auto... pairs) {
    return WhyNot(OneChild(Join(one_with_runs, uint8_t{1}, U16{5}, static_cast<U16>(size - 1),
                                static_cast<U16>(sizeof...(pairs) / 2), U16(pairs)...),
                           size));
  };
  EXPECT_EQ(runs(3, 9, 1, 11, 0), "") << "runs that touch are legal";
  EXPECT_EQ(runs(2, 65535, 1), in + "run interval exceeds uint16 range");
  EXPECT_EQ(runs(3, 9, 1, 10, 0), in + "run intervals overlap or are out of order");
  EXPECT_EQ(runs(4, 9, 1), in + "run cardinality 2 does not match descriptor 4");
  std::string bits = Join(U32{12346}, U32{1}, U16{5}, U16{4999}, U32{0}) + std::string(8192, '\1');
  EXPECT_EQ(WhyNot(OneChild(bits, 5000)),
            in + "bitmap cardinality 8192 does not match descriptor 5000");
  bits.resize(100);
  EXPECT_EQ(WhyNot(OneChild(bits, 5000)), in + "truncated bitmap container");
  std::string twice = Join(uint64_t{2}, U32{3}, U32{12346}, U32{0}, U32{3}, U32{12346}, U32{0});
  EXPECT_EQ(WhyNot(RoaringEnvelope(twice, 0)), in + "high container 1 has a non-increasing key");
  EXPECT_EQ(WhyNot(RoaringEnvelope(Join(uint64_t{0}, U16{0}), 0)),
            in + "consumed 8 bytes, expected 10");
}

TEST(RoaringMembers, RefusesSetsThatCostTooMuch) {
  // Containers of one value each: ten bytes in the blob, 74 by Milvus' reckoning.
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 910'000; ++i) values.push_back(i << 16);
  EXPECT_EQ(WhyNot(RoaringBlob(values)),
            "roaring bitmap estimated decoded size 67341968 bytes exceeds maximum 67108864");
  values.resize(900'000);
  const auto set = Open(RoaringBlob(values));
  ASSERT_TRUE(set) << set.error().message();
  EXPECT_TRUE((*set)->Has(int64_t{899'999} << 16));
  EXPECT_FALSE((*set)->Has(int64_t{900'000} << 16));
}

TEST(RoaringMembers, IsCheckedAgainWhenItComesAsBytes) {
  const auto set = Open(RoaringBlob({1, -2}));
  ASSERT_TRUE(set);
  std::string bytes = EncodeBytes(**set);
  const auto again = DecodeBytes<RoaringMembers>(bytes, "set");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->ok() && again->Has(-2) && !again->Has(2));
  bytes[bytes.size() - 40] ^= 1;
  const auto damaged = DecodeBytes<RoaringMembers>(bytes, "set");
  ASSERT_TRUE(damaged);
  EXPECT_FALSE(damaged->ok() || damaged->Has(-2) || damaged->Has(1));
}

}  // namespace
}  // namespace elanus::expr
