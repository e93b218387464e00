#include "proxy/list_params.h"

#include <gtest/gtest.h>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using By = rank::Collapse::By;

constexpr FieldId kKey{100};
constexpr FieldId kNumber{101};

const model::CollectionSchema& Schema() {
  static const model::CollectionSchema schema = [] {
    model::CollectionSchema made{.name = "c"};
    made.fields = {{.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary = true},
                   {.id = kNumber, .name = "n", .type = DataType::kInt64},
                   {.id = {102}, .name = "v", .type = DataType::kFloatVector}};
    for (const auto& [id, of] : {std::pair{104, "a"}, std::pair{105, "a"}, std::pair{107, "b"}}) {
      made.fields.push_back({.id = {id},
                             .name = std::string(of) + "[e" + std::to_string(id) + "]",
                             .type = DataType::kArrayOfVector,
                             .element_type = DataType::kFloatVector,
                             .struct_name = of});
    }
    return made;
  }();
  return schema;
}

SearchPlan By104(model::Metric metric = model::Metric::kCosine) {
  return {.field = Schema().FindField(FieldId{104}), .metric = metric, .by_element = true};
}
SearchPlan ByElement(int64_t field) {
  return {.field = Schema().FindField(FieldId{field}), .by_element = true};
}
SearchPlan ByRow(int64_t field) { return {.field = Schema().FindField(FieldId{field})}; }
GroupPlan GroupBy(FieldId field) { return {.names = {"g"}, .values = {{.field = field}}}; }

Result<std::optional<rank::Collapse>> Scope(const std::string& json, const SearchPlan& plan) {
  const auto params = Params::Open({{"params", "{\"element_scope\":" + json + "}"}});
  return ElementScopeOf(*params, plan);
}

TEST(ElementScope, NamesWhatARowIsWorth) {
  const auto at = [](const std::string& collapse) {
    return **Scope("{\"collapse\":" + collapse + "}", By104());
  };
  EXPECT_EQ(at(R"({"strategy":"max"})").by, By::kNearest);
  EXPECT_EQ(at(R"({"strategy":"sum"})").by, By::kSum);
  EXPECT_EQ(at(R"({"strategy":"sum"})").top, 0u);
  EXPECT_EQ(at(R"({"strategy":"avg"})").by, By::kAverage);
  EXPECT_EQ(at(R"({"strategy":"topk_sum","topk":3})").by, By::kSum);
  EXPECT_EQ(at(R"({"strategy":"topk_sum","topk":3})").top, 3u);
  EXPECT_EQ(at(R"({"strategy":"topk_avg","topk":1})").by, By::kAverage);
  EXPECT_EQ(*ElementScopeOf(*Params::Open({}), By104()), std::nullopt);
  EXPECT_EQ(*ElementScopeOf(*Params::Open({}), ByRow(102)), std::nullopt);
}

TEST(ElementScope, RefusesWhatMilvusDoes) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"strategy":"topk_sum"})",
       "element_scope.collapse.topk is required for strategy topk_sum"},
      {R"({"strategy":"topk_avg","topk":0})", "element_scope.collapse.topk must be positive"},
      {R"({"strategy":"topk_avg","topk":-1})", "element_scope.collapse.topk must be positive"},
      {R"({"strategy":"topk_avg","topk":1.5})", "element_scope.collapse.topk must be an integer"},
      {R"({"strategy":"topk_avg","topk":"1"})", "element_scope.collapse.topk must be an integer"},
      {R"({"strategy":"max","topk":1})",
       "element_scope.collapse.topk is only valid for topk strategies"},
      {R"({"strategy":"median"})", "unsupported element_scope.collapse.strategy: median"},
      {R"({})", "unsupported element_scope.collapse.strategy: "},
      {R"("max")", "element_scope.collapse must be a JSON object, got max"},
      {R"([1])", "element_scope.collapse must be a JSON object, got [1]"}};
  for (const auto& [collapse, text] : cases) {
    const auto scope = Scope(std::string("{\"collapse\":") + collapse + "}", By104());
    ASSERT_FALSE(scope.has_value()) << collapse;
    ExpectError(scope.error(), Code::kInvalidParameter, text);
  }
  const std::string max = R"({"collapse":{"strategy":"max"}})";
  for (const int64_t field : {102, 104}) {
    ExpectError(Scope(max, ByRow(field)).error(), Code::kInvalidParameter,
                "element_scope is only supported for element-level search");
  }
  ExpectError(Scope("7", By104()).error(), Code::kInvalidParameter,
              "element_scope must be a JSON object, got 7");
}

