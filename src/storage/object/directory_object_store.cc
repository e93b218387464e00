// Objects as files below one folder. A file is written under a temporary name beside its own,
// synced, renamed and its folder synced, in this order: a name never stands for a part of its
// bytes, also after a power loss.
#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "storage/object/object_store.h"

namespace elanus::storage {
namespace {

constexpr std::string_view kTemporary = ".tmp";

class FileObjectWriter final : public ObjectWriter {
 public:
  FileObjectWriter(FileSystem& files, std::string path, std::unique_ptr<WritableFile> file)
      : files_(files), path_(std::move(path)), file_(std::move(file)) {}

  ~FileObjectWriter() override {
    if (finished_) return;
    // A leftover that cannot be removed now goes when the store is opened next.
    std::ignore = files_.Remove(Temporary());
  }

  Status Append(std::string_view bytes) override { return file_->Append(bytes); }

  Status Finish() override {
    RETURN_IF_ERROR(file_->Sync());
    RETURN_IF_ERROR(file_->Close());
    RETURN_IF_ERROR(files_.Rename(Temporary(), path_));
    finished_ = true;
    Status synced = files_.SyncDir(ParentPath(path_));
    // The caller will not name it, so it must not stay.
    if (!synced.ok()) std::ignore = files_.Remove(path_);
    return synced;
  }

 private:
  std::string Temporary() const { return path_ + std::string(kTemporary); }

  FileSystem& files_;
  const std::string path_;
  const std::unique_ptr<WritableFile> file_;
  bool finished_ = false;
};

class DirectoryObjectStore final : public ObjectStore {
 public:
  DirectoryObjectStore(FileSystem& files, std::string root)
      : files_(files), root_(std::move(root)) {}

  /// Removes temporary files and empty folders below `dir`.
  Status Clean(const std::string& dir) {
    ASSIGN_OR_RETURN(auto entries, files_.List(dir));
    bool removed_folder = false;
    for (const DirEntry& entry : entries) {
      const std::string path = dir + "/" + entry.name;
      if (entry.is_directory) {
        RETURN_IF_ERROR(Clean(path));
        ASSIGN_OR_RETURN(auto left, files_.List(path));
        if (!left.empty()) continue;
        RETURN_IF_ERROR(files_.Remove(path));
        removed_folder = true;
      } else if (entry.name.ends_with(kTemporary)) {
        LogDebug("object store: removing unfinished file path={}", path);
        RETURN_IF_ERROR(files_.Remove(path));
      }
    }
    // The process before may have died between removing the last file of a folder and syncing
    // that. Delete cannot sync a folder that is gone, so the folder must not come back.
    return removed_folder ? files_.SyncDir(dir) : Status::Ok();
  }

  Status Put(const std::string& name, std::string_view bytes) override {
    ASSIGN_OR_RETURN(auto writer, Create(name));
    RETURN_IF_ERROR(writer->Append(bytes));
    return writer->Finish();
  }

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& name) override {
    ASSIGN_OR_RETURN(std::string path, Path(name));
    RETURN_IF_ERROR(EnsureDir(ParentPath(path)));
    // The temporary name admits one writer at a time; only with it in hand the check below holds.
    ASSIGN_OR_RETURN(auto file,
                     files_.OpenWritable(path + std::string(kTemporary), OpenMode::kCreate));
    auto writer = std::make_unique<FileObjectWriter>(files_, path, std::move(file));
    ASSIGN_OR_RETURN(bool exists, files_.Exists(path));
    if (exists) return Error(Code::kIoFailed, fmt::format("object {} exists already", name));
    return writer;
  }

  Result<std::string> Get(const std::string& name) override {
    ASSIGN_OR_RETURN(std::string path, Path(name));
    return files_.ReadFile(path);
  }

