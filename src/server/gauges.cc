#include "server/gauges.h"

#include "base/clock.h"

namespace elanus {
namespace {

constexpr int64_t kFreshUs = 200'000;  // one scrape reads all gauges within this

/// The time that `part` of all syncs stayed below, in seconds: the bound of its bucket, which is
/// at most twice too long.
double SyncSeconds(const storage::LogStats& log, double part) {
  uint64_t all = 0;
  for (const uint64_t count : log.sync_us) all += count;
  uint64_t below = 0;
  for (size_t i = 0; i < log.sync_us.size(); ++i) {
    below += log.sync_us[i];
    if (below != 0 && static_cast<double>(below) >= part * static_cast<double>(all))
      return static_cast<double>(uint64_t{1} << i) * 1e-6;
  }
  return 0;
}

}  // namespace

std::vector<Gauges::Gauge> Gauges::All() {
  constexpr const char* kSegments = "elanus_segments";
  constexpr const char* kSegmentsHelp = "Segments by state.";
  constexpr const char* kRunning = "elanus_jobs_running";
  constexpr const char* kRunningHelp = "Flushes, merges and index builds that run.";
  constexpr const char* kDone = "elanus_jobs_done";
  constexpr const char* kDoneHelp = "Flushes, merges and index builds since the start.";
  constexpr const char* kMemory = "elanus_memory_bytes";
  constexpr const char* kMemoryHelp =
      "Memory by part; builds: what merges and index builds stated as their peak.";
  constexpr const char* kSync = "elanus_log_sync_seconds";
  constexpr const char* kSyncHelp = "Time of the log's syncs, to a factor of two.";
#define ELANUS_READ(expression) [](const State& s) { return static_cast<double>(expression); }
  return {
      {"elanus_shards", "Shards by state.", {{"state", "all"}}, ELANUS_READ(s.owner.shards)},
      {"elanus_shards",
       "Shards by state.",
       {{"state", "parked"}},
       ELANUS_READ(s.owner.shards_parked)},
      {kSegments, kSegmentsHelp, {{"state", "growing"}}, ELANUS_READ(s.owner.segments_growing)},
      {kSegments, kSegmentsHelp, {{"state", "sealed"}}, ELANUS_READ(s.owner.segments_sealed)},
      {kRunning,
       kRunningHelp,
       {{"job", "flush"}},
       ELANUS_READ(s.owner.maintenance.flushes_running)},
      {kRunning, kRunningHelp, {{"job", "merge"}}, ELANUS_READ(s.owner.maintenance.merges_running)},
      {kRunning,
       kRunningHelp,
       {{"job", "index_build"}},
       ELANUS_READ(s.owner.maintenance.index_builds_running)},
      {kDone, kDoneHelp, {{"job", "flush"}}, ELANUS_READ(s.owner.maintenance.flushes)},
      {kDone, kDoneHelp, {{"job", "merge"}}, ELANUS_READ(s.owner.maintenance.merges)},
      {kDone, kDoneHelp, {{"job", "index_build"}}, ELANUS_READ(s.owner.maintenance.index_builds)},
      {"elanus_jobs_failed",
       "Flushes, merges, index builds and loads that failed.",
       {},
       ELANUS_READ(s.owner.maintenance.failures)},
      {"elanus_jobs_waiting",
       "Merges and index builds that wait for memory.",
       {},
       ELANUS_READ(s.owner.builds_waiting)},
      {"elanus_writers_waiting",
       "Writes that wait for a flush or the log to make room.",
       {},
       ELANUS_READ(s.owner.writers_waiting)},
      {kMemory, kMemoryHelp, {{"part", "growing"}}, ELANUS_READ(s.owner.bytes_unflushed)},
      {kMemory, kMemoryHelp, {{"part", "vectors"}}, ELANUS_READ(s.owner.bytes_vectors)},
      {kMemory, kMemoryHelp, {{"part", "indexes"}}, ELANUS_READ(s.owner.bytes_indexes)},
      {kMemory, kMemoryHelp, {{"part", "growing graphs"}}, ELANUS_READ(s.owner.bytes_graphs)},
      {kMemory, kMemoryHelp, {{"part", "builds"}}, ELANUS_READ(s.owner.bytes_builds)},
      {kMemory, kMemoryHelp, {{"part", "writes"}}, ELANUS_READ(s.owner.bytes_in_flight)},
      {"elanus_process_resident_bytes",
       "Memory of the process that is in RAM.",
       {},
       ELANUS_READ(s.memory.resident_bytes)},
      {"elanus_process_anon_huge_pages_bytes",
       "Of it, on pages of 2 MiB.",
       {},
       ELANUS_READ(s.memory.anonymous_huge_bytes)},
      {"elanus_log_pending_bytes",
       "Records that wait for the disk.",
       {},
       ELANUS_READ(s.log.bytes_pending)},
      {"elanus_log_disk_bytes", "The log's files.", {}, ELANUS_READ(s.log.bytes_on_disk)},
      {"elanus_log_syncs", "Syncs of the log since the start.", {}, ELANUS_READ(s.log.syncs)},
      {"elanus_log_sync_seconds_sum",
       "Time spent in them.",
       {},
       ELANUS_READ(static_cast<double>(s.log.sync_us_total) * 1e-6)},
      {kSync, kSyncHelp, {{"quantile", "0.5"}}, ELANUS_READ(SyncSeconds(s.log, 0.5))},
      {kSync, kSyncHelp, {{"quantile", "0.99"}}, ELANUS_READ(SyncSeconds(s.log, 0.99))},
  };
#undef ELANUS_READ
}

Gauges::Gauges(MetricRegistry& registry, const Standalone& server)
    : registry_(registry), server_(server) {
  for (const Gauge& gauge : All()) {
    registry_.AddGaugeFunction(gauge.name, gauge.help, gauge.labels,
                               [this, read = gauge.read] { return read(Look()); });
  }
}

Gauges::~Gauges() {
  for (const Gauge& gauge : All()) registry_.RemoveGauge(gauge.name, gauge.labels);
}

Gauges::State Gauges::Look() {
  MutexLock lock(mutex_);
  const int64_t now_us = SystemClock().MonotonicUs();
  if (looked_us_ < 0 || now_us - looked_us_ > kFreshUs) {
    state_ = {.owner = server_.owner().counters(),
              .log = server_.log_stats(),
              .memory = ReadProcessMemory()};
    looked_us_ = now_us;
  }
  return state_;
}

}  // namespace elanus
