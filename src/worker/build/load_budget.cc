#include "worker/build/load_budget.h"

#include "model/property.h"

namespace elanus::worker {
namespace {

bool IsOn(const std::string* property) { return property != nullptr && model::IsTrue(*property); }

}  // namespace

std::shared_ptr<const void> LoadBudget::Take(uint64_t bytes) const {
  uint64_t taken = state_->taken.load();
  do {
    if (bytes > state_->max - taken) return nullptr;
  } while (!state_->taken.compare_exchange_weak(taken, taken + bytes));
  return {state_.get(), [state = state_, bytes](const void*) { state->taken -= bytes; }};
}

bool WantsMapped(const model::CollectionInfo& collection, const model::FieldSchema& field) {
  for (const std::string_view key : {model::kMmapKey, model::kFieldMmapKey}) {
    if (const std::string* own = model::FindValue(field.type_params, key)) return IsOn(own);
  }
  return IsOn(model::FindValue(collection.properties, model::kMmapKey));
}

bool WantsMapped(const model::CollectionInfo& collection, const model::IndexInfo& index) {
  if (const std::string* own = model::FindValue(index.params, model::kMmapKey)) return IsOn(own);
  return IsOn(model::FindValue(collection.properties, model::kMmapKey));
}

}  // namespace elanus::worker
