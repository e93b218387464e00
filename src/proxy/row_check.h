// The client's columns against the schema: every rule of insert and upsert that can be checked
// without reading. Errors carry Milvus' codes and texts.
// Holds: what comes out is complete (every field of the schema, in its order) and well formed.
// Called by the write path. Threads: any. Cost: one pass over the values; nothing is copied that
// fits.
#pragma once

#include "base/status.h"
#include "model/collection.h"
#include "proxy/auto_ids.h"
#include "service/frontend.h"

namespace elanus::proxy {

struct CheckedRows {
  model::RowBatch rows;
  model::PrimaryKeys keys;     ///< of `rows`
  model::PrimaryKeys deletes;  ///< upsert: the keys that go first
};

/// Takes the call's columns.
Result<CheckedRows> CheckRows(const model::CollectionInfo& collection,
                              service::MutationCall& mutation, AutoIds& ids);

/// One given column against its field: type, length, range, nulls and defaults.
/// \param time_zone  of times told without an offset
Status CheckColumn(const model::FieldSchema& field, uint64_t rows, std::string_view time_zone,
                   model::Column& column);

/// Lists of vectors are made of what the field says.
Status CheckElementType(const model::FieldSchema& field, const service::UserColumn& given);

/// `fieldSchema(X) has no corresponding fieldData pass in: invalid parameter`.
Status MissingField(const model::FieldSchema& field);

/// A column of the field's default, or of nulls.
model::Column FilledColumn(const model::FieldSchema& field, uint64_t rows);

/// The field's default as the bytes of one value.
std::string DefaultBytes(const model::FieldSchema& field);

/// The rows of a key that occurs twice, as Milvus refuses it in one upsert.
Status CheckNoRepeatedKeys(const model::PrimaryKeys& keys);

}  // namespace elanus::proxy
