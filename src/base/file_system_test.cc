#include "base/file_system.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/crc32c.h"
#include "base/mapped_pages.h"
#include "base/sim_file_system.h"

namespace elanus {
namespace {

/// One contract, two file systems.
class FileSystemContract : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      files_ = &sim_;
      dir_ = "data";
      ASSERT_TRUE(files_->CreateDir(dir_).ok());
    } else {
      dir_ = (std::filesystem::temp_directory_path() / "elanus_files_XXXXXX").string();
      ASSERT_NE(::mkdtemp(dir_.data()), nullptr);
    }
  }
  void TearDown() override {
    if (!GetParam()) std::filesystem::remove_all(dir_);
  }
  std::string Path(std::string_view name) const { return dir_ + "/" + std::string(name); }

  SimFileSystem sim_;
  FileSystem* files_ = &PosixFileSystem();
  std::string dir_;
};

TEST_P(FileSystemContract, ReadsBackWhatWasWrittenInPieces) {
  auto file = files_->OpenWritable(Path("a"), OpenMode::kCreate);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->FillZeros(10).ok());
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i)
    texts.push_back(std::string(i % 7, static_cast<char>('a' + i % 26)));
  std::vector<std::string_view> pieces(texts.begin(), texts.end());
  std::string want(4, '\0');
  for (const auto& text : texts) want += text;
  ASSERT_TRUE((*file)->WriteAt(4, pieces).ok());
  ASSERT_TRUE((*file)->Append("end").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(*files_->ReadFile(Path("a")), want + "end");
  auto mapped = files_->MapFile(Path("a"));
  ASSERT_TRUE(mapped.has_value());
  EXPECT_EQ((*mapped)->bytes.size(), want.size() + 3);
  const auto text = [&] {
    return std::string(reinterpret_cast<const char*>((*mapped)->bytes.data()),
                       (*mapped)->bytes.size());
  };
  EXPECT_EQ(text(), want + "end");
  ReleasePages(**mapped);
  EXPECT_EQ(text(), want + "end") << "also where the bytes are a copy in memory";
}

/// Of the mapping that `start` lies in, by /proc/self/smaps.
size_t ResidentKib(const void* start) {
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t first = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &end) == 2)
      inside =
          first <= reinterpret_cast<uintptr_t>(start) && reinterpret_cast<uintptr_t>(start) < end;
    size_t kib = 0;
    if (inside && std::sscanf(line.c_str(), "Rss: %zu kB", &kib) == 1) return kib;
  }
  return 0;
}

TEST(MappedPages, PartOfAFileIsGivenBack) {
  std::string path = (std::filesystem::temp_directory_path() / "elanus_pages_XXXXXX").string();
  ::close(::mkstemp(path.data()));
  const std::string text(8 << 20, 'x');
  ASSERT_TRUE(PosixFileSystem().WriteFile(path, text).ok());
  auto mapped = PosixFileSystem().MapFile(path);
  ASSERT_TRUE(mapped.has_value());
  const auto bytes = (*mapped)->bytes;
  EXPECT_EQ(Crc32c(bytes.data(), bytes.size()), Crc32c(text)) << "reads every page";
  EXPECT_GE(ResidentKib(bytes.data()), 8u << 10);
  ReleasePages({bytes.subspan(100, bytes.size() - 5000), (*mapped)->owner});
  EXPECT_LE(ResidentKib(bytes.data()), 8u) << "the end, which was not named";
  EXPECT_EQ(Crc32c(bytes.data(), bytes.size()), Crc32c(text));
  std::filesystem::remove(path);
}

TEST_P(FileSystemContract, OpensByMode) {
  EXPECT_EQ(files_->OpenWritable(Path("a"), OpenMode::kExisting).error().code(),
            Code::kKeyNotFound);
  EXPECT_EQ(files_->OpenReadable(Path("a")).error().code(), Code::kKeyNotFound);
  ASSERT_TRUE(files_->WriteFile(Path("a"), "one").ok());
  EXPECT_EQ(files_->OpenWritable(Path("a"), OpenMode::kCreate).error().code(), Code::kIoFailed);
  auto again = files_->OpenWritable(Path("a"), OpenMode::kExisting);
  ASSERT_TRUE(again.has_value());
  ASSERT_TRUE((*again)->Append("two").ok());
  EXPECT_EQ(*files_->ReadFile(Path("a")), "onetwo");
  ASSERT_TRUE(files_->OpenWritable(Path("a"), OpenMode::kTruncate).has_value());
  EXPECT_EQ(*files_->ReadFile(Path("a")), "");
}

