#include "base/program_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace elanus {
namespace {

/// KiB of mapped files that are resident.
int64_t ResidentFileKb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::stoll(line.substr(8));
  }
  return -1;
}

TEST(ProgramPages, ComeBackWhenTheyAreUsed) {
  const int64_t before = ResidentFileKb();
  ASSERT_GT(before, 0);
  ReleaseProgramPages();
  const int64_t after = ResidentFileKb();  // ran, so some of them are back
  EXPECT_LT(after, before);
  EXPECT_GT(after, 0);
}

}  // namespace
}  // namespace elanus
