#include "worker/stream/maintenance.h"

#include <utility>

#include "base/check.h"

namespace elanus::worker {
namespace {

JobContext ContextOf(const MaintenanceOptions& options, model::HybridClock& clock,
                     std::stop_token stop) {
  return {.clock = &clock,
          .retention_ms = options.retention_ms,
          .build_threads = options.build_threads,
          .load = options.load,
          .stop = std::move(stop),
          .at_step = options.at_step};
}

}  // namespace

Maintenance::Maintenance(const MaintenanceOptions& options, model::HybridClock& clock,
                         const ShardList& shards, LogEvents log)
    : threads_(options.threads),
      log_(std::move(log)),
      compactor_({.merge = options.merge,
                  .memory_max = options.build_memory_max,
                  .settle_ms = options.settle_ms},
                 shards, ContextOf(options, clock, stop_.get_token()), tally_),
      flusher_(
          options.flush, shards, ContextOf(options, clock, stop_.get_token()), tally_,
          {.log = log_.stats, .looked = [this] { Looked(); }, .flushed = [this] { KickBuild(); }}),
      grower_(shards) {
  if (!threads_) return;
  compactor_.Start();
  flusher_.Start();
  grower_.Start();
}

void Maintenance::Looked() {
  log_.looked();
  if (threads_) grower_.KickIfBehind();
}

void Maintenance::Stop() {
  stop_.request_stop();
  grower_.Stop();
  flusher_.Stop();
  compactor_.Stop();
}

bool Maintenance::RunOnce() {
  ELANUS_CHECK(!threads_);
  flusher_.FlushDue();
  log_.looked();
  grower_.GrowWanted({});
  return compactor_.RunOnce();
}

}  // namespace elanus::worker
