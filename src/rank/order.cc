#include "rank/order.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

namespace elanus::rank {
namespace {

using model::Column;
using model::DataType;

std::weak_ordering CompareNumbers(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) <=> std::isnan(b);
  return a < b ? std::weak_ordering::less
               : (a > b ? std::weak_ordering::greater : std::weak_ordering::equivalent);
}

template <class T>
std::weak_ordering CompareFixed(std::string_view a, std::string_view b) {
  T x;
  T y;
  std::memcpy(&x, a.data(), sizeof(T));
  std::memcpy(&y, b.data(), sizeof(T));
  if constexpr (std::is_floating_point_v<T>) {
    return CompareNumbers(x, y);
  } else {
    return x <=> y;
  }
}

std::optional<double> JsonNumber(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::weak_ordering CompareJson(std::string_view a, std::string_view b) {
  const auto x = JsonNumber(a);
  const auto y = JsonNumber(b);
  if (x && y) return CompareNumbers(*x, *y);
  auto rank = [](std::string_view text, bool number) {
    if (number) return 0;
    return text.starts_with('"') ? 1 : 2;
  };
  if (auto kinds = rank(a, x.has_value()) <=> rank(b, y.has_value()); kinds != 0) return kinds;
  return a <=> b;
}

}  // namespace

std::weak_ordering CompareValues(const Column& a, size_t row_a, const Column& b, size_t row_b) {
  const std::string_view x = a.ValueAt(row_a);
  const std::string_view y = b.ValueAt(row_b);
  switch (a.type) {
    case DataType::kBool: return CompareFixed<uint8_t>(x, y);
    case DataType::kInt8: return CompareFixed<int8_t>(x, y);
    case DataType::kInt16: return CompareFixed<int16_t>(x, y);
    case DataType::kInt32: return CompareFixed<int32_t>(x, y);
    case DataType::kInt64:
    case DataType::kTimestamptz: return CompareFixed<int64_t>(x, y);
    case DataType::kFloat: return CompareFixed<float>(x, y);
    case DataType::kDouble: return CompareFixed<double>(x, y);
    case DataType::kJson: return CompareJson(x, y);
    default: return x <=> y;
  }
}

std::weak_ordering RowOrder::Compare(SourceRow a, SourceRow b) const {
  for (size_t i = 0; i < directions_.size(); ++i) {
    const Column& x = sources_[a.source]->columns[first_ + i];
    const Column& y = sources_[b.source]->columns[first_ + i];
    const bool null_a = x.IsNull(a.row);
    const bool null_b = y.IsNull(b.row);
    if (null_a && null_b) continue;
    if (null_a || null_b) {
      return null_a == directions_[i].nulls_first ? std::weak_ordering::less
                                                  : std::weak_ordering::greater;
    }
    const std::weak_ordering order = CompareValues(x, a.row, y, b.row);
    if (order == 0) continue;
    if (!directions_[i].descending) return order;
    return order < 0 ? std::weak_ordering::greater : std::weak_ordering::less;
  }
  return std::weak_ordering::equivalent;
}

void SortLists(MergedLists& lists, const RowOrder& order, Slice slice) {
  MergedLists sorted;
  size_t begin = 0;
  for (const int64_t count : lists.counts) {
    const auto size = static_cast<size_t>(count);
    const std::span rows = std::span(lists.rows).subspan(begin, size);
    begin += size;
    const auto places =
        StableOrder(size, [&](size_t a, size_t b) { return order(rows[a], rows[b]); });
    const auto [first, last] = BoundsOf(slice, size);
    for (size_t i = first; i < last; ++i) sorted.rows.push_back(rows[places[i]]);
    sorted.counts.push_back(static_cast<int64_t>(last - first));
  }
  lists = std::move(sorted);
}

std::vector<SourceRow> MergeOrdered(std::span<const model::PrimaryKeys* const> keys,
                                    const RowOrder& order, Slice slice) {
  std::vector<SourceRow> rows;
  for (uint32_t s = 0; s < keys.size(); ++s) {
    for (uint32_t row = 0; row < keys[s]->size(); ++row) rows.push_back({s, row});
  }
  std::ranges::sort(rows, [&](SourceRow a, SourceRow b) {
    if (const auto by_value = order.Compare(a, b); by_value != 0) return by_value < 0;
    const model::PrimaryKeys& x = *keys[a.source];
    const model::PrimaryKeys& y = *keys[b.source];
    const auto by_key = x.is_string ? x.strings[a.row] <=> y.strings[b.row]
                                    : std::strong_ordering(x.ints[a.row] <=> y.ints[b.row]);
    return by_key == 0 ? a.source < b.source : by_key < 0;
  });
  const auto [first, last] = BoundsOf(slice, rows.size());
  rows.resize(last);
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(first));
  return rows;
}

}  // namespace elanus::rank
