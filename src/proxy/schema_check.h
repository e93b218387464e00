// Is a schema one that a collection can have? Errors carry Milvus' codes and texts. Pure functions.
#pragma once

#include <string_view>

#include "base/status.h"
#include "service/ddl.h"

namespace elanus::proxy {

/// Checks a create request and puts in what was left open (one shard, auto id on the key).
Status CheckCreateCollection(service::CreateCollection& request);

/// Checks a field to be added to an existing schema, and gives its default the form that rows have.
/// \param time_zone  of a default time told without an offset
Status CheckAddField(const model::CollectionSchema& schema, std::string_view time_zone,
                     model::FieldSchema& field);

/// Checks a struct array to be added to an existing schema.
Status CheckAddStructField(const model::CollectionSchema& schema, service::AddStructField& request);

}  // namespace elanus::proxy
