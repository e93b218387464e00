#include "rank/aggregate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <type_traits>

namespace elanus::rank {
namespace {

using model::Column;
using model::DataType;

constexpr size_t kStateColumns = 3;

/// Calls visit(T{}) with the type of a column's numbers; not for texts.
template <class Visit>
void WithNumber(DataType type, Visit visit) {
  switch (type) {
    case DataType::kBool: return visit(uint8_t{});
    case DataType::kInt8: return visit(int8_t{});
    case DataType::kInt16: return visit(int16_t{});
    case DataType::kInt32: return visit(int32_t{});
    case DataType::kInt64:
    case DataType::kTimestamptz: return visit(int64_t{});
    case DataType::kFloat: return visit(float{});
    case DataType::kDouble: return visit(double{});
    default: return;
  }
}

bool IsText(DataType type) { return model::ValueBytes(type, 0) == 0; }

/// Whether a value goes before another as the smallest (the largest): NaN is larger than all.
template <bool kLargest, class T>
bool Betters(T value, T best) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) return kLargest && !std::isnan(best);
    if (std::isnan(best)) return !kLargest;
  }
  return kLargest ? value > best : value < best;
}

/// What no value fails to better or equal.
template <bool kLargest, class T>
constexpr T WorstOf() {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    return kLargest ? -Limits::infinity() : Limits::quiet_NaN();
  } else {
    return kLargest ? Limits::lowest() : Limits::max();
  }
}

template <class T>
T* ValuesOf(std::vector<char>& bytes) {
  return reinterpret_cast<T*>(bytes.data());
}

int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

/// totals[code] += value, for each; with one group the total stays in a register.
template <class Total, class T, class AddOne>
void AddUp(const T* values, std::span<const uint32_t> codes, std::vector<Total>& totals,
           AddOne add) {
  if (totals.size() == 1) {
    Total total = totals[0];
    for (size_t i = 0; i < codes.size(); ++i) total = add(total, values[i]);
    totals[0] = total;
    return;
  }
  Total* of_group = totals.data();
  for (size_t i = 0; i < codes.size(); ++i) of_group[codes[i]] = add(of_group[codes[i]], values[i]);
}

template <bool kLargest, class T>
void KeepBest(const T* values, std::span<const uint32_t> codes, std::vector<char>& bests) {
  T* best = ValuesOf<T>(bests);
  if (bests.size() == sizeof(T)) {
    T kept = *best;
    for (size_t i = 0; i < codes.size(); ++i)
      kept = Betters<kLargest>(values[i], kept) ? values[i] : kept;
    *best = kept;
    return;
  }
  for (size_t i = 0; i < codes.size(); ++i) {
    T& kept = best[codes[i]];
    kept = Betters<kLargest>(values[i], kept) ? values[i] : kept;
  }
}

