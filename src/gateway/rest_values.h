// One value between JSON and a column, of every type a field can have. Called by rest_rows.cc.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "base/status.h"
#include "gateway/json_writer.h"
#include "model/column.h"
#include "model/schema.h"

namespace elanus::gateway {

/// `fail to deal the insert data, error: REASON`, code 1804.
Status BadRows(std::string_view reason);

/// The type of the column that a field's JSON values go into: text where the proxy reads text.
model::DataType TypeInJson(const model::FieldSchema& field);

/// Adds one value. Vectors of bits are bytes or base64, of half and brain floats numbers or base64,
/// sparse ones {"index": value} or {"indices": [], "values": []}. Errors: 1804 with the field.
Status AppendJson(simdjson::dom::element value, const model::FieldSchema& field,
                  model::Column& column);

/// Writes one value, null too.
void WriteValue(JsonWriter& json, const model::Column& column, size_t row, bool int64_as_number);

}  // namespace elanus::gateway
