// Filters from outside: text through parser, binder, byte form and evaluator; and bytes that claim
// to be a bound filter. Whatever comes in, an answer or an error comes out, and the byte form of a
// parsed filter gives the same rows as the filter.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/codec.h"
#include "expr/filter.h"
#include "query/filter.h"

namespace elanus {
namespace {

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

void FuzzText(const Rows& rows, std::string_view text) {
  expr::Templates templates;
  templates.values["n"] = expr::Value{int64_t{1}};
  templates.values["l"] = expr::Value{std::vector<expr::Value>{{int64_t{1}}, {std::string("a")}}};
  Result<expr::BoundFilter> filter = expr::ParseFilter(text, rows.schema, templates);
  if (!filter) return;
  (void)expr::PrimaryKeysOf(*filter, rows.schema);
  (void)expr::LowerBoundOf(*filter, rows.schema);
  Result<query::Truth> direct = query::Evaluate(*filter, rows, rows.schema);
  ELANUS_CHECK(direct.has_value());
  ELANUS_CHECK((direct->is_true[0] & direct->is_unknown[0]) == 0 && direct->is_true[0] < 64);
  auto decoded = DecodeBytes<expr::BoundFilter>(EncodeBytes(*filter), "filter");
  ELANUS_CHECK(decoded.has_value());
  Result<query::Truth> again = query::Evaluate(*decoded, rows, rows.schema);
  ELANUS_CHECK(again.has_value());
  ELANUS_CHECK(direct->is_true == again->is_true && direct->is_unknown == again->is_unknown);
}

}  // namespace
}  // namespace elanus

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const elanus::Rows rows;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 4 != 0) {
    elanus::FuzzText(rows, rest);
  } else if (auto filter = elanus::DecodeBytes<elanus::expr::BoundFilter>(rest, "filter")) {
    (void)elanus::query::Evaluate(*filter, rows, rows.schema);
  }
  return 0;
}
