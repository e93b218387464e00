// count, sum, avg, min and max over groups of rows. Rows are added where they are, the partial
// results travel as rows themselves and are merged, so that any number of shards gives one answer.
// Holds: nulls are skipped by all but count(*); groups are in the order they were first met. One
// object belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "model/row_batch.h"
#include "model/schema.h"

namespace elanus::rank {

enum class AggregateOp : uint8_t { kCount = 0, kSum = 1, kAverage = 2, kMin = 3, kMax = 4 };

struct Aggregate {
  AggregateOp op = AggregateOp::kCount;
  FieldId field;  ///< of what; 0 for count(*)

  bool counts_rows() const { return field.value == 0; }

  template <class V>
  void Visit(V& v) {
    v(op);
    v(field);
  }
  friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

/// Whether an aggregate makes sense for a type: sums and averages of numbers, extremes of numbers,
/// text and times, counts of anything.
bool CanAggregate(AggregateOp op, model::DataType type);

/// The type of a result: counts and sums of integers Int64, other sums and averages Double,
/// extremes the field's.
model::DataType AggregateType(AggregateOp op, model::DataType type);

/// What is grouped and what is computed.
struct AggregateSpec {
  std::vector<FieldId> group_by;  ///< empty: all rows are one group, which exists without rows too
  std::vector<Aggregate> aggregates;
};

class Aggregator {
 public:
  /// \param schema  has every field of the spec
  Aggregator(AggregateSpec spec, const model::CollectionSchema& schema);

  /// The fields that rows given to Add must hold.
  std::vector<FieldId> Fields() const;
  void Add(const model::RowBatch& rows);

  /// The state as rows: the group fields, then three columns an aggregate.
  model::RowBatch Partial() const;
  /// Takes in what another Aggregator of the same spec gave as Partial.
  /// Errors: kDataIntegrity when the rows are not that.
  Status Merge(const model::RowBatch& partial);

  /// A row a group: the group fields, then a column an aggregate. An aggregate over nothing is 0,
  /// or the empty text.
  model::RowBatch Finish() const;

  size_t groups() const { return groups_.rows; }

 private:
  struct State {
    int64_t count = 0;  // rows, or values that are not null
    int64_t whole = 0;  // the sum of integers, modulo 2^64
    double real = 0;    // the sum as a double
  };
  size_t GroupOf(const model::RowBatch& rows, size_t row);
  size_t NewGroup();
  void AddValue(size_t aggregate, size_t group, const model::Column& column, size_t row);
  void KeepExtreme(size_t aggregate, size_t group, const model::Column& column, size_t row);

  AggregateSpec spec_;
  std::vector<model::DataType> types_;  // of the aggregates' fields; kInt64 for count(*)
  model::RowBatch groups_;              // the group fields' values, a row a group
  std::unordered_map<std::string, size_t> index_;
  std::string key_;
  std::vector<std::vector<State>> states_;      // [aggregate][group]
  std::vector<std::vector<std::string>> best_;  // [aggregate][group]: bytes of an extreme
};

}  // namespace elanus::rank
