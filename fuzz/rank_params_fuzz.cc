// Parameters that say how hits are ranked, as any client may word them: boost and other functions
// of a score, strategies of a hybrid search, buckets of an aggregation. An answer or an error comes
// out; a boost that is taken survives its byte form.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/codec.h"
#include "proxy/aggregation_params.h"
#include "proxy/boost_params.h"
#include "proxy/rank_params.h"

namespace elanus::proxy {
namespace {

using model::DataType;

const model::CollectionInfo& Collection() {
  static const model::CollectionInfo info = [] {
    model::CollectionInfo made{.name = "c"};
    const auto add = [&](int64_t id, const char* name, DataType type) {
      made.schema.fields.push_back({.id = FieldId{id}, .name = name, .type = type});
    };
    add(100, "id", DataType::kInt64);
    made.schema.fields.back().is_primary = true;
    add(101, "v", DataType::kFloatVector);
    made.schema.fields.back().type_params = {{"dim", "4"}};
    add(102, "n", DataType::kInt32);
    add(103, "d", DataType::kDouble);
    add(104, "s", DataType::kVarChar);
    add(105, "j", DataType::kJson);
    add(106, "t", DataType::kTimestamptz);
    add(107, "b", DataType::kBool);
    return made;
  }();
  return info;
}

/// Words that the parsers know, and any text.
class Words {
 public:
  explicit Words(FuzzedDataProvider& data) : data_(data) {}
  std::string Word() {
    static constexpr std::string_view kKnown[] = {"reranker",
                                                  "boost",
                                                  "decay",
                                                  "rrf",
                                                  "weighted",
                                                  "weight",
                                                  "filter",
                                                  "n > 1",
                                                  "random_score",
                                                  "{\"seed\": 126, \"field\": \"id\"}",
                                                  "origin",
                                                  "scale",
                                                  "offset",
                                                  "function",
                                                  "gauss",
                                                  "exp",
                                                  "linear",
                                                  "k",
                                                  "60",
                                                  "0.5",
                                                  "-1",
                                                  "[0.1, 0.9]",
                                                  "weights",
                                                  "norm_score",
                                                  "true",
                                                  "strategy",
                                                  "params",
                                                  "{\"k\": 60}",
                                                  "limit",
                                                  "10",
                                                  "round_decimal",
                                                  "group_by_field",
                                                  "group_size",
                                                  "strict_group_size",
                                                  "boost_mode",
                                                  "function_mode",
                                                  "Multiply",
                                                  "Sum",
                                                  "nan",
                                                  "1e999",
                                                  "id",
                                                  "n",
                                                  "d",
                                                  "s",
                                                  "j",
                                                  "t",
                                                  "b",
                                                  "_score",
                                                  "_count",
                                                  "_key",
                                                  "count",
                                                  "sum",
                                                  "avg",
                                                  "min",
                                                  "max",
                                                  "*",
                                                  "asc",
                                                  "desc",
                                                  "rank_group_scorer",
                                                  "sum"};
    constexpr size_t kCount = sizeof(kKnown) / sizeof(kKnown[0]);
    const size_t at = data_.ConsumeIntegralInRange<size_t>(0, kCount + kCount / 4);
    return at < kCount ? std::string(kKnown[at]) : data_.ConsumeRandomLengthString(40);
  }
  std::vector<std::string> Several() {
    std::vector<std::string> words(Count());
    for (std::string& word : words) word = Word();
    return words;
  }
  model::KeyValues Pairs() {
    model::KeyValues pairs;
    for (size_t n = Count(); n > 0; --n) {
      std::string key = Word();
      pairs.emplace_back(std::move(key), Word());
    }
    return pairs;
  }
  size_t Count() { return data_.ConsumeIntegralInRange<size_t>(0, 4); }

 private:
  FuzzedDataProvider& data_;
};

service::FunctionScore Score(Words& words) {
  service::FunctionScore score;
  for (size_t n = words.Count(); n > 0; --n) {
    score.functions.push_back(
        {.name = words.Word(), .input_fields = words.Several(), .params = words.Pairs()});
  }
  score.params = words.Pairs();
  return score;
}

std::vector<service::AggregationSort> Sorts(Words& words, FuzzedDataProvider& data) {
  std::vector<service::AggregationSort> sorts;
  for (size_t n = words.Count(); n > 0; --n) {
    sorts.push_back(
        {.name = words.Word(), .direction = words.Word(), .nulls_first = data.ConsumeBool()});
  }
  return sorts;
}

service::SearchAggregation Aggregation(Words& words, FuzzedDataProvider& data) {
  service::SearchAggregation spec;
  for (size_t n = data.ConsumeIntegralInRange<size_t>(0, 6); n > 0; --n) {
    service::AggregationLevel level{.fields = words.Several(),
                                    .size = data.ConsumeIntegral<int64_t>(),
                                    .search_size = data.ConsumeIntegral<int64_t>()};
    for (size_t m = words.Count(); m > 0; --m) {
      level.metrics.push_back({.alias = words.Word(), .op = words.Word(), .field = words.Word()});
    }
    level.order = Sorts(words, data);
    if (data.ConsumeBool()) {
      level.top_hits = {.size = data.ConsumeIntegral<int64_t>(), .sort = Sorts(words, data)};
    }
    spec.levels.push_back(std::move(level));
  }
  return spec;
}

void Feed(FuzzedDataProvider& data) {
  const model::CollectionInfo& collection = Collection();
  Words words(data);
  switch (data.ConsumeIntegralInRange<int>(0, 3)) {
    case 0: {
      const auto boost = PlanBoost(collection, Score(words), {}, "UTC");
      if (!boost || !*boost) return;
      const std::string bytes = EncodeBytes(**boost);
      const auto back = DecodeBytes<expr::Boost>(bytes, "boost");
      ELANUS_CHECK(back.has_value() && EncodeBytes(*back) == bytes);
      return;
    }
    case 1:
      (void)PlanFunctionScore(collection.schema, Score(words),
                              data.ConsumeIntegralInRange<size_t>(0, 5));
      return;
    case 2: {
      const service::SearchAggregation spec = Aggregation(words, data);
      const auto plan = PlanAggregation(collection.schema, spec, data.ConsumeIntegral<int32_t>());
      ELANUS_CHECK(!plan || plan->levels.size() == spec.levels.size());
      return;
    }
    default: {
      service::HybridSearchCall call{
          .collection = "c", .searches = {}, .rank_params = words.Pairs()};
      call.searches.resize(words.Count());
      if (data.ConsumeBool()) call.function_score = Score(words);
      (void)PlanRank(collection.schema, call);
      return;
    }
  }
}

}  // namespace
}  // namespace elanus::proxy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider provider(data, size);
  elanus::proxy::Feed(provider);
  return 0;
}
