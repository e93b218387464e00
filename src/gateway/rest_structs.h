// Struct arrays between JSON, lists of objects, and the columns of their members. Called by
// rest_rows.cc. Threads: any.
#pragma once

#include <simdjson.h>

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gateway/json_writer.h"
#include "model/column.h"
#include "model/schema.h"
#include "service/frontend.h"

namespace elanus::gateway {

/// Where a row of a struct array goes.
struct StructRow {
  const model::StructSchema& of;
  std::vector<std::pair<const model::FieldSchema*, model::Column*>> members = {};
};

/// Adds one row: a list of objects that have every member and nothing else, or null.
/// Errors: 1804 with the field.
Status AppendStructs(simdjson::dom::element value, const StructRow& row);

/// Writes the row of a struct array under its name: a list of objects, from the members among the
/// columns.
void WriteStructs(JsonWriter& json, const std::vector<service::OutputColumn>& columns,
                  const std::string& name, size_t row, bool int64_as_number);

}  // namespace elanus::gateway
