// Reading the file log behind its writer. Called by file_log.cc.
#pragma once

#include <memory>
#include <string>

#include "storage/log/log.h"
#include "storage/log/log_files.h"

namespace elanus::storage {

Result<std::unique_ptr<LogCursor>> OpenLogCursor(FileSystem& files, std::string dir,
                                                 std::shared_ptr<const LogIndex> index,
                                                 uint64_t from_seq);

}  // namespace elanus::storage
