#include "model/primary_key.h"

#include "base/check.h"

namespace elanus::model {

std::string PrimaryKeyText(const PrimaryKey& key) {
  if (const auto* number = std::get_if<int64_t>(&key)) return std::to_string(*number);
  return std::get<std::string>(key);
}

void PrimaryKeys::Append(const PrimaryKey& key) {
  if (const auto* text = std::get_if<std::string>(&key)) {
    is_string = true;
    strings.push_back(*text);
  } else {
    ints.push_back(std::get<int64_t>(key));
  }
}

PrimaryKeys PrimaryKeys::FromColumn(const Column& column) {
  PrimaryKeys keys;
  keys.is_string = IsString(column.type);
  if (keys.is_string) {
    keys.strings.reserve(column.rows);
    for (size_t r = 0; r < column.rows; ++r) keys.strings.emplace_back(column.StringAt(r));
  } else {
    ELANUS_CHECK(column.type == DataType::kInt64);
    auto values = column.Values<int64_t>();
    keys.ints.assign(values.begin(), values.end());
  }
  return keys;
}

}  // namespace elanus::model
