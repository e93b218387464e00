// Which vector fields of a loaded collection may be searched; every field may be read, loaded or
// not. Pure functions; called by the coordinator and the proxy.
//
// CollectionInfo::load_fields is empty when the collection was loaded whole, else the fields named.
// A vector field that comes while a whole collection is loaded is searched after the next load;
// until then the list holds its id with a minus, and nothing else.
#pragma once

#include <algorithm>

#include "model/collection.h"

namespace elanus::model {

/// True when the collection was loaded whole, whatever came since.
inline bool LoadedWhole(const CollectionInfo& info) {
  return std::ranges::all_of(info.load_fields, [](FieldId id) { return id.value < 0; });
}

/// Whether the load had this vector field.
inline bool MaySearch(const CollectionInfo& info, FieldId field) {
  const auto listed = [&](FieldId id) {
    return std::ranges::find(info.load_fields, id) != info.load_fields.end();
  };
  return LoadedWhole(info) ? !listed({-field.value}) : listed(field);
}

}  // namespace elanus::model
