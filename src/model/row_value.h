// A value of a row that is not a whole field: what a search groups or orders its hits by.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "model/data_type.h"

namespace elanus::model {

/// A field's value, or what lies at a path inside a JSON field. A path that leads nowhere, a JSON
/// null and a value that `as` cannot hold are null.
struct RowValue {
  FieldId field;
  std::vector<std::string> path;  ///< keys and positions, outermost first; of a JSON field only
  /// Of a JSON field: kBool, an integer or kVarChar to read the value as one; kNone keeps its JSON
  /// text.
  DataType as = DataType::kNone;

  template <class V>
  void Visit(V& v) {
    v(field);
    v(path);
    v(as);
  }
  friend bool operator==(const RowValue&, const RowValue&) = default;
};

}  // namespace elanus::model
