#include "proxy/namespaces.h"

#include "expr/text.h"
#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

model::CollectionInfo WithNamespaces() {
  auto info = SampleCollection();
  info.schema.fields.push_back(
      Field(105, "$namespace_id", model::DataType::kVarChar, {{"max_length", "65535"}}));
  info.schema.fields.back().is_partition_key = true;
  return info;
}

service::CreateCollection Request() {
  service::CreateCollection request{.schema = SampleCollection().schema, .namespaces = true};
  request.schema.fields.pop_back();  // $meta is the coordinator's to add
  return request;
}

TEST(Namespaces, AreAHiddenKeyThatIsIsolated) {
  auto request = Request();
  ASSERT_TRUE(AddNamespaces(request).ok());
  const model::FieldSchema* field = request.schema.namespaces();
  ASSERT_NE(field, nullptr);
  EXPECT_TRUE(field->is_partition_key);
  EXPECT_EQ(field->type, model::DataType::kVarChar);
  EXPECT_EQ(*model::FindValue(request.properties, "partitionkey.isolation"), "true");
}

TEST(Namespaces, TakeNoOtherKeyAndNoLackOfIsolation) {
  auto request = Request();
  request.schema.fields[2].is_partition_key = true;
  ExpectError(AddNamespaces(request), Code::kInvalidParameter,
              "namespace is not supported with partition key mode");
  request = Request();
  request.properties = {{"partitionkey.isolation", "false"}};
  ExpectError(AddNamespaces(request), Code::kIllegalSchema,
              "isolation property is false when namespace enabled");
}

TEST(Namespaces, NarrowAFilterToOne) {
  const auto info = WithNamespaces();
  for (const auto& [given, text] : {std::pair("", "$namespace_id == 'a'"),
                                    std::pair("n > 3", "$namespace_id == 'a' and n > 3")}) {
    auto filter = expr::ParseFilter(given, info.schema, {});
    ASSERT_TRUE(filter);
    ASSERT_TRUE(KeepToNamespace(info, "a", *filter).ok());
    EXPECT_EQ(expr::TextOf(*filter->root, info.schema), text);
  }
}

TEST(Namespaces, AreNamedExactlyWhereThereAreAny) {
  expr::BoundFilter filter;
  ExpectError(KeepToNamespace(SampleCollection(), "a", filter), Code::kInvalidParameter,
              "namespace data is set but namespace disabled");
  ExpectError(KeepToNamespace(WithNamespaces(), std::nullopt, filter), Code::kInvalidParameter,
              "namespace data is not set but namespace enabled");
  EXPECT_TRUE(KeepToNamespace(SampleCollection(), std::nullopt, filter).ok());
  EXPECT_EQ(filter.root, nullptr);
}

TEST(Namespaces, FillTheirColumnOrCheckIt) {
  service::MutationCall call{.name_space = "a", .num_rows = 2};
  ASSERT_TRUE(FillNamespace(WithNamespaces(), call).ok());
  ASSERT_EQ(call.columns.size(), 1U);
  EXPECT_EQ(call.columns[0].column.StringAt(1), "a");
  call.columns = {Texts("$namespace_id", {"a", "a"})};
  EXPECT_TRUE(FillNamespace(WithNamespaces(), call).ok());
  EXPECT_EQ(call.columns.size(), 1U);
  call.columns = {Texts("$namespace_id", {"a", "b"})};
  ExpectError(FillNamespace(WithNamespaces(), call), Code::kInvalidParameter,
              "namespace field value \"b\" mismatches namespace \"a\"");
  call.columns = {Ints("$namespace_id", {1, 2})};
  ExpectError(FillNamespace(WithNamespaces(), call), Code::kInvalidParameter,
              "invalid namespace field data layout");
  ExpectError(FillNamespace(SampleCollection(), call), Code::kInvalidParameter,
              "namespace data is set but namespace disabled");
}

model::CollectionInfo WithPartitions() {
  auto info = SampleCollection();
  info.properties = {{"namespace.mode", "partition"}};
  return info;
}

