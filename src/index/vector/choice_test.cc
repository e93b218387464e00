#include "index/vector/choice.h"

#include <gtest/gtest.h>

#include "index/vector/testing.h"

namespace elanus::index {
namespace {

/// Points of a `latent`-dimensional space through the origin, in `dim` dimensions.
testing::Data Surface(size_t rows, size_t latent, size_t dim) {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> axes(latent * dim), at(latent);
  for (float& x : axes) x = normal(random);
  testing::Data data{std::vector<float>(rows * dim, 0.0f), dim};
  for (size_t i = 0; i < rows; ++i) {
    for (float& x : at) x = normal(random);
    if (latent == dim) std::ranges::copy(at, &data.values[i * dim]);
    for (size_t j = 0; latent < dim && j < latent; ++j) {
      for (size_t d = 0; d < dim; ++d) data.values[i * dim + d] += at[j] * axes[j * dim + d];
    }
  }
  return data;
}

TEST(Choice, IntrinsicDimensionIsThatOfTheSpace) {
  EXPECT_NEAR(IntrinsicDimension(Surface(5000, 4, 40).view(), Metric::kL2), 4, 1);
  // Directions have one dimension less.
  EXPECT_NEAR(IntrinsicDimension(Surface(5000, 4, 40).view(), Metric::kCosine), 3, 1);
  EXPECT_GT(IntrinsicDimension(Surface(5000, 40, 40).view(), Metric::kL2), 12);
}

TEST(Choice, RowsThatAreAllTheSameHaveNone) {
  const testing::Data data{std::vector<float>(200 * 4, 0.5f), 4};
  EXPECT_EQ(IntrinsicDimension(data.view(), Metric::kL2), 0);
}

TEST(Choice, FewRowsOrALowDimensionGetAGraphAndWordVectorsLists) {
  const BuildParams params{.metric = Metric::kCosine, .choose = true};
  EXPECT_EQ(Choose(Surface(2000, 60, 60).view(), params).kind, Kind::kHnsw);
  EXPECT_EQ(Choose(Surface(50'000, 4, 16).view(), params).kind, Kind::kHnsw);
  const auto wide = Surface(50'000, 100, 100);
  const BuildParams chosen = Choose(wide.view(), params);
  EXPECT_EQ(chosen.kind, Kind::kScann);
  EXPECT_EQ(chosen.nlist, 294);
  EXPECT_FALSE(chosen.choose);
}

TEST(Choice, WhereAGraphDoesNotFitListsAreMade) {
  BuildParams params{.metric = Metric::kCosine, .choose = true};
  const auto few = Surface(2000, 8, 60);
  const uint64_t graph = 2000 * 60 * sizeof(float) + EstimateIndexBytes(2000, 60, params);
  params.memory_max = graph;
  EXPECT_EQ(Choose(few.view(), params).kind, Kind::kHnsw);
  params.memory_max = graph - 1;
  const BuildParams chosen = Choose(few.view(), params);
  EXPECT_EQ(chosen.kind, Kind::kScann);
  EXPECT_LT(EstimateIndexBytes(2000, 60, chosen), EstimateIndexBytes(2000, 60, params) / 2);
}

}  // namespace
}  // namespace elanus::index
