// The output fields a user asked for, as fields to read and columns to answer. Errors carry Milvus'
// texts. Called by the read paths. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "service/frontend.h"

namespace elanus::proxy {

struct OutputPlan {
  std::vector<FieldId> fields;     ///< to be read, without repeats
  std::vector<std::string> names;  ///< as asked, `*` expanded
  bool count_only = false;         ///< `count(*)` was asked for
  /// The dynamic field is to be cut to these keys; empty with the dynamic field read = all of it.
  std::vector<std::string> dynamic_keys;
};

enum class ReadKind { kSearch, kQuery };

/// A query always reads the primary key, a search only when it is asked for.
Result<OutputPlan> PlanOutput(const model::CollectionSchema& schema,
                              const std::vector<std::string>& output_fields, ReadKind kind);

/// Columns for the user from rows that hold the plan's fields (or lack those not stored yet).
std::vector<service::OutputColumn> OutputColumns(const model::CollectionSchema& schema,
                                                 const OutputPlan& plan, model::RowBatch rows);

}  // namespace elanus::proxy
