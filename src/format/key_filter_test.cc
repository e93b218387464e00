#include "format/key_filter.h"

#include <gtest/gtest.h>

namespace elanus::format {
namespace {

TEST(KeyFilter, HasEveryKeyAndFewOthers) {
  constexpr int64_t kKeys = 20'000;
  std::string filter(KeyFilterBytes(kKeys), '\0');
  for (int64_t key = 0; key < kKeys; ++key) KeyFilterAdd(filter, HashKey(key));
  int false_positives = 0;
  for (int64_t key = 0; key < kKeys; ++key) {
    EXPECT_TRUE(KeyFilterMayContain(filter, HashKey(key)));
    false_positives += KeyFilterMayContain(filter, HashKey(key + 1'000'000)) ? 1 : 0;
  }
  EXPECT_LT(false_positives, kKeys * 2 / 100);
}

TEST(KeyFilter, HashesOfKeysNeverChange) {  // they are in files and decide a row's shard
  EXPECT_EQ(HashKey(int64_t{1}), HashKey(int64_t{1}));
  EXPECT_NE(HashKey(int64_t{1}), HashKey(int64_t{2}));
  EXPECT_NE(HashKey("a"), HashKey("b"));
  EXPECT_NE(HashKey(std::string_view("a\0", 2)), HashKey("a"));
  EXPECT_EQ(HashKey(int64_t{42}), 13679457532755275413ull);
}

}  // namespace
}  // namespace elanus::format
