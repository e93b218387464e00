// The memory that vectors and vector indexes of loaded segments may hold. Holds: what is out never
// exceeds the budget; what does not fit is not refused but read where it lies, in the mapped file.
// Called by jobs and loads. Threads: any; copies share one budget.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "model/collection.h"

namespace elanus::worker {

class LoadBudget {
 public:
  explicit LoadBudget(uint64_t bytes_max = UINT64_MAX)
      : state_(std::make_shared<State>(bytes_max)) {}

  /// Bytes that may become resident, given back when the last copy of the lease goes; null: too
  /// many.
  std::shared_ptr<const void> Take(uint64_t bytes) const;
  uint64_t bytes_left() const { return state_->max - state_->taken.load(); }

 private:
  struct State {
    explicit State(uint64_t bytes) : max(bytes) {}
    const uint64_t max;
    std::atomic<uint64_t> taken{0};
  };
  std::shared_ptr<State> state_;
};

/// Whether the user wants the field's rows, or the index, left in the mapped file (`mmap.enabled`
/// of field or index, else of the collection).
bool WantsMapped(const model::CollectionInfo& collection, const model::FieldSchema& field);
bool WantsMapped(const model::CollectionInfo& collection, const model::IndexInfo& index);

/// How a collection's segments are brought into memory.
struct Loading {
  const model::CollectionInfo& collection;
  const LoadBudget& budget;
};

}  // namespace elanus::worker
