#include "rank/decay.h"

#include <gtest/gtest.h>

#include <cmath>

namespace elanus::rank {
namespace {

TEST(Decay, LeavesAllAtTheOriginAndDecayAtTheScale) {
  for (DecayShape shape : {DecayShape::kGauss, DecayShape::kExponential, DecayShape::kLinear}) {
    const Decay decay{.shape = shape, .origin = 10, .scale = 20, .offset = 5, .decay = 0.3};
    EXPECT_DOUBLE_EQ(decay.At(10.0), 1);
    EXPECT_DOUBLE_EQ(decay.At(15.0), 1);
    EXPECT_NEAR(decay.At(35.0), 0.3, 1e-12);
    EXPECT_NEAR(decay.At(-15.0), 0.3, 1e-12);
  }
}

TEST(Decay, FollowsItsShape) {
  EXPECT_NEAR((Decay{.shape = DecayShape::kGauss, .scale = 100}).At(50.0), std::pow(0.5, 0.25),
              1e-12);
  EXPECT_NEAR((Decay{.shape = DecayShape::kExponential, .scale = 100}).At(50.0), std::sqrt(0.5),
              1e-12);
  EXPECT_NEAR((Decay{.shape = DecayShape::kLinear, .scale = 100}).At(50.0), 0.75, 1e-12);
  EXPECT_NEAR((Decay{.shape = DecayShape::kLinear, .scale = 100}).At(1e9), 0.5, 1e-12);
}

TEST(Decay, LeavesNothingOfNull) {
  model::Column column = model::MakeColumn(FieldId{1}, model::DataType::kInt8);
  column.Append(int8_t{0});
  column.AppendNull();
  column.Append(int8_t{-100});
  const std::vector<float> left = Decay{.scale = 100}.At(column);
  EXPECT_EQ(left[0], 1);
  EXPECT_EQ(left[1], 0);
  EXPECT_FLOAT_EQ(left[2], 0.5F);
}

}  // namespace
}  // namespace elanus::rank
