// Is a schema one that a collection can have? Errors carry Milvus' codes and texts. Pure functions.
#pragma once

#include "base/status.h"
#include "service/ddl.h"

namespace elanus::proxy {

/// Checks a create request and puts in what was left open (one shard, auto id on the key).
Status CheckCreateCollection(service::CreateCollection& request);

/// Checks a field to be added to an existing schema.
Status CheckAddField(const model::CollectionSchema& schema, const model::FieldSchema& field);

}  // namespace elanus::proxy
