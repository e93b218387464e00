#include "proxy/isolation.h"

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

constexpr std::string_view kNotFound =
    "partition key not found in expr or the expr is invalid when validating partition key "
    "isolation";

model::CollectionInfo Isolated(const std::string& property = "true") {
  auto info = SampleCollection();
  info.schema.fields[2].is_partition_key = true;  // s
  info.properties = {{"partitionkey.isolation", property}};
  return info;
}

Status Check(const std::string& filter, const model::CollectionInfo& info = Isolated()) {
  auto bound = expr::ParseFilter(filter, info.schema, {});
  EXPECT_TRUE(bound.has_value()) << bound.error().message();
  return CheckIsolation(info, *bound);
}

TEST(Isolation, TakesOneKeyAloneOrWithMore) {
  for (const char* filter :
       {"s == 'a'", "s == 'a' and n > 3", "n > 3 and (s == 'a' and id in [1, 2])",
        "s == 'a' and (n == 1 or n == 2)", "s == 'a' and not (n == 1)"}) {
    EXPECT_TRUE(Check(filter).ok()) << filter << ": " << Check(filter).message();
  }
}

TEST(Isolation, RefusesWhatIsNotOneKey) {
  const std::pair<const char*, std::string_view> cases[] = {
      {"", kNotFound},
      {"n == 1", kNotFound},
      {"n == 1 or n == 2", kNotFound},
      {"not (n == 1)", kNotFound},
      {"s == 'a' or n == 1", "partition key isolation does not support OR"},
      {"n == 1 and (s == 'a' or id == 2)", "partition key isolation does not support OR"},
      {"not (s == 'a')", "partition key isolation does not support"},
      {"s in ['a', 'b']", "partition key isolation does not support IN"},
      {"s not in ['a', 'b']", "partition key isolation does not support IN"},
      {"s != 'a'", "partition key isolation does not support NotEqual"},
      {"s > 'a'", "partition key isolation does not support GreaterThan"},
      {"s <= 'a'", "partition key isolation does not support LessEqual"},
      {"'a' < s < 'c'", "partition key isolation does not support BinaryRange"},
      {"s == 'a' and s like 'a%'", "partition key isolation does not support Match"},
  };
  for (const auto& [filter, text] : cases)
    ExpectError(Check(filter), Code::kInvalidParameter, std::string(text));
}

TEST(Isolation, IsOffUnlessThePropertySaysTrue) {
  EXPECT_TRUE(Check("", Isolated("false")).ok());
  EXPECT_FALSE(Check("", Isolated("True")).ok());
  EXPECT_TRUE(Check("", SampleCollection()).ok());
}

}  // namespace
}  // namespace elanus::proxy
