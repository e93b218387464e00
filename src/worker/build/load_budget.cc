#include "worker/build/load_budget.h"

namespace elanus::worker {
namespace {

bool Truth(const std::string* value) {
  return value != nullptr && (*value == "true" || *value == "True");
}

}  // namespace

std::shared_ptr<const void> LoadBudget::Take(uint64_t bytes) const {
  uint64_t taken = state_->taken.load();
  do {
    if (bytes > state_->max - taken) return nullptr;
  } while (!state_->taken.compare_exchange_weak(taken, taken + bytes));
  return {state_.get(), [state = state_, bytes](const void*) { state->taken -= bytes; }};
}

bool WantsMapped(const model::CollectionInfo& collection, const model::FieldSchema& field) {
  for (const std::string_view key : {"mmap.enabled", "mmap_enabled"}) {
    if (const std::string* own = model::FindValue(field.type_params, key)) return Truth(own);
  }
  return Truth(model::FindValue(collection.properties, "mmap.enabled"));
}

bool WantsMapped(const model::CollectionInfo& collection, const model::IndexInfo& index) {
  if (const std::string* own = model::FindValue(index.params, "mmap.enabled")) return Truth(own);
  return Truth(model::FindValue(collection.properties, "mmap.enabled"));
}

}  // namespace elanus::worker
