#include "rank/decay.h"

#include <algorithm>
#include <cmath>

namespace elanus::rank {
namespace {

template <class T>
double ValueAt(const model::Column& column, size_t row) {
  return static_cast<double>(column.Values<T>()[row]);
}

double NumberAt(const model::Column& column, size_t row) {
  using model::DataType;
  switch (column.type) {
    case DataType::kInt8: return ValueAt<int8_t>(column, row);
    case DataType::kInt16: return ValueAt<int16_t>(column, row);
    case DataType::kInt32: return ValueAt<int32_t>(column, row);
    case DataType::kFloat: return ValueAt<float>(column, row);
    case DataType::kDouble: return ValueAt<double>(column, row);
    default: return ValueAt<int64_t>(column, row);
  }
}

}  // namespace

double Decay::At(double value) const {
  const double distance = std::max(0.0, std::abs(value - origin) - offset);
  // The ends would leave nothing, or everything, at every distance.
  const double left = std::clamp(decay, 0.001, 0.999);
  switch (shape) {
    case DecayShape::kGauss:
      return std::exp(std::log(left) * distance * distance / (scale * scale));
    case DecayShape::kExponential: return std::exp(std::log(left) / scale * distance);
    case DecayShape::kLinear: break;
  }
  return std::max(left, 1 - (1 - left) / scale * distance);
}

std::vector<float> Decay::At(const model::Column& values) const {
  std::vector<float> left(values.rows, 0);
  for (size_t row = 0; row < values.rows; ++row) {
    if (!values.IsNull(row)) left[row] = static_cast<float>(At(NumberAt(values, row)));
  }
  return left;
}

}  // namespace elanus::rank
