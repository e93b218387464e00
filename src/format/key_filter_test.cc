#include "format/key_filter.h"

#include <gtest/gtest.h>

#include "model/key_hash.h"

namespace elanus::format {
namespace {

uint64_t HashOf(int64_t key) { return model::HashKey(key, model::HashUse::kInShard); }

TEST(KeyFilter, HasEveryKeyAndFewOthers) {
  constexpr int64_t kKeys = 20'000;
  std::string filter(KeyFilterBytes(kKeys), '\0');
  for (int64_t key = 0; key < kKeys; ++key) KeyFilterAdd(filter, HashOf(key));
  int false_positives = 0;
  for (int64_t key = 0; key < kKeys; ++key) {
    EXPECT_TRUE(KeyFilterMayContain(filter, HashOf(key)));
    false_positives += KeyFilterMayContain(filter, HashOf(key + 1'000'000)) ? 1 : 0;
  }
  EXPECT_LT(false_positives, kKeys * 2 / 100);
}

}  // namespace
}  // namespace elanus::format