  Result<std::string> GetRange(const std::string& name, ByteRange range) override {
    ASSIGN_OR_RETURN(std::string path, Path(name));
    ASSIGN_OR_RETURN(auto file, files_.OpenReadable(path));
    ASSIGN_OR_RETURN(uint64_t size, file->Size());
    size_t got = 0;
    std::string bytes;
    if (range.offset <= size && range.size <= size - range.offset) {
      bytes.resize(range.size);
      ASSIGN_OR_RETURN(got, file->ReadAt(range.offset, range.size, bytes.data()));
      if (got == range.size) return bytes;
    }
    return Error(Code::kUnexpectedEof, fmt::format("object {} has {} bytes, wanted {} from {}",
                                                   name, size, range.size, range.offset));
  }

  Result<std::shared_ptr<const MappedObject>> Map(const std::string& name) override {
    ASSIGN_OR_RETURN(std::string path, Path(name));
    return files_.MapFile(path);
  }

  Status Delete(const std::string& name) override {
    ASSIGN_OR_RETURN(std::string path, Path(name));
    Status removed = files_.Remove(path);
    if (!removed.ok() && removed.code() != Code::kKeyNotFound) return removed;
    // Also when it is gone already: the process may have died between removing and syncing.
    Status synced = files_.SyncDir(ParentPath(path));
    return synced.code() == Code::kKeyNotFound ? Status::Ok() : synced;
  }

  Result<std::vector<std::string>> List(const ObjectListing& listing) override {
    std::vector<std::string> names;
    RETURN_IF_ERROR(Walk("", listing, names));
    return names;
  }

  Result<uint64_t> Size(const std::string& name) override {
    ASSIGN_OR_RETURN(std::string path, Path(name));
    ASSIGN_OR_RETURN(auto file, files_.OpenReadable(path));
    return file->Size();
  }

 private:
  Result<std::string> Path(const std::string& name) const {
    RETURN_IF_ERROR(CheckObjectName(name));
    return root_ + "/" + name;
  }

  /// Makes the folder and those above it, each durable, once in the life of the store.
  Status EnsureDir(const std::string& dir) {
    if (dir == root_) return Status::Ok();
    {
      MutexLock lock(mutex_);
      if (durable_dirs_.contains(dir)) return Status::Ok();
    }
    const std::string parent = ParentPath(dir);
    RETURN_IF_ERROR(EnsureDir(parent));
    RETURN_IF_ERROR(files_.CreateDir(dir));
    // Also when it was there: who made it may have died before this sync.
    RETURN_IF_ERROR(files_.SyncDir(parent));
    MutexLock lock(mutex_);
    durable_dirs_.insert(dir);
    return Status::Ok();
  }

  /// Adds the names below `folder` ("" or "a/b/") in byte order until the page is full.
  Status Walk(const std::string& folder, const ObjectListing& listing,
              std::vector<std::string>& names) {
    ASSIGN_OR_RETURN(auto entries, files_.List(root_ + "/" + folder));
    std::vector<std::string> below;
    for (const DirEntry& entry : entries) {
      if (entry.name.ends_with(kTemporary)) continue;
      below.push_back(folder + entry.name + (entry.is_directory ? "/" : ""));
    }
    std::ranges::sort(below);  // again: "a/" comes after "a." and before "a0"
    for (std::string& name : below) {
      if (names.size() >= listing.limit) break;
      const bool is_folder = name.ends_with('/');
      const size_t common = std::min(name.size(), listing.prefix.size());
      const bool inside = name.compare(0, common, listing.prefix, 0, common) == 0 &&
                          (is_folder || name.size() >= listing.prefix.size());
      if (!inside) continue;
      const bool behind = name > listing.after;
      if (is_folder) {
        if (!behind && !listing.after.starts_with(name)) continue;
        RETURN_IF_ERROR(Walk(name, listing, names));
      } else if (behind) {
        names.push_back(std::move(name));
      }
    }
    return Status::Ok();
  }

  FileSystem& files_;
  const std::string root_;
  Mutex mutex_;
  std::set<std::string> durable_dirs_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenDirectoryObjectStore(FileSystem& files, std::string root) {
  RETURN_IF_ERROR(files.CreateDirs(root));
  auto store = std::make_unique<DirectoryObjectStore>(files, root);
  RETURN_IF_ERROR(store->Clean(root));
  return store;
}

}  // namespace elanus::storage
