// The file log on a disk that stops, loses, tears, fills up and flips bits.
#include <fmt/core.h>

#include <cerrno>
#include <cstdlib>
#include <map>
#include <random>
#include <semaphore>

#include "base/mutex.h"
#include "base/sim_file_system.h"
#include "storage/log/log_block.h"
#include "storage/log/log_files.h"
#include "storage/log/log_test_support.h"

namespace elanus::storage {
namespace {

const std::string kDir = "data/log";

/// 500, or what ELANUS_CRASH_SEEDS says: `./test --all` runs more.
uint64_t Seeds() {
  const char* text = std::getenv("ELANUS_CRASH_SEEDS");
  return text == nullptr ? 500 : std::strtoull(text, nullptr, 10);
}

/// What a user of the log knows, over any number of lives: records acknowledged, and records
/// without an answer.
class LogModel {
 public:
  /// Appends without waiting.
  void Append(Log& log, std::string payload) {
    MutexLock lock(mutex_);
    auto seq = log.Append({static_cast<int64_t>(payload.size() % 5)}, payload, [this](Status done) {
      MutexLock answer_lock(mutex_);
      if (done.ok()) ++acked_;
      ++answers_;
      answered_.NotifyAll();
    });
    if (!seq.has_value()) return;
    ++asked_;
    records_[*seq] = std::move(payload);
  }
  void WaitForAnswers() {
    MutexLock lock(mutex_);
    while (answers_ < asked_) answered_.Wait(mutex_);
  }
  void Truncate(Log& log, uint64_t keep) {
    const uint64_t next = log.Stats().durable_seq + 1;
    if (next <= keep) return;
    below_ = std::max(below_, next - keep);
    std::ignore = log.Truncate(next - keep);
  }
  /// Opens the log without a look at it.
  void Open(FileSystem& files) { std::ignore = OpenFileLog(files, kDir, SmallLog(++term_)); }
  /// Opens the log again; empty when it holds what it must, else what is wrong. From then on what
  /// was found counts as acknowledged, and what was not found as gone.
  std::string Reopen(FileSystem& files, std::unique_ptr<Log>& log) {
    auto opened = OpenFileLog(files, kDir, SmallLog(++term_));
    if (!opened.has_value()) return opened.error().message();
    log = *std::move(opened);
    const LogStats stats = log->Stats();
    if (stats.first_seq > below_) return "the log begins too late";
    MutexLock lock(mutex_);
    if (stats.durable_seq < acked_)
      return fmt::format("{} of {} records", stats.durable_seq, acked_);
    auto entries = ReadAll(*log, stats.first_seq);
    if (!entries.has_value()) return entries.error().message();
    if (entries->size() != stats.next_seq - stats.first_seq) return "the cursor ends early";
    uint64_t seq = stats.first_seq;
    for (const LogEntry& entry : *entries) {
      auto known = records_.find(seq);
      if (entry.seq != seq) return fmt::format("record {} is out of order", entry.seq);
      if (known == records_.end() || known->second != entry.payload ||
          entry.shard.value != static_cast<int64_t>(entry.payload.size() % 5)) {
        return fmt::format("record {} is another", seq);
      }
      ++seq;
    }
    records_.erase(records_.lower_bound(stats.next_seq), records_.end());
    acked_ = stats.durable_seq;
    asked_ = answers_ = 0;
    return "";
  }

