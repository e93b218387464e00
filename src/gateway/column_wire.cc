#include "gateway/column_wire.h"

#include <fmt/core.h>

#include <limits>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "model/array_value.h"

namespace elanus::gateway {
namespace {

using model::Column;
using model::DataType;
using Type = WireReader::Type;

// What a FieldData says before its values can be understood: its members come in any order.
struct Parts {
  DataType type = DataType::kNone;
  std::string name;
  bool is_dynamic = false;
  std::vector<uint8_t> valid;
  std::optional<WireReader> scalars;
  std::optional<WireReader> vectors;
  std::optional<WireReader> structs;
  DataType element_type = DataType::kNone;  // of lists of vectors: what came in them
  bool is_row = false;                      // the elements of one row: none of them may be null
};

Parts ReadParts(WireReader& in) {
  Parts parts;
  while (in.Next()) {
    switch (in.field()) {
      case 1: parts.type = static_cast<DataType>(in.Int()); break;
      case 2: parts.name = in.String(); break;
      case 3: parts.scalars = in.Message(); break;
      case 4: parts.vectors = in.Message(); break;
      case 6: parts.is_dynamic = in.Bool(); break;
      case 7: in.EachVarint([&](uint64_t v) { parts.valid.push_back(v != 0); }); break;
      case 8: parts.structs = in.Message(); break;
      default: in.Skip();
    }
  }
  return parts;
}

template <class T>
std::optional<Status> AppendNarrow(WireReader& array, Column& column) {
  std::optional<Status> fault;
  array.EachVarint([&](uint64_t raw) {
    // int32 on the wire; a client that sends more bits is cut as protobuf would.
    const auto value = static_cast<int32_t>(raw);
    if (!std::in_range<T>(value) && !fault) {
      fault = InvalidParameter(fmt::format("the {}th element ({}) out of range: [{}, {}]",
                                           column.rows, value, std::numeric_limits<T>::min(),
                                           std::numeric_limits<T>::max()));
    }
    const auto narrow = static_cast<T>(value);
    column.fixed.append(reinterpret_cast<const char*>(&narrow), sizeof(T));
    ++column.rows;
  });
  return fault;
}

template <class T>
void AppendIntegers(WireReader& array, Column& column) {
  array.EachVarint([&](uint64_t raw) {
    const T value = std::is_same_v<T, uint8_t> ? static_cast<T>(raw != 0) : static_cast<T>(raw);
    column.fixed.append(reinterpret_cast<const char*>(&value), sizeof(T));
    ++column.rows;
  });
}

Status AppendString(WireReader& array, Column& column) {
  const size_t begin = column.bytes.size();
  array.AppendBytes(column.bytes);
  column.offsets.push_back(column.bytes.size());
  ++column.rows;
  if (!IsUtf8(std::string_view(column.bytes).substr(begin))) {
    return InvalidParameter(fmt::format("the {}th element is not valid UTF-8", column.rows - 1));
  }
  return Status::Ok();
}

// The type a column has by the slot its values came in; `declared` where it fits that slot.
DataType TypeOfSlot(int slot, DataType declared) {
  switch (slot) {
    case 1: return DataType::kBool;
    case 2:
      return declared == DataType::kInt8 || declared == DataType::kInt16 ? declared
                                                                         : DataType::kInt32;
    case 3: return DataType::kInt64;
    case 4: return DataType::kFloat;
    case 5: return DataType::kDouble;
    case 6:
      return declared == DataType::kText || declared == DataType::kString ? declared
                                                                          : DataType::kVarChar;
    case 9: return DataType::kJson;
    case 11: return DataType::kTimestamptz;
    case 12: return DataType::kVarChar;  // WKT
    default: return DataType::kNone;
  }
}

Status AppendScalarArray(WireReader array, int slot, Column& column) {
  while (array.Next()) {
    if (array.field() != 1) {
      array.Skip();
      continue;
    }
    std::optional<Status> fault;
    switch (slot) {
      case 1: AppendIntegers<uint8_t>(array, column); break;
      case 2:
        if (column.type == DataType::kInt8) {
          fault = AppendNarrow<int8_t>(array, column);
        } else if (column.type == DataType::kInt16) {
          fault = AppendNarrow<int16_t>(array, column);
        } else {
          AppendIntegers<int32_t>(array, column);
        }
        break;
      case 3:
      case 11: AppendIntegers<int64_t>(array, column); break;
      case 4: array.AppendFixed(column.fixed, Type::kFixed32); break;
      case 5: array.AppendFixed(column.fixed, Type::kFixed64); break;
      default: RETURN_IF_ERROR(AppendString(array, column)); break;
    }
    if (fault) return *std::move(fault);
  }
  if (slot == 4) column.rows = column.fixed.size() / sizeof(float);
  if (slot == 5) column.rows = column.fixed.size() / sizeof(double);
  return Status::Ok();
}

// A column's validity stands in FieldData and may be repeated here; that of a row's elements would
// be lost.
Status SkipValidity(WireReader& in, const Parts& parts) {
  bool has_null = false;
  in.EachVarint([&](uint64_t valid) { has_null |= valid == 0; });
  if (!has_null || !parts.is_row) return Status::Ok();
  return InvalidParameter(fmt::format("field ({}) has null elements: not supported", parts.name));
}

Result<Column> ReadScalars(WireReader in, const Parts& parts);

// schema.ArrayArray: one ScalarField a row. The elements' type is that of the slot they came in:
// the declared one comes after them, and integers are narrowed by who knows the schema.
Result<Column> ReadArrays(WireReader in, const Parts& parts) {
  Column column = model::MakeColumn(FieldId{}, DataType::kArray);
  while (in.Next()) {
    if (in.field() != 1) {
      in.Skip();
      continue;
    }
    ASSIGN_OR_RETURN(const Column row,
                     ReadScalars(in.Message(), {.name = parts.name, .is_row = true}));
    if (row.rows != 0 && !model::TraitsOf(row.type).is_array_element) {
      return Error(InvalidParameter(
          fmt::format("element type {} is not supported", model::DataTypeName(row.type))));
    }
    model::ArrayBuilder array(row.rows != 0 ? row.type : DataType::kInt64);
    for (size_t i = 0; i < row.rows; ++i) array.Append(row.ValueAt(i));
    column.AppendValue(array.Take());
  }
  return column;
}

Result<Column> ReadScalars(WireReader in, const Parts& parts) {
  Column column = model::MakeColumn(FieldId{}, parts.type);
  bool begun = false;
  while (in.Next()) {
    const int slot = in.field();
    if (slot == 17) {
      RETURN_IF_ERROR(SkipValidity(in, parts));
      continue;
    }
    if (slot == 8 && parts.type == DataType::kArray && !begun)
      return ReadArrays(in.Message(), parts);
    const DataType type = TypeOfSlot(slot, parts.type);
    if (type == DataType::kNone) {
      return Error(InvalidParameter(fmt::format("column {} has a type that is not supported: {}",
                                                parts.name, DataTypeName(parts.type))));
    }
    // A second array of another type would leave the first one's values behind.
    if (begun && type != column.type) {
      in.Fail();
      break;
    }
    if (!begun) column = model::MakeColumn(FieldId{}, type);
    begun = true;
    RETURN_IF_ERROR(AppendScalarArray(in.Message(), slot, column));
  }
  return column;
}

void AppendSparse(WireReader array, Column& column) {
  while (array.Next()) {
    if (array.field() != 1) {
      array.Skip();
      continue;
    }
    array.AppendBytes(column.bytes);
    column.offsets.push_back(column.bytes.size());
    ++column.rows;
  }
}

Result<Column> ReadVectors(WireReader in, Parts& parts);

// schema.VectorArray: one VectorField a row.
Result<Column> ReadVectorLists(WireReader in, Parts& parts) {
  Column column = model::MakeColumn(FieldId{}, DataType::kArrayOfVector);
  while (in.Next()) {
    switch (in.field()) {
      case 1: column.dim = std::clamp<int64_t>(in.Int(), 0, 1 << 20); break;
      case 2: {
        Parts inner{.name = parts.name, .is_row = true};
        ASSIGN_OR_RETURN(const Column row, ReadVectors(in.Message(), inner));
        if (row.type == DataType::kSparseFloatVector || row.type == DataType::kArrayOfVector ||
            (!row.fixed.empty() && parts.element_type != DataType::kNone &&
             row.type != parts.element_type)) {
          return Error(InvalidParameter(
              fmt::format("column {} holds lists of vectors that are not supported", parts.name)));
        }
        if (!row.fixed.empty()) parts.element_type = row.type;
        if (!row.fixed.empty() && row.dim != 0) column.dim = row.dim;
        column.AppendValue(row.fixed);
        break;
      }
      default: in.Skip();
    }
  }
  return column;
}

Result<Column> ReadVectors(WireReader in, Parts& parts) {
  Column column;
  // One of several members: the last one counts, what came before it is dropped.
  const auto begin = [&column](DataType type) {
    const int64_t dim = column.dim;
    if (column.type != type) column = {.type = type, .dim = dim};
  };
  const auto read_bytes = [&](DataType type) {
    begin(type);
    column.fixed.clear();
    in.AppendBytes(column.fixed);
  };
  while (in.Next()) {
    switch (in.field()) {
      case 1: column.dim = std::clamp<int64_t>(in.Int(), 0, 1 << 20); break;
      case 2: {
        begin(DataType::kFloatVector);
        WireReader floats = in.Message();
        while (floats.Next()) {
          if (floats.field() == 1) {
            floats.AppendFixed(column.fixed, Type::kFixed32);
          } else {
            floats.Skip();
          }
        }
        break;
      }
      case 3: read_bytes(DataType::kBinaryVector); break;
      case 4: read_bytes(DataType::kFloat16Vector); break;
      case 5: read_bytes(DataType::kBFloat16Vector); break;
      case 6:
        begin(DataType::kSparseFloatVector);
        if (column.offsets.empty()) column.offsets.assign(1, 0);
        AppendSparse(in.Message(), column);
        break;
      case 7: read_bytes(DataType::kInt8Vector); break;
      case 8: {
        if (parts.type != DataType::kArrayOfVector) {
          return Error(InvalidParameter(
              fmt::format("column {} has lists of vectors where it may not", parts.name)));
        }
        ASSIGN_OR_RETURN(Column lists, ReadVectorLists(in.Message(), parts));
        if (lists.dim == 0) lists.dim = column.dim;
        column = std::move(lists);
        break;
      }
      case 9: RETURN_IF_ERROR(SkipValidity(in, parts)); break;
      default:
        return Error(InvalidParameter(fmt::format("column {} has a type that is not supported: {}",
                                                  parts.name, DataTypeName(parts.type))));
    }
  }
  // No values: an empty column of whatever type was declared, which is for the proxy to judge.
  if (column.type == DataType::kNone) column = model::MakeColumn(FieldId{}, parts.type, column.dim);
  const size_t width = model::ValueBytes(column.type, column.dim);
  if (width != 0) column.rows = column.fixed.size() / width;
  return column;
}

/// A null vector takes a whole one's bytes in a column: what a small request may ask for ends here.
constexpr uint64_t kSpreadBytesMax = uint64_t{512} << 20;

// Gives a compact column its null rows.
Result<Column> Spread(Column compact, std::vector<uint8_t> valid, const std::string& name) {
  const auto present = static_cast<uint64_t>(std::count(valid.begin(), valid.end(), 1));
  if (present != compact.rows) {
    return Error(InvalidParameter(
        fmt::format("the num_rows ({}) of field ({}) is not equal to passed num_rows ({})",
                    compact.rows, name, present),
        std::to_string(present), std::to_string(compact.rows)));
  }
  if (present == valid.size()) return compact;
  if (present == 0) {
    // Who knows the field gives such a column its type and dimension.
    Column none = model::MakeColumn(compact.field, compact.type);
    none.ResizeZero(valid.size());
    none.valid = std::move(valid);
    return none;
  }
  const uint64_t width = model::ValueBytes(compact.type, compact.dim);
  if (width != 0 && valid.size() > kSpreadBytesMax / width) {
    return Error(InvalidParameter(
        fmt::format("field ({}) has {} rows of {} bytes, nulls included: too many for one request",
                    name, valid.size(), width)));
  }
  Column full = model::MakeColumn(compact.field, compact.type, compact.dim);
  uint64_t next = 0;
  for (uint8_t bit : valid) {
    if (bit != 0) {
      full.AppendValue(compact.ValueAt(next++));
    } else {
      full.AppendNull();
    }
  }
  return full;
}

Result<service::UserColumn> ColumnOf(Parts parts, const WireReader& in) {
  service::UserColumn user;
  if (parts.vectors) {
    ASSIGN_OR_RETURN(user.column, ReadVectors(*parts.vectors, parts));
  } else if (parts.scalars) {
    ASSIGN_OR_RETURN(user.column, ReadScalars(*parts.scalars, parts));
  } else {
    user.column = model::MakeColumn(FieldId{}, parts.type);
  }
  user.valid_given = !parts.valid.empty();
  if (user.valid_given && in.ok()) {
    ASSIGN_OR_RETURN(user.column,
                     Spread(std::move(user.column), std::move(parts.valid), parts.name));
  }
  user.name = std::move(parts.name);
  user.is_dynamic = parts.is_dynamic;
  user.element_type = parts.element_type;
  return user;
}

}  // namespace

std::string MemberFieldName(std::string_view struct_name, std::string_view member) {
  if (member.ends_with(']') && member.size() > struct_name.size() &&
      member.starts_with(struct_name) && member[struct_name.size()] == '[') {
    return std::string(member);
  }
  return fmt::format("{}[{}]", struct_name, member);
}

Status ReadColumns(WireReader in, std::vector<service::UserColumn>& columns) {
  Parts parts = ReadParts(in);
  if (!parts.structs) {
    ASSIGN_OR_RETURN(service::UserColumn column, ColumnOf(std::move(parts), in));
    columns.push_back(std::move(column));
    return Status::Ok();
  }
  WireReader members = *parts.structs;
  while (members.Next()) {
    if (members.field() != 1) {
      members.Skip();
      continue;
    }
    WireReader member = members.Message();
    Parts inner = ReadParts(member);
    if (inner.structs) {
      return InvalidParameter(fmt::format("column {} holds a struct in a struct", parts.name));
    }
    inner.name = MemberFieldName(parts.name, inner.name);
    ASSIGN_OR_RETURN(service::UserColumn column, ColumnOf(std::move(inner), member));
    columns.push_back(std::move(column));
  }
  return Status::Ok();
}

}  // namespace elanus::gateway
