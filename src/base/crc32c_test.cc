#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace elanus {
namespace {

TEST(Crc32c, MatchesThePublishedCheckValue) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32cPortable("123456789", 9), 0xE3069283u);
}

TEST(Crc32c, AgreesWithThePortableFormForEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(Crc32c(bytes), Crc32cPortable(bytes.data(), bytes.size()));
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Crc32c, ExtendsOverPieces) {
  std::string bytes = "The quick brown fox jumps over the lazy dog";
  EXPECT_EQ(Crc32c(bytes.substr(11), Crc32c(bytes.substr(0, 11))), Crc32c(bytes));
}

}  // namespace
}  // namespace elanus
