// count, sum, avg, min and max over groups of rows. Rows are added where they are, a block of a
// column at a time; the partial results travel as rows themselves and are merged, so that any
// number of shards gives one answer. Holds: nulls are skipped by all but count(*); groups are in
// the order they were first met. One object belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/column_view.h"
#include "model/row_batch.h"
#include "model/schema.h"
#include "rank/group_codes.h"

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

  /// The fields that rows given to Add must hold, the group fields first.
  std::vector<FieldId> Fields() const;
  /// Adds some rows of columns; blocks of a few thousand at a time keep to the first-level cache.
  /// \param columns  one a field of Fields(), in that order
  void Add(std::span<const model::ColumnView> columns, std::span<const uint32_t> rows);
  /// All rows of a batch whose columns are those of Fields().
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
  const AggregateSpec& spec() const { return spec_; }

 private:
  /// Of one aggregate; everything by group.
  struct State {
    std::vector<int64_t> count;  // values met, beside the rows of rows_
    std::vector<int64_t> whole;  // the sum of integers, modulo 2^64
    std::vector<double> real;    // the sum as a double
    std::vector<char> best;      // an extreme of a fixed width; at first what any value betters
    std::vector<std::optional<std::string>> best_text;
  };
  /// Rows of one column that are not null.
  template <class T>
  struct Picked {
    const T* values;
    std::span<const uint32_t> codes;  ///< the groups they belong to
  };

  int64_t CountOf(size_t aggregate, size_t group) const {
    return rows_[group] + states_[aggregate].count[group];
  }
  /// Fills codes_ for rows by their group fields, which are the first columns; makes new groups.
  void CodeRows(std::span<const model::ColumnView> columns, std::span<const uint32_t> rows);
  void NewGroup();
  /// What the aggregate does with values whose codes are known. \param nulls_of  whose counts lose
  /// the rows that are null; may be nullptr
  void Take(size_t aggregate, const model::ColumnView& column, std::span<const uint32_t> rows,
            State* nulls_of);
  template <class T>
  Picked<T> Pick(const model::ColumnView& column, std::span<const uint32_t> rows, State* nulls_of);
  template <class T>
  void TakeNumbers(size_t aggregate, Picked<T> picked);
  void TakeText(size_t aggregate, Picked<std::string_view> picked);
  std::string_view BestOf(size_t aggregate, size_t group) const;
  bool PartialFits(const model::RowBatch& partial) const;

  AggregateSpec spec_;
  std::vector<model::DataType> types_;  // of the aggregates' fields; kInt64 for count(*)
  std::vector<size_t> inputs_;          // of each aggregate: its column among Fields()
  model::RowBatch groups_;              // the group fields' values, a row a group
  GroupCodes codes_of_;
  std::vector<int64_t> rows_;  // of each group; those that were added, not merged
  std::vector<State> states_;  // of each aggregate
  std::vector<uint32_t> codes_;
  std::vector<uint32_t> picked_codes_;
  std::vector<std::byte> picked_values_;
  std::vector<std::string_view> picked_texts_;
};

}  // namespace elanus::rank
