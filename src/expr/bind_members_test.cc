// Filters with sets that clients built, and the errors about them in Milvus' words.
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include "expr/filter.h"
#include "expr/members_build.h"
#include "expr/text.h"

namespace elanus::expr {
namespace {

using model::DataType;

model::CollectionSchema TestSchema() {
  model::CollectionSchema schema{.name = "c", .enable_dynamic_field = true};
  int64_t id = 100;
  auto add = [&](std::string name, DataType type) {
    schema.fields.push_back({.id = FieldId{id++}, .name = name, .type = type});
  };
  add("pk", DataType::kInt64);
  schema.fields.back().is_primary = true;
  add("int8", DataType::kInt8);
  add("int64", DataType::kInt64);
  add("float", DataType::kFloat);
  add("varchar", DataType::kVarChar);
  add("text", DataType::kText);
  add("json", DataType::kJson);
  add("array", DataType::kArray);
  schema.fields.back().element_type = DataType::kInt64;
  add("$meta", DataType::kJson);
  schema.fields.back().is_dynamic = true;
  return schema;
}

Result<BoundFilter> Parse(std::string_view text, const Templates& templates) {
  static const model::CollectionSchema schema = TestSchema();
  return ParseFilter(text, schema, templates);
}

std::string Problem(const std::string& text, const Templates& templates) {
  const auto filter = Parse(text, templates);
  if (filter) return "";
  const std::string message(filter.error().message());
  const std::string before = "cannot parse expression: " + text + ": ";
  return message.starts_with(before) ? message.substr(before.size()) : message;
}

Templates SomeSets() {
  Templates templates;
  const auto add = [&](const char* name, std::string blob) {
    templates.blobs[name] = std::make_shared<const std::string>(std::move(blob));
  };
  add("ints", BloomBlob({1, 2}, {}, 1));
  add("texts", BloomBlob({}, {"a"}, 1));
  add("nothing", BloomBlob({}, {}, 1));
  add("exact", RoaringBlob({1, -2}));
  add("bad", "abc");
  templates.values["n"] = Value{int64_t{1}};
  return templates;
}

TEST(BindMembers, TakesSetsThatClientsBuilt) {
  const Templates sets = SomeSets();
  for (const std::string text :
       {"bloom_match(int8, {ints})", "BLOOM_MATCH(int64, {ints})", "bloom_match(varchar, {texts})",
        "bloom_match(json, {texts})", "bloom_match(json['a'][0], {ints})",
        "bloom_match(unknown, {ints})", "not bloom_match(int8, {nothing})",
        "roaring_match(pk, {exact}) and roaring_match(int8, {exact})"})
    EXPECT_EQ(Problem(text, sets), "") << text;
  const auto both = Parse("bloom_match(pk, {ints}) or roaring_match(pk, {exact})", sets);
  ASSERT_TRUE(both);
  EXPECT_TRUE(MembershipUseOf(*both).approximate);
  EXPECT_EQ(MembershipUseOf(*both).bytes,
            sets.blobs.at("ints")->size() + sets.blobs.at("exact")->size());
  EXPECT_FALSE(MembershipUseOf(*Parse("roaring_match(pk, {exact})", sets)).approximate);
  EXPECT_EQ(TextOf(*both->root, TestSchema()),
            "bloom_match(pk, 64 bytes) or roaring_match(pk, 2 values)");
}

TEST(BindMembers, SaysWhatIsWrongWithASetOrItsField) {
  const Templates sets = SomeSets();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"bloom_match(pk)",
       "bloom_match requires exactly 2 arguments: bloom_match(field, {blob}), got 1"},
      {"roaring_match(pk, {exact}, 1)",
       "roaring_match requires exactly 2 arguments: roaring_match(field, {bitmap}), got 3"},
      {"bloom_match(1, {ints})",
       "the first argument of bloom_match must be a scalar field name, got: 1"},
      {"bloom_match(float, {ints})",
       "bloom_match only supports INT8/INT16/INT32/INT64/VARCHAR fields and JSON paths, but field "
       "(float) is of type Float"},
      {"bloom_match(text, {texts})",
       "bloom_match only supports INT8/INT16/INT32/INT64/VARCHAR fields and JSON paths, but field "
       "(text) is of type Text"},
      {"bloom_match(array[0], {ints})",
       "bloom_match does not support nested paths on non-JSON fields, got: array[0]"},
      {"roaring_match(json['a'], {exact})",
       "roaring_match is not supported on JSON or dynamic fields, got: json['a']"},
      {"roaring_match(varchar, {exact})",
       "roaring_match only supports INT8/INT16/INT32/INT64 fields, but field (varchar) is of type "
       "VarChar"},
      {"bloom_match(pk, [1, 2])",
       "the second argument of bloom_match must be a {template} placeholder carrying a client "
       "pre-built filter blob"},
      {"roaring_match(pk, 1)",
       "the second argument of roaring_match must be a {template} placeholder carrying a client "
       "pre-built roaring bitmap blob"},
      {"bloom_match(pk, {absent})",
       "the value of expression template variable name {absent} is not found"},
      {"bloom_match(pk, {n})",
       "the value of bloom_match template variable {n} must be a client pre-built filter blob "
       "(bytes)"},
      {"roaring_match(pk, {n})",
       "the value of roaring_match template variable {n} must be a client pre-built roaring bitmap "
       "blob (bytes)"},
      {"bloom_match(pk, {bad})",
       "bloom_match filter blob is invalid: bloom filter blob too short: 3 bytes, need at least "
       "32"},
      {"roaring_match(pk, {ints})",
       "roaring_match bitmap blob is invalid: roaring bitmap blob has invalid magic, expected "
       "\"MRB1\""},
      {"bloom_match(pk, {texts})",
       "bloom_match filter blob was built from the utf8 value domain but field (Int64) requires "
       "the "
       "int64 domain; rebuild the filter from values of the field's type"},
      {"bloom_match(varchar, {ints})",
       "bloom_match filter blob was built from the int64 value domain but field (VarChar) requires "
       "the utf8 domain; rebuild the filter from values of the field's type"},
      {"pk == {ints}",
       "a bytes template value can only be used as the bloom_match or roaring_match filter "
       "argument"},
  };
  for (const auto& [text, problem] : cases) EXPECT_EQ(Problem(text, sets), problem) << text;
}

TEST(BindMembers, RefusesSetsThatAreTooLarge) {
  Templates sets;
  std::string blob = BloomBlob({1}, {}, 1);
  const uint64_t declared = 50'000'000;
  std::memcpy(blob.data() + 8, &declared, sizeof(declared));
  blob.resize((64 << 20) + 33);
  sets.blobs["set"] = std::make_shared<const std::string>(blob);
  EXPECT_EQ(Problem("bloom_match(pk, {set})", sets),
            "bloom_match filter blob body is 67108865 bytes, exceeding "
            "proxy.maxMembershipFilterSize (67108864); rebuild the filter with fpr >= 0.0058 for "
            "the declared 50000000 members (SBBF bodies are powers of two, so a smaller fpr jumps "
            "straight to the next size)");
  EXPECT_EQ(Problem("roaring_match(pk, {set})", sets),
            "roaring_match bitmap blob body is 67108865 bytes, exceeding "
            "proxy.maxMembershipFilterSize (67108864); a Roaring bitmap's size follows the value "
            "distribution, so a sparser member set costs more per member than a dense one");
}

}  // namespace
}  // namespace elanus::expr
