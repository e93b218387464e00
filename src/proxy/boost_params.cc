#include "proxy/boost_params.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/letter_case.h"
#include "proxy/json.h"
#include "proxy/params.h"

namespace elanus::proxy {

namespace {

/// Keys are told apart without regard to case.
const std::string* Find(const model::KeyValues& params, std::string_view key) {
  auto found = std::ranges::find_if(params, [&](const auto& p) { return Lower(p.first) == key; });
  return found == params.end() ? nullptr : &found->second;
}

std::unexpected<Status> Refused(std::string_view what) {
  return Error(InvalidParameter(fmt::format("failed to create query plan: {}", what)));
}

Status PlanRandom(const model::CollectionSchema& schema, const std::string& text,
                  expr::BoostFunction& function) {
  function.random = true;
  JsonReader reader;
  auto members = reader.Object(text);
  if (!members.has_value()) return Refused(members.error().message()).error();
  if (auto field = members->find("field"); field != members->end()) {
    if (field->second.kind != JsonValue::Kind::kString) {
      return Refused("random seed field name must be string").error();
    }
    const model::FieldSchema* named = schema.FindField(field->second.text);
    if (named == nullptr) {
      return Refused(fmt::format("random seed field not found: field not found[field={}]",
                                 field->second.text))
          .error();
    }
    if (named->type != model::DataType::kInt64) {
      return Refused(fmt::format("only support int64 field as random seed, but got {}",
                                 model::DataTypeName(named->type)))
          .error();
    }
    function.field = named->id;
  }
  if (auto seed = members->find("seed"); seed != members->end()) {
    if (seed->second.kind != JsonValue::Kind::kInteger) {
      return Refused("random seed must be number").error();
    }
    function.seed = seed->second.integer;
  }
  return Status::Ok();
}

Result<expr::BoostFunction> PlanFunction(const model::CollectionInfo& collection,
                                         const service::RerankFunction& given,
                                         const expr::Templates& templates,
                                         std::string_view time_zone) {
  expr::BoostFunction function;
  if (const std::string* filter = Find(given.params, "filter")) {
    auto bound = expr::ParseFilter(*filter, collection.schema, templates, time_zone);
    if (!bound.has_value()) {
      return Refused(fmt::format("parse expr failed with error: {{{}}}", bound.error().message()));
    }
    if (bound->sample != 0) {
      return Refused("parse expr failed with error: {random_sample has no place in a boost}");
    }
    function.filter = *std::move(bound);
  }
  const std::string* weight = Find(given.params, "weight");
  if (weight == nullptr) return Refused("must set weight params for weight scorer");
  auto value = ToReal(*weight);
  if (!value.has_value()) {
    return Refused(fmt::format(
        "parse function scorer weight params failed with error: {{\"{}\" is not a number}}",
        *weight));
  }
  function.weight = static_cast<float>(*value);
  if (const std::string* random = Find(given.params, "random_score")) {
    RETURN_IF_ERROR(PlanRandom(collection.schema, *random, function));
  }
  return function;
}

Result<bool> Adds(const model::KeyValues& params, std::string_view key, std::string_view shown) {
  const std::string* mode = Find(params, key);
  if (mode == nullptr) return false;
  const std::string lower = Lower(*mode);
  if (lower == "multiply" || lower == "sum") return lower == "sum";
  return Refused(fmt::format("unknown {} mode: {}", shown, lower));
}

}  // namespace

bool IsBoost(const service::RerankFunction& function) {
  const std::string* reranker = Find(function.params, "reranker");
  return reranker != nullptr && *reranker == "boost";
}

std::optional<service::FunctionScore> WithoutBoosts(const service::FunctionScore& score) {
  service::FunctionScore rest = score;
  std::erase_if(rest.functions, IsBoost);
  if (rest.functions.empty() && !score.functions.empty()) return std::nullopt;
  return rest;
}

Result<std::optional<expr::Boost>> PlanBoost(const model::CollectionInfo& collection,
                                             const service::FunctionScore& score,
                                             const expr::Templates& templates,
                                             std::string_view time_zone) {
  expr::Boost boost;
  for (const service::RerankFunction& function : score.functions) {
    if (!IsBoost(function)) continue;
    ASSIGN_OR_RETURN(auto planned, PlanFunction(collection, function, templates, time_zone));
    boost.functions.push_back(std::move(planned));
  }
  if (boost.functions.empty()) return std::optional<expr::Boost>();
  ASSIGN_OR_RETURN(boost.adds_score, Adds(score.params, "boost_mode", "boost"));
  ASSIGN_OR_RETURN(boost.adds_functions, Adds(score.params, "function_mode", "function"));
  return std::optional(std::move(boost));
}

}  // namespace elanus::proxy
