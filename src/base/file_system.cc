#include "base/file_system.h"

#include <fmt/core.h>

#include <cerrno>
#include <system_error>

namespace elanus {

Status FileSystem::CreateDirs(const std::string& path) {
  ASSIGN_OR_RETURN(bool exists, Exists(path));
  const std::string parent = ParentPath(path);
  if (!exists) {
    if (parent != path) RETURN_IF_ERROR(CreateDirs(parent));
    RETURN_IF_ERROR(CreateDir(path));
  }
  // Also when it exists: a process that died between making the folder and this sync left a name
  // that a power loss could still take away.
  if (parent == path || path == ".") return Status::Ok();
  Status synced = SyncDir(parent);
  return exists && !synced.ok() ? Status::Ok() : synced;  // a folder above ours may be unreadable
}

Result<std::string> FileSystem::ReadFile(const std::string& path) {
  ASSIGN_OR_RETURN(auto file, OpenReadable(path));
  ASSIGN_OR_RETURN(uint64_t size, file->Size());
  std::string bytes(size, '\0');
  ASSIGN_OR_RETURN(size_t got, file->ReadAt(0, bytes.size(), bytes.data()));
  bytes.resize(got);
  return bytes;
}

Status FileSystem::WriteFile(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  ASSIGN_OR_RETURN(auto file, OpenWritable(temporary, OpenMode::kTruncate));
  RETURN_IF_ERROR(file->Append(bytes));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(file->Close());
  RETURN_IF_ERROR(Rename(temporary, path));
  return SyncDir(ParentPath(path));
}

std::string ParentPath(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

Status IoError(std::string_view call, std::string_view path, int error_number) {
  Code code = Code::kIoFailed;
  if (error_number == ENOSPC || error_number == EDQUOT) code = Code::kDiskLimit;
  if (error_number == ENOENT) code = Code::kKeyNotFound;
  return {code,
          fmt::format("{} {}: {}", call, path, std::generic_category().message(error_number))};
}

}  // namespace elanus
