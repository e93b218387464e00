// What belongs together in a struct array: its members in a schema, the columns given for them, the
// elements of their rows. Errors carry Milvus' texts. Pure functions; called by the schema and the
// row checks.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/status.h"
#include "model/row_batch.h"
#include "model/schema.h"

namespace elanus::proxy {

/// What a struct array's members may not be, and what they share. Names and types of the members
/// are checked as those of any field.
Status CheckStruct(const model::StructSchema& one,
                   std::span<const model::FieldSchema* const> members);

/// Members are given together or, of a nullable struct, not at all.
/// \param is_given  by the name of a member's field
Status CheckGivenMembers(const model::CollectionSchema& schema,
                         const std::function<bool(std::string_view)>& is_given);

/// In every row the members of a struct array have equally many elements, or all are null.
Status CheckStructRows(const model::CollectionSchema& schema, const model::RowBatch& rows);

}  // namespace elanus::proxy
