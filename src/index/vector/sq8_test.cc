// How near int8 codes come to rows, and that a page of hits is the start of a longer list.
#include "index/vector/sq8.h"

#include <gtest/gtest.h>

#include "index/vector/testing.h"

namespace elanus::index {
namespace {

// Points of the sphere, evenly spread.
testing::Data OnSphere(size_t rows, size_t dim, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  testing::Data data{std::vector<float>(rows * dim), dim};
  for (size_t row = 0; row < rows; ++row) {
    float* x = &data.values[row * dim];
    double square = 0;
    for (size_t d = 0; d < dim; ++d) {
      x[d] = normal(random);
      square += double{x[d]} * x[d];
    }
    for (size_t d = 0; d < dim; ++d) x[d] = static_cast<float>(x[d] / std::sqrt(square));
  }
  return data;
}

float WorstError(const Sq8& codec, const testing::Data& data) {
  std::vector<uint8_t> code(codec.stride());
  float worst = 0;
  for (size_t row = 0; row < data.view().rows; ++row) {
    codec.EncodeRow(data.Row(row), code.data());
    for (size_t d = 0; d < data.dim; ++d) {
      const float y = static_cast<float>(code[d] - 128) * codec.scale() + codec.mean()[d];
      worst = std::max(worst, std::fabs(y - data.Row(row)[d]));
    }
  }
  return worst;
}

TEST(Sq8, ClipsNothingWhereTheLargestValueIsNoOutlier) {
  for (const size_t dim : {2, 4, 8}) {
    const auto data = OnSphere(4'000, dim, dim);
    const Sq8 codec = Sq8::Train(Metric::kIp, data.view());
    EXPECT_LE(WorstError(codec, data), 0.51f * codec.scale()) << dim << " dimensions";
  }
}

TEST(Sq8, AnOutlierDoesNotMakeStepsCoarse) {
  auto data = OnSphere(4'000, 8, 3);
  const float before = Sq8::Train(Metric::kIp, data.view()).scale();
  data.values[12'345] = 50;
  EXPECT_LE(Sq8::Train(Metric::kIp, data.view()).scale(), before * 1.01f);
}

TEST(Sq8, APageIsTheStartOfALongerList) {
  const auto data = OnSphere(10'000, 8, 1), queries = OnSphere(300, 8, 2);
  for (const Kind kind : {Kind::kIvfFlat, Kind::kHnsw}) {
    const auto opened = testing::BuildAndOpen(
        data,
        {.kind = kind, .metric = Metric::kCosine, .m = 16, .ef_construction = 100, .nlist = 32});
    ASSERT_NE(opened.index, nullptr);
    for (size_t q = 0; q < 300; ++q) {
      const auto ask = [&](size_t top_k) {
        return *opened.index->Search(queries.Row(q), {.top_k = top_k, .ef = 200, .nprobe = 32}, {},
                                     {});
      };
      auto longer = ask(100);
      longer.resize(10);
      EXPECT_EQ(ask(10), longer) << "query " << q;
    }
  }
}

}  // namespace
}  // namespace elanus::index
