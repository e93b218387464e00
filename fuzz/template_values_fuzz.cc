// The values that a request gives for a filter's {names}, as bytes of the wire: every kind in every
// place that takes one. Whatever comes in, an answer or an error comes out, and the byte forms of
// values and filter give the same rows.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/codec.h"
#include "expr/filter.h"
#include "gateway/template_wire.h"
#include "query/filter.h"
#include "rows.h"

namespace elanus {
namespace {

constexpr std::string_view kFilters[] = {
    "i8 == {a}",
    "f < {a} or d >= {b}",
    "s == {a} and flag == {b}",
    "pk in {a}",
    "s not in {a} or i8 in {b}",
    "{a} < i8 <= {b}",
    "i8 + {a} == {b}",
    "i8 % {a} == {b} or f * {a} > {b}",
    "s like {a}",
    "s =~ {a}",
    "j['a'] == {a} or j['b'][0] != {b}",
    "j['a'] in {a}",
    "json_contains(j['b'], {a}) or json_contains_any(j['b'], {b})",
    "json_contains_all(j, {a})",
    "color == {a} or $meta['a'] > {b}",
    "bloom_match(i8, {a}) or bloom_match(s, {b})",
    "not bloom_match(j['a'], {a})",
    "roaring_match(pk, {a}) or roaring_match(i8, {b})",
};

void Run(const Rows& rows, const expr::Templates& templates) {
  for (const std::string_view text : kFilters) {
    const auto filter = expr::ParseFilter(text, rows.schema, templates);
    if (!filter) continue;
    const auto direct = query::Evaluate(*filter, rows, rows.schema);
    ELANUS_CHECK(direct.has_value());
    ELANUS_CHECK((direct->is_true[0] & direct->is_unknown[0]) == 0 && direct->is_true[0] < 64);
    const auto decoded = DecodeBytes<expr::BoundFilter>(EncodeBytes(*filter), "filter");
    ELANUS_CHECK(decoded.has_value());
    const auto again = query::Evaluate(*decoded, rows, rows.schema);
    ELANUS_CHECK(again.has_value() && direct->is_true == again->is_true);
  }
}

/// \param bytes  a message whose fields 1 are entries of the map
void Feed(const Rows& rows, std::string_view bytes) {
  bool ok = true;
  const std::string_view pieces[] = {bytes};
  gateway::WireReader in(pieces, &ok);
  expr::Templates templates;
  while (in.Next()) {
    if (in.field() != 1 || in.type() != gateway::WireReader::Type::kBytes) {
      in.Skip();
      continue;
    }
    if (!gateway::ReadTemplate(in.Message(), templates).ok()) return;
  }
  if (!ok) return;
  const auto copied = DecodeBytes<expr::Templates>(EncodeBytes(templates), "templates");
  ELANUS_CHECK(copied.has_value());
  Run(rows, *copied);
}

}  // namespace
}  // namespace elanus

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const elanus::Rows rows;
  elanus::Feed(rows, {reinterpret_cast<const char*>(data), size});
  return 0;
}
