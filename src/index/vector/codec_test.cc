// Codecs by themselves, at every level of kernels this machine has: what a code stands for, and
// products against sums in double.
#include "index/vector/codec.h"

#include <gtest/gtest.h>

#include "index/vector/rabitq.h"
#include "index/vector/sq4.h"
#include "index/vector/testing.h"

namespace elanus::index {
namespace {

using testing::Clustered;

std::vector<simd::Level> Levels() {
  std::vector<simd::Level> levels;
  for (int i = 0; i <= static_cast<int>(simd::BestLevel()); ++i)
    levels.push_back(static_cast<simd::Level>(i));
  return levels;
}

class CodecTest : public ::testing::TestWithParam<simd::Level> {
 protected:
  void SetUp() override { ASSERT_TRUE(simd::ForceLevel(GetParam())); }
  void TearDown() override { simd::ForceLevel(simd::BestLevel()); }
};

double Dot(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t d = 0; d < dim; ++d) sum += double{a[d]} * b[d];
  return sum;
}
double Length(const float* a, size_t dim) { return std::sqrt(Dot(a, a, dim)); }

struct Wanted {
  CodecParams params;
  double error;  // of a decoded row, part of its length
};

std::vector<Wanted> AllCodecs(size_t dim) {
  std::vector<Wanted> all;
  const double loss[] = {0, 2.2, .6, .3, .14, .07, .033, .017, .008};
  for (int bits = 1; bits <= 8; ++bits)
    all.push_back({{.kind = CodecKind::kPacked, .bits = bits}, loss[bits]});
  all.push_back({{.kind = CodecKind::kFloat16}, 1e-3});
  all.push_back({{.kind = CodecKind::kBfloat16}, 8e-3});
  const int parts = static_cast<int>(dim);
  for (int bits : {1, 4, 5, 8, 10}) {
    if (bits >= 8 && dim > 10) continue;  // learning so many words takes long
    const double left = bits == 1 ? .75 : bits < 8 ? .25 : .05;
    all.push_back({{.kind = CodecKind::kProduct, .bits = bits, .parts = parts}, left});
  }
  all.push_back({{.kind = CodecKind::kProduct, .bits = 4, .parts = parts, .rounds = 3}, .02});
  return all;
}

TEST_P(CodecTest, ACodeStandsForItsRowAndProductsAreThoseOfTheCode) {
  for (size_t dim : {1, 7, 64, 100}) {
    const auto rows = Clustered(1200, dim, dim);
    const auto query = Clustered(1, dim, dim, 1200);
    for (const Wanted& wanted : AllCodecs(dim)) {
      const auto trained = TrainCodec(wanted.params, rows.values, dim, 1, {});
      ASSERT_TRUE(trained.has_value());
      const Codec& codec = **trained;
      ASSERT_EQ(codec.code_bytes(), CodeBytesOf(wanted.params, dim));
      ASSERT_EQ(codec.numbers().size(), CodecNumbersOf(wanted.params, dim));
      constexpr size_t kRows = 300;  // more than a batch
      std::vector<uint8_t> codes(kRows * codec.code_bytes());
      for (size_t i = 0; i < kRows; ++i) codec.Encode(rows.Row(i), &codes[i * codec.code_bytes()]);
      CodecQuery q;
      codec.Prepare(query.Row(0), q);
      std::vector<float> products(kRows), decoded(dim);
      codec.Products(q, codes.data(), nullptr, kRows, products.data());
      double error = 0, length = 0;
      for (size_t i = 0; i < kRows; ++i) {
        codec.Decode(&codes[i * codec.code_bytes()], decoded.data());
        // Queries of whole numbers are off by half a step of the largest at most.
        const double allowed = 0.02 * Length(query.Row(0), dim) * Length(decoded.data(), dim);
        ASSERT_NEAR(products[i], Dot(query.Row(0), decoded.data(), dim), allowed + 1e-5);
        for (size_t d = 0; d < dim; ++d) decoded[d] -= rows.Row(i)[d];
        error += Length(decoded.data(), dim);
        length += Length(rows.Row(i), dim);
      }
      EXPECT_LE(error, wanted.error * length)
          << dim << " dimensions, codec " << static_cast<int>(wanted.params.kind) << ", "
          << wanted.params.bits << " bits";
      const std::vector<uint32_t> ids = {299, 0, 7, 7};
      std::vector<float> some(ids.size());
      codec.Products(q, codes.data(), ids.data(), ids.size(), some.data());
      for (size_t i = 0; i < ids.size(); ++i)
        EXPECT_NEAR(some[i], products[ids[i]], 1e-5 * std::max(1.0f, std::fabs(some[i])));
      // Read back from its numbers it is the same.
      const auto again = ReadCodec(wanted.params, dim, codec.numbers());
      ASSERT_TRUE(again.has_value());
      std::vector<uint8_t> code(codec.code_bytes());
      (*again)->Encode(rows.Row(3), code.data());
      EXPECT_TRUE(std::equal(code.begin(), code.end(), &codes[3 * codec.code_bytes()]));
    }
  }
}

// Keys of all rows, and what they should be: in units of the key, from doubles.
void ExpectKeysNearDistances(Metric metric, const testing::Data& rows, const float* query) {
  const size_t dim = rows.dim, count = rows.view().rows;
  std::vector<float> mean(dim, 0.05f);
  double longest = 2;
  for (size_t i = 0; i < count; ++i) longest = std::max(longest, Length(rows.Row(i), dim));
  const Sq4 codec(metric, mean, 2 * static_cast<float>(longest));
  std::vector<uint8_t> codes(count * codec.stride());
  std::vector<uint32_t> ids(count);
  for (uint32_t i = 0; i < count; ++i) {
    codec.EncodeRow(rows.Row(i), &codes[i * codec.stride()]);
    ids[i] = i;
  }
  Sq4::Query q;
  codec.Prepare(query, q);
  std::vector<int32_t> keys(count);
  Sq4View(codec, codes.data()).Keys(q, ids.data(), count, keys.data());
  const bool l2 = metric == Metric::kL2;
  std::vector<float> y(dim), decoded(dim), asked(query, query + dim);
  double largest = 0;
  for (size_t d = 0; d < dim; ++d) {
    asked[d] -= l2 ? mean[d] : 0.0f;
    largest = std::max<double>(largest, std::fabs(asked[d]));
  }
  const double unit = -q.scale.factor * 127 / largest / (l2 ? 2 : 1);
  double error = 0, length = 0;
  for (size_t i = 0; i < count; ++i) {
    const double norm = metric == Metric::kCosine ? 1 / Length(rows.Row(i), dim) : 1;
    for (size_t d = 0; d < dim; ++d) y[d] = static_cast<float>(rows.Row(i)[d] * norm) - mean[d];
    codec.Decode(&codes[i * codec.stride()], decoded.data());
    const double product = Dot(asked.data(), decoded.data(), dim);
    const double want = l2 ? Dot(y.data(), y.data(), dim) - 2 * product : -product;
    // Queries of whole numbers are off by half a step of the largest at most.
    const double allowed = 0.02 * Length(asked.data(), dim) * Length(decoded.data(), dim);
    ASSERT_NEAR(keys[i] / unit, want, 2 * allowed + 1e-4 * std::fabs(want)) << dim;
    length += Length(y.data(), dim);
    for (size_t d = 0; d < dim; ++d) y[d] -= decoded[d];
    error += Length(y.data(), dim);
  }
  EXPECT_LE(error, 0.14 * length) << dim << " dimensions";
}

TEST_P(CodecTest, HalfBytesStandForTheirRowsAndKeysForDistances) {
  for (size_t dim : {1, 7, 64, 65, 100, 112, 113, 768}) {
    const auto rows = Clustered(300, dim, dim);
    const auto query = Clustered(1, dim, dim, 300);
    for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine})
      ExpectKeysNearDistances(metric, rows, query.Row(0));
  }
}

