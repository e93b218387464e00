// An upsert that gives only some fields: the others come from the row that is there.
// Errors carry Milvus' texts. Called by the write path. Threads: any; reads on the caller's.
#pragma once

#include "base/cancel.h"
#include "proxy/backends.h"
#include "proxy/row_check.h"

namespace elanus::proxy {

/// Reads the old rows (at Strong) and merges. A key that is not there becomes a new row and then
/// needs every field, except with auto ids, where it must be there.
Result<CheckedRows> MergePartialUpdate(const Backends& backends,
                                       const model::CollectionInfo& collection,
                                       service::MutationCall& mutation, const Cancel& cancel);

}  // namespace elanus::proxy
