// Rows in columnar form, as they travel from the gateway to the log and into segments.
// Holds: every column has `rows` rows; a field occurs at most once.
#pragma once

#include <vector>

#include "model/column.h"

namespace elanus::model {

struct RowBatch {
  uint64_t rows = 0;
  std::vector<Column> columns;

  const Column* Find(FieldId field) const;
  Column* Find(FieldId field);

  /// The given rows, in the given order.
  RowBatch Take(std::span<const uint32_t> wanted) const;

  /// kDataIntegrity unless every column is well formed and as long as the batch.
  Status Validate() const;

  template <class V>
  void Visit(V& v) {
    v(rows);
    v(columns);
  }
  friend bool operator==(const RowBatch&, const RowBatch&) = default;
};

}  // namespace elanus::model