TEST_P(CodecTest, HalfBytesOfRowsWithoutLengthOrWithTooMuchAreNumbers) {
  constexpr size_t kDim = 70;
  testing::Data rows{std::vector<float>(4 * kDim, 0.0f), kDim};
  std::fill_n(rows.values.begin() + kDim, kDim, 3e38f);
  std::fill_n(rows.values.begin() + 2 * kDim, kDim, 1e-42f);
  std::fill_n(rows.values.begin() + 3 * kDim, kDim, -1.0f);
  for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    const Sq4 codec(metric, std::vector<float>(kDim, 0.0f), 1.0f);
    std::vector<uint8_t> codes(4 * codec.stride());
    for (size_t i = 0; i < 4; ++i) codec.EncodeRow(rows.Row(i), &codes[i * codec.stride()]);
    for (size_t i = 0; i < 4; ++i) {
      Sq4::Query q;
      codec.Prepare(rows.Row(i), q);
      const std::vector<uint32_t> ids = {0, 1, 2, 3};
      std::vector<int32_t> keys(4);
      Sq4View(codec, codes.data()).Keys(q, ids.data(), 4, keys.data());
      for (int32_t key : keys) EXPECT_LE(std::abs(key), 1 << 29);
    }
  }
}

TEST_P(CodecTest, RotationsKeepLengthsAndProducts) {
  for (size_t dim : {1, 5, 64, 100, 192, 768, 1000}) {
    const auto x = Clustered(2, dim, dim);
    const Rotation rotation(dim, 3);
    ASSERT_EQ(rotation.padded() % 64, 0u);
    std::vector<float> a(rotation.padded()), b(rotation.padded());
    rotation.Apply(x.Row(0), a.data());
    rotation.Apply(x.Row(1), b.data());
    const double scale = Length(x.Row(0), dim) * Length(x.Row(1), dim);
    EXPECT_NEAR(Dot(a.data(), b.data(), a.size()), Dot(x.Row(0), x.Row(1), dim), 1e-5 * scale);
    // One number of a row is spread over all.
    std::vector<float> unit(dim, 0.0f), spread(rotation.padded());
    unit[0] = 1;
    rotation.Apply(unit.data(), spread.data());
    for (float v : spread) EXPECT_LT(std::fabs(v), 6.0 / std::sqrt(double(rotation.padded())));
  }
}

