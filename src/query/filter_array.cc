#include "query/filter_array.h"

#include <charconv>
#include <cstring>

namespace elanus::query {
namespace {

using model::DataType;

template <class T>
T As(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

JsonValue Whole(int64_t number) { return {.kind = JsonKind::kInt, .number = number}; }
JsonValue Fraction(double number) { return {.kind = JsonKind::kDouble, .fraction = number}; }

}  // namespace

JsonValue ElementOf(const model::ArrayView& array, size_t i) {
  const std::string_view bytes = array.At(i);
  switch (array.element_type()) {
    case DataType::kBool: return {.kind = bytes[0] != 0 ? JsonKind::kTrue : JsonKind::kFalse};
    case DataType::kInt8: return Whole(As<int8_t>(bytes));
    case DataType::kInt16: return Whole(As<int16_t>(bytes));
    case DataType::kInt32: return Whole(As<int32_t>(bytes));
    case DataType::kInt64: return Whole(As<int64_t>(bytes));
    case DataType::kFloat: return Fraction(double{As<float>(bytes)});
    case DataType::kDouble: return Fraction(As<double>(bytes));
    default: return {.kind = JsonKind::kString, .text = bytes};
  }
}

JsonValue FindInArray(std::string_view array, const std::vector<std::string>& path) {
  if (path.empty()) return {.kind = JsonKind::kArray, .is_array_bytes = true, .text = array};
  const auto view = model::ArrayView::Open(array);
  if (!view || path.size() != 1) return {};
  size_t at = 0;
  const std::string& step = path[0];
  auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), at);
  if (error != std::errc() || end != step.data() + step.size() || at >= view->size()) return {};
  return ElementOf(*view, at);
}

}  // namespace elanus::query
