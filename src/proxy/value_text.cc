#include "proxy/value_text.h"

#include <fmt/core.h>

#include "model/array_value.h"
#include "model/geometry.h"
#include "model/timestamptz.h"
#include "proxy/names.h"

namespace elanus::proxy {

namespace {

using model::Column;
using model::DataType;

/// A column of another type with a value for each that is not null.
template <class Convert>
Result<Column> Converted(const Column& column, DataType type, Convert convert) {
  Column out = model::MakeColumn(column.field, type);
  for (size_t row = 0; row < column.rows; ++row) {
    if (column.IsNull(row)) {
      out.AppendNull();
      continue;
    }
    ASSIGN_OR_RETURN(const std::string value, convert(row));
    out.AppendValue(value);
  }
  return out;
}

std::string BytesOf(int64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

Result<std::string> TimeBytes(std::string_view text, std::string_view zone) {
  const auto micros = model::ParseTimestamptz(text, zone);
  if (micros) return BytesOf(*micros);
  // Milvus gives every fault this text.
  return Error(InvalidParameter(
      fmt::format("got invalid timestamptz string '{}': invalid timezone name; must be a valid "
                  "IANA Time Zone ID (e.g., 'Asia/Shanghai' or 'UTC')",
                  text)));
}

Result<Column> TellTimes(const TimeForm& form, const Column& column) {
  const auto values = column.Values<int64_t>();
  if (form.parts.empty()) {
    return Converted(column, DataType::kVarChar, [&](size_t row) -> Result<std::string> {
      return model::FormatTimestamptz(values[row], form.zone);
    });
  }
  return Converted(column, DataType::kArray, [&](size_t row) -> Result<std::string> {
    model::ArrayBuilder parts(DataType::kInt64);
    for (const std::string& part : form.parts) {
      int64_t value = 0;
      model::TimestamptzPart(values[row], form.zone, part, &value);
      parts.Append(BytesOf(value));
    }
    return parts.Take();
  });
}

}  // namespace

std::string TimeZoneOf(const model::CollectionInfo& collection) {
  const std::string* zone = model::FindValue(collection.properties, "timezone");
  return zone == nullptr || zone->empty() ? "UTC" : *zone;
}

Status ReadText(const model::FieldSchema& field, std::string_view time_zone, Column& column) {
  if (column.type != DataType::kVarChar) return Status::Ok();
  if (field.type == DataType::kText) column.type = DataType::kText;
  if (field.type == DataType::kTimestamptz) {
    ASSIGN_OR_RETURN(column, Converted(column, field.type, [&](size_t row) {
                       return TimeBytes(column.StringAt(row), time_zone);
                     }));
  }
  if (field.type == DataType::kGeometry) {
    ASSIGN_OR_RETURN(column, Converted(column, field.type, [&](size_t row) {
                       return model::WkbFromWkt(column.StringAt(row));
                     }));
  }
  return Status::Ok();
}

Result<TimeForm> TimeFormOf(const model::CollectionInfo& collection,
                            const model::KeyValues& params) {
  TimeForm form{.zone = TimeZoneOf(collection)};
  if (const std::string* zone = model::FindValue(params, "timezone");
      zone != nullptr && !zone->empty()) {
    form.zone = *zone;
  }
  if (!model::IsTimeZone(form.zone)) {
    return Error(
        InvalidParameter(fmt::format("unknown or invalid IANA Time Zone ID: {}", form.zone)));
  }
  const std::string* parts = model::FindValue(params, "time_fields");
  if (parts == nullptr) return form;
  std::string_view rest = *parts;
  while (!rest.empty()) {
    const size_t end = rest.find_first_of(", ");
    const std::string_view part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (part.empty()) continue;
    int64_t value = 0;
    if (!model::TimestamptzPart(0, "UTC", part, &value)) {
      return Error(InvalidParameter(fmt::format("unsupported time field: {}", part)));
    }
    form.parts.emplace_back(part);
  }
  return form;
}

Status TellAsText(const TimeForm& form, std::vector<service::OutputColumn>& columns) {
  for (service::OutputColumn& output : columns) {
    const DataType type = output.column.type;
    if (type == DataType::kTimestamptz) {
      ASSIGN_OR_RETURN(output.column, TellTimes(form, output.column));
      if (form.parts.empty()) {
        output.told = type;
      } else {
        output.element_type = DataType::kInt64;
      }
    } else if (type == DataType::kGeometry) {
      ASSIGN_OR_RETURN(output.column, Converted(output.column, DataType::kVarChar, [&](size_t row) {
                         return model::WktFromWkb(output.column.StringAt(row));
                       }));
      output.told = type;
    }
  }
  return Status::Ok();
}

}  // namespace elanus::proxy
