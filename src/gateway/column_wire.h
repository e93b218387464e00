// One column between the wire (schema.FieldData) and model::Column.
// Holds: a decoded column has as many rows as the client sent values or validity bits for; whether
// that agrees with the schema, num_rows and other columns is the proxy's to check. A vector column
// keeps every value it was sent, so `fixed` may not be a multiple of the dimension: check that
// first. Strings are UTF-8.
// Called by request_wire and result_wire. Threads: any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "gateway/wire_reader.h"
#include "gateway/wire_writer.h"
#include "model/array_value.h"
#include "model/vector_values.h"
#include "service/frontend.h"

namespace elanus::gateway {

/// Decodes a FieldData message: one column, or the members of a struct array. Errors:
/// kInvalidParameter for a value out of its type's range, text that is not UTF-8, a type not known
/// here; malformed bytes set the reader's fault flag.
Status ReadColumns(WireReader field_data, std::vector<service::UserColumn>& columns);

/// `struct[member]`; a member that comes as that already stays.
std::string MemberFieldName(std::string_view struct_name, std::string_view member);

/// Writes the fields of a FieldData: nullable scalars in full length, nullable vectors compact,
/// validity whenever the field may be null.
template <class Sink>
void WriteColumn(Sink& out, const service::OutputColumn& output);
/// Writes each column as a FieldData in `field`; the members of a struct array in one.
template <class Sink>
void WriteColumns(Sink& out, int field, std::span<const service::OutputColumn> columns);

namespace column_wire_internal {

using model::DataType;

template <class Sink, class T>
void WriteIntegers(Sink& out, int field, const model::Column& column) {
  auto values = column.Values<T>();
  // Negative int32 values take the ten-byte form of their int64, as proto3 wants.
  out.PackedVarints(field, values.size(),
                    [&](size_t i) { return static_cast<int64_t>(values[i]); });
}

template <class Sink>
void WriteStrings(Sink& out, const model::Column& column) {
  for (size_t row = 0; row < column.rows; ++row) out.Bytes(1, column.StringAt(row));
}

/// The field of ScalarField that carries a type.
constexpr int ScalarSlot(DataType type) {
  switch (type) {
    case DataType::kBool: return 1;
    case DataType::kInt8:
    case DataType::kInt16:
    case DataType::kInt32: return 2;
    case DataType::kInt64: return 3;
    case DataType::kFloat: return 4;
    case DataType::kDouble: return 5;
    case DataType::kJson: return 9;
    case DataType::kTimestamptz: return 11;
    case DataType::kGeometry: return 12;
    default: return 6;
  }
}

template <class Sink>
void WriteScalars(Sink& out, const model::Column& column, DataType told = DataType::kNone);

/// One ScalarField a row, a null row's without elements.
template <class Sink>
void WriteArrays(Sink& out, const model::Column& column, DataType element_type) {
  for (size_t row = 0; row < column.rows; ++row) {
    const auto array = model::ArrayView::Open(column.StringAt(row));
    model::Column elements = model::MakeColumn({}, array ? array->element_type() : element_type);
    for (size_t i = 0; array && i < array->size(); ++i) elements.AppendValue(array->At(i));
    out.Message(1, [&](auto& field) { WriteScalars(field, elements); });
  }
  out.Int(2, static_cast<uint64_t>(static_cast<int64_t>(element_type)));
}

template <class Sink>
void WriteScalars(Sink& out, const model::Column& column, DataType told) {
  out.Message(ScalarSlot(told == DataType::kGeometry ? told : column.type), [&](auto& array) {
    using S = std::remove_reference_t<decltype(array)>;
    switch (column.type) {
      case DataType::kBool: return WriteIntegers<S, uint8_t>(array, 1, column);
      case DataType::kInt8: return WriteIntegers<S, int8_t>(array, 1, column);
      case DataType::kInt16: return WriteIntegers<S, int16_t>(array, 1, column);
      case DataType::kInt32: return WriteIntegers<S, int32_t>(array, 1, column);
      case DataType::kInt64:
      case DataType::kTimestamptz: return WriteIntegers<S, int64_t>(array, 1, column);
      case DataType::kFloat:
      case DataType::kDouble: return array.PackedRaw(1, column.fixed.data(), column.fixed.size());
      default: return WriteStrings(array, column);
    }
  });
}

template <class Sink>
void WriteSparse(Sink& out, const model::Column& column) {
  int64_t dim = 0;
  for (size_t row = 0; row < column.rows; ++row) {
    dim = std::max(dim, model::SparseDim(column.StringAt(row)));
  }
  out.Int(1, static_cast<uint64_t>(dim));
  out.Message(6, [&](auto& a) {
    for (size_t row = 0; row < column.rows; ++row) {
      if (!column.IsNull(row)) a.Bytes(1, column.StringAt(row));
    }
    a.Int(2, static_cast<uint64_t>(dim));
  });
}

template <class Sink>
void WriteVectors(Sink& out, const model::Column& column);

/// One VectorField a row, a null row's without elements: clients count rows, not values.
template <class Sink>
void WriteVectorLists(Sink& out, const model::Column& column, DataType element_type) {
  out.Int(1, static_cast<uint64_t>(column.dim));
  out.Message(8, [&](auto& lists) {
    lists.Int(1, static_cast<uint64_t>(column.dim));
    for (size_t row = 0; row < column.rows; ++row) {
      model::Column vectors = model::MakeColumn({}, element_type, column.dim);
      vectors.fixed = column.StringAt(row);
      lists.Message(2, [&](auto& list) { WriteVectors(list, vectors); });
    }
    lists.Int(3, static_cast<uint64_t>(static_cast<int64_t>(element_type)));
  });
}

template <class Sink>
void WriteVectors(Sink& out, const model::Column& column) {
  if (column.type == DataType::kSparseFloatVector) return WriteSparse(out, column);
  // A nullable vector column is compact on the wire: copied only then.
  std::string compact;
  std::string_view values = column.fixed;
  if (!column.valid.empty()) {
    const size_t width = model::ValueBytes(column.type, column.dim);
    for (size_t row = 0; row < column.rows; ++row) {
      if (!column.IsNull(row)) compact.append(column.fixed, row * width, width);
    }
    values = compact;
  }
  out.Int(1, static_cast<uint64_t>(column.dim));
  switch (column.type) {
    case DataType::kFloatVector:
      return out.Message(2, [&](auto& a) { a.PackedRaw(1, values.data(), values.size()); });
    case DataType::kBinaryVector: return out.Bytes(3, values);
    case DataType::kFloat16Vector: return out.Bytes(4, values);
    case DataType::kBFloat16Vector: return out.Bytes(5, values);
    case DataType::kInt8Vector: return out.Bytes(7, values);
    default: return;
  }
}

}  // namespace column_wire_internal

template <class Sink>
void WriteColumn(Sink& out, const service::OutputColumn& output) {
  const model::Column& column = output.column;
  const model::DataType type = output.told == model::DataType::kNone ? column.type : output.told;
  out.Int(1, static_cast<uint64_t>(static_cast<int64_t>(type)));
  out.Text(2, output.name);
  if (column.type == model::DataType::kArrayOfVector) {
    out.Message(4, [&](auto& v) {
      column_wire_internal::WriteVectorLists(v, column, output.element_type);
    });
  } else if (model::IsVector(column.type)) {
    out.Message(4, [&](auto& v) { column_wire_internal::WriteVectors(v, column); });
  } else {
    out.Message(3, [&](auto& s) {
      if (column.type != model::DataType::kArray)
        return column_wire_internal::WriteScalars(s, column, output.told);
      s.Message(8, [&](auto& arrays) {
        column_wire_internal::WriteArrays(arrays, column, output.element_type);
      });
    });
  }
  out.Int(5, static_cast<uint64_t>(column.field.value));
  out.Bool(6, output.is_dynamic);
  if (output.nullable) {
    out.PackedVarints(7, column.rows, [&](size_t row) { return column.IsNull(row) ? 0 : 1; });
  }
}

template <class Sink>
void WriteColumns(Sink& out, int field, std::span<const service::OutputColumn> columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = columns[i].struct_name;
    if (name.empty()) {
      out.Message(field, [&](auto& data) { WriteColumn(data, columns[i]); });
      continue;
    }
    auto member = [&](const service::OutputColumn& column) { return column.struct_name == name; };
    if (std::ranges::any_of(columns.first(i), member)) continue;  // written with the first
    out.Message(field, [&](auto& data) {
      data.Int(1, static_cast<uint64_t>(model::DataType::kArrayOfStruct));
      data.Bytes(2, name);
      data.Message(8, [&](auto& members) {
        for (const service::OutputColumn& column : columns.subspan(i)) {
          if (!member(column)) continue;
          members.Message(1, [&](auto& inner) { WriteColumn(inner, column); });
        }
      });
    });
  }
}

}  // namespace elanus::gateway
