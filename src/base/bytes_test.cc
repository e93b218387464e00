#include "base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

namespace elanus {
namespace {

TEST(Bytes, ReadsBackWhatWasWritten) {
  ByteWriter out;
  out.Fixed<uint32_t>(7);
  out.Varint(std::numeric_limits<uint64_t>::max());
  out.Zigzag(std::numeric_limits<int64_t>::min());
  out.String("abc");
  out.Fixed(1.5f);
  ByteReader in(out.view());
  EXPECT_EQ(in.Fixed<uint32_t>(), 7u);
  EXPECT_EQ(in.Varint(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(in.Zigzag(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(in.String(), "abc");
  EXPECT_EQ(in.Fixed<float>(), 1.5f);
  EXPECT_TRUE(in.done());
}

TEST(Bytes, EveryPrefixIsAFaultNotARead) {
  ByteWriter out;
  out.Varint(300);
  out.String("hello");
  out.Fixed<uint64_t>(9);
  for (size_t cut = 0; cut < out.size(); ++cut) {
    ByteReader in(out.view().substr(0, cut));
    in.Varint();
    in.String();
    in.Fixed<uint64_t>();
    EXPECT_FALSE(in.ok()) << cut;
  }
}

TEST(Bytes, RefusesACountThatTheInputCannotHold) {
  ByteWriter out;
  out.Varint(1'000'000);
  ByteReader in(out.view());
  EXPECT_EQ(in.Count(8), 0u);
  EXPECT_FALSE(in.ok());
}

TEST(Bytes, RefusesAVarintOfMoreThan64Bits) {
  std::string bytes(9, '\xff');
  bytes += '\x02';
  ByteReader in(bytes);
  in.Varint();
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace elanus
