// Rows between JSON objects and columns. Called by rest_entities.cc.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "gateway/json_writer.h"
#include "service/frontend.h"

namespace elanus::gateway {

/// Whether rows must have every field.
enum class RowForm : uint8_t {
  kWhole,    ///< those without a default are refused when they are missing
  kPartial,  ///< a field is given in every row or in none
};

/// Columns of a list of JSON rows, in schema order; keys that are no field go to `$meta` where the
/// collection has it. Errors: 1804 with the field and the reason.
Result<std::vector<service::UserColumn>> ColumnsOfRows(simdjson::dom::array rows,
                                                       const model::CollectionSchema& schema,
                                                       RowForm form);

/// The float vectors of a search, one after another. Errors: 1801 for what is no list of numbers.
struct QueryVectors {
  int64_t count = 0;
  std::string bytes;
  /// Of queries that are lists of vectors: 0 and where each ends; empty when each is a vector.
  std::vector<uint64_t> list_ends;
};
Result<QueryVectors> VectorsOf(simdjson::dom::element data);

/// Writes the members of one row. \param skip  a column that the caller wrote itself
void WriteRowMembers(JsonWriter& json, const std::vector<service::OutputColumn>& columns,
                     size_t row, bool int64_as_number, std::string_view skip = {});

/// The type of a name in a schema, for example "FloatVector"; the case counts.
std::optional<model::DataType> DataTypeFromName(std::string_view name);

}  // namespace elanus::gateway
