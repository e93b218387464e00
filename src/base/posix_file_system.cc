// The FileSystem of the machine, over POSIX calls. Interrupted calls are made again; a short write
// goes on where it stopped.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <fmt/core.h>

#include "base/file_system.h"
#include "base/mapped_pages.h"

namespace elanus {
namespace {

template <class Call>
auto Retry(Call call) {
  for (;;) {
    auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

Result<Descriptor> Open(const std::string& path, int flags) {
  const int fd = Retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (fd < 0) return Error(IoError("open", path, errno));
  return Descriptor(fd);
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(std::string path, Descriptor file, uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}

  Status Append(std::string_view bytes) override {
    const std::array<std::string_view, 1> pieces = {bytes};
    return WriteAt(size_, pieces);
  }

  Status WriteAt(uint64_t offset, std::span<const std::string_view> pieces) override {
    constexpr size_t kPiecesACall = 256;  // below IOV_MAX (1024)
    std::array<iovec, kPiecesACall> parts;
    size_t skip = 0;  // bytes of pieces[0] that an earlier, short write took
    while (!pieces.empty()) {
      size_t count = 0;
      for (; count < std::min(pieces.size(), kPiecesACall); ++count) {
        const size_t gone = count == 0 ? skip : 0;
        parts[count] = {const_cast<char*>(pieces[count].data()) + gone,
                        pieces[count].size() - gone};
      }
      ssize_t wrote = Retry([&] {
        return ::pwritev(file_.get(), parts.data(), static_cast<int>(count),
                         static_cast<off_t>(offset));
      });
      if (wrote < 0) return IoError("write", path_, errno);
      offset += static_cast<uint64_t>(wrote);
      size_ = std::max(size_, offset);
      auto left = static_cast<size_t>(wrote);
      while (!pieces.empty() && left >= pieces[0].size() - skip) {
        left -= pieces[0].size() - skip;
        skip = 0;
        pieces = pieces.subspan(1);
      }
      skip += left;
    }
    return Status::Ok();
  }

  Status FillZeros(uint64_t size) override {
    // Space first: a full disk is then known before anything is written, and blocks lie together.
    if (size > size_ &&
        ::fallocate(file_.get(), 0, static_cast<off_t>(size_), static_cast<off_t>(size - size_)) !=
            0 &&
        errno != EOPNOTSUPP && errno != EINTR) {
      return IoError("fallocate", path_, errno);
    }
    static constexpr size_t kStep = 256 * 1024;
    static const std::string zeros(kStep, '\0');
    while (size_ < size) {
      const uint64_t at = size_;
      RETURN_IF_ERROR(Append(std::string_view(zeros).substr(0, std::min(kStep, size - size_))));
      // Starts the transfer now, so that the sync at the end does not hold up the disk at once.
      ::sync_file_range(file_.get(), static_cast<off_t>(at), static_cast<off_t>(size_ - at),
                        SYNC_FILE_RANGE_WRITE);
    }
    return Status::Ok();
  }

  Status Sync() override {
    if (Retry([&] { return ::fdatasync(file_.get()); }) != 0) {
      return IoError("fdatasync", path_, errno);
    }
    return Status::Ok();
  }

  Status Close() override {
    if (::close(file_.Release()) != 0 && errno != EINTR) return IoError("close", path_, errno);
    return Status::Ok();
  }

 private:
  const std::string path_;
  Descriptor file_;
  uint64_t size_;
};

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(std::string path, Descriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  Result<size_t> ReadAt(uint64_t offset, size_t size, char* out) const override {
    size_t done = 0;
    while (done < size) {
      ssize_t got = Retry([&] {
        return ::pread(file_.get(), out + done, size - done, static_cast<off_t>(offset + done));
      });
      if (got < 0) return Error(IoError("read", path_, errno));
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Result<uint64_t> Size() const override {
    struct stat info{};
    if (::fstat(file_.get(), &info) != 0) return Error(IoError("stat", path_, errno));
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const std::string path_;
  const Descriptor file_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor file) : file_(std::move(file)) {}

 private:
  const Descriptor file_;
};

class PosixFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                     OpenMode mode) override {
    int flags = O_WRONLY;
    if (mode == OpenMode::kCreate) flags |= O_CREAT | O_EXCL;
    if (mode == OpenMode::kTruncate) flags |= O_CREAT | O_TRUNC;
    ASSIGN_OR_RETURN(Descriptor file, Open(path, flags));
    struct stat info{};
    if (::fstat(file.get(), &info) != 0) return Error(IoError("stat", path, errno));
    return std::make_unique<PosixWritableFile>(path, std::move(file),
                                               static_cast<uint64_t>(info.st_size));
  }

  Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) override {
    ASSIGN_OR_RETURN(Descriptor file, Open(path, O_RDONLY));
    return std::make_unique<PosixReadableFile>(path, std::move(file));
  }

  Result<std::shared_ptr<const MappedFile>> MapFile(const std::string& path) override {
    ASSIGN_OR_RETURN(Descriptor file, Open(path, O_RDONLY));
    struct stat info{};
    if (::fstat(file.get(), &info) != 0) return Error(IoError("stat", path, errno));
    const auto size = static_cast<size_t>(info.st_size);
    if (size == 0) return std::make_shared<const MappedFile>();
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    if (start == MAP_FAILED) return Error(IoError("mmap", path, errno));
    std::shared_ptr<const void> owner(start, Unmap{size});
    return std::make_shared<const MappedFile>(
        MappedFile{{static_cast<const std::byte*>(start), size}, std::move(owner)});
  }

  Status Rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? Status::Ok() : IoError("rename", from, errno);
  }

  Status Remove(const std::string& path) override {
    return std::remove(path.c_str()) == 0 ? Status::Ok() : IoError("remove", path, errno);
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return Error(IoError("stat", path, errno));
  }

  Result<std::vector<DirEntry>> List(const std::string& dir) override {
    std::error_code error;
    std::vector<DirEntry> entries;
    std::filesystem::directory_iterator it(dir, error);
    for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      std::error_code gone;  // removed while we list: left out or told as a file
      entries.push_back({it->path().filename().string(), it->is_directory(gone)});
    }
    if (error) return Error(IoError("list", dir, error.value()));
    std::ranges::sort(entries, {}, &DirEntry::name);
    return entries;
  }

