#include "model/data_type.h"

#include <gtest/gtest.h>

namespace elanus::model {
namespace {

TEST(DataType, KnowsWidthsInBytes) {
  EXPECT_EQ(ValueBytes(DataType::kBool, 0), 1U);
  EXPECT_EQ(ValueBytes(DataType::kInt16, 0), 2U);
  EXPECT_EQ(ValueBytes(DataType::kTimestamptz, 0), 8U);
  EXPECT_EQ(ValueBytes(DataType::kBinaryVector, 16), 2U);
  EXPECT_EQ(ValueBytes(DataType::kFloat16Vector, 3), 6U);
  EXPECT_EQ(ValueBytes(DataType::kInt8Vector, 5), 5U);
  for (DataType type : {DataType::kVarChar, DataType::kJson, DataType::kArray,
                        DataType::kSparseFloatVector, DataType::kGeometry}) {
    EXPECT_EQ(ValueBytes(type, 8), 0U) << DataTypeName(type);
  }
}

TEST(DataType, NamesANumberThatIsNoTypeUnknown) {
  EXPECT_EQ(DataTypeName(static_cast<DataType>(99)), "Unknown");
  EXPECT_EQ(DataTypeName(static_cast<DataType>(-1)), "Unknown");
  EXPECT_EQ(DataTypeName(static_cast<DataType>(100'000)), "Unknown");
}

TEST(DataType, GivesEachVectorAMetricThatItSupports) {
  for (int number = 0; number < 256; ++number) {
    const TypeTraits& traits = TraitsOf(static_cast<DataType>(number));
    if (traits.metrics == 0) continue;
    EXPECT_TRUE(traits.is_vector && IsVector(traits.type)) << traits.name;
    EXPECT_TRUE(SupportsMetric(traits.type, traits.default_metric)) << traits.name;
    EXPECT_EQ(static_cast<int>(traits.type), number);
  }
  EXPECT_FALSE(SupportsMetric(DataType::kBinaryVector, Metric::kL2));
  EXPECT_FALSE(SupportsMetric(DataType::kSparseFloatVector, Metric::kCosine));
  EXPECT_FALSE(SupportsMetric(DataType::kInt64, Metric::kL2));
}

TEST(Metric, IsFoundByItsNameInAnyCase) {
  for (int i = 0; i < kMetrics; ++i) {
    const auto metric = static_cast<Metric>(i);
    if (MetricName(metric).empty()) continue;  // a number that is no metric
    EXPECT_EQ(MetricFromName(MetricName(metric)), metric);
  }
  EXPECT_EQ(MetricFromName("jaccard"), Metric::kJaccard);
  EXPECT_EQ(MetricFromName("MAX_SIM"), Metric::kMaxSimCosine);
  EXPECT_EQ(MetricFromName("L3"), std::nullopt);
  EXPECT_EQ(MetricFromName(""), std::nullopt);
}

}  // namespace
}  // namespace elanus::model
