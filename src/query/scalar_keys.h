// What the keys of a scalar index are, and how they come out of a column: by the same functions
// that a scan uses, so that an index and a scan agree on every value.
// Called by worker/build. Threads: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "index/scalar/scalar_file.h"
#include "segment/column_view.h"

namespace elanus::query {

struct ScalarSpec {
  FieldId field;
  std::vector<std::string> path;  ///< keys inside a JSON field; empty = the whole value
  index::KeyType type = index::KeyType::kInt;
  index::KeyUse use = index::KeyUse::kValues;
  uint16_t gram_min = 0;  ///< kGrams
  uint16_t gram_max = 0;
};

/// The key type of a column's, or an array's, values; nothing for types that have no order.
std::optional<index::KeyType> KeyTypeOf(model::DataType type);

/// Builds the index of the source's rows. A JSON value of another type than the spec's has no key.
/// Errors: kCanceled; kInternal when the column is of a type that the spec does not fit. Cost: a
/// sort of the values.
Result<std::vector<index::Buffer>> BuildScalarFile(const segment::RowSource& source,
                                                   const ScalarSpec& spec,
                                                   const std::stop_token& stop = {});

/// Bytes of memory that a build over so many rows takes, as far as that is known before.
uint64_t EstimateScalarBuildBytes(uint64_t rows, const ScalarSpec& spec);

}  // namespace elanus::query
