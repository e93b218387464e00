#include "base/status.h"

#include <gtest/gtest.h>

namespace elanus {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Error(InvalidParameter("odd"));
  return n / 2;
}

Result<int> Quarter(int n) {
  ASSIGN_OR_RETURN(int half, Half(n));
  return Half(half);
}

Status CheckQuarter(int n) {
  RETURN_IF_ERROR(StatusOf(Quarter(n)));
  return Status::Ok();
}

TEST(Status, MacrosPassValuesAndErrors) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message(), "odd: invalid parameter");
  EXPECT_TRUE(CheckQuarter(8).ok());
  EXPECT_EQ(CheckQuarter(7).code(), Code::kInvalidParameter);
}

TEST(Status, ShapesTextsAsMilvusDoes) {
  EXPECT_EQ(InvalidParameter("metric type not match", "COSINE", "IP").message(),
            "metric type not match: invalid parameter[expected=COSINE][actual=IP]");
  EXPECT_EQ(InvalidParameter("a").Wrap("b").message(), "b: a: invalid parameter");
}

TEST(Status, InputErrorsAreNotRetriable) {
  EXPECT_FALSE(Status(Code::kCollectionNotFound, "x").retriable());
  EXPECT_TRUE(Status(Code::kQueueFull, "x").retriable());
}

}  // namespace
}  // namespace elanus
