// Indexes on a path inside a JSON field: which path, what the values are taken for, how the index
// is called. Errors carry Milvus' codes and texts. Pure functions. Called by ddl_check and
// index_check.
#pragma once

#include <string_view>

#include "base/status.h"
#include "model/collection.h"
#include "service/ddl.h"

namespace elanus::proxy {

/// Is the cast type of a JSON index there, known, and one that `index_type` (upper case) orders or
/// enumerates? kMissingParameter, kInvalidParameter.
Status CheckJsonCast(std::string_view index_type, const model::KeyValues& params);

/// Makes the request name what it means: `field` becomes the JSON field that holds the path (the
/// dynamic field when the request names one of its keys), `json_path` the keys inside it, and an
/// index without a name gets Milvus' (`field/key/key`). A request without a path means all of the
/// field. Errors: `cannot parse identifier: ...`.
Status PlaceJsonIndex(const model::FieldSchema& field, service::CreateIndex& request);

}  // namespace elanus::proxy
