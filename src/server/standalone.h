// Everything of a standalone server but its sockets: storage in one folder, the roles wired with
// direct calls. Holds: one process a folder (lock file); recovery is over when Open returns. Called
// by main.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/metrics.h"
#include "base/status.h"
#include "coordinator/coordinator_service.h"
#include "model/hybrid_time.h"
#include "proxy/catalog_frontend.h"
#include "proxy/row_frontend.h"
#include "server/config.h"
#include "server/timestamp_ceiling.h"
#include "service/copying.h"
#include "storage/log/log.h"
#include "storage/meta/meta_store.h"
#include "storage/object/object_store.h"
#include "worker/stream/shard_owner.h"

namespace elanus {

using LogBroken = std::function<void(const Status&)>;

/// Logs why and exits at once with kExitLogBroken: after a failed sync nobody knows what is on the
/// disk; the next start reads it and does. Nothing acknowledged is lost.
inline constexpr int kExitLogBroken = 3;
void EndProcess(const Status& why);

/// Threads that compute for clients: the knob's number, or for 0 the cores this process may use, at
/// least 2.
size_t DataThreads(const Config& config);

class Standalone {
 public:
  /// Errors: kUnavailable naming who has the folder; kIoFailed, kDiskLimit; kDataIntegrity naming a
  /// damaged file.
  /// \param log_broken  called once when the log fails for good; ends the process by default
  static Result<std::unique_ptr<Standalone>> Open(FileSystem& files, const std::string& dir,
                                                  const Config& config,
                                                  LogBroken log_broken = EndProcess);
  /// Answers what was accepted, then syncs and closes the log.
  ~Standalone();

  service::FrontendCatalog& catalog() { return *catalog_; }
  service::FrontendData& data() { return *data_; }
  const worker::ShardOwner& owner() const { return *owner_; }
  storage::LogStats log_stats() const { return log_->Stats(); }
  /// ok while it can serve writes. Errors: what broke the log.
  Status Health() const { return log_->Stats().broken; }

 private:
  Standalone() : clock_(SystemClock()) {}
  Status OpenStorage(FileSystem& files, const std::string& dir, const Config& config,
                     const LogBroken& log_broken);
  Status OpenRoles(const Config& config, const LogBroken& log_broken);

  std::unique_ptr<FileLock> lock_;
  model::HybridClock clock_;
  std::unique_ptr<storage::MetaStore> meta_;
  std::unique_ptr<TimestampCeiling> ceiling_;
  std::unique_ptr<storage::ObjectStore> objects_;
  std::unique_ptr<storage::Log> log_;
  std::unique_ptr<worker::ShardOwner> owner_;
  std::unique_ptr<coordinator::CoordinatorService> coordinator_;
  // Between the proxy and the roles behind it, when calls are to go through bytes.
  std::unique_ptr<service::CopyingShardService> copying_shards_;
  std::unique_ptr<service::CopyingCoordinator> copying_coordinator_;
  std::unique_ptr<proxy::CatalogFrontend> catalog_;
  std::unique_ptr<proxy::RowFrontend> data_;
};

}  // namespace elanus
