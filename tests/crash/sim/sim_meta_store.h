// A MetaStore on a simulated disk: the memory form, and a journal of its commits in one file.
// Holds: a commit that was answered is there after a power loss; one that a power loss cut off is
// there wholly or not at all, and stays so. It is the model of "durable when Commit returns" that
// RocksDB (which opens its files itself and cannot run on SimFileSystem) is trusted to keep.
// Called by the simulated process. Threads: safe from any.
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "storage/meta/meta_store.h"

namespace elanus::crash {

/// The store whose journal lies in `dir`, which is created.
Result<std::unique_ptr<storage::MetaStore>> OpenSimMetaStore(FileSystem& files,
                                                             const std::string& dir);

}  // namespace elanus::crash