TEST_P(CodecTest, RabitqProductsAreRightOnAverageAndNearerWithMoreBits) {
  constexpr size_t kDim = 100, kRows = 512;
  const auto rows = Clustered(kRows, kDim, 5);
  const auto query = Clustered(1, kDim, 5, kRows);
  double last = 1;
  for (int bits = 1; bits <= 9; ++bits) {
    const Rabitq codec(kDim, bits, 9);
    const size_t block = codec.signs().block_bytes();
    ASSERT_EQ(block, Rabitq::SignBlockBytesOf(kDim));
    std::vector<uint8_t> blocks(kRows / 32 * block), rests(kRows * codec.rest_bytes() + 1),
        words(codec.signs().parts());
    std::vector<float> factors(kRows), products(kRows);
    for (size_t i = 0; i < kRows; ++i) {
      factors[i] = codec.Encode(rows.Row(i), words.data(), &rests[i * codec.rest_bytes()]);
      codec.signs().Store(words.data(), i, blocks.data());
    }
    Rabitq::Query q;
    codec.Prepare(query.Row(0), q);
    std::vector<uint16_t> sums(kRows);
    simd::Active().sums4(blocks.data(), kRows, codec.signs().lines(), q.signs.bytes.data(),
                         sums.data());
    std::vector<uint32_t> places(kRows);
    for (uint32_t i = 0; i < kRows; ++i) places[i] = i;
    size_t inside = 0;
    for (size_t i = 0; i < kRows; ++i) {
      products[i] = -factors[i] * (q.signs.base + q.signs.scale * static_cast<float>(sums[i]));
      const double off = std::fabs(products[i] - Dot(query.Row(0), rows.Row(i), kDim));
      inside += off <= factors[i] * q.slack ? 1 : 0;
    }
    EXPECT_GE(inside, kRows * 93 / 100);
    if (bits > 1) codec.FineProducts(q, rests.data(), sums.data(), places, products.data());
    double error = 0, bias = 0;
    for (size_t i = 0; i < kRows; ++i) {
      const double off = products[i] - Dot(query.Row(0), rows.Row(i), kDim);
      const double scale = Length(query.Row(0), kDim) * Length(rows.Row(i), kDim);
      error += std::fabs(off) / scale / kRows;
      bias += off / scale / kRows;
    }
    EXPECT_LT(error, last * 0.8) << bits << " bits";
    EXPECT_LT(std::fabs(bias), 0.02) << bits << " bits";
    last = std::max(error, 0.0015);  // there the query's own rounding begins to count
  }
}

TEST(Codec, RefusesWhatCannotBe) {
  const std::vector<float> numbers(16, 0.0f);
  const auto code = [&](const CodecParams& params, size_t dim, std::span<const float> n) {
    const auto codec = ReadCodec(params, dim, n);
    return codec.has_value() ? Code::kOk : codec.error().code();
  };
  EXPECT_EQ(code({.kind = CodecKind::kPacked, .bits = 9}, 4, {}), Code::kDataIntegrity);
  EXPECT_EQ(code({.kind = CodecKind::kPacked, .bits = 4}, 4, numbers), Code::kDataIntegrity);
  EXPECT_EQ(code({.kind = CodecKind::kProduct, .bits = 2, .parts = 3}, 4, numbers),
            Code::kDataIntegrity);
  EXPECT_EQ(code({.kind = CodecKind::kProduct, .bits = 2, .parts = 2}, 4, numbers), Code::kOk);
  EXPECT_EQ(code({}, 4, {}), Code::kDataIntegrity);
  auto damaged = numbers;
  damaged[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(code({.kind = CodecKind::kProduct, .bits = 2, .parts = 2}, 4, damaged),
            Code::kDataIntegrity);
}

TEST(Codec, FewRowsMeanFewWords) {
  EXPECT_EQ(ProductBitsFor(8, 1000), 8);
  EXPECT_EQ(ProductBitsFor(8, 255), 7);
  EXPECT_EQ(ProductBitsFor(24, 1u << 20), 16);
  EXPECT_EQ(ProductBitsFor(8, 1), 1);
}

INSTANTIATE_TEST_SUITE_P(EveryLevel, CodecTest, ::testing::ValuesIn(Levels()),
                         [](const auto& info) { return simd::LevelName(info.param); });

}  // namespace
}  // namespace elanus::index