 private:
  Mutex mutex_;
  CondVar answered_;
  uint64_t acked_ GUARDED_BY(mutex_) = 0;  // records 1 to this are durable
  uint64_t asked_ GUARDED_BY(mutex_) = 0;
  uint64_t answers_ GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::string> records_ GUARDED_BY(mutex_);
  uint64_t below_ = 1;
  uint64_t term_ = 0;
};

size_t RandomSize(std::mt19937_64& random) {
  switch (random() % 20) {
    case 0: return 0;
    case 1: return random() % 150'000;  // larger than a file
    case 2: return 30'000 + random() % 5'000;
    default: return random() % 1'500;
  }
}

/// One life: bursts of appends, some waited for, with truncations, until the machine stops or the
/// life is over.
void Live(Log& log, LogModel& model, SimFileSystem& files, std::mt19937_64& random) {
  for (int burst = 0; burst < 12 && !files.stopped(); ++burst) {
    for (uint64_t i = 0, n = 1 + random() % 8; i < n; ++i) {
      model.Append(log, Payload(random(), RandomSize(random)));
    }
    if (random() % 3 != 0) model.WaitForAnswers();
    if (random() % 6 == 0) model.Truncate(log, random() % 10);
  }
}

TEST(FileLogCrash, KeepsWhatItAcknowledgedThroughKillsAndPowerLoss) {
  for (uint64_t seed = 0; seed < Seeds(); ++seed) {
    std::mt19937_64 random(seed);
    SimFileSystem files;
    LogModel model;
    for (int life = 0; life < 5; ++life) {
      std::unique_ptr<Log> log;
      ASSERT_EQ(model.Reopen(files, log), "") << "seed " << seed << " life " << life;
      files.StopAfter(random() % 120);
      Live(*log, model, files, random);
      if (random() % 4 != 0) files.Stop();  // else closed in order
      log.reset();
      random() % 3 == 0 ? files.Resume() : files.Crash(random());
      if (random() % 3 != 0) continue;
      files.StopAfter(random() % 8);  // and again in the middle of recovery
      model.Open(files);
      files.Crash(random());
    }
  }
}

/// Two lives whose syncs are the same in each run: at the end of the first the process is killed
/// with a record written and not synced. Stops at operation `stop`, loses power and gives what
/// Reopen says. `syncs` gets the names of the syncs up to then.
std::string TwoLives(SimFileSystem& files, uint64_t seed, uint64_t stop,
                     std::vector<std::string>* syncs = nullptr) {
  LogModel model;
  std::unique_ptr<Log> log;
  const auto append = [&](std::initializer_list<size_t> sizes) {
    for (size_t size : sizes) {
      if (log == nullptr || files.stopped()) return;
      model.Append(*log, Payload(size, size));
      model.WaitForAnswers();
    }
  };
  files.StopAfter(stop);
  std::string wrong = model.Reopen(files, log);
  append({900, 5'000, 1'100, 5'000, 800});
  append({5'000, 5'000, 5'000, 5'000, 5'000, 5'000, 600});  // into the third file
  if (log != nullptr) model.Truncate(*log, 6);              // the first goes
  if (!files.stopped()) {
    const uint64_t left = stop - std::min(stop, files.Operations());
    files.StopAfter(1);  // the next write still reaches the disk, its sync does not
    append({700});
    log.reset();
    files.Resume();
    files.StopAfter(left);
    wrong = model.Reopen(files, log);
    if (!wrong.empty() && !files.stopped()) return wrong;
    append({500, 9'000, 300});
    if (log != nullptr) model.Truncate(*log, 2);  // the second goes
    append({20'000});
    if (log != nullptr) model.Truncate(*log, 1);                      // only the newest is left
    if (log != nullptr && !files.stopped()) model.Truncate(*log, 0);  // it goes, for a small one
    append({100, 200});
  }
  files.Stop();
  log.reset();
  if (syncs != nullptr) *syncs = files.Syncs();
  files.Crash(seed);
  return model.Reopen(files, log);
}

TEST(FileLogCrash, NeedsEverySyncItMakes) {
  constexpr uint64_t kNever = 1'000'000;
  SimFileSystem whole;
  std::vector<std::string> names;
  ASSERT_EQ(TwoLives(whole, 1, kNever, &names), "");
  ASSERT_GT(names.size(), 15u);
  for (const std::string& name : names) {
    if (name == "data#1") continue;  // the next test's
    bool shown = false;
    for (uint64_t stop = 0; stop <= whole.Operations() && !shown; ++stop) {
      for (uint64_t seed = 0; seed < 12 && !shown; ++seed) {
        SimFileSystem files;
        files.SkipSync(name);
        shown = !TwoLives(files, stop * 12 + seed, stop).empty();
      }
    }
    EXPECT_TRUE(shown) << "nothing depends on sync " << name;
  }
}

TEST(FileLogCrash, MakesTheFolderOfAKilledProcessDurable) {
  for (bool skip : {false, true}) {
    int lost = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      SimFileSystem files;
      LogModel model;
      std::unique_ptr<Log> log;
      files.StopAfter(3);  // data, its sync, data/log, and not the sync of that
      EXPECT_NE(model.Reopen(files, log), "");
      files.Resume();
      EXPECT_TRUE(*files.Exists(kDir));
      if (skip) files.SkipSync("data#0");
      EXPECT_EQ(model.Reopen(files, log), "");
      model.Append(*log, "x");
      model.WaitForAnswers();
      log.reset();
      files.Crash(seed);
      lost += model.Reopen(files, log).empty() ? 0 : 1;
    }
    EXPECT_EQ(lost > 0, skip);
  }
}

TEST(FileLogCrash, MakesAFileFoundUnusedDurable) {
  // Killed at each step of making a file: the next process may find its name, made by the first
  // append or ahead of need, and must not trust it.
  for (uint64_t records : {0, 8}) {
    for (uint64_t stop = 0; stop < 12; ++stop) {
      for (uint64_t seed = 0; seed < 10; ++seed) {
        SimFileSystem files;
        LogModel model;
        std::unique_ptr<Log> log;
        ASSERT_EQ(model.Reopen(files, log), "");
        const auto append = [&](uint64_t n) {
          for (uint64_t i = 0; i < n; ++i) {
            model.Append(*log, Payload(i, 700));
            model.WaitForAnswers();
          }
        };
        append(records);  // the next one takes the first file over its half
        files.StopAfter(stop);
        append(2);
        files.Stop();
        log.reset();
        files.Resume();
        ASSERT_EQ(model.Reopen(files, log), "");
        append(records == 0 ? 1 : 12);  // into the second file, and none after it
        log.reset();
        files.Crash(seed);
        ASSERT_EQ(model.Reopen(files, log), "") << "stop " << stop << " seed " << seed;
      }
    }
  }
}

/// A log of three files in `files`, closed, and its records.
std::vector<LogEntry> ThreeFiles(SimFileSystem& files) {
  auto log = *OpenFileLog(files, kDir, SmallLog());
  for (uint64_t i = 1; log->Stats().files < 3; ++i) {
    EXPECT_TRUE(AppendAndWait(*log, 1, Payload(i, i * 389 % 4'000)).ok());
  }
  EXPECT_TRUE(AppendAndWait(*log, 1, Payload(0, 40'000)).ok());
  EXPECT_TRUE(AppendAndWait(*log, 1, "the end").ok());
  auto entries = *ReadAll(*log, 1);
  EXPECT_TRUE(log->Close().ok());
  log.reset();
  return entries;
}

/// Bytes of a log file up to the last that is not zero, in whole sectors.
uint64_t UsedBytes(FileSystem& files, const std::string& path) {
  const std::string bytes = *files.ReadFile(path);
  return (bytes.find_last_not_of('\0') / kLogSectorBytes + 1) * kLogSectorBytes;
}

TEST(FileLogDamage, OfAnyBitIsNamedOrHarmless) {
  SimFileSystem files;
  const std::vector<LogEntry> want = ThreeFiles(files);
  std::mt19937_64 random(1);
  int named = 0;
  const std::string third = LogFilePath(kDir, 3);
  const std::string healthy_third = *files.ReadFile(third);
  for (uint64_t id : {1, 2, 3}) {
    const std::string path = LogFilePath(kDir, id);
    const std::string healthy = *files.ReadFile(path);
    // The last sector in use is the mark of the close: damage to it costs nothing.
    const uint64_t durable = UsedBytes(files, path) - (id == 3 ? kLogSectorBytes : 0);
    for (uint64_t at = random() % 7; at < healthy.size(); at += at < durable + 600 ? 13 : 997) {
      files.FlipBit(path, at * 8 + random() % 8);
      auto log = OpenFileLog(files, kDir, SmallLog());
      if (log.has_value()) {
        ASSERT_GE(at, durable) << "a flipped bit went unseen in file " << id;
        ASSERT_TRUE(*ReadAll(**log, 1) == want) << at;
        log->reset();
        ASSERT_TRUE(files.WriteFile(third, healthy_third).ok());  // the open wrote its mark there
      } else {
        ASSERT_EQ(log.error().code(), Code::kDataIntegrity);
        ASSERT_NE(log.error().message().find(kDir + "/00000000000000"), std::string::npos)
            << log.error().message();
        ++named;
      }
      ASSERT_TRUE(files.WriteFile(path, healthy).ok());
    }
  }
  EXPECT_GT(named, 1'000);
}

TEST(FileLogDamage, OfAFileAsAWholeIsNamed) {
  const auto damaged = [](auto damage) {
    SimFileSystem files;
    ThreeFiles(files);
    damage(files);
    auto log = OpenFileLog(files, kDir, SmallLog());
    return log.has_value() ? "no error" : log.error().message();
  };
  const std::string second = LogFilePath(kDir, 2);
  EXPECT_EQ(damaged([&](auto& files) { std::ignore = files.Remove(second); }),
            "log file " + second + " is missing");
  for (uint64_t size = 0; size < 32'768; size += 1'000) {
    EXPECT_NE(damaged([&](auto& files) { files.Truncate(second, size); }).find(second + " at"),
              std::string::npos)
        << size;
  }
  // An older copy of a file: its end is missing.
  EXPECT_NE(damaged([&](SimFileSystem& files) {
              std::string bytes = *files.ReadFile(second);
              std::fill(bytes.begin() + 20'480, bytes.end(), '\0');
              ASSERT_TRUE(files.WriteFile(second, bytes).ok());
            }).find("was durable says"),
            std::string::npos);
  EXPECT_NE(damaged([&](SimFileSystem& files) {
              ASSERT_TRUE(files.WriteFile(second, *files.ReadFile(LogFilePath(kDir, 1))).ok());
            }).find("it is file 1 of partition 7"),
            std::string::npos);
  EXPECT_EQ(damaged([&](SimFileSystem& files) {
              ASSERT_TRUE(files.WriteFile(kDir + "/lost+found", "x").ok());
              ASSERT_TRUE(files.WriteFile(kDir + "/new.tmp", "x").ok());
            }),
            "no error");
}

TEST(FileLogDamage, OfTheFirstFileAfterATruncationIsNamed) {
  for (bool all : {false, true}) {  // of the records: then a file that opens with a mark is left
    SimFileSystem files;
    ThreeFiles(files);
    auto log = *OpenFileLog(files, kDir, SmallLog());
    ASSERT_TRUE(log->Truncate(log->Stats().next_seq - (all ? 0 : 1)).ok());
    ASSERT_EQ(log->Stats().files, 1u);
    ASSERT_TRUE(AppendAndWait(*log, 1, "behind").ok());
    log.reset();
    const std::string path = LogFilePath(kDir, all ? 4 : 3);
    std::string bytes = *files.ReadFile(path);
    // The first block, then all of them but the last, then all.
    for (uint64_t to : {uint64_t{1'024}, UsedBytes(files, path) - 512, bytes.size()}) {
      std::fill(bytes.begin() + 512, bytes.begin() + static_cast<int64_t>(to), '\0');
      ASSERT_TRUE(files.WriteFile(path, bytes).ok());
      EXPECT_EQ(OpenFileLog(files, kDir, SmallLog()).error().code(), Code::kDataIntegrity) << to;
    }
  }
}

TEST(FileLogDamage, ThatHappensWhileOpenStopsACursor) {
  SimFileSystem files;
  const std::vector<LogEntry> want = ThreeFiles(files);
  auto log = *OpenFileLog(files, kDir, SmallLog());
  auto cursor = *log->Read(1);
  files.FlipBit(LogFilePath(kDir, 1), 8 * 8'000);
  Result<std::optional<LogEntry>> next = cursor->Next();
  size_t read = 0;
  while (next.has_value() && next->has_value()) {
    EXPECT_TRUE(**next == want[read++]);
    next = cursor->Next();
  }
  ASSERT_FALSE(next.has_value());
  EXPECT_EQ(next.error().code(), Code::kDataIntegrity);
}

TEST(FileLogTail, TornAtAnySectorCostsNoAcknowledgedRecord) {
  // Records 1 to 4 acknowledged, then one write of several blocks whose sync never came.
  SimFileSystem files;
  auto log = *OpenFileLog(files, kDir, SmallLog());
  for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(AppendAndWait(*log, 1, Payload(i, 1'000)).ok());
  std::binary_semaphore acknowledged{0};
  std::binary_semaphore go{0};
  ASSERT_TRUE(log->Append({1}, Payload(4, 1'000),
                          [&](Status) {
                            acknowledged.release();
                            go.acquire();
                          })
                  .has_value());
  acknowledged.acquire();
  const std::string path = LogFilePath(kDir, 1);
  const std::string before = *files.ReadFile(path);
  const uint64_t from = UsedBytes(files, path);
  files.StopAfter(1);
  ASSERT_TRUE(log->Append({1}, Payload(5, 3'000), [](Status) {}).has_value());
  ASSERT_TRUE(log->Append({1}, Payload(6, 600), [](Status) {}).has_value());
  go.release();
  log.reset();
  files.Resume();
  const std::string after = *files.ReadFile(path);
  const uint64_t sectors = (UsedBytes(files, path) - from) / kLogSectorBytes;
  ASSERT_EQ(sectors, 8u);
  std::mt19937_64 random(3);
  for (uint64_t round = 0; round < 300; ++round) {
    // First each prefix, then any subset of the sectors.
    std::string torn = before;
    bool all = true;
    for (uint64_t s = 0; s < sectors; ++s) {
      const bool kept = round <= sectors ? s < round : random() % 4 != 0;
      all = all && kept;
      if (kept) torn.replace(from + s * 512, 512, after, from + s * 512, 512);
    }
    ASSERT_TRUE(files.WriteFile(path, torn).ok());
    auto reopened = OpenFileLog(files, kDir, SmallLog());
    ASSERT_TRUE(reopened.has_value()) << reopened.error().message();
    auto entries = *ReadAll(**reopened, 1);
    ASSERT_GE(entries.size(), 4u);
    EXPECT_EQ(entries.size(), all ? 6u : 4u) << "one block, so whole or not at all";
    for (const LogEntry& entry : entries) {
      const size_t size = entry.seq == 5 ? 3'000 : entry.seq == 6 ? 600 : 1'000;
      EXPECT_TRUE(entry.payload == Payload(entry.seq, size)) << entry.seq;
    }
    // What was cut stays cut, also when the next records are shorter than what lies there.
    const uint64_t next = (*reopened)->Stats().next_seq;
    ASSERT_TRUE(AppendAndWait(**reopened, 1, "new").ok());
    reopened->reset();
    reopened = OpenFileLog(files, kDir, SmallLog());
    ASSERT_TRUE(reopened.has_value()) << reopened.error().message();
    entries = *ReadAll(**reopened, 1);
    ASSERT_EQ(entries.size(), next);
    EXPECT_EQ(entries.back().payload, "new");
  }
}

TEST(FileLogFaults, AFullDiskRefusesRecordsUntilThereIsSpace) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, kDir, SmallLog());
  files.SetCapacity(100'000);  // room for the first two files
  uint64_t acked = 0;
  while (AppendAndWait(*log, 1, Payload(acked + 1, 700)).ok()) ++acked;
  EXPECT_GT(acked, 20u);
  EXPECT_TRUE(log->Stats().broken.ok());
  EXPECT_EQ(log->Stats().next_seq, acked + 1) << "the seq of a refused record is given again";
  EXPECT_EQ(AppendAndWait(*log, 1, "x").code(), Code::kDiskLimit);
  EXPECT_EQ(AppendAndWait(*log, 1, Payload(1, 90'000)).code(), Code::kDiskLimit);
  EXPECT_EQ(ReadAll(*log, 1)->size(), acked) << "reading goes on";
  EXPECT_FALSE(*files.Exists(kDir + "/new.tmp"));
  files.SetCapacity(1 << 30);
  EXPECT_TRUE(AppendAndWait(*log, 1, Payload(acked + 1, 700)).ok());
  log.reset();
  log = *OpenFileLog(files, kDir, SmallLog());
  auto entries = *ReadAll(*log, 1);
  ASSERT_EQ(entries.size(), acked + 1);
  for (const LogEntry& entry : entries) EXPECT_TRUE(entry.payload == Payload(entry.seq, 700));
}

TEST(FileLogFaults, AWriteThatFindsTheDiskFullIsNotAcknowledgedInPart) {
  // A file system that copies on write may refuse a write into a file made ahead.
  for (uint64_t n = 0; n < 12; ++n) {
    SimFileSystem files;
    auto log = *OpenFileLog(files, kDir, SmallLog());
    ASSERT_TRUE(AppendAndWait(*log, 1, "first").ok());
    files.FailWrite(n, ENOSPC);
    uint64_t acked = 1;
    for (uint64_t i = 0; i < 8; ++i) {
      // Larger than a file, so that it is written by several groups and refused half-way.
      acked += AppendAndWait(*log, 1, Payload(i, 150'000)).ok() ? 1 : 0;
    }
    EXPECT_GE(acked, 8u) << n;  // 9 when it was a file made ahead, which is then made again
    ASSERT_TRUE(AppendAndWait(*log, 1, "last").ok());
    log.reset();
    log = *OpenFileLog(files, kDir, SmallLog());
    auto entries = *ReadAll(*log, 1);
    ASSERT_EQ(entries.size(), acked + 1);
    EXPECT_EQ(entries.back().payload, "last");
    for (uint64_t from = 1; from <= acked + 1; ++from) {
      EXPECT_EQ(ReadAll(*log, from)->size(), acked + 2 - from);
    }
  }
}

TEST(FileLogFaults, AFailedSyncBreaksTheLogForGood) {
  for (uint64_t n = 0; n < 8; ++n) {
    SimFileSystem files;
    auto log = *OpenFileLog(files, kDir, SmallLog());
    ASSERT_TRUE(AppendAndWait(*log, 1, "first").ok());
    files.FailSync(n, n % 2 == 0 ? EIO : ENOSPC);
    uint64_t acked = 1;
    Status status;
    while ((status = AppendAndWait(*log, 1, "x")).ok()) ++acked;
    EXPECT_EQ(acked, n + 1);
    EXPECT_EQ(status.code(), Code::kIoFailed);
    EXPECT_EQ(AppendAndWait(*log, 1, "y"), status);
    EXPECT_EQ(log->Stats().broken, status);
    EXPECT_EQ(log->Close(), status);
    log.reset();
    files.Crash(n);
    log = *OpenFileLog(files, kDir, SmallLog());
    EXPECT_GE(ReadAll(*log, 1)->size(), acked);
  }
}

TEST(FileLogFaults, AFailedWriteBreaksTheLogForGood) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, kDir, SmallLog());
  ASSERT_TRUE(AppendAndWait(*log, 1, "first").ok());
  files.FailWrite(0, EIO);
  EXPECT_EQ(AppendAndWait(*log, 1, "x").code(), Code::kIoFailed);
  EXPECT_EQ(log->Append({1}, "y", [](Status) {}).error().code(), Code::kIoFailed);
  EXPECT_EQ(ReadAll(*log, 1)->size(), 1u);
}

}  // namespace
}  // namespace elanus::storage
