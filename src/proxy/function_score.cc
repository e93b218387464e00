#include "proxy/function_score.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/letter_case.h"

namespace elanus::proxy {

namespace {

constexpr double kRankConstantMax = 16'384;

Result<double> Number(const Params& params, const std::string& key, double absent) {
  const std::string* text = params.Text(key);
  if (text == nullptr) return absent;
  auto value = ToReal(*text);
  if (!value.has_value()) {
    return Error(InvalidParameter(fmt::format("decay param {}: {} is not a number", key, *text)));
  }
  return *value;
}

Result<rank::DecayShape> Shape(const Params& params) {
  const std::string* name = params.Text("function");
  if (name == nullptr) return Error(InvalidParameter("decay function not specified"));
  if (*name == "gauss") return rank::DecayShape::kGauss;
  if (*name == "exp") return rank::DecayShape::kExponential;
  if (*name == "linear") return rank::DecayShape::kLinear;
  return Error(InvalidParameter(
      fmt::format("decay: invalid function \"{}\", must be one of [gauss, exp, linear]", *name)));
}

Result<rank::Decay> PlanDecay(const Params& params) {
  rank::Decay decay;
  ASSIGN_OR_RETURN(decay.shape, Shape(params));
  for (const char* key : {"origin", "scale"}) {
    if (params.Text(key) == nullptr) {
      return Error(InvalidParameter(fmt::format("decay {} not specified", key)));
    }
  }
  ASSIGN_OR_RETURN(decay.origin, Number(params, "origin", 0));
  ASSIGN_OR_RETURN(decay.scale, Number(params, "scale", 1));
  ASSIGN_OR_RETURN(decay.offset, Number(params, "offset", 0));
  ASSIGN_OR_RETURN(decay.decay, Number(params, "decay", 0.5));
  if (!(decay.scale > 0)) {
    return Error(
        InvalidParameter(fmt::format("decay: scale must be > 0, got {}", *params.Text("scale"))));
  }
  if (!(decay.offset >= 0)) {
    return Error(InvalidParameter(
        fmt::format("decay: offset must be >= 0, got {}", *params.Text("offset"))));
  }
  if (!(decay.decay > 0 && decay.decay < 1)) {
    return Error(InvalidParameter(fmt::format(
        "Decay function param: decay must 0 < decay < 1, but got {}", *params.Text("decay"))));
  }
  return decay;
}

Result<rank::Decayed> PlanDecayed(const Params& params) {
  rank::Decayed decayed;
  ASSIGN_OR_RETURN(auto normalize, params.Boolean("norm_score", "parse norm_score failed"));
  decayed.normalize = normalize.value_or(false);
  const std::string* mode = params.Text("score_mode");
  if (mode == nullptr || *mode == "max") return decayed;
  if (*mode == "sum") {
    decayed.mode = rank::ScoreMode::kSum;
  } else if (*mode == "avg") {
    decayed.mode = rank::ScoreMode::kAverage;
  } else {
    return Error(InvalidParameter(
        fmt::format("unsupported score_mode {}, must be one of [max, sum, avg]", *mode)));
  }
  return decayed;
}

Result<FieldId> DecayInput(const model::CollectionSchema& schema,
                           const service::RerankFunction& function) {
  if (function.input_fields.size() != 1) {
    return Error(InvalidParameter(fmt::format(
        "decay reranker requires exactly 1 input field, got {}", function.input_fields.size())));
  }
  const std::string& name = function.input_fields[0];
  const model::FieldSchema* field = schema.FindField(name);
  if (field == nullptr) {
    return Error(
        InvalidParameter(fmt::format("input field {} not found in collection schema", name)));
  }
  if (model::IsNumeric(field->type)) return field->id;
  using model::DataType;
  if (field->type == DataType::kVarChar || field->type == DataType::kBool ||
      field->type == DataType::kTimestamptz) {
    return Error(InvalidParameter(fmt::format("decay input field {} must be numeric, got {}", name,
                                              model::DataTypeName(field->type))));
  }
  return Error(InvalidParameter(
      fmt::format("unsupported field type: {}", model::DataTypeName(field->type))));
}

/// Keys are told apart without regard to case.
model::KeyValues LowerKeys(const model::KeyValues& pairs) {
  model::KeyValues lowered = pairs;
  for (auto& [key, value] : lowered) key = Lower(key);
  return lowered;
}

}  // namespace

Result<rank::Fusion> PlanReciprocalRank(const Params& params) {
  auto k = params.Typed("k");
  if (!k.has_value()) return rank::Fusion(rank::ReciprocalRank{});
  std::optional<double> value;
  if (k->kind == JsonValue::Kind::kInteger || k->kind == JsonValue::Kind::kReal) value = k->real;
  if (k->kind == JsonValue::Kind::kString) value = ToReal(k->text);
  if (!value.has_value()) {
    return Error(
        InvalidParameter(fmt::format("The type of rank param k should be float, got {}", k->text)));
  }
  if (*value <= 0 || *value >= kRankConstantMax) {
    return Error(InvalidParameter("The rank params k should be in range (0, 16384)"));
  }
  return rank::Fusion(rank::ReciprocalRank{.k = *value});
}

Result<rank::Fusion> PlanWeightedSum(const Params& params, size_t searches) {
  rank::WeightedSum sum;
  const std::string* weights = params.Text("weights");
  if (weights == nullptr) {
    return Error(InvalidParameter("The weighted rank params [weights] not found"));
  }
  JsonReader reader;
  auto numbers = reader.Numbers(*weights);
  if (!numbers.has_value()) {
    return Error(InvalidParameter(fmt::format(
        "parse rerank params [weights] failed: {} is not a list of numbers", *weights)));
  }
  for (double weight : *numbers) {
    if (!(weight >= 0 && weight <= 1)) {
      return Error(InvalidParameter("rank param weight should be in range [0, 1]"));
    }
    sum.weights.push_back(static_cast<float>(weight));
  }
  if (sum.weights.size() != searches) {
    return Error(InvalidParameter("the length of weights param mismatch with ann search requests",
                                  std::to_string(searches), std::to_string(sum.weights.size())));
  }
  ASSIGN_OR_RETURN(auto normalize, params.Boolean("norm_score", "parse norm_score failed"));
  sum.normalize = normalize.value_or(false);
  return rank::Fusion(std::move(sum));
}

Result<ScorePlan> PlanFunctionScore(const model::CollectionSchema& schema,
                                    const service::FunctionScore& score, size_t searches) {
  if (score.functions.size() != 1) {
    return Error(InvalidParameter(fmt::format(
        "currently only one rerank function is supported, got {}", score.functions.size())));
  }
  const service::RerankFunction& function = score.functions[0];
  ASSIGN_OR_RETURN(const Params params, Params::Open(LowerKeys(function.params)));
  const std::string* reranker = params.Text("reranker");
  if (reranker == nullptr || reranker->empty()) {
    return Error(InvalidParameter("reranker name not specified"));
  }
  ScorePlan plan;
  if (*reranker == "rrf") {
    ASSIGN_OR_RETURN(plan.fusion, PlanReciprocalRank(params));
  } else if (*reranker == "weighted") {
    ASSIGN_OR_RETURN(plan.fusion, PlanWeightedSum(params, searches));
  } else if (*reranker == "decay") {
    ASSIGN_OR_RETURN(plan.input.field, DecayInput(schema, function));
    ASSIGN_OR_RETURN(plan.decay, PlanDecay(params));
    ASSIGN_OR_RETURN(plan.fusion, PlanDecayed(params));
  } else if (*reranker == "boost") {
    return Error(InvalidParameter(
        "a boost reranker belongs to a search of one vector field, not to a hybrid search"));
  } else if (*reranker == "model") {
    return Error(Code::kUnimplemented,
                 fmt::format("reranker {} is not supported: service unimplemented", *reranker));
  } else {
    return Error(InvalidParameter(fmt::format("unsupported reranker {}", *reranker)));
  }
  return plan;
}

}  // namespace elanus::proxy
