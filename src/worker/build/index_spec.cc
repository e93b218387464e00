#include "worker/build/index_spec.h"

#include <charconv>

namespace elanus::worker {
namespace {

int NumberOr(const model::KeyValues& params, std::string_view key, int fallback) {
  const std::string* text = model::FindValue(params, key);
  int number = 0;
  if (text == nullptr ||
      std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc()) {
    return fallback;
  }
  return number;
}

}  // namespace

std::optional<index::BuildParams> BuildParamsOf(const model::IndexInfo& info,
                                                const model::FieldSchema& field, uint64_t rows) {
  if (field.type != model::DataType::kFloatVector || rows < kIndexRowsMin) return std::nullopt;
  const std::string* type = model::FindValue(info.params, "index_type");
  const std::string* metric_name = model::FindValue(info.params, "metric_type");
  const auto metric = model::MetricFromName(metric_name != nullptr ? *metric_name : "COSINE");
  index::BuildParams params{.metric = metric.value_or(model::Metric::kCosine),
                            .seed = static_cast<uint64_t>(info.id.value)};
  if (type == nullptr || *type == "AUTOINDEX") {
    params.kind = index::Kind::kHnsw;
    params.m = 18;
    params.ef_construction = 240;
  } else if (*type == "HNSW") {
    params.kind = index::Kind::kHnsw;
    params.m = NumberOr(info.params, "M", params.m);
    params.ef_construction = NumberOr(info.params, "efConstruction", params.ef_construction);
  } else if (*type == "IVF_FLAT") {
    params.kind = index::Kind::kIvfFlat;
    params.nlist = NumberOr(info.params, "nlist", params.nlist);
  } else {
    return std::nullopt;
  }
  return params;
}

}  // namespace elanus::worker
