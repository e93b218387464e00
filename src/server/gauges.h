// The server's state on /metrics: segments, jobs, memory by part, the log. Label sets are fixed.
// Holds: a scrape looks at the state once, not once a gauge. Called by main.cc. Threads: the one
// that prints the metrics.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "server/machine.h"
#include "server/standalone.h"

namespace elanus {

class Gauges {
 public:
  /// Both outlive this.
  Gauges(MetricRegistry& registry, const Standalone& server);
  ~Gauges();
  Gauges(const Gauges&) = delete;
  Gauges& operator=(const Gauges&) = delete;

 private:
  struct State {
    worker::ShardOwner::Counters owner;
    storage::LogStats log;
    ProcessMemory memory;
  };
  using Read = double (*)(const State&);
  struct Gauge {
    std::string name;
    std::string help;
    MetricRegistry::Labels labels;
    Read read;
  };

  static std::vector<Gauge> All();
  /// Not older than a fraction of a second.
  State Look() EXCLUDES(mutex_);

  MetricRegistry& registry_;
  const Standalone& server_;
  Mutex mutex_;
  State state_ GUARDED_BY(mutex_);
  int64_t looked_us_ GUARDED_BY(mutex_) = -1;
};

}  // namespace elanus
