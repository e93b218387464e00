// The file log on a disk that stops, loses, tears, fills up and flips bits.
#include <fmt/core.h>

#include <cerrno>
#include <map>
#include <random>

#include "base/mutex.h"
#include "base/sim_file_system.h"
#include "storage/log/log_block.h"
#include "storage/log/log_files.h"
#include "storage/log/log_test_support.h"

namespace elanus::storage {
namespace {

const std::string kDir = "data/log";

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
    const uint64_t durable = log.Stats().durable_seq;
    if (durable <= keep) return;
    below_ = std::max(below_, durable - keep);
    std::ignore = log.Truncate(durable - keep);
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
  for (uint64_t seed = 0; seed < 500; ++seed) {
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
  if (log != nullptr) model.Truncate(*log, 5);              // the first goes
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
    if (log != nullptr) model.Truncate(*log, 1);  // the second goes
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
      for (uint64_t seed = 0; seed < 6 && !shown; ++seed) {
        SimFileSystem files;
        files.SkipSync(name);
        shown = !TwoLives(files, stop * 6 + seed, stop).empty();
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

}  // namespace
}  // namespace elanus::storage
