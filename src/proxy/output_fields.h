// The output fields a user asked for, as fields to read and columns to answer. Errors carry Milvus'
// texts. Called by the read paths. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "rank/aggregate.h"
#include "service/frontend.h"

namespace elanus::proxy {

struct OutputPlan {
  std::vector<FieldId> fields;     ///< to be read, without repeats
  std::vector<std::string> names;  ///< as asked, `*` expanded
  /// Of a query: what is computed instead of read, and over which groups. Then `fields` is empty.
  std::vector<rank::Aggregate> aggregates;
  std::vector<FieldId> group_by;
  /// The dynamic field is to be cut to these keys; empty with the dynamic field read = all of it.
  std::vector<std::string> dynamic_keys;

  bool aggregated() const { return !aggregates.empty() || !group_by.empty(); }
  /// `count(*)` of all rows and nothing else.
  bool count_only() const {
    return group_by.empty() && aggregates.size() == 1 && aggregates[0].counts_rows();
  }
};

enum class ReadKind { kSearch, kQuery };

/// A query always reads the primary key, a search only when it is asked for.
Result<OutputPlan> PlanOutput(const model::CollectionSchema& schema,
                              const std::vector<std::string>& output_fields, ReadKind kind);

/// A query with group_by_fields: the output fields may name these and aggregates.
/// \param group_by  comma separated; empty = as PlanOutput
Result<OutputPlan> PlanQueryOutput(const model::CollectionSchema& schema,
                                   const std::vector<std::string>& output_fields,
                                   const std::string& group_by);

/// Columns for the user from an aggregated query's rows: the plan's group fields, then a column an
/// aggregate (rank::Aggregator::Finish). In the order the names were asked for.
std::vector<service::OutputColumn> AggregateColumns(const model::CollectionSchema& schema,
                                                    const OutputPlan& plan, model::RowBatch rows);

/// Columns for the user from rows that hold the plan's fields (or lack those not stored yet).
std::vector<service::OutputColumn> OutputColumns(const model::CollectionSchema& schema,
                                                 const OutputPlan& plan, model::RowBatch rows);

}  // namespace elanus::proxy
