// Any bytes as the files of a log: opening and reading them must give records or a named error,
// never a crash, a hang or memory beyond the file's size; and a log that opened must take a record
// and give all of them back after a reopen.
// Input: a byte of flags (1: the blocks of a real log file are edited, else the rest of the input
// are the blocks; 2: the checksums of blocks are made right again, so that impossible contents get
// past them; 4: the header is edited too), then the edits of four bytes each, or the blocks.
#include <cstring>
#include <future>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/sim_file_system.h"
#include "storage/log/log.h"
#include "storage/log/log_block.h"
#include "storage/log/log_files.h"

namespace elanus::storage {
namespace {

constexpr LogPartitionId kPartition{1};

void FixBlocks(std::string& file) {
  for (size_t at = kLogSectorBytes; at + kLogSectorBytes <= file.size();) {
    char* block = file.data() + at;
    const auto bytes = PeekLogBlockBytes(std::string_view(file).substr(at));
    if (!bytes.has_value() || at + *bytes > file.size()) return;
    const uint64_t file_id = 1;
    std::memcpy(block + 16, &file_id, sizeof(file_id));
    const uint32_t crc = Crc32c(std::string_view(block + 8, *bytes - 8));
    std::memcpy(block + 4, &crc, sizeof(crc));
    at += *bytes;
    if (at + kLogSectorBytes <= file.size()) std::memcpy(file.data() + at + 12, &crc, sizeof(crc));
  }
}

uint64_t ReadToEnd(Log& log) {
  const LogStats stats = log.Stats();
  auto cursor = log.Read(stats.first_seq);
  ELANUS_CHECK(cursor.has_value());
  uint64_t entries = 0;
  for (;;) {
    auto entry = (*cursor)->Next();
    ELANUS_CHECK(entry.has_value());  // the open has verified all of it
    if (!entry->has_value()) break;
    ELANUS_CHECK((*entry)->seq == stats.first_seq + entries);
    ++entries;
  }
  ELANUS_CHECK(entries == stats.next_seq - stats.first_seq);
  return entries;
}

FileLogOptions Options(uint64_t term) {
  return {
      .partition = kPartition, .term = term, .file_bytes = 32 << 10, .first_file_bytes = 32 << 10};
}

/// A real file: records of several sizes, groups, a mark in the middle, a record over two blocks.
const std::string& RealFile() {
  static const std::string file = [] {
    SimFileSystem files;
    for (uint64_t term = 1; term <= 2; ++term) {
      auto log = *OpenFileLog(files, "log", Options(term));
      for (size_t size : {0, 5, 300, 700, 2'000, 6'000}) {
        std::promise<void> done;
        std::ignore = log->Append({1}, std::string(size, 'x'), [&](Status) { done.set_value(); });
        done.get_future().get();
      }
    }
    return *files.ReadFile(LogFilePath("log", 1));
  }();
  return file;
}

/// Each edit is a place (u16), a sector and a byte.
void Edit(std::string& file, std::string_view edits) {
  for (; edits.size() >= 4; edits.remove_prefix(4)) {
    uint16_t place = 0;
    std::memcpy(&place, edits.data(), sizeof(place));
    const auto what = static_cast<uint8_t>(edits[2]);
    const size_t sectors = file.size() / kLogSectorBytes;
    const size_t sector = what % sectors * kLogSectorBytes;
    if (place >= 0xff00) {  // a whole sector: zeros, or a copy of another
      const size_t to = static_cast<uint8_t>(edits[3]) % sectors * kLogSectorBytes;
      file.replace(to, kLogSectorBytes,
                   (place & 1) != 0 ? std::string(kLogSectorBytes, '\0')
                                    : file.substr(sector, kLogSectorBytes));
    } else {
      // Mostly the first bytes of a sector, where headers are.
      file[sector + place % (place < 0xc000 ? 128 : kLogSectorBytes)] = edits[3];
    }
  }
}

void FuzzOne(std::string_view input) {
  if (input.empty()) return;
  const int flags = input[0];
  input.remove_prefix(1);
  std::string file;
  if ((flags & 1) != 0) {
    file = RealFile();
    Edit(file, input);
  } else {
    file = std::string(kLogSectorBytes, '\0') + std::string(input.substr(0, 256 << 10));
    file.resize((file.size() / kLogSectorBytes + 34) * kLogSectorBytes, '\0');
  }
  if ((flags & 4) == 0) {
    file.replace(0, kLogSectorBytes, EncodeLogFileHeader({kPartition, 1, file.size()}));
  }
  if ((flags & 2) != 0) FixBlocks(file);
  SimFileSystem files;
  const std::string path = LogFilePath("log", 1);
  ELANUS_CHECK(files.CreateDirs("log").ok() && files.WriteFile(path, file).ok());
  auto log = OpenFileLog(files, "log", Options(UINT64_MAX));
  if (!log.has_value()) return;
  const uint64_t before = ReadToEnd(**log);
  std::promise<Status> done;
  auto seq = (*log)->Append({1}, "one more", [&](Status status) { done.set_value(status); });
  ELANUS_CHECK(seq.has_value() && done.get_future().get().ok());
  log->reset();
  log = OpenFileLog(files, "log", Options(UINT64_MAX));
  ELANUS_CHECK(log.has_value() && ReadToEnd(**log) == before + 1);
}

}  // namespace
}  // namespace elanus::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  elanus::storage::FuzzOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
