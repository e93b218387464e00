// ARRAY values as the JSON operators see values, so that both kinds of array share them.
// Inside this room only. Pure functions; nothing is copied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/array_value.h"
#include "query/filter_json_text.h"

namespace elanus::query {

/// The whole array (an empty path) or the element at path[0]; kMissing past the end, and where the
/// bytes are no array.
JsonValue FindInArray(std::string_view array, const std::vector<std::string>& path);

/// One element as a value.
JsonValue ElementOf(const model::ArrayView& array, size_t i);

/// Calls visit(element) for each element of a JSON array or an ARRAY until it returns false.
/// \return false when the bytes are malformed
template <class Visit>
bool ForEachElement(const JsonValue& array, Visit visit) {
  if (!array.is_array_bytes) return ForEachElement(array.text, visit);
  const auto view = model::ArrayView::Open(array.text);
  if (!view) return false;
  for (size_t i = 0; i < view->size(); ++i) {
    if (!visit(ElementOf(*view, i))) return true;
  }
  return true;
}

}  // namespace elanus::query
