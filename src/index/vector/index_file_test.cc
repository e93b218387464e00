// Damaged files: every prefix and every kind of flip is a named error or an unchanged answer, never
// a crash.
#include "index/vector/index_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "base/crc32c.h"
#include "index/vector/testing.h"

namespace elanus::index {
namespace {

using testing::Clustered;

std::string Build(const testing::Data& data, const testing::Form& form,
                  Metric metric = Metric::kL2) {
  auto built = BuildIndexFile(data.view(), {.kind = form.kind,
                                            .metric = metric,
                                            .m = 4,
                                            .ef_construction = 20,
                                            .nlist = 4,
                                            .codec = form.codec});
  return built->Join();
}

Status OpenAndSearch(const std::string& bytes, const testing::Data& data) {
  auto file = std::make_shared<std::string>(bytes);
  auto index = OpenIndex(file, std::as_bytes(std::span(*file)), data.view(), OpenMode::kMapped);
  if (!index.has_value()) return index.error();
  return StatusOf((*index)->Search(data.Row(0), {.top_k = 5}, {}, {}));
}

// Makes all checksums right again, so that the checks behind them are reached.
void Reseal(std::string& bytes) {
  uint32_t count;
  std::memcpy(&count, bytes.data() + 12, 4);
  for (uint32_t i = 0; i < count && i < 16; ++i) {
    char* entry = bytes.data() + 76 + i * 24;
    uint64_t offset, size;
    std::memcpy(&offset, entry + 8, 8);
    std::memcpy(&size, entry + 16, 8);
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    const uint32_t crc = Crc32c(bytes.data() + offset, size);
    std::memcpy(entry + 4, &crc, 4);
  }
  const uint32_t crc = Crc32c(bytes.data(), 508);
  std::memcpy(bytes.data() + 508, &crc, 4);
}

class IndexFileTest : public ::testing::TestWithParam<testing::Form> {};

TEST_P(IndexFileTest, EveryPrefixIsRefused) {
  const auto data = Clustered(60, 5, 1);
  const std::string bytes = Build(data, GetParam(), Metric::kCosine);
  ASSERT_TRUE(OpenAndSearch(bytes, data).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(OpenAndSearch(bytes.substr(0, size), data).code(), Code::kDataIntegrity) << size;
  }
  EXPECT_EQ(OpenAndSearch(bytes + "x", data).code(), Code::kDataIntegrity);
}

TEST_P(IndexFileTest, EveryFlippedBitIsRefusedOrHarmless) {
  const auto data = Clustered(60, 5, 1);
  const std::string bytes = Build(data, GetParam(), Metric::kCosine);
  size_t refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const Status status = OpenAndSearch(damaged, data);
    if (status.ok()) continue;  // padding between sections
    EXPECT_EQ(status.code(), Code::kDataIntegrity);
    ++refused;
  }
  EXPECT_GT(refused, bytes.size() * 8 * 9 / 10);
}

TEST_P(IndexFileTest, DamageWithRightChecksumsNeverCrashes) {
  const auto data = Clustered(60, 5, 1);
  for (Metric metric : {Metric::kL2, Metric::kCosine}) {
    const std::string bytes = Build(data, GetParam(), metric);
    std::mt19937_64 random(3);
    for (size_t round = 0; round < 4000; ++round) {
      std::string damaged = bytes;
      for (uint64_t n = 1 + random() % 3; n > 0; --n) {
        const size_t limit = round % 2 == 0 ? 508 : damaged.size();
        damaged[random() % limit] = static_cast<char>(random());
      }
      Reseal(damaged);
      (void)OpenAndSearch(damaged, data).ok();  // any status; asan and the test's end are the check
    }
  }
}

TEST_P(IndexFileTest, RefusesAnotherSegmentsRows) {
  const auto data = Clustered(60, 5, 1), shorter = Clustered(59, 5, 1), wider = Clustered(60, 6, 1);
  const std::string bytes = Build(data, GetParam());
  EXPECT_EQ(OpenAndSearch(bytes, shorter).code(), Code::kDataIntegrity);
  EXPECT_EQ(OpenAndSearch(bytes, wider).code(), Code::kDataIntegrity);
}

INSTANTIATE_TEST_SUITE_P(Forms, IndexFileTest, ::testing::ValuesIn(testing::AllForms()),
                         [](const auto& info) { return testing::FormName(info.param); });

TEST(IndexFile, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t kind = 0; kind < kKinds; ++kind) names.insert(KindName(static_cast<Kind>(kind)));
  EXPECT_EQ(names.size(), kKinds);
  EXPECT_FALSE(names.contains(KindName(static_cast<Kind>(kKinds))));
}

}  // namespace
}  // namespace elanus::index
