// A filter's text says what was bound, not what was written.
#include "expr/text.h"

#include <gtest/gtest.h>

#include "expr/filter.h"

namespace elanus::expr {
namespace {

TEST(FilterText, ShowsWhatWasBound) {
  model::CollectionSchema schema{.name = "c", .enable_dynamic_field = true};
  schema.fields = {
      {.id = FieldId{1}, .name = "pk", .type = model::DataType::kInt64, .is_primary = true},
      {.id = FieldId{2}, .name = "s", .type = model::DataType::kVarChar, .nullable = true},
      {.id = FieldId{3}, .name = "$meta", .type = model::DataType::kJson, .is_dynamic = true}};
  auto text = [&](std::string_view filter) {
    return TextOf(*ParseFilter(filter, schema, {}).value().root, schema);
  };
  EXPECT_EQ(text("1 < pk"), "pk > 1");
  EXPECT_EQ(text("pk in [3, 1, 2, 3]"), "pk in [1, 2, 3]");
  EXPECT_EQ(text("not (s == 'it\\'s')"), "not (s == 'it\\'s')");
  EXPECT_EQ(text("pk == 1 and (s like 'a%' or color == 'red')"),
            "pk == 1 and (s like 'a%' or $meta['color'] == 'red')");
  EXPECT_EQ(text("5 <= pk < 2 + 7"), "5 <= pk < 9");
  EXPECT_EQ(text("pk in [1,2,3,4,5,6,7,8,9,10]"), "pk in [1, 2, 3, 4, 5, 6, 7, 8, ... 2 more]");
  EXPECT_EQ(text("exists tags or s is null"), "exists $meta['tags'] or s is null");
}

}  // namespace
}  // namespace elanus::expr
