// Every kernel at every level this machine has, against sums in double or in int64. Long: every
// kernel is here.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "simd/dispatch.h"

namespace elanus::simd {
namespace {

std::vector<Level> Levels() {
  std::vector<Level> levels;
  for (int i = 0; i <= static_cast<int>(BestLevel()); ++i) levels.push_back(static_cast<Level>(i));
  return levels;
}

std::vector<size_t> Dims() {
  std::vector<size_t> dims;
  for (size_t d = 1; d <= 260; ++d) dims.push_back(d);
  for (size_t d : {511, 512, 513, 768, 1000, 1536, 3071, 4096, 32768}) dims.push_back(d);
  return dims;
}

struct Exact {
  double value, magnitude;
};

Exact ExactL2(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return {sum, sum};
}
Exact ExactIp(const float* a, const float* b, size_t dim) {
  double sum = 0, magnitude = 0;
  for (size_t i = 0; i < dim; ++i) {
    sum += double{a[i]} * b[i];
    magnitude += std::fabs(double{a[i]} * b[i]);
  }
  return {sum, magnitude};
}

std::vector<float> RandomFloats(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(n);
  for (float& x : v) x = normal(random);
  return v;
}

class SimdTest : public testing::TestWithParam<Level> {
 protected:
  void SetUp() override { ASSERT_TRUE(ForceLevel(GetParam())); }
  void TearDown() override { ForceLevel(BestLevel()); }
};

TEST_P(SimdTest, FloatDistancesAgreeWithDoubleAtEveryDimensionUnaligned) {
  const Kernels& k = Active();
  for (size_t dim : Dims()) {
    constexpr size_t kRows = 11;
    const size_t stride = dim + 3;
    // One float off the alignment, and exactly as long as the last row needs: a read past it is
    // seen by asan.
    auto rows = RandomFloats(1 + (kRows - 1) * stride + dim, dim);
    auto query = RandomFloats(1 + dim, dim + 7);
    const float* base = rows.data() + 1;
    const float* q = query.data() + 1;
    std::vector<uint32_t> ids = {10, 0, 5, 5, 9, 1, 2, 8, 3, 7, 6, 4, 10};
    std::vector<float> l2(ids.size()), ip(ids.size()), l2_block(kRows), ip_block(kRows);
    k.l2_rows(q, base, stride, ids.data(), ids.size(), dim, l2.data());
    k.ip_rows(q, base, stride, ids.data(), ids.size(), dim, ip.data());
    k.l2_block(q, base, stride, kRows, dim, l2_block.data());
    k.ip_block(q, base, stride, kRows, dim, ip_block.data());
    auto near = [&](float got, Exact want) {
      EXPECT_NEAR(got, want.value, 1e-5 * want.magnitude + 1e-30) << "dim " << dim;
    };
    for (size_t i = 0; i < ids.size(); ++i) {
      near(l2[i], ExactL2(q, base + ids[i] * stride, dim));
      near(ip[i], ExactIp(q, base + ids[i] * stride, dim));
    }
    for (size_t i = 0; i < kRows; ++i) {
      near(l2_block[i], ExactL2(q, base + i * stride, dim));
      near(ip_block[i], ExactIp(q, base + i * stride, dim));
      near(k.l2(q, base + i * stride, dim), ExactL2(q, base + i * stride, dim));
      near(k.ip(q, base + i * stride, dim), ExactIp(q, base + i * stride, dim));
    }
  }
}

TEST_P(SimdTest, TilesOfAnyShapeAgreeWithDouble) {
  const Kernels& k = Active();
  for (size_t dim : {1, 7, 16, 50, 100, 129, 300, 32768}) {
    for (size_t nq = 1; nq <= 13; nq += dim > 300 ? 6 : 1) {
      for (size_t count : {1, 15, 16, 17, 33, 64, 85}) {
        if (dim > 300 && count > 17) continue;
        const size_t blocks = (count + 15) / 16, wide = 16 * blocks + 3, stride = dim + 2;
        auto queries = RandomFloats(1 + (nq - 1) * stride + dim, dim + nq);
        auto rows = RandomFloats((count - 1) * stride + dim, dim + count + 100);
        std::vector<float> packed(blocks * 16 * dim, NAN), l2(nq * wide), ip(nq * wide);
        k.pack16(rows.data(), stride, count, dim, packed.data());
        for (size_t i = 0; i < packed.size(); ++i) {
          const size_t row = i / (16 * dim) * 16 + i % 16, d = i / 16 % dim;
          ASSERT_EQ(packed[i], row < count ? rows[row * stride + d] : 0.0f) << dim << " " << i;
        }
        k.l2_tile(&queries[1], stride, nq, packed.data(), blocks, dim, l2.data(), wide);
        k.ip_tile(&queries[1], stride, nq, packed.data(), blocks, dim, ip.data(), wide);
        for (size_t q = 0; q < nq; ++q) {
          for (size_t i = 0; i < count; ++i) {
            const Exact a = ExactL2(&queries[1 + q * stride], &rows[i * stride], dim);
            const Exact b = ExactIp(&queries[1 + q * stride], &rows[i * stride], dim);
            ASSERT_NEAR(l2[q * wide + i], a.value, 1e-5 * a.magnitude + 1e-30) << dim;
            ASSERT_NEAR(ip[q * wide + i], b.value, 1e-5 * b.magnitude + 1e-30) << dim;
          }
        }
      }
    }
  }
}

TEST_P(SimdTest, TheFirstOfTheLargestIsFound) {
  const Kernels& k = Active();
  for (size_t count = 1; count <= 70; ++count) {
    for (size_t place = 0; place < count; ++place) {
      std::vector<float> values(count, -3.0f);
      for (size_t i = place; i < count; i += 7) values[i] = -1.0f;
      ASSERT_EQ(k.place_of_largest(values.data(), count), place) << count;
    }
    const std::vector<float> lowest(count, -INFINITY);
    ASSERT_EQ(k.place_of_largest(lowest.data(), count), 0u);
  }
}

TEST_P(SimdTest, ByteDotProductsAreExactUpToTheLargestVector) {
  const Kernels& k = Active();
  std::mt19937_64 random(5);
  for (size_t dim : Dims()) {
    constexpr size_t kRows = 9;
    const size_t stride = dim + 5;
    std::vector<uint8_t> rows(1 + (kRows - 1) * stride + dim);
    std::vector<int8_t> query(1 + dim);
    const bool extreme = dim % 2 == 0;  // all at the ends of their ranges: saturation would show
    for (auto& r : rows) r = extreme ? 255 : static_cast<uint8_t>(random());
    for (auto& q : query)
      q = extreme ? -127 : static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
    std::vector<uint32_t> ids = {8, 0, 4, 4, 3, 2, 1, 7, 6, 5};
    std::vector<int32_t> gathered(ids.size()), block(kRows);
    k.dot_s8u8_rows(query.data() + 1, rows.data() + 1, stride, ids.data(), ids.size(), dim,
                    gathered.data());
    k.dot_s8u8_block(query.data() + 1, rows.data() + 1, stride, kRows, dim, block.data());
    auto exact = [&](size_t row) {
      int64_t sum = 0;
      for (size_t i = 0; i < dim; ++i) sum += int64_t{query[1 + i]} * rows[1 + row * stride + i];
      return sum;
    };
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(gathered[i], exact(ids[i])) << dim;
    for (size_t i = 0; i < kRows; ++i) {
      EXPECT_EQ(block[i], exact(i)) << dim;
      EXPECT_EQ(k.dot_s8u8(query.data() + 1, rows.data() + 1 + i * stride, dim), exact(i)) << dim;
    }
    std::vector<int8_t> plain(dim);
    int32_t sum = 0;
    const int32_t got = k.unbias(rows.data() + 1, dim, plain.data());
    for (size_t i = 0; i < dim; ++i) {
      ASSERT_EQ(int{plain[i]}, int{rows[1 + i]} - 128);
      sum += plain[i];
    }
    EXPECT_EQ(got, sum) << dim;
  }
}

TEST_P(SimdTest, NearestIsTheFirstCentreWithTheGreatestSum) {
  std::mt19937_64 random(11);
  for (const size_t dim : {1, 4, 7, 64, 100, 32768}) {
    for (const size_t clusters : {1, 17, 64, 150}) {
      const size_t blocks = (clusters + 63) / 64, groups = (dim + 3) / 4, count = 15;
      const size_t stride = 4 * groups + 3;
      const bool extreme = dim % 2 == 0;
      std::vector<uint8_t> rows(1 + count * stride);
      for (auto& r : rows) r = extreme ? 255 : static_cast<uint8_t>(random());
      std::vector<int8_t> codes(blocks * groups * 256, 0);
      std::vector<int32_t> starts(blocks * 64, CentreBlocks::kNoCentre);
      const auto at = [&](size_t c, size_t d) {
        return ((c / 64 * groups + d / 4) * 64 + c % 64) * 4 + d % 4;
      };
      for (size_t c = 0; c < clusters; ++c) {
        starts[c] = static_cast<int32_t>(random() % 5) - 2;  // often equal where codes are
        for (size_t d = 0; d < dim; ++d)
          codes[at(c, d)] = static_cast<int8_t>(extreme ? -127 : int(random() % 255) - 127);
      }
      std::vector<uint32_t> nearest(count);
      Active().nearest_s8u8(rows.data() + 1, stride, count,
                            {codes.data(), starts.data(), blocks, groups}, nearest.data());
      for (size_t i = 0; i < count; ++i) {
        std::vector<int64_t> values(clusters);
        for (size_t c = 0; c < clusters; ++c) {
          values[c] = starts[c];
          for (size_t d = 0; d < dim; ++d)
            values[c] += int64_t{codes[at(c, d)]} * rows[1 + i * stride + d];
        }
        const auto want = std::ranges::max_element(values) - values.begin();
        EXPECT_EQ(nearest[i], want) << dim << " " << clusters;
      }
    }
  }
}

TEST_P(SimdTest, CodesAreTheSameAtEveryLevel) {
  for (size_t dim : {1, 7, 8, 15, 16, 17, 100, 768}) {
    auto x = RandomFloats(dim, 3), shift = RandomFloats(dim, 4);
    x[0] = 1e30f;
    if (dim > 3) {
      x[1] = -1e30f;
      x[2] = 0.5f / 40;  // a tie after scaling
      shift[2] = 0;
    }
    std::vector<int8_t> want(dim), got(dim);
    ASSERT_TRUE(ForceLevel(Level::kScalar));
    Active().encode_s8(x.data(), 40, shift.data(), dim, want.data());
    ASSERT_TRUE(ForceLevel(GetParam()));
    Active().encode_s8(x.data(), 40, shift.data(), dim, got.data());
    EXPECT_EQ(got, want) << dim;
    EXPECT_EQ(got[0], 127);
  }
}

TEST_P(SimdTest, SelectsExactlyTheValuesAtOrBelowTheBound) {
  for (size_t count = 0; count <= 70; ++count) {
    auto values = RandomFloats(count, count);
    if (count > 5) values[5] = 0.25f;
    std::vector<uint32_t> want, got(count);
    for (size_t i = 0; i < count; ++i) {
      if (values[i] <= 0.25f) want.push_back(static_cast<uint32_t>(i));
    }
    got.resize(Active().select_le(values.data(), count, 0.25f, got.data()));
    EXPECT_EQ(got, want);
    std::vector<int32_t> numbers(count);
    for (size_t i = 0; i < count; ++i) numbers[i] = static_cast<int32_t>(values[i] * 1000);
    want.clear();
    for (size_t i = 0; i < count; ++i) {
      if (numbers[i] <= 250) want.push_back(static_cast<uint32_t>(i));
    }
    got.resize(count);
    got.resize(Active().select_le_s32(numbers.data(), count, 250, got.data()));
    EXPECT_EQ(got, want);
  }
}

TEST_P(SimdTest, BitsetsCountAndCombineWordByWord) {
  std::mt19937_64 random(9);
  for (size_t n : {0, 1, 2, 7, 8, 9, 31, 64, 1000}) {
    std::vector<uint64_t> a(n), b(n);
    for (auto& w : a) w = random();
    for (auto& w : b) w = random();
    size_t ones = 0;
    for (uint64_t w : a) ones += static_cast<size_t>(std::popcount(w));
    EXPECT_EQ(Active().popcount(a.data(), n), ones);
    auto x = a, y = a, z = a;
    Active().bits_and(x.data(), b.data(), n);
    Active().bits_or(y.data(), b.data(), n);
    Active().bits_andnot(z.data(), b.data(), n);
    for (size_t i = 0; i < n; ++i) {
      EXPECT_EQ(x[i], a[i] & b[i]);
      EXPECT_EQ(y[i], a[i] | b[i]);
      EXPECT_EQ(z[i], a[i] & ~b[i]);
    }
  }
}

TEST_P(SimdTest, ZeroBitsGivesTheirPlacesInOrder) {
  std::mt19937_64 random(5);
  for (const int ones : {0, 1, 7, 32, 60, 63, 64}) {  // of 64
    for (const size_t count : {size_t{0}, size_t{1}, size_t{16}, size_t{19}}) {
      std::vector<uint64_t> words(count, 0);
      std::vector<uint32_t> want;
      const uint32_t first = 192;
      for (size_t i = 0; i < 64 * count; ++i) {
        const bool one = static_cast<int>(random() % 64) < ones;
        words[i / 64] |= uint64_t{one} << (i % 64);
        if (!one) want.push_back(first + static_cast<uint32_t>(i));
      }
      std::vector<uint32_t> out(64 * count + 16);
      out.resize(Active().zero_bits(words.data(), count, first, out.data()));
      EXPECT_EQ(out, want) << ones << " of 64 are ones, words " << count;
    }
  }
}

TEST_P(SimdTest, UnseenGivesNewIdsOnceInOrderAndMarksThem) {
  std::mt19937_64 random(10);
  for (size_t count = 0; count <= 70; ++count) {
    constexpr size_t kIds = 200;  // so few that several share a word, and some come twice
    std::vector<uint32_t> list(count);
    for (uint32_t& id : list) id = static_cast<uint32_t>(random() % kIds);
    if (count > 3 && random() % 2 == 0) list[random() % count] = 0xFFFFFFFF;
    std::vector<uint64_t> seen((kIds + 63) / 64);
    for (uint64_t& word : seen) word = random() & random();
    std::vector<uint64_t> want_seen = seen, before = seen;
    std::vector<uint32_t> want;
    for (uint32_t id : list) {
      if (id == 0xFFFFFFFF) break;
      if ((want_seen[id / 64] >> (id % 64) & 1) != 0) continue;
      want_seen[id / 64] |= uint64_t{1} << (id % 64);
      want.push_back(id);
    }
    std::vector<uint32_t> got(count + 16);
    got.resize(Active().unseen(list.data(), count, seen.data(), got.data()));
    EXPECT_EQ(got, want);
    EXPECT_EQ(seen, want_seen);
    // The same list in three bytes an id, with nothing behind it that may be read.
    std::vector<uint8_t> packed;
    for (uint32_t id : list) {
      for (int shift : {0, 8, 16}) packed.push_back(static_cast<uint8_t>(id >> shift));
    }
    packed.shrink_to_fit();
    std::vector<uint32_t> ids(count + 16);
    ids.resize(Active().unpack24(packed.data(), count, ids.data()));
    EXPECT_TRUE(std::equal(ids.begin(), ids.end(), list.begin()));
    EXPECT_TRUE(ids.size() == count || list[ids.size()] == 0xFFFFFFFF);
    got.resize(count + 16);
    got.resize(Active().unseen24(packed.data(), count, before.data(), got.data()));
    EXPECT_EQ(got, want);
    EXPECT_EQ(before, want_seen);
  }
}

TEST_P(SimdTest, UnmarkedGivesTheIdsWithoutABitAndMarksNone) {
  std::mt19937_64 random(11);
  for (size_t count = 0; count <= 70; ++count) {
    constexpr size_t kIds = 1'000;
    std::vector<uint32_t> ids(count);
    for (uint32_t& id : ids) id = static_cast<uint32_t>(random() % kIds);
    ids.shrink_to_fit();  // nothing behind them may be read
    std::vector<uint64_t> marked((kIds + 63) / 64);
    for (uint64_t& word : marked) word = random();
    const std::vector<uint64_t> before = marked;
    std::vector<uint32_t> want;
    for (uint32_t id : ids) {
      if ((marked[id / 64] >> (id % 64) & 1) == 0) want.push_back(id);
    }
    std::vector<uint32_t> got(count + 16);
    got.resize(Active().unmarked(ids.data(), count, marked.data(), got.data()));
    EXPECT_EQ(got, want);
    EXPECT_EQ(marked, before);
  }
}

double NumberAt(Element element, const uint8_t* row, size_t i) {
  if (element == Element::kInt8) return static_cast<int8_t>(row[i]);
  uint16_t half;
  std::memcpy(&half, row + 2 * i, sizeof(half));
  if (element == Element::kBfloat16) return std::bit_cast<float>(uint32_t{half} << 16);
  const double size = (half >> 10 & 31) == 0
                          ? std::ldexp(half & 1023, -24)
                          : std::ldexp((half & 1023) + 1024, (half >> 10 & 31) - 25);
  return half >> 15 != 0 ? -size : size;
}

TEST_P(SimdTest, RowsOfEveryElementAgreeWithDoubleAtEveryDimensionUnaligned) {
  constexpr size_t kRows = 7;
  std::mt19937_64 random(11);
  const Kernels& k = Active();
  for (Element element : {Element::kFloat16, Element::kBfloat16, Element::kInt8}) {
    const size_t size = element == Element::kInt8 ? 1 : 2;
    for (size_t dim : Dims()) {
      const bool extreme = dim % 5 == 0;
      const size_t stride = dim * size + 3 * size;
      std::vector<uint8_t> rows(1 + (kRows - 1) * stride + dim * size);
      for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint8_t>(random());
      if (element == Element::kInt8 && extreme) std::fill(rows.begin(), rows.end(), 0x80);
      // Halves: any sign and fraction, exponents that are finite (and denormal now and then).
      for (size_t i = 2; element != Element::kInt8 && i < rows.size(); i += 2) {
        const uint8_t high = element == Element::kFloat16 ? random() % 31 << 2 : 56 + random() % 12;
        rows[i] = static_cast<uint8_t>((rows[i] & 0x83) | (extreme ? 0 : high & 0x7C));
      }
      const uint8_t* base = rows.data() + 1;
      std::vector<float> query(1 + dim);
      std::vector<int8_t> bytes(1 + dim);
      for (size_t i = 1; i <= dim; ++i) {
        bytes[i] = extreme ? 127 : static_cast<int8_t>(random());
        query[i] = element == Element::kInt8 ? bytes[i] : RandomFloats(1, i)[0];
      }
      const void* q = element == Element::kInt8 ? static_cast<const void*>(&bytes[1]) : &query[1];
      const std::vector<uint32_t> ids = {6, 0, 2, 2, 5, 1, 4, 3, 6};
      for (Measure measure : {Measure::kL2, Measure::kIp}) {
        std::vector<float> some(ids.size()), all(kRows);
        k.For(element, measure).rows(q, base, stride, ids.data(), ids.size(), dim, some.data());
        k.For(element, measure).block(q, base, stride, kRows, dim, all.data());
        std::vector<Exact> want(kRows);
        for (size_t row = 0; row < kRows; ++row) {
          for (size_t i = 0; i < dim; ++i) {
            const double x = NumberAt(element, base + row * stride, i), y = query[1 + i];
            const double term = measure == Measure::kL2 ? (x - y) * (x - y) : x * y;
            want[row].value += term;
            want[row].magnitude += std::fabs(term);
          }
        }
        for (size_t i = 0; i < ids.size(); ++i) {
          ASSERT_NEAR(some[i], want[ids[i]].value, 1e-5 * want[ids[i]].magnitude + 1e-30) << dim;
          if (element == Element::kInt8) {
            ASSERT_EQ(some[i], static_cast<float>(want[ids[i]].value));
          }
        }
        for (size_t i = 0; i < kRows; ++i)
          ASSERT_NEAR(all[i], want[i].value, 1e-5 * want[i].magnitude + 1e-30) << dim;
      }
    }
  }
}

TEST_P(SimdTest, BitRowsGiveTheExactHammingAndJaccardDistance) {
  constexpr size_t kRows = 6;
  std::mt19937_64 random(12);
  const Kernels& k = Active();
  for (size_t dim = 8; dim <= 32768; dim += dim < 1200 ? 8 : 7912) {
    const size_t bytes = dim / 8, stride = bytes + 3;
    std::vector<uint8_t> rows(1 + (kRows - 1) * stride + bytes), query(1 + bytes);
    for (auto& b : rows) b = static_cast<uint8_t>(random());
    for (auto& b : query) b = dim % 3 == 0 ? 0 : static_cast<uint8_t>(random());
    std::fill_n(rows.begin() + 1, bytes, uint8_t{0});
    const std::vector<uint32_t> ids = {5, 0, 1, 3, 2, 2};
    std::vector<float> hamming(ids.size()), jaccard(kRows);
    k.For(Element::kBit, Measure::kHamming)
        .rows(&query[1], &rows[1], stride, ids.data(), ids.size(), dim, hamming.data());
    k.For(Element::kBit, Measure::kJaccard)
        .block(&query[1], &rows[1], stride, kRows, dim, jaccard.data());
    auto count = [&](size_t row, auto combine) {
      int ones = 0;
      for (size_t i = 0; i < bytes; ++i)
        ones +=
            std::popcount(static_cast<uint8_t>(combine(query[1 + i], rows[1 + row * stride + i])));
      return ones;
    };
    for (size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(hamming[i], count(ids[i], std::bit_xor<>()));
    for (size_t i = 0; i < kRows; ++i) {
      const int either = count(i, std::bit_or<>());
      ASSERT_FLOAT_EQ(jaccard[i], either == 0
                                      ? 1.0f
                                      : 1.0f - static_cast<float>(count(i, std::bit_and<>())) /
                                                   static_cast<float>(either));
    }
  }
}

TEST_P(SimdTest, HalvesConvertTheSameAtEveryLevelAndBackExactly) {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> wide(halves.size());
  std::vector<uint16_t> back(halves.size());
  const Kernels& k = Active();
  auto infinite_or_nan = [](uint16_t half, int fraction) {
    return (half & 0x7FFF) > ((0x7FFF >> fraction) << fraction);
  };
  k.float16_to_float(halves.data(), halves.size(), wide.data());
  k.float_to_float16(wide.data(), wide.size(), back.data());
  for (size_t i = 0; i < halves.size(); ++i) {
    if (infinite_or_nan(halves[i], 10)) {
      ASSERT_TRUE(std::isnan(wide[i]));
      ASSERT_GT(back[i] & 0x7FFF, 0x7C00);
    } else {
      ASSERT_EQ(back[i], halves[i]);
    }
  }
  k.bfloat16_to_float(halves.data(), halves.size(), wide.data());
  k.float_to_bfloat16(wide.data(), wide.size(), back.data());
  for (size_t i = 0; i < halves.size(); ++i) {
    if (!infinite_or_nan(halves[i], 7))
      ASSERT_EQ(back[i], halves[i]);
    else
      ASSERT_GT(back[i] & 0x7FFF, 0x7F80);
  }
  // Anything else rounds to one of its two neighbours, and the same way at every level.
  std::vector<float> any(100'001);
  std::mt19937_64 random(13);
  for (float& x : any) {
    do x = std::bit_cast<float>(static_cast<uint32_t>(random()));
    while (std::isnan(x));
  }
  any[0] = 65519.0f, any[1] = 65520.0f, any[2] = 0x1p-25f, any[3] = 0x1.8p-24f, any[4] = 0x1p-14f;
  std::vector<uint16_t> got16(any.size()), want16(any.size()), gotb(any.size()), wantb(any.size());
  k.float_to_float16(any.data(), any.size(), got16.data());
  k.float_to_bfloat16(any.data(), any.size(), gotb.data());
  ASSERT_TRUE(ForceLevel(Level::kScalar));
  Active().float_to_float16(any.data(), any.size(), want16.data());
  Active().float_to_bfloat16(any.data(), any.size(), wantb.data());
  EXPECT_EQ(got16, want16);
  EXPECT_EQ(gotb, wantb);
  EXPECT_EQ(want16[0], 0x7BFF);
  EXPECT_EQ(want16[1], 0x7C00);
  EXPECT_EQ(want16[2], 0);
  EXPECT_EQ(want16[3], 2);
  EXPECT_EQ(want16[4], 0x0400);
  std::vector<int8_t> bytes = {-128, -1, 0, 1, 127};
  wide.resize(5);
  k.int8_to_float(bytes.data(), bytes.size(), wide.data());
  EXPECT_EQ(wide, (std::vector<float>{-128, -1, 0, 1, 127}));
}

TEST_P(SimdTest, FourBitCodesAddUpTheirTableEntries) {
  std::mt19937_64 random(14);
  const Kernels& k = Active();
  for (size_t parts : {1, 2, 4, 5, 50, 192, 257}) {
    for (size_t rows : {1, 31, 32, 33, 100}) {
      const size_t lines = (parts + 3) / 4, blocks = (rows + 31) / 32;
      std::vector<uint8_t> codes(blocks * lines * 64), tables(lines * 64);
      for (auto& c : codes) c = static_cast<uint8_t>(random());
      for (size_t i = 0; i < parts * 16; ++i)
        tables[i] = parts > 200 ? 255 : static_cast<uint8_t>(random());  // the largest sum there is
      std::vector<uint16_t> want(blocks * 32);
      for (size_t row = 0; row < want.size(); ++row) {
        for (size_t part = 0; part < parts; ++part) {
          const size_t i = row % 32;
          const uint8_t byte =
              codes[row / 32 * lines * 64 + part / 4 * 64 + part % 4 * 16 + i % 16];
          want[row] += tables[part * 16 + (i < 16 ? byte & 15 : byte >> 4)];
        }
      }
      std::vector<uint16_t> sums(want.size());
      k.sums4(codes.data(), rows, lines, tables.data(), sums.data());
      ASSERT_EQ(sums, want);
      for (uint16_t bound : {uint16_t{0}, want[rows / 2], uint16_t{65535}}) {
        std::vector<uint32_t> places(rows), in;
        std::vector<uint16_t> values(rows);
        const size_t n =
            k.scan4(codes.data(), rows, lines, tables.data(), bound, places.data(), values.data());
        for (uint32_t row = 0; row < rows; ++row) {
          if (want[row] <= bound) in.push_back(row);
        }
        places.resize(n);
        ASSERT_EQ(places, in);
        for (size_t i = 0; i < n; ++i) ASSERT_EQ(values[i], want[places[i]]);
      }
    }
  }
}

TEST_P(SimdTest, PartProductsAreThoseOfEveryWord) {
  for (size_t part_dim : {1, 2, 3, 8}) {
    constexpr size_t kParts = 5;
    const auto query = RandomFloats(kParts * part_dim, 1);
    const auto words = RandomFloats(kParts * part_dim * 16, 2);
    std::vector<float> got(kParts * 16);
    Active().part_products(query.data(), words.data(), kParts, part_dim, got.data());
    for (size_t part = 0; part < kParts; ++part) {
      for (size_t j = 0; j < 16; ++j) {
        double want = 0;
        for (size_t d = part * part_dim; d < (part + 1) * part_dim; ++d)
          want += double{query[d]} * words[d * 16 + j];
        ASSERT_NEAR(got[part * 16 + j], want, 1e-5);
      }
    }
  }
}

TEST_P(SimdTest, TablesAreTheSameAtEveryLevelAndTheirSumsFit) {
  for (size_t parts : {1, 3, 4, 50, 257, 384, 2000}) {
    auto products = RandomFloats(parts * 16, parts);
    if (parts == 3) std::fill(products.begin(), products.end(), 0.5f);
    const size_t bytes = (parts + 3) / 4 * 64;
    std::vector<uint8_t> got(bytes, 7), want(bytes, 9);
    float scale, base, scalar_scale, scalar_base;
    Active().quantize_tables(products.data(), parts, got.data(), &scale, &base);
    ASSERT_TRUE(ForceLevel(Level::kScalar));
    Active().quantize_tables(products.data(), parts, want.data(), &scalar_scale, &scalar_base);
    ASSERT_TRUE(ForceLevel(GetParam()));
    ASSERT_EQ(got, want);
    EXPECT_EQ(scale, scalar_scale);
    EXPECT_EQ(base, scalar_base);
    size_t largest = 0;
    double distance = base, exact = 0;
    for (size_t part = 0; part < parts; ++part) {
      largest += *std::max_element(&got[part * 16], &got[part * 16] + 16);
      distance += double{scale} * got[part * 16 + part % 16];
      exact -= products[part * 16 + part % 16];
    }
    EXPECT_LE(largest, 65535u);
    EXPECT_NEAR(distance, exact, 0.5 * scale * static_cast<double>(parts) + 1e-3);
    for (size_t i = parts * 16; i < bytes; ++i) EXPECT_EQ(got[i], 0);
  }
}

// One block as kernels.h lays it out.
void PackBlock(const uint8_t* codes, int bits, uint8_t* out) {
  int shift = bits;
  for (int width : {8, 4, 2, 1}) {
    if ((bits & width) == 0) continue;
    shift -= width;
    const size_t bytes = 8 * static_cast<size_t>(width), mask = (size_t{1} << width) - 1;
    std::fill_n(out, bytes, uint8_t{0});
    for (size_t d = 0; d < 64; ++d) {
      const auto piece = static_cast<uint8_t>(codes[d] >> shift & mask);
      const size_t at = width == 1 ? d / 8 : d % bytes;
      const size_t place = width == 1 ? d % 8 : d / bytes * static_cast<size_t>(width);
      out[at] = static_cast<uint8_t>(out[at] | piece << place);
    }
    out += bytes;
  }
}

TEST_P(SimdTest, PackedCodesOfEveryWidthMultiplyExactly) {
  std::mt19937_64 random(17);
  for (int bits = 1; bits <= 8; ++bits) {
    for (size_t blocks : {1, 2, 12, 512}) {
      for (bool extreme : {false, true}) {
        const size_t dim = blocks * 64, bytes = blocks * 8 * static_cast<size_t>(bits);
        const size_t stride = bytes + 3, rows = 7;  // odd: rows are not aligned
        std::vector<int8_t> query(dim);
        for (auto& q : query)
          q = extreme ? int8_t{-127} : static_cast<int8_t>(random() % 255 - 127);
        std::vector<uint8_t> packed(rows * stride + 1), codes(dim);
        std::vector<int32_t> want(rows), got(rows);
        for (size_t row = 0; row < rows; ++row) {
          for (auto& c : codes)
            c = static_cast<uint8_t>(extreme ? (1 << bits) - 1 : random() % (1u << bits));
          for (size_t b = 0; b < blocks; ++b)
            PackBlock(&codes[b * 64], bits,
                      &packed[1 + row * stride + b * 8 * static_cast<size_t>(bits)]);
          for (size_t d = 0; d < dim; ++d) want[row] += query[d] * codes[d];
        }
        const PackedRows view{packed.data() + 1, stride, blocks, bits};
        Active().dot_packed(query.data(), view, nullptr, rows, got.data());
        ASSERT_EQ(got, want) << bits << " bits";
        const std::vector<uint32_t> ids = {6, 0, 3, 3, 5};
        Active().dot_packed(query.data(), view, ids.data(), ids.size(), got.data());
        for (size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(got[i], want[ids[i]]);
      }
    }
  }
}

TEST_P(SimdTest, KeysOfHalfBytesAreTheSameAtEveryLevel) {
  std::mt19937_64 random(23);
  constexpr size_t kRows = 50;
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  for (size_t lines : {1, 2, 7}) {
    std::vector<int8_t> query(lines * 128);
    for (auto& q : query) q = static_cast<int8_t>(random() % 255 - 127);
    std::fill_n(query.begin(), 8, int8_t{0});
    std::fill_n(query.begin() + 64, 8, int8_t{0});
    std::vector<uint8_t> rows(kRows * lines * 64);
    for (auto& byte : rows) byte = static_cast<uint8_t>(random());
    const HalfByteScale scale{.bias = 1234, .factor = -3.7f, .term = 911.0f, .most = 1 << 20};
    std::vector<int32_t> want(kRows);
    for (size_t i = 0; i < kRows; ++i) {
      uint8_t* row = &rows[i * lines * 64];
      float head[2] = {static_cast<float>(random() % 1000) / 999, static_cast<float>(i) / 7};
      if (i == 3) head[0] = kNone;
      if (i == 4) head[1] = -std::numeric_limits<float>::infinity();
      std::memcpy(row, head, sizeof(head));
      int32_t dot = 0;
      for (size_t at = 0; at < lines * 64; ++at) {
        const int8_t* line = &query[at / 64 * 128];
        dot += (row[at] & 15) * line[at % 64] + (row[at] >> 4) * line[64 + at % 64];
      }
      const float product = static_cast<float>(2 * dot - scale.bias) * (head[0] * scale.factor);
      const float term = head[1] * scale.term, value = product + term;
      want[i] =
          std::isnan(value)
              ? 1 << 20
              : static_cast<int32_t>(std::nearbyint(std::clamp(value, -scale.most, scale.most)));
    }
    EXPECT_EQ(want[3], 1 << 20);
    EXPECT_EQ(want[4], -(1 << 20));
    for (size_t count = 0; count <= 9; ++count) {
      std::vector<uint32_t> ids(count);
      for (auto& id : ids) id = static_cast<uint32_t>(random() % kRows);
      if (count > 6) ids[0] = 3, ids[6] = 4;
      std::vector<int32_t> got(count + 1, 77);
      Active().half_byte_keys(query.data(), rows.data(), lines, ids.data(), count, scale,
                              got.data());
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(got[i], want[ids[i]]) << lines << " lines";
      EXPECT_EQ(got[count], 77);
    }
  }
}

TEST_P(SimdTest, ByteTablesAddUpBlockByBlock) {
  std::mt19937_64 random(20);
  for (size_t parts : {1, 3, 50, 257}) {
    std::vector<uint8_t> tables(parts * 256);
    for (auto& t : tables) t = parts > 200 ? uint8_t{255} : static_cast<uint8_t>(random());
    for (size_t rows : {1, 63, 64, 65, 128, 300}) {
      const size_t blocks = (rows + 63) / 64;
      std::vector<uint8_t> codes(blocks * parts * 64);
      for (auto& c : codes) c = static_cast<uint8_t>(random());
      std::vector<uint16_t> want(blocks * 64), got(blocks * 64);
      for (size_t row = 0; row < want.size(); ++row) {
        for (size_t part = 0; part < parts; ++part)
          want[row] += tables[part * 256 + codes[(row / 64 * parts + part) * 64 + row % 64]];
      }
      Active().sums8(codes.data(), rows, parts, tables.data(), got.data());
      ASSERT_EQ(got, want) << parts << " parts, " << rows << " rows";
    }
  }
}

TEST_P(SimdTest, TablesOfFloatsAddUp) {
  std::mt19937_64 random(18);
  for (size_t parts : {1, 3, 32, 257}) {
    const auto tables = RandomFloats(parts * 256, parts);
    const size_t stride = parts + 5, rows = 9;
    std::vector<uint8_t> codes(rows * stride);
    for (auto& c : codes) c = static_cast<uint8_t>(random());
    std::vector<float> all(rows), some(2);
    Active().table_sums(tables.data(), {codes.data(), stride, parts}, nullptr, rows, all.data());
    for (size_t row = 0; row < rows; ++row) {
      double want = 0, magnitude = 0;
      for (size_t part = 0; part < parts; ++part) {
        const double entry = tables[part * 256 + codes[row * stride + part]];
        want += entry;
        magnitude += std::fabs(entry);
      }
      ASSERT_NEAR(all[row], want, 1e-5 * magnitude);
    }
    const uint32_t ids[] = {8, 2};
    Active().table_sums(tables.data(), {codes.data(), stride, parts}, ids, 2, some.data());
    ASSERT_NEAR(some[0], all[8], 1e-4 * static_cast<double>(parts));
    ASSERT_NEAR(some[1], all[2], 1e-4 * static_cast<double>(parts));
  }
}

TEST_P(SimdTest, ScaledSumsAndRotationsAreTheSameAtEveryLevel) {
  std::mt19937_64 random(19);
  for (size_t count : {1, 7, 8, 16, 31, 100}) {
    std::vector<uint16_t> sums(count);
    for (auto& s : sums) s = static_cast<uint16_t>(random());
    const auto factors = RandomFloats(count, 1), terms = RandomFloats(count, 2);
    for (const float* t : {static_cast<const float*>(nullptr), terms.data()}) {
      const ScaledSums s{.scale = 1e-4f, .offset = -3.0f, .base = 0.5f, .bound = 0.7f};
      std::vector<uint32_t> got(count), want(count);
      std::vector<float> values(count), expected(count);
      got.resize(
          Active().scaled_le(sums.data(), factors.data(), t, count, s, got.data(), values.data()));
      for (size_t i = 0; i < count; ++i) {
        const double v = 0.5 + factors[i] * (-3.0 + 1e-4 * sums[i]) + (t != nullptr ? t[i] : 0.0);
        if (std::fabs(v - 0.7) < 1e-4) continue;  // either is right
        if (v > 0.7) {
          ASSERT_FALSE(std::binary_search(got.begin(), got.end(), static_cast<uint32_t>(i)));
          continue;
        }
        const auto at = std::lower_bound(got.begin(), got.end(), static_cast<uint32_t>(i));
        ASSERT_TRUE(at != got.end() && *at == i);
        ASSERT_NEAR(values[static_cast<size_t>(at - got.begin())], v, 1e-4);
      }
      ASSERT_TRUE(ForceLevel(Level::kScalar));
      want.resize(Active().scaled_le(sums.data(), factors.data(), t, count, s, want.data(),
                                     expected.data()));
      ASSERT_TRUE(ForceLevel(GetParam()));
      ASSERT_EQ(got, want);
      for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(values[i], expected[i]);
    }
  }
  for (size_t n : {1, 2, 8, 64, 1024}) {
    const auto x = RandomFloats(n, n);
    auto got = x, want = x;
    Active().hadamard(got.data(), n);
    ASSERT_TRUE(ForceLevel(Level::kScalar));
    Active().hadamard(want.data(), n);
    ASSERT_TRUE(ForceLevel(GetParam()));
    ASSERT_EQ(got, want);
    for (size_t i : {size_t{0}, n / 2, n - 1}) {
      double sum = 0;
      for (size_t j = 0; j < n; ++j) sum += std::popcount(i & j) % 2 == 0 ? x[j] : -x[j];
      ASSERT_NEAR(got[i], sum, 1e-3);
    }
  }
}

TEST(SimdDispatch, RefusesALevelTheMachineLacksAndKeepsTheActiveOne) {
  const Level best = BestLevel();
  EXPECT_EQ(Active().level, best);
  EXPECT_TRUE(ForceLevel(Level::kScalar));
  EXPECT_EQ(Active().level, Level::kScalar);
  EXPECT_TRUE(ForceLevel(best));
  if (best != Level::kAvx512) {
    EXPECT_FALSE(ForceLevel(Level::kAvx512));
    EXPECT_EQ(Active().level, best);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryLevel, SimdTest, testing::ValuesIn(Levels()),
                         [](const auto& info) { return LevelName(info.param); });

}  // namespace
}  // namespace elanus::simd
