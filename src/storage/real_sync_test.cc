// What reaches the kernel: the simulated disk cannot show that the real file system and RocksDB
// sync at all. This binary's own fdatasync and fsync note the file they are called for, then do it.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/unique.h"
#include "storage/meta/meta_store.h"

namespace {

std::mutex g_mutex;
std::vector<std::string> g_synced;  // paths, in the order of the calls

void Note(int fd) {
  char path[PATH_MAX];
  const ssize_t size = readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), path, sizeof(path));
  std::lock_guard lock(g_mutex);
  if (size > 0) g_synced.emplace_back(path, static_cast<size_t>(size));
}

}  // namespace

extern "C" int fdatasync(int fd) {
  Note(fd);
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

extern "C" int fsync(int fd) {
  Note(fd);
  return static_cast<int>(syscall(SYS_fsync, fd));
}

namespace elanus::storage {
namespace {

class RealSync : public testing::Test {
 protected:
  RealSync() {
    EXPECT_TRUE(PosixFileSystem().CreateDirs(dir_).ok());
    Take();
  }

  /// The paths synced since the last call.
  static std::vector<std::string> Take() {
    std::lock_guard lock(g_mutex);
    return std::exchange(g_synced, {});
  }

  const std::string dir_ = testing::TempDir() + "real_sync_" + UniqueText();
};

TEST_F(RealSync, ReachesTheKernelForFilesAndFolders) {
  FileSystem& files = PosixFileSystem();
  auto file = files.OpenWritable(dir_ + "/a", OpenMode::kCreate);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->Append("x").ok());
  EXPECT_TRUE(Take().empty());
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(Take(), std::vector<std::string>{dir_ + "/a"});
  ASSERT_TRUE(files.SyncDir(dir_).ok());
  EXPECT_EQ(Take(), std::vector<std::string>{dir_});
}

TEST_F(RealSync, ReachesTheKernelInEveryCommitOfTheMetaStore) {
  auto store = OpenRocksMetaStore(dir_ + "/meta");
  ASSERT_TRUE(store.has_value()) << store.error().message();
  Take();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE((*store)->Commit({.puts = {{"key", std::to_string(i)}}}).has_value());
    const std::vector<std::string> synced = Take();
    EXPECT_TRUE(std::ranges::any_of(synced,
                                    [&](const std::string& path) {
                                      return path.starts_with(dir_ + "/meta/db/") &&
                                             path.ends_with(".log");
                                    }))
        << "commit " << i;
  }
}

}  // namespace
}  // namespace elanus::storage
