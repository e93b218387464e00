// The smallest and largest values of a column's blocks.
#include <algorithm>
#include <cmath>
#include <limits>

#include "segment/column_view.h"

namespace elanus::segment {
namespace {

template <class T>
std::vector<BlockRange> Ranges(const ColumnView& column) {
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
  using Limits = std::numeric_limits<Wide>;
  const auto values = column.Values<T>();
  std::vector<BlockRange> ranges;
  for (size_t first = 0; first < column.rows; first += kRangeRows) {
    const size_t end = std::min(column.rows, first + kRangeRows);
    Wide low = Limits::has_infinity ? Limits::infinity() : Limits::max();
    Wide high = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    bool any_nan = false;
    for (size_t row = first; row < end; ++row) {
      if (column.IsNull(row)) continue;
      const auto value = static_cast<Wide>(values[row]);
      if constexpr (std::is_floating_point_v<T>) any_nan |= std::isnan(value);
      low = std::min(low, value);
      high = std::max(high, value);
    }
    if (any_nan) low = high = Limits::quiet_NaN();
    ranges.push_back({std::bit_cast<uint64_t>(low), std::bit_cast<uint64_t>(high)});
  }
  return ranges;
}

}  // namespace

std::vector<BlockRange> RangesOf(const ColumnView& column) {
  switch (column.type) {
    case model::DataType::kBool: return Ranges<uint8_t>(column);
    case model::DataType::kInt8: return Ranges<int8_t>(column);
    case model::DataType::kInt16: return Ranges<int16_t>(column);
    case model::DataType::kInt32: return Ranges<int32_t>(column);
    case model::DataType::kInt64:
    case model::DataType::kTimestamptz: return Ranges<int64_t>(column);
    case model::DataType::kFloat: return Ranges<float>(column);
    case model::DataType::kDouble: return Ranges<double>(column);
    default: return {};
  }
}

}  // namespace elanus::segment
