// How far a job of merges is, as gRPC and REST both count it.
// Called by handle_compaction and rest_catalog. Threads: any.
#pragma once

#include <cstdint>
#include <vector>

#include "service/compaction.h"

namespace elanus::gateway {

/// A job none of whose plans is executing is completed, also one that is not known: as in Milvus.
struct CompactionProgress {
  int64_t executing = 0;  ///< waiting ones too
  int64_t completed = 0;
  int64_t failed = 0;
};

inline CompactionProgress ProgressOf(const std::vector<service::CompactionPlan>& plans) {
  CompactionProgress progress;
  for (const service::CompactionPlan& plan : plans) {
    switch (plan.state) {
      case service::CompactionState::kWaiting:
      case service::CompactionState::kRunning: ++progress.executing; break;
      case service::CompactionState::kCompleted: ++progress.completed; break;
      case service::CompactionState::kFailed: ++progress.failed; break;
    }
  }
  return progress;
}

}  // namespace elanus::gateway
