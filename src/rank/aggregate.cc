#include "rank/aggregate.h"

#include <algorithm>
#include <cstring>

#include "rank/group.h"
#include "rank/order.h"

namespace elanus::rank {
namespace {

using model::Column;
using model::DataType;

constexpr size_t kStateColumns = 3;

int64_t WholeAt(const Column& column, size_t row) {
  switch (column.type) {
    case DataType::kBool:
    case DataType::kInt8: return column.Values<int8_t>()[row];
    case DataType::kInt16: return column.Values<int16_t>()[row];
    case DataType::kInt32: return column.Values<int32_t>()[row];
    case DataType::kFloat:
    case DataType::kDouble: return 0;
    default: return column.Values<int64_t>()[row];
  }
}

double RealAt(const Column& column, size_t row) {
  if (column.type == DataType::kFloat) return column.Values<float>()[row];
  if (column.type == DataType::kDouble) return column.Values<double>()[row];
  return static_cast<double>(WholeAt(column, row));
}

int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

/// One value as a column of its own, so that it compares like any other.
Column Single(DataType type, std::string_view bytes) {
  Column column = model::MakeColumn(FieldId{}, type);
  column.AppendValue(bytes);
  return column;
}

bool IsExtreme(AggregateOp op) { return op == AggregateOp::kMin || op == AggregateOp::kMax; }

}  // namespace

bool CanAggregate(AggregateOp op, DataType type) {
  switch (op) {
    case AggregateOp::kCount: return true;
    case AggregateOp::kSum:
    case AggregateOp::kAverage: return model::IsNumeric(type);
    case AggregateOp::kMin:
    case AggregateOp::kMax:
      return model::IsNumeric(type) || type == DataType::kVarChar || type == DataType::kTimestamptz;
  }
  return false;
}

DataType AggregateType(AggregateOp op, DataType type) {
  switch (op) {
    case AggregateOp::kCount: return DataType::kInt64;
    case AggregateOp::kSum: return model::IsInteger(type) ? DataType::kInt64 : DataType::kDouble;
    case AggregateOp::kAverage: return DataType::kDouble;
    case AggregateOp::kMin:
    case AggregateOp::kMax: break;
  }
  return type;
}

Aggregator::Aggregator(AggregateSpec spec, const model::CollectionSchema& schema)
    : spec_(std::move(spec)), states_(spec_.aggregates.size()), best_(spec_.aggregates.size()) {
  for (FieldId id : spec_.group_by) {
    groups_.columns.push_back(model::MakeColumn(id, schema.FindField(id)->type));
  }
  for (const Aggregate& aggregate : spec_.aggregates) {
    types_.push_back(aggregate.counts_rows() ? DataType::kInt64
                                             : schema.FindField(aggregate.field)->type);
  }
  if (spec_.group_by.empty()) NewGroup();
}

std::vector<FieldId> Aggregator::Fields() const {
  std::vector<FieldId> fields = spec_.group_by;
  for (const Aggregate& aggregate : spec_.aggregates) {
    const bool known = std::ranges::find(fields, aggregate.field) != fields.end();
    if (!known && !aggregate.counts_rows()) fields.push_back(aggregate.field);
  }
  return fields;
}

size_t Aggregator::NewGroup() {
  for (size_t a = 0; a < states_.size(); ++a) {
    states_[a].emplace_back();
    best_[a].emplace_back();
  }
  return groups_.rows++;
}

/// \param rows  begin with the group fields, in the spec's order
size_t Aggregator::GroupOf(const model::RowBatch& rows, size_t row) {
  if (spec_.group_by.empty()) return 0;
  GroupKeyOf(rows, spec_.group_by.size(), row, key_);
  auto found = index_.find(key_);
  if (found != index_.end()) return found->second;
  for (size_t c = 0; c < groups_.columns.size(); ++c) {
    groups_.columns[c].AppendFrom(rows.columns[c], row);
  }
  index_.emplace(key_, groups_.rows);
  return NewGroup();
}

void Aggregator::Add(const model::RowBatch& rows) {
  std::vector<const Column*> inputs;
  for (const Aggregate& aggregate : spec_.aggregates) inputs.push_back(rows.Find(aggregate.field));
  for (size_t row = 0; row < rows.rows; ++row) {
    const size_t group = GroupOf(rows, row);
    for (size_t a = 0; a < inputs.size(); ++a) {
      if (spec_.aggregates[a].counts_rows()) {
        ++states_[a][group].count;
      } else if (inputs[a] != nullptr && !inputs[a]->IsNull(row)) {
        AddValue(a, group, *inputs[a], row);
      }
    }
  }
}

void Aggregator::AddValue(size_t aggregate, size_t group, const Column& column, size_t row) {
  const AggregateOp op = spec_.aggregates[aggregate].op;
  if (IsExtreme(op)) KeepExtreme(aggregate, group, column, row);
  State& state = states_[aggregate][group];
  ++state.count;
  if (op != AggregateOp::kSum && op != AggregateOp::kAverage) return;
  state.whole = WrappingAdd(state.whole, WholeAt(column, row));
  state.real += RealAt(column, row);
}

/// Called before the value is counted.
void Aggregator::KeepExtreme(size_t aggregate, size_t group, const Column& column, size_t row) {
  std::string& best = best_[aggregate][group];
  if (states_[aggregate][group].count != 0) {
    const auto order = CompareValues(column, row, Single(column.type, best), 0);
    const bool better = spec_.aggregates[aggregate].op == AggregateOp::kMin ? order < 0 : order > 0;
    if (!better) return;
  }
  best = column.ValueAt(row);
}

model::RowBatch Aggregator::Partial() const {
  model::RowBatch partial = groups_;
  for (size_t a = 0; a < states_.size(); ++a) {
    const AggregateOp op = spec_.aggregates[a].op;
    Column count = model::MakeColumn(FieldId{}, DataType::kInt64);
    Column whole = model::MakeColumn(FieldId{}, DataType::kInt64);
    Column value = model::MakeColumn(FieldId{}, IsExtreme(op) ? types_[a] : DataType::kDouble);
    for (size_t group = 0; group < groups_.rows; ++group) {
      const State& state = states_[a][group];
      count.Append(state.count);
      whole.Append(state.whole);
      if (!IsExtreme(op)) {
        value.Append(state.real);
      } else if (state.count == 0) {
        value.AppendNull();
      } else {
        value.AppendValue(best_[a][group]);
      }
    }
    for (Column* column : {&count, &whole, &value}) partial.columns.push_back(std::move(*column));
  }
  return partial;
}

Status Aggregator::Merge(const model::RowBatch& partial) {
  RETURN_IF_ERROR(partial.Validate());
  const size_t first = spec_.group_by.size();
  auto type_at = [&](size_t c) { return partial.columns[c].type; };
  bool fits = partial.columns.size() == first + kStateColumns * spec_.aggregates.size();
  for (size_t c = 0; fits && c < first; ++c) fits = type_at(c) == groups_.columns[c].type;
  for (size_t a = 0; fits && a < spec_.aggregates.size(); ++a) {
    const size_t c = first + kStateColumns * a;
    const bool extreme = IsExtreme(spec_.aggregates[a].op);
    fits = type_at(c) == DataType::kInt64 && type_at(c + 1) == DataType::kInt64 &&
           type_at(c + 2) == (extreme ? types_[a] : DataType::kDouble);
  }
  if (!fits) return {Code::kDataIntegrity, "partial aggregates of another query"};
  for (size_t row = 0; row < partial.rows; ++row) {
    const size_t group = GroupOf(partial, row);
    for (size_t a = 0; a < spec_.aggregates.size(); ++a) {
      const Column* columns = &partial.columns[first + kStateColumns * a];
      const int64_t count = columns[0].Values<int64_t>()[row];
      State& state = states_[a][group];
      if (IsExtreme(spec_.aggregates[a].op)) {
        if (count != 0) KeepExtreme(a, group, columns[2], row);
      } else {
        state.whole = WrappingAdd(state.whole, columns[1].Values<int64_t>()[row]);
        state.real += columns[2].Values<double>()[row];
      }
      state.count += count;
    }
  }
  return Status::Ok();
}

model::RowBatch Aggregator::Finish() const {
  model::RowBatch result = groups_;
  for (size_t a = 0; a < states_.size(); ++a) {
    const Aggregate& aggregate = spec_.aggregates[a];
    Column column = model::MakeColumn(aggregate.field, AggregateType(aggregate.op, types_[a]));
    for (size_t group = 0; group < groups_.rows; ++group) {
      const State& state = states_[a][group];
      switch (aggregate.op) {
        case AggregateOp::kCount: column.Append(state.count); break;
        case AggregateOp::kSum:
          if (column.type == DataType::kInt64) {
            column.Append(state.whole);
          } else {
            column.Append(state.real);
          }
          break;
        case AggregateOp::kAverage:
          column.Append(state.count == 0 ? 0.0 : state.real / static_cast<double>(state.count));
          break;
        case AggregateOp::kMin:
        case AggregateOp::kMax:
          if (state.count == 0) {
            column.AppendValue(std::string(model::ValueBytes(column.type, 0), '\0'));
          } else {
            column.AppendValue(best_[a][group]);
          }
          break;
      }
    }
    result.columns.push_back(std::move(column));
  }
  return result;
}

}  // namespace elanus::rank