TEST(ElementScope, DistancesAreNotSummed) {
  for (const char* name : {"sum", "topk_sum"}) {
    const std::string scope = std::string(R"({"collapse":{"strategy":")") + name + "\"" +
                              (std::string_view(name) == "sum" ? "" : R"(,"topk":2)") + "}}";
    EXPECT_TRUE(Scope(scope, By104(model::Metric::kIp)).has_value());
    ExpectError(Scope(scope, By104(model::Metric::kL2)).error(), Code::kInvalidParameter,
                std::string("element_scope.collapse.strategy ") + name + " is only supported");
  }
  EXPECT_TRUE(Scope(R"({"collapse":{"strategy":"avg"}})", By104(model::Metric::kL2)).has_value());
}

TEST(ListSearch, ListsHaveNoRangesAndElementsGroupByKeyOnly) {
  SearchPlan lists = ByRow(104);
  EXPECT_TRUE(CheckListSearch(Schema(), lists).ok());
  lists.group = GroupBy(kKey);
  ExpectError(CheckListSearch(Schema(), lists), Code::kInvalidParameter,
              "group by is not supported for multi-search-multi on embedding list fields");
  lists.params.radius = 1;
  ExpectError(CheckListSearch(Schema(), lists), Code::kInvalidParameter,
              "range search is not supported for multi-search-multi on embedding list fields");
  SearchPlan elements = ByElement(104);
  elements.params.radius = 1;
  elements.group = GroupBy(kKey);
  EXPECT_TRUE(CheckListSearch(Schema(), elements).ok());
  elements.group = GroupBy(kNumber);
  ExpectError(CheckListSearch(Schema(), elements), Code::kInvalidParameter,
              "only group by primary key is supported for element-level search");
  SearchPlan plain = ByRow(102);
  plain.group = GroupBy(kNumber);
  plain.params.radius = 1;
  EXPECT_TRUE(CheckListSearch(Schema(), plain).ok());
}

Result<bool> Parts(std::vector<SearchPlan> parts, const std::optional<GroupPlan>& group = {}) {
  std::vector<const SearchPlan*> at;
  for (const SearchPlan& part : parts) at.push_back(&part);
  return CheckListParts(Schema(), group, at);
}

TEST(ListParts, HitsAreElementsWhenAllPartsAreOfOneStruct) {
  EXPECT_TRUE(*Parts({ByElement(104)}));
  EXPECT_TRUE(*Parts({ByElement(104), ByElement(105)}));
  EXPECT_FALSE(*Parts({ByElement(104), ByElement(107)}));
  EXPECT_FALSE(*Parts({ByElement(104), ByRow(102)}));
  EXPECT_FALSE(*Parts({ByElement(104), ByRow(105)}));
  EXPECT_FALSE(*Parts({ByRow(104), ByRow(105)}));
  EXPECT_FALSE(*Parts({ByRow(102)}));
  EXPECT_FALSE(*Parts({}));
}

TEST(ListParts, SayWhatTheyCannotDoTogether) {
  auto error = [](const Result<bool>& result) {
    return result.has_value() ? std::string("none") : std::string(result.error().message());
  };
  const std::string structs = "only supported for same-struct element-level vector array fields";
  EXPECT_NE(error(Parts({ByElement(104), ByRow(102)}, GroupBy(kKey))).find(structs),
            std::string::npos);
  EXPECT_NE(error(Parts({ByElement(104), ByElement(107)}, GroupBy(kKey))).find(structs),
            std::string::npos);
  EXPECT_NE(error(Parts({ByElement(104), ByElement(105)}, GroupBy(kNumber)))
                .find("only group by primary key is supported for same-struct element-level"),
            std::string::npos);
  EXPECT_TRUE(*Parts({ByElement(104), ByElement(105)}, GroupBy(kKey)));
  EXPECT_FALSE(*Parts({ByRow(102), ByRow(102)}, GroupBy(kNumber)));
  EXPECT_NE(error(Parts({ByRow(102), ByRow(104)}, GroupBy(kKey)))
                .find("group by search is not supported for vector array (embedding-list) fields"),
            std::string::npos);
  SearchPlan ranged = ByRow(104);
  ranged.params.radius = 1;
  EXPECT_NE(error(Parts({ByRow(102), ranged}))
                .find("range search is not supported for vector array (embedding-list) fields"),
            std::string::npos);
  SearchPlan scoped = ByElement(104);
  scoped.element_scope.emplace();
  EXPECT_NE(error(Parts({scoped, ByElement(105)}))
                .find("element_scope is not allowed for same-struct element-level hybrid search"),
            std::string::npos);
  EXPECT_FALSE(*Parts({scoped, ByElement(107)}));
}

}  // namespace
}  // namespace elanus::proxy
