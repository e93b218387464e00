#include "sim/process.h"

#include "coordinator/catalog.h"
#include "sim/sim_meta_store.h"

namespace elanus::crash {

Result<std::unique_ptr<Process>> Process::Open(Machine& machine,
                                               std::function<void(worker::JobStep)> at_step) {
  std::unique_ptr<Process> process(new Process(machine));
  RETURN_IF_ERROR(process->OpenAll(machine, std::move(at_step)));
  return process;
}

Status Process::OpenAll(Machine& machine, std::function<void(worker::JobStep)> at_step) {
  SimFileSystem& files = machine.files;
  ASSIGN_OR_RETURN(meta_, OpenSimMetaStore(files, "data/meta"));
  ASSIGN_OR_RETURN(objects_, storage::OpenDirectoryObjectStore(files, "data/objects"));
  ASSIGN_OR_RETURN(log_, storage::OpenFileLog(files, "data/log",
                                              {.partition = {1},
                                               .term = ++machine.term,
                                               .file_bytes = 32 << 10,
                                               .first_file_bytes = 16 << 10,
                                               .make_ahead = false}));
  coordinator::Catalog catalog(*meta_);
  RETURN_IF_ERROR(catalog.Load(clock_));
  std::vector<service::CollectionPtr> collections;
  for (const auto& [id, collection] : catalog.state()->collections()) {
    collections.push_back(collection);
  }
  worker::ShardOwnerOptions options;
  options.maintenance.flush.growing_bytes = 24 << 10;
  options.maintenance.merge.segments_max = 2;
  options.maintenance.retention_ms = kRetentionMs;
  options.maintenance.build_threads = 1;
  options.maintenance.threads = false;
  options.maintenance.at_step = std::move(at_step);
  ASSIGN_OR_RETURN(
      owner_,
      worker::ShardOwner::Open(
          {.meta = meta_.get(), .objects = objects_.get(), .log = log_.get(), .clock = &clock_},
          options, collections));
  coordinator_ = std::make_unique<coordinator::CoordinatorService>(*meta_, *owner_, clock_);
  return coordinator_->Recover();
}

Process::~Process() {
  coordinator_.reset();
  owner_.reset();
  log_.reset();
}

}  // namespace elanus::crash