TEST_P(FileSystemContract, ListsRenamesAndRemoves) {
  ASSERT_TRUE(files_->CreateDirs(Path("x/y/z")).ok());
  ASSERT_TRUE(files_->CreateDirs(Path("x/y/z")).ok());
  ASSERT_TRUE(files_->WriteFile(Path("x/b"), "1").ok());
  ASSERT_TRUE(files_->WriteFile(Path("x/a"), "2").ok());
  ASSERT_TRUE(files_->Rename(Path("x/a"), Path("x/b")).ok());
  ASSERT_TRUE(files_->SyncDir(Path("x")).ok());
  auto entries = files_->List(Path("x"));
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].name, "b");
  EXPECT_TRUE((*entries)[1].is_directory);
  EXPECT_EQ(*files_->ReadFile(Path("x/b")), "2");
  EXPECT_FALSE(files_->Remove(Path("x")).ok());
  ASSERT_TRUE(files_->Remove(Path("x/b")).ok());
  EXPECT_FALSE(*files_->Exists(Path("x/b")));
}

TEST_P(FileSystemContract, RefusesASecondHolderOfALock) {
  auto first = files_->LockFile(Path("lock"));
  ASSERT_TRUE(first.has_value());
  auto second = files_->LockFile(Path("lock"));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_NE(second.error().message().find("lock is held by another process"), std::string::npos);
  first->reset();
  EXPECT_TRUE(files_->LockFile(Path("lock")).has_value());
}

TEST_P(FileSystemContract, NamesThePathInAnError) {
  Status status = files_->Remove(Path("none"));
  EXPECT_EQ(status.message(), "remove " + Path("none") + ": No such file or directory");
  EXPECT_GT(*files_->FreeBytes(dir_), 0u);
}

INSTANTIATE_TEST_SUITE_P(Forms, FileSystemContract, testing::Bool(),
                         [](const auto& info) { return info.param ? "Sim" : "Posix"; });

TEST(SimFileSystem, LosesOnlyWhatWasNotSynced) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem files;
    ASSERT_TRUE(files.CreateDirs("d").ok());
    ASSERT_TRUE(files.WriteFile("d/a", std::string(1024, 'o')).ok());
    auto file = files.OpenWritable("d/a", OpenMode::kExisting);
    const std::string fresh(1024, 'n');
    const std::string_view pieces[] = {fresh};
    ASSERT_TRUE((*file)->WriteAt(0, pieces).ok());
    ASSERT_TRUE((*file)->Append("x").ok());
    files.Crash(seed);
    EXPECT_FALSE((*file)->Append("y").ok()) << "a handle of before the crash is dead";
    std::string bytes = *files.ReadFile("d/a");
    ASSERT_GE(bytes.size(), 1024u);
    outcomes.insert({bytes[0], bytes[512], bytes.size() > 1024 ? bytes[1024] : '-'});
  }
  // Each sector old or new, and beyond them nothing, a zero or the byte.
  EXPECT_EQ(outcomes.size(), 12u);
}

TEST(SimFileSystem, KeepsASyncedEndThatLiesWithinASector) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem files;
    ASSERT_TRUE(files.WriteFile("a", std::string(700, 'o')).ok());
    auto file = files.OpenWritable("a", OpenMode::kExisting);
    ASSERT_TRUE((*file)->Append(std::string(200, 'n')).ok());
    files.Crash(seed);
    const std::string bytes = *files.ReadFile("a");
    ASSERT_GE(bytes.size(), 700u) << seed;
    EXPECT_EQ(bytes.substr(0, 700), std::string(700, 'o')) << seed;
  }
}

TEST(SimFileSystem, LosesNamesThatWereNotSynced) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem files;
    ASSERT_TRUE(files.WriteFile("a", "a").ok());
    ASSERT_TRUE(files.WriteFile("b", "b").ok());
    ASSERT_TRUE(files.Rename("a", "c").ok());
    ASSERT_TRUE(files.Remove("b").ok());
    files.Crash(seed);
    std::string names;
    const std::vector<DirEntry> entries = *files.List(".");
    for (const DirEntry& entry : entries) names += entry.name;
    outcomes.insert(names);
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"ab", "a", "bc", "c"}));
}

TEST(SimFileSystem, InjectsFaultsAndSkipsSyncs) {
  SimFileSystem files;
  files.FailWrite(0, ENOSPC);
  EXPECT_EQ(files.WriteFile("a", "a").code(), Code::kDiskLimit);
  files.FailSync(1, EIO);
  EXPECT_EQ(files.WriteFile("a", "a").code(), Code::kIoFailed);
  files.SkipSync(".#0");
  ASSERT_TRUE(files.WriteFile("a", "a").ok());
  EXPECT_EQ(files.Syncs().back(), ".#0");
  files.StopAfter(1);
  EXPECT_FALSE(files.WriteFile("b", "b").ok());
  EXPECT_TRUE(files.stopped());
  files.Resume();
  EXPECT_TRUE(*files.Exists("b.tmp"));
  files.SetCapacity(10);
  EXPECT_EQ(files.WriteFile("c", std::string(100, 'c')).code(), Code::kDiskLimit);
}

}  // namespace
}  // namespace elanus
