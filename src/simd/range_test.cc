// Every level's bits are those of a plain comparison, at every length and offset.
#include "simd/range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "simd/dispatch.h"

namespace elanus::simd {
namespace {

template <class T>
std::vector<T> Values(std::mt19937& random, size_t count) {
  std::vector<T> few = {std::numeric_limits<T>::lowest(),
                        std::numeric_limits<T>::max(),
                        T{0},
                        T{1},
                        static_cast<T>(-1),
                        T{5},
                        T{7},
                        T{100}};
  if constexpr (std::is_floating_point_v<T>) {
    few.push_back(std::numeric_limits<T>::infinity());
    few.push_back(-std::numeric_limits<T>::infinity());
    few.push_back(std::numeric_limits<T>::quiet_NaN());
    few.push_back(-T{0});
    few.push_back(std::numeric_limits<T>::denorm_min());
  }
  std::vector<T> values(count);
  for (T& value : values) value = few[random() % few.size()];
  return values;
}

template <class T>
class RangeTest : public ::testing::Test {};
using Types = ::testing::Types<int8_t, int16_t, int32_t, int64_t, float, double>;
TYPED_TEST_SUITE(RangeTest, Types);

TYPED_TEST(RangeTest, EveryLevelGivesTheBitsOfAPlainComparison) {
  std::mt19937 random(7);
  for (int l = 0; l <= static_cast<int>(BestLevel()); ++l) {
    const auto kernel = RangesAt(static_cast<Level>(l)).For(TypeParam{});
    for (size_t count : {0, 1, 3, 7, 8, 9, 15, 17, 31, 33, 63, 64, 65, 127, 128, 200, 4096}) {
      const size_t offset = random() % 4;
      const auto values = Values<TypeParam>(random, count + offset);
      const auto bounds = Values<TypeParam>(random, 2);
      std::vector<uint64_t> out((count + 63) / 64, ~uint64_t{0});
      kernel(values.data() + offset, count, bounds[0], bounds[1], out.data());
      std::vector<uint64_t> expected(out.size());
      for (size_t i = 0; i < count; ++i) {
        const TypeParam v = values[offset + i];
        if (v >= bounds[0] && v <= bounds[1]) expected[i / 64] |= uint64_t{1} << (i % 64);
      }
      ASSERT_EQ(out, expected) << LevelName(static_cast<Level>(l)) << " count " << count;
    }
  }
}

}  // namespace
}  // namespace elanus::simd