std::vector<uint32_t> FirstRows(size_t count) {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

std::vector<model::ColumnView> ViewsOf(const model::RowBatch& rows) {
  std::vector<model::ColumnView> views;
  for (const Column& column : rows.columns) views.push_back(model::ViewOf(column));
  return views;
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
    : spec_(std::move(spec)), states_(spec_.aggregates.size()) {
  std::vector<DataType> group_types;
  for (FieldId id : spec_.group_by) {
    group_types.push_back(schema.FindField(id)->type);
    groups_.columns.push_back(model::MakeColumn(id, group_types.back()));
  }
  codes_of_ = GroupCodes(group_types);
  const std::vector<FieldId> fields = Fields();
  for (const Aggregate& aggregate : spec_.aggregates) {
    types_.push_back(aggregate.counts_rows() ? DataType::kInt64
                                             : schema.FindField(aggregate.field)->type);
    inputs_.push_back(
        static_cast<size_t>(std::ranges::find(fields, aggregate.field) - fields.begin()));
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

void Aggregator::NewGroup() {
  ++groups_.rows;
  rows_.push_back(0);
  for (size_t a = 0; a < states_.size(); ++a) {
    State& state = states_[a];
    state.count.push_back(0);
    state.whole.push_back(0);
    state.real.push_back(0);
    const AggregateOp op = spec_.aggregates[a].op;
    if (!IsExtreme(op)) continue;
    if (IsText(types_[a])) state.best_text.emplace_back();
    WithNumber(types_[a], [&]<class T>(T) {
      const T worst = op == AggregateOp::kMax ? WorstOf<true, T>() : WorstOf<false, T>();
      const auto* bytes = reinterpret_cast<const char*>(&worst);
      state.best.insert(state.best.end(), bytes, bytes + sizeof(T));
    });
  }
}

void Aggregator::CodeRows(std::span<const model::ColumnView> columns,
                          std::span<const uint32_t> rows) {
  const auto by = columns.first(spec_.group_by.size());
  codes_of_.Code(by, rows, codes_);
  // Numbers of new groups come one after another.
  for (size_t i = 0; groups_.rows < codes_of_.count(); ++i) {
    if (codes_[i] != groups_.rows) continue;
    for (size_t c = 0; c < by.size(); ++c) {
      if (by[c].IsNull(rows[i])) {
        groups_.columns[c].AppendNull();
      } else {
        groups_.columns[c].AppendValue(by[c].ValueAt(rows[i]));
      }
    }
    NewGroup();
  }
}

void Aggregator::Add(std::span<const model::ColumnView> columns, std::span<const uint32_t> rows) {
  if (rows.empty()) return;
  CodeRows(columns, rows);
  if (rows_.size() == 1) {
    rows_[0] += static_cast<int64_t>(rows.size());
  } else {
    for (const uint32_t code : codes_) ++rows_[code];
  }
  for (size_t a = 0; a < states_.size(); ++a) {
    if (!spec_.aggregates[a].counts_rows()) Take(a, columns[inputs_[a]], rows, &states_[a]);
  }
}

void Aggregator::Add(const model::RowBatch& rows) { Add(ViewsOf(rows), FirstRows(rows.rows)); }

void Aggregator::Take(size_t aggregate, const model::ColumnView& column,
                      std::span<const uint32_t> rows, State* nulls_of) {
  const AggregateOp op = spec_.aggregates[aggregate].op;
  if (op == AggregateOp::kCount) {
    for (size_t i = 0; column.valid != nullptr && i < rows.size(); ++i)
      nulls_of->count[codes_[i]] -= column.IsNull(rows[i]) ? 1 : 0;
    return;
  }
  if (IsText(column.type))
    return TakeText(aggregate, Pick<std::string_view>(column, rows, nulls_of));
  WithNumber(column.type,
             [&]<class T>(T) { TakeNumbers(aggregate, Pick<T>(column, rows, nulls_of)); });
}

template <class T>
Aggregator::Picked<T> Aggregator::Pick(const model::ColumnView& column,
                                       std::span<const uint32_t> rows, State* nulls_of) {
  constexpr bool kTexts = std::is_same_v<T, std::string_view>;
  const bool plain = column.valid == nullptr ||
                     std::ranges::none_of(rows, [&](uint32_t row) { return column.IsNull(row); });
  const bool together = rows.back() - rows.front() + 1 == rows.size();
  if constexpr (!kTexts) {
    if (plain && together) return {column.Values<T>().data() + rows.front(), codes_};
  }
  T* values;
  if constexpr (kTexts) {
    picked_texts_.resize(rows.size());
    values = picked_texts_.data();
  } else {
    picked_values_.resize(rows.size() * sizeof(T));
    values = reinterpret_cast<T*>(picked_values_.data());
  }
  picked_codes_.resize(rows.size());
  size_t kept = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!plain && column.IsNull(rows[i])) {
      if (nulls_of != nullptr) --nulls_of->count[codes_[i]];
      continue;
    }
    if constexpr (kTexts) {
      values[kept] = column.StringAt(rows[i]);
    } else {
      values[kept] = column.Values<T>().data()[rows[i]];
    }
    picked_codes_[kept++] = codes_[i];
  }
  return {values, std::span(picked_codes_).first(kept)};
}

template <class T>
void Aggregator::TakeNumbers(size_t aggregate, Picked<T> picked) {
  State& state = states_[aggregate];
  switch (spec_.aggregates[aggregate].op) {
    case AggregateOp::kMin: return KeepBest<false>(picked.values, picked.codes, state.best);
    case AggregateOp::kMax: return KeepBest<true>(picked.values, picked.codes, state.best);
    default: break;
  }
  // Sums of whole numbers are exact, their average is that of doubles.
  if (std::is_integral_v<T> && spec_.aggregates[aggregate].op == AggregateOp::kSum) {
    AddUp(picked.values, picked.codes, state.whole,
          [](int64_t total, T value) { return WrappingAdd(total, static_cast<int64_t>(value)); });
    return;
  }
  AddUp(picked.values, picked.codes, state.real,
        [](double total, T value) { return total + static_cast<double>(value); });
}

void Aggregator::TakeText(size_t aggregate, Picked<std::string_view> picked) {
  const bool largest = spec_.aggregates[aggregate].op == AggregateOp::kMax;
  for (size_t i = 0; i < picked.codes.size(); ++i) {
    std::optional<std::string>& best = states_[aggregate].best_text[picked.codes[i]];
    const std::string_view text = picked.values[i];
    if (!best || (largest ? text > *best : text < *best)) best.emplace(text);
  }
}

model::RowBatch Aggregator::Partial() const {
  model::RowBatch partial = groups_;
  for (size_t a = 0; a < states_.size(); ++a) {
    const bool extreme = IsExtreme(spec_.aggregates[a].op);
    Column count = model::MakeColumn(FieldId{}, DataType::kInt64);
    Column whole = model::MakeColumn(FieldId{}, DataType::kInt64);
    Column value = model::MakeColumn(FieldId{}, extreme ? types_[a] : DataType::kDouble);
    for (size_t group = 0; group < groups_.rows; ++group) {
      count.Append(CountOf(a, group));
      whole.Append(states_[a].whole[group]);
      if (!extreme) {
        value.Append(states_[a].real[group]);
      } else if (CountOf(a, group) == 0) {
        value.AppendNull();
      } else {
        value.AppendValue(BestOf(a, group));
      }
    }
    for (Column* column : {&count, &whole, &value}) partial.columns.push_back(std::move(*column));
  }
  return partial;
}

/// \pre CountOf(aggregate, group) != 0
std::string_view Aggregator::BestOf(size_t aggregate, size_t group) const {
  const State& state = states_[aggregate];
  if (IsText(types_[aggregate])) return *state.best_text[group];
  const size_t width = model::ValueBytes(types_[aggregate], 0);
  return {state.best.data() + group * width, width};
}

bool Aggregator::PartialFits(const model::RowBatch& partial) const {
  const size_t first = spec_.group_by.size();
  auto type_at = [&](size_t c) { return partial.columns[c].type; };
  bool fits = partial.columns.size() == first + kStateColumns * spec_.aggregates.size();
  for (size_t c = 0; fits && c < first; ++c) fits = type_at(c) == groups_.columns[c].type;
  for (size_t a = 0; fits && a < spec_.aggregates.size(); ++a) {
    const size_t c = first + kStateColumns * a;
    const bool extreme = IsExtreme(spec_.aggregates[a].op);
    fits = type_at(c) == DataType::kInt64 && type_at(c + 1) == DataType::kInt64 &&
           type_at(c + 2) == (extreme ? types_[a] : DataType::kDouble);
    // Who counted values has an extreme of them.
    for (size_t row = 0; fits && extreme && row < partial.rows; ++row) {
      fits = partial.columns[c].Values<int64_t>()[row] == 0 || !partial.columns[c + 2].IsNull(row);
    }
  }
  return fits;
}

Status Aggregator::Merge(const model::RowBatch& partial) {
  RETURN_IF_ERROR(partial.Validate());
  if (!PartialFits(partial)) return {Code::kDataIntegrity, "partial aggregates of another query"};
  if (partial.rows == 0) return Status::Ok();
  const std::vector<model::ColumnView> columns = ViewsOf(partial);
  const std::vector<uint32_t> rows = FirstRows(partial.rows);
  CodeRows(columns, rows);
  const auto add = [](int64_t total, int64_t value) { return WrappingAdd(total, value); };
  for (size_t a = 0; a < states_.size(); ++a) {
    const model::ColumnView* of_state = &columns[spec_.group_by.size() + kStateColumns * a];
    State& state = states_[a];
    AddUp(of_state[0].Values<int64_t>().data(), codes_, state.count, add);
    if (IsExtreme(spec_.aggregates[a].op)) {
      Take(a, of_state[2], rows, nullptr);
    } else {
      AddUp(of_state[1].Values<int64_t>().data(), codes_, state.whole, add);
      AddUp(of_state[2].Values<double>().data(), codes_, state.real, std::plus<>());
    }
  }
  return Status::Ok();
}

model::RowBatch Aggregator::Finish() const {
  model::RowBatch result = groups_;
  for (size_t a = 0; a < states_.size(); ++a) {
    const Aggregate& aggregate = spec_.aggregates[a];
    const State& state = states_[a];
    Column column = model::MakeColumn(aggregate.field, AggregateType(aggregate.op, types_[a]));
    for (size_t group = 0; group < groups_.rows; ++group) {
      const int64_t count = CountOf(a, group);
      switch (aggregate.op) {
        case AggregateOp::kCount: column.Append(count); break;
        case AggregateOp::kSum:
          if (column.type == DataType::kInt64) {
            column.Append(state.whole[group]);
          } else {
            column.Append(state.real[group]);
          }
          break;
        case AggregateOp::kAverage:
          column.Append(count == 0 ? 0.0 : state.real[group] / static_cast<double>(count));
          break;
        case AggregateOp::kMin:
        case AggregateOp::kMax:
          if (count == 0) {
            column.AppendValue(std::string(model::ValueBytes(column.type, 0), '\0'));
          } else {
            column.AppendValue(BestOf(a, group));
          }
          break;
      }
    }
    result.columns.push_back(std::move(column));
  }
  return result;
}

}  // namespace elanus::rank
