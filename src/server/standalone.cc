#include "server/standalone.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "base/codec.h"
#include "base/log.h"
#include "coordinator/catalog.h"
#include "server/machine.h"

namespace elanus {
namespace {

constexpr const char* kTermKey = "log/0/term";

/// One more than the term of the last process: its log writer, should it still run, is fenced.
Result<uint64_t> NextTerm(storage::MetaStore& meta) {
  ASSIGN_OR_RETURN(auto entry, meta.Get(kTermKey));
  uint64_t term = 0;
  if (entry) {
    ASSIGN_OR_RETURN(term, DecodeBytes<uint64_t>(entry->value, kTermKey));
  }
  ++term;
  ASSIGN_OR_RETURN(auto commit, meta.Commit({.compares = {{kTermKey, entry ? entry->revision : 0}},
                                             .puts = {{kTermKey, EncodeBytes(term)}}}));
  if (!commit.committed)
    return Error(Code::kUnavailable, "another process opened the log: service unavailable");
  return term;
}

size_t ReadCores(const Config& config) {
  return std::min(DataThreads(config), static_cast<size_t>(CoresTotal()));
}

worker::ShardOwnerOptions OwnerOptions(const Config& config) {
  worker::ShardOwnerOptions options;
  worker::FlushLimits& flush = options.maintenance.flush;
  flush.growing_bytes = static_cast<uint64_t>(config.Number("segment.growing_bytes"));
  // One shard's rows are in the log until it is flushed.
  flush.log_files =
      std::max(flush.log_files, flush.growing_bytes / storage::FileLogOptions().file_bytes + 1);
  options.maintenance.flush.age_ms = config.Number("segment.flush_age_ms");
  options.maintenance.merge.segment_bytes_max =
      static_cast<uint64_t>(config.Number("segment.merged_bytes_max"));
  options.maintenance.merge.segments_max =
      static_cast<size_t>(config.Number("segment.small_segments_max"));
  options.maintenance.settle_ms = config.Number("build.settle_ms");
  const auto memory = static_cast<uint64_t>(config.Number("build.memory_max"));
  options.maintenance.build_memory_max = memory != 0 ? memory : MemoryTotalBytes() / 4;
  const auto load = static_cast<uint64_t>(config.Number("load.memory_max"));
  options.maintenance.load = worker::LoadBudget(load != 0 ? load : MemoryTotalBytes() / 4 * 3);
  options.maintenance.retention_ms = config.Number("history.retention_ms");
  const int cores = CoresTotal();
  const auto build_threads = static_cast<int>(config.Number("build.threads"));
  options.maintenance.build_threads = build_threads != 0 ? build_threads : cores;
  options.gate.unflushed_bytes_max =
      static_cast<uint64_t>(config.Number("segment.unflushed_bytes_max"));
  options.gate.wait_ms = config.Number("segment.write_wait_ms");
  options.log.wait_ms = options.gate.wait_ms;
  // Whoever waits holds its request: the gateway bounds the bytes of all, so that here nobody is
  // refused who could wait.
  const auto requests = static_cast<uint64_t>(config.Number("gateway.request_bytes_max"));
  options.gate.waiting_bytes_max = std::max(requests, options.gate.waiting_bytes_max);
  options.log.bytes_waiting_max = std::max(requests, options.log.bytes_waiting_max);
  options.read_cores = ReadCores(config);
  options.filter_bytes_max = static_cast<uint64_t>(config.Number("query.filter_bytes_max"));
  return options;
}

/// The log tells what its own thread sees, its owner what an append meets: of one failure one is
/// heard.
LogBroken Once(LogBroken tell) {
  return [tell = std::move(tell),
          told = std::make_shared<std::atomic<bool>>(false)](const Status& why) {
    if (!told->exchange(true)) tell(why);
  };
}

}  // namespace

size_t DataThreads(const Config& config) {
  const auto threads = static_cast<size_t>(config.Number("gateway.data_threads"));
  return threads != 0 ? threads : static_cast<size_t>(std::max(CoresTotal(), 2));
}

Result<std::unique_ptr<Standalone>> Standalone::Open(FileSystem& files, const std::string& dir,
                                                     const Config& config, LogBroken log_broken) {
  const LogPhase phase("recovery", "pid", getpid());
  std::unique_ptr<Standalone> server(new Standalone());
  const LogBroken broken = Once(std::move(log_broken));
  RETURN_IF_ERROR(server->OpenStorage(files, dir, config, broken));
  RETURN_IF_ERROR(server->OpenRoles(config, broken));
  return server;
}

void EndProcess(const Status& why) {
  LogError("the log failed, ending: start again once its disk works error={}", why.message());
  std::_Exit(kExitLogBroken);
}

Status Standalone::OpenStorage(FileSystem& files, const std::string& dir, const Config& config,
                               const LogBroken& log_broken) {
  RETURN_IF_ERROR(files.CreateDirs(dir));
  ASSIGN_OR_RETURN(lock_, files.LockFile(dir + "/LOCK"));
  ASSIGN_OR_RETURN(meta_, storage::OpenRocksMetaStore(dir + "/meta"));
  ASSIGN_OR_RETURN(ceiling_, TimestampCeiling::Open(*meta_, clock_));
  ASSIGN_OR_RETURN(objects_, storage::OpenDirectoryObjectStore(files, dir + "/objects"));
  ASSIGN_OR_RETURN(const uint64_t term, NextTerm(*meta_));
  ASSIGN_OR_RETURN(log_,
                   storage::OpenFileLog(files, dir + "/log",
                                        {.partition = {1},
                                         .term = term,
                                         .durability = config.Number("log.durability_async") != 0
                                                           ? storage::LogDurability::kAsync
                                                           : storage::LogDurability::kSync,
                                         .broken = log_broken}));
  return Status::Ok();
}

Status Standalone::OpenRoles(const Config& config, const LogBroken& log_broken) {
  // The log can only be replayed into shards that are there: the catalog is read first, on its own.
  coordinator::Catalog catalog(*meta_);
  RETURN_IF_ERROR(catalog.Load(clock_));
  std::vector<service::CollectionPtr> collections;
  for (const auto& [id, collection] : catalog.state()->collections())
    collections.push_back(collection);
  worker::ShardOwnerOptions options = OwnerOptions(config);
  options.log.broken = log_broken;
  ASSIGN_OR_RETURN(
      owner_,
      worker::ShardOwner::Open(
          {.meta = meta_.get(), .objects = objects_.get(), .log = log_.get(), .clock = &clock_},
          options, collections));
  coordinator_ = std::make_unique<coordinator::CoordinatorService>(*meta_, *owner_, clock_);
  RETURN_IF_ERROR(coordinator_->Recover());
  service::ShardService* shards = owner_.get();
  service::Coordinator* coordinator = coordinator_.get();
  if (config.Number("service.copy_calls") != 0) {
    copying_shards_ = std::make_unique<service::CopyingShardService>(*owner_);
    copying_coordinator_ = std::make_unique<service::CopyingCoordinator>(*coordinator_);
    shards = copying_shards_.get();
    coordinator = copying_coordinator_.get();
  }
  catalog_ = std::make_unique<proxy::CatalogFrontend>(*coordinator, *shards, clock_);
  data_ = std::make_unique<proxy::RowFrontend>(
      proxy::Backends{.coordinator = *coordinator,
                      .shards = *shards,
                      .clock = clock_,
                      .history_ms = config.Number("history.retention_ms"),
                      .crew = &owner_->crew()});
  return Status::Ok();
}

Standalone::~Standalone() {
  data_.reset();
  catalog_.reset();
  coordinator_.reset();
  owner_.reset();
  log_.reset();
  ceiling_.reset();
}

}  // namespace elanus