TEST(Namespaces, ArePartitionsWhenTheModeSaysSo) {
  auto request = Request();
  request.properties = {{"namespace.mode", "partition"}};
  const size_t fields = request.schema.fields.size();
  ASSERT_TRUE(AddNamespaces(request).ok());
  EXPECT_EQ(request.schema.fields.size(), fields);
  EXPECT_EQ(model::FindValue(request.properties, "partitionkey.isolation"), nullptr);
  EXPECT_FALSE(ByHiddenKey(request));
  request.properties = {{"namespace.mode", "multitenant"}};
  ExpectError(AddNamespaces(request), Code::kInvalidParameter,
              "invalid namespace.mode value \"multitenant\"");
  request.properties = {{"namespace.mode", "partition_key"}};
  EXPECT_TRUE(ByHiddenKey(request));
  request.properties = {{"namespace.mode", "partition"}};
  request.namespaces = false;
  ASSERT_TRUE(AddNamespaces(request).ok());
  EXPECT_TRUE(request.properties.empty()) << "without namespaces there is no mode";
}

TEST(Namespaces, SayWhetherTheyHaveShards) {
  auto info = WithNamespaces();
  EXPECT_EQ(ShardOfNamespace(info, "a"), std::nullopt);
  info.properties = {{"namespace.sharding.enabled", "true"}};
  EXPECT_EQ(ShardOfNamespace(info, "a"), ShardOf(std::string_view("a"), 2));
  EXPECT_EQ(ShardOfNamespace(info, std::nullopt), std::nullopt);
  auto by_partition = WithPartitions();
  by_partition.properties.emplace_back("namespace.sharding.enabled", "true");
  EXPECT_EQ(ShardOfNamespace(by_partition, "a"), std::nullopt) << "only those told by a key";
  auto request = Request();
  request.properties = {{"namespace.sharding.enabled", "yes"}};
  ExpectError(AddNamespaces(request), Code::kInvalidParameter,
              "invalid namespace.sharding.enabled value \"yes\", valid values: [true,false]");
  request.properties = {{"namespace.Sharding.enabled", "true"}};
  ExpectError(AddNamespaces(request), Code::kInvalidParameter,
              "invalid property key \"namespace.Sharding.enabled\", did you mean "
              "\"namespace.sharding.enabled\"?");
}

TEST(Namespaces, ThatArePartitionsChooseThemAndFilterNothing) {
  const auto info = WithPartitions();
  expr::BoundFilter filter;
  EXPECT_TRUE(KeepToNamespace(info, "p", filter).ok());
  EXPECT_EQ(filter.root, nullptr);
  ExpectError(KeepToNamespace(info, std::nullopt, filter), Code::kInvalidParameter,
              "namespace data is not set but namespace enabled");
  service::MutationCall mutation{.name_space = "p", .num_rows = 1};
  EXPECT_TRUE(FillNamespace(info, mutation).ok());
  EXPECT_TRUE(mutation.columns.empty());
  EXPECT_EQ(PartitionsOfRead(info, "p", {}).value(), std::vector<std::string>{"p"});
  EXPECT_EQ(PartitionsOfRead(info, "p", {"p"}).value(), std::vector<std::string>{"p"});
  ExpectError(StatusOf(PartitionsOfRead(info, "p", {"p", "q"})), Code::kInvalidParameter,
              "partition names [p q] mismatch namespace \"p\"");
  ExpectError(StatusOf(PartitionsOfRead(info, "a b", {})), Code::kInvalidParameter,
              "Invalid partition name");
  EXPECT_EQ(PartitionOfWrite(info, "p", "").value(), "p");
  EXPECT_EQ(PartitionOfWrite(info, std::nullopt, "q").value(), "q");
  ExpectError(StatusOf(PartitionOfWrite(info, "p", "q")), Code::kInvalidParameter,
              "partition name \"q\" mismatches namespace \"p\"");
  EXPECT_EQ(PartitionsOfRead(WithNamespaces(), "a", {"x"}).value(), std::vector<std::string>{"x"});
}

}  // namespace
}  // namespace elanus::proxy
