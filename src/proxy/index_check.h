// Is this an index that a field can have? Errors carry Milvus' codes and texts. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "model/collection.h"
#include "model/metric.h"

namespace elanus::proxy {

/// Checks the parameters of an index on `field` and puts in the index type and metric left open.
/// Built are FLAT, IVF_FLAT, HNSW and AUTOINDEX on float vectors; indexes on scalar fields are kept
/// as a wish and answered by scans.
Status CheckCreateIndex(const model::FieldSchema& field, const std::string& index_name,
                        model::KeyValues& params);

/// The metric an index was made for.
/// What vectors of a field are compared by when nothing says it.
model::Metric DefaultMetricOf(const model::FieldSchema& field);
model::Metric MetricOf(const model::IndexInfo& index);

/// The index type in upper case, "AUTOINDEX" when none was given.
std::string IndexTypeOf(const model::IndexInfo& index);

}  // namespace elanus::proxy
