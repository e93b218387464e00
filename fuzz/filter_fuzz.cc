// Filters from outside: text through parser, binder, byte form and evaluator; and bytes that claim
// to be a bound filter. Whatever comes in, an answer or an error comes out, and the byte form of a
// parsed filter gives the same rows as the filter.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/codec.h"
#include "expr/filter.h"
#include "query/filter.h"
#include "rows.h"

namespace elanus {
namespace {

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
