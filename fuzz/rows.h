// Six rows of the common types, for targets that run filters.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/column.h"
#include "model/schema.h"
#include "segment/column_view.h"

namespace elanus {

using model::DataType;

class Rows final : public segment::RowSource {
 public:
  Rows() {
    schema.enable_dynamic_field = true;
    Add<int64_t>("pk", DataType::kInt64, {-1, 0, 1, 2, 3, INT64_MAX});
    schema.fields.back().is_primary = true;
    Add<uint8_t>("flag", DataType::kBool, {0, 1, 0, 1, 0, 1});
    Add<int8_t>("i8", DataType::kInt8, {-128, -1, 0, 1, 2, 127});
    Add<float>("f", DataType::kFloat, {-1, 0, 0.1F, 1, 2, 1e30F});
    Add<double>("d", DataType::kDouble, {-1, 0, 0.1, 1, 2, 1e300});
    Add<std::string>("s", DataType::kVarChar, {"", "a", "ab", "a%b", "\xE4\xB8\xAD", "x\ny"});
    const std::vector<std::string> documents = {
        "{}", R"({"a":1,"b":[1,"x",null]})", R"({"a":{"b":"\u00e9"}})", "[1,2]", "5", "nul"};
    Add<std::string>("j", DataType::kJson, documents);
    Add<std::string>("$meta", DataType::kJson, documents);
    schema.fields.back().is_dynamic = true;
  }
  size_t rows() const override { return 6; }
  std::optional<segment::ColumnView> Column(FieldId field) const override {
    auto found = columns.find(field);
    if (found == columns.end()) return std::nullopt;
    return segment::ViewOf(found->second);
  }

  model::CollectionSchema schema;
  std::map<FieldId, model::Column> columns;

 private:
  template <class T>
  void Add(std::string name, DataType type, std::vector<T> values) {
    const FieldId id{100 + static_cast<int64_t>(schema.fields.size())};
    schema.fields.push_back({.id = id, .name = std::move(name), .type = type});
    model::Column column = model::MakeColumn(id, type);
    for (const T& value : values) {
      if constexpr (std::is_same_v<T, std::string>) {
        column.AppendValue(value);
      } else {
        column.Append(value);
      }
    }
    columns.emplace(id, std::move(column));
  }
};

}  // namespace elanus
