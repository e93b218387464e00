// A pass over the codes of visible rows, with distances that are plain to see.
#include "index/vector/code_scan.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace elanus::index {
namespace {

struct Given {
  const std::vector<int32_t>& distances;
  void operator()(const uint32_t* rows, size_t count, int32_t* out) const {
    for (size_t i = 0; i < count; ++i) out[i] = distances[rows[i]];
  }
  CodePlaces places() const {
    return {reinterpret_cast<const uint8_t*>(distances.data()), sizeof(int32_t), 1};
  }
};

// The plain way: sorts all visible rows.
std::vector<CodeScan::Found> Nearest(const std::vector<int32_t>& distances,
                                     const HiddenBits& hidden, size_t count) {
  std::vector<CodeScan::Found> all;
  for (uint32_t row = 0; row < distances.size(); ++row) {
    if (!hidden.Hidden(row)) all.push_back({distances[row], row});
  }
  std::sort(all.begin(), all.end());
  all.resize(std::min(all.size(), count));
  return all;
}

TEST(CodeScan, KeepsTheNearestVisibleRows) {
  std::mt19937_64 random(9);
  CodeScan scan;
  for (const size_t rows : {size_t{1}, size_t{63}, size_t{1024}, size_t{1025}, size_t{20'000}}) {
    std::vector<int32_t> distances(rows);
    for (int32_t& d : distances) d = static_cast<int32_t>(random());
    for (const uint64_t every : {1, 3, 50}) {
      std::vector<uint64_t> words((rows + 63) / 64, 0);
      for (size_t row = 0; row < rows; ++row)
        words[row / 64] |= uint64_t{random() % every != 0} << (row % 64);
      // Rows past a shorter bitset are hidden too.
      for (const size_t known : {rows, rows - rows / 5}) {
        const HiddenBits hidden(words.data(), known);
        for (const size_t count : {size_t{1}, size_t{40}, size_t{3'000}}) {
          AllVisible visible(rows, hidden);
          ASSERT_TRUE(scan.Run(Given{distances}, visible, count, {}).ok());
          auto found = scan.nearest();
          std::sort(found.begin(), found.end());
          EXPECT_EQ(found, Nearest(distances, hidden, count))
              << rows << " rows, one of " << every << " visible, " << count << " wanted";
        }
      }
    }
  }
}

TEST(CodeScan, EqualDistancesAndTheFarthestOnesCount) {
  std::vector<int32_t> distances(5'000, std::numeric_limits<int32_t>::max());
  CodeScan scan;
  const HiddenBits none;
  AllVisible visible(distances.size(), none);
  ASSERT_TRUE(scan.Run(Given{distances}, visible, 10, {}).ok());
  EXPECT_EQ(scan.nearest().size(), 10u);
}

TEST(CodeScan, StopsWhenCanceled) {
  const std::vector<int32_t> distances(200'000, 1);
  std::stop_source source;
  source.request_stop();
  CodeScan scan;
  const HiddenBits none;
  AllVisible visible(distances.size(), none);
  EXPECT_EQ(scan.Run(Given{distances}, visible, 10, {.stop = source.get_token()}).code(),
            Code::kCanceled);
}

}  // namespace
}  // namespace elanus::index