  Status CreateDir(const std::string& path) override {
    if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return Status::Ok();
    return IoError("mkdir", path, errno);
  }

  Status SyncDir(const std::string& path) override {
    ASSIGN_OR_RETURN(Descriptor dir, Open(path, O_RDONLY | O_DIRECTORY));
    if (Retry([&] { return ::fsync(dir.get()); }) != 0) return IoError("fsync", path, errno);
    return Status::Ok();
  }

  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    ASSIGN_OR_RETURN(Descriptor file, Open(path, O_RDWR | O_CREAT));
    if (Retry([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return Error(IoError("flock", path, errno));
      std::array<char, 20> text{};
      const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
      return Error(Code::kUnavailable,
                   fmt::format("{} is held by another process (pid {})", path,
                               std::string_view(text.data(), got > 0 ? got : 0)));
    }
    // The pid is only for that message; who holds the lock is the kernel's to say.
    const std::string pid = std::to_string(::getpid());
    [[maybe_unused]] int cut = ::ftruncate(file.get(), 0);
    [[maybe_unused]] ssize_t wrote = ::pwrite(file.get(), pid.data(), pid.size(), 0);
    return std::make_unique<PosixFileLock>(std::move(file));
  }

  Result<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) return Error(IoError("statvfs", path, errno));
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }
};

/// For the pages from the one that `start` lies in. Only advice: failure is none.
void Advise(const void* start, size_t bytes, int advice) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(start) / page * page;
  const size_t length = reinterpret_cast<uintptr_t>(start) + bytes - first;
  ::madvise(reinterpret_cast<void*>(first), length, advice);
}

}  // namespace

FileSystem& PosixFileSystem() {
  static PosixFiles files;
  return files;
}

void Unmap::operator()(const void* start) const { ::munmap(const_cast<void*>(start), bytes); }

void ReleasePages(const MappedFile& file) {
  if (std::get_deleter<Unmap>(file.owner) == nullptr) return;
  Advise(file.bytes.data(), file.bytes.size(), MADV_DONTNEED);
}

void ReadsAtRandom(const void* start, size_t bytes) { Advise(start, bytes, MADV_RANDOM); }

}  // namespace elanus
