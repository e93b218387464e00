// The contract of every form of the log, and what only the file form promises on a healthy disk.
#include "storage/log/log.h"

#include <semaphore>

#include <thread>
#include "base/bytes.h"
#include "base/mutex.h"

#include "base/sim_file_system.h"
#include "base/thread.h"
#include "storage/log/faulty_log.h"
#include "storage/log/log_reader.h"
#include "storage/log/log_test_support.h"

namespace elanus::storage {
namespace {

class LogContract : public testing::TestWithParam<bool> {
 protected:
  LogContract() { Open(64 << 20); }
  void Open(uint64_t pending_bytes_max) {
    FileLogOptions options = SmallLog();
    options.pending_bytes_max = pending_bytes_max;
    log_.reset();
    log_ = GetParam() ? *OpenFileLog(files_, "data/log", options)
                      : OpenMemoryLog(1, pending_bytes_max);
  }
  SimFileSystem files_;
  std::unique_ptr<Log> log_;
};

TEST_P(LogContract, GivesBackWhatWasAppendedInOrder) {
  std::vector<LogEntry> want;
  for (uint64_t i = 1; i <= 200; ++i) {
    LogEntry entry{i, 1, {static_cast<int64_t>(i % 3)}, Payload(i, i * i % 1500)};
    ASSERT_TRUE(AppendAndWait(*log_, entry.shard.value, entry.payload).ok());
    want.push_back(std::move(entry));
  }
  EXPECT_TRUE(*ReadAll(*log_, 1) == want);
  for (uint64_t from : {2, 77, 200, 201}) {
    auto entries = *ReadAll(*log_, from);
    EXPECT_TRUE(entries == std::vector(want.begin() + static_cast<int64_t>(from) - 1, want.end()));
  }
  EXPECT_EQ(log_->Read(0).error().code(), Code::kDataIntegrity);
  EXPECT_EQ(log_->Read(202).error().code(), Code::kDataIntegrity);
}

TEST_P(LogContract, CarriesRecordsOfEverySize) {
  uint64_t seq = 0;
  for (size_t size : {0, 1, 439, 440, 441, 4000, 32767, 32768, 65536, 130000, 131072, 1 << 20,
                      (1 << 20) + 1, 9 << 20}) {
    ASSERT_TRUE(AppendAndWait(*log_, 5, Payload(size, size)).ok());
    auto entries = *ReadAll(*log_, ++seq);
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_TRUE(entries[0].payload == Payload(size, size)) << size;
  }
}

TEST_P(LogContract, AnswersInTheOrderOfTheAppends) {
  Mutex mutex;
  std::vector<uint64_t> answered;
  std::vector<Thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back("appender", [&] {
      for (int i = 0; i < 250; ++i) {
        auto slot = std::make_shared<std::promise<uint64_t>>();
        auto seq = log_->Append({1}, "x", [&, slot](Status status) {
          ASSERT_TRUE(status.ok());
          uint64_t mine = slot->get_future().get();
          MutexLock lock(mutex);
          answered.push_back(mine);
        });
        slot->set_value(*seq);
      }
    });
  }
  threads.clear();
  ASSERT_TRUE(log_->Close().ok());
  ASSERT_EQ(answered.size(), 1000u);
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(answered[i], i + 1);
  EXPECT_EQ(log_->Stats().durable_seq, 1000u);
  EXPECT_EQ(log_->Stats().bytes_pending, 0u);
}

TEST_P(LogContract, RefusesMoreThanItsBoundOfPendingBytes) {
  Open(1000);
  std::binary_semaphore blocked{0};
  std::binary_semaphore go{0};
  ASSERT_TRUE(log_->Append({1}, "first",
                           [&](Status) {
                             blocked.release();
                             go.acquire();
                           })
                  .has_value());
  blocked.acquire();  // the log's thread is held: what follows stays pending
  ASSERT_TRUE(log_->Append({1}, std::string(5000, 'x'), [](Status) {}).has_value())
      << "one record may always wait";
  EXPECT_EQ(log_->Append({1}, "more", [](Status) {}).error().code(), Code::kQueueFull);
  EXPECT_EQ(log_->Stats().bytes_pending, 5000u);
  go.release();
  ASSERT_TRUE(log_->Close().ok());
  EXPECT_EQ(ReadAll(*log_, 1)->size(), 2u);
}

TEST_P(LogContract, FollowsTheLogWithOneCursor) {
  auto cursor = *log_->Read(1);
  for (uint64_t i = 1; i <= 300; ++i) {
    EXPECT_FALSE(cursor->Next()->has_value());
    ASSERT_TRUE(AppendAndWait(*log_, 1, Payload(i, 700)).ok());
    EXPECT_EQ((*cursor->Next())->seq, i);
  }
  ASSERT_TRUE(log_->Close().ok());
  log_.reset();
  EXPECT_FALSE(cursor->Next()->has_value()) << "a cursor outlives its log";
}

TEST_P(LogContract, LetsGoOfOldRecordsOnly) {
  for (uint64_t i = 1; i <= 300; ++i) ASSERT_TRUE(AppendAndWait(*log_, 1, Payload(i, 700)).ok());
  auto behind = *log_->Read(1);
  ASSERT_TRUE(behind->Next()->has_value());
  for (uint64_t below : {1, 100, 150, 299, 301, 1000}) {
    ASSERT_TRUE(log_->Truncate(below).ok());
    const uint64_t first = log_->Stats().first_seq;
    EXPECT_LE(first, below);
    const uint64_t from = std::max<uint64_t>(first, 1);
    auto entries = *ReadAll(*log_, from);
    EXPECT_EQ(entries.size(), 301 - from);
    EXPECT_TRUE(entries.empty() || entries[0].payload == Payload(from, 700));
  }
  EXPECT_GT(log_->Stats().first_seq, 1u);
  EXPECT_EQ(log_->Read(1).error().code(), Code::kDataIntegrity);
  EXPECT_EQ(log_->Stats().next_seq, 301u);
  Result<std::optional<LogEntry>> next = behind->Next();
  while (next.has_value() && next->has_value()) next = behind->Next();
  EXPECT_FALSE(next.has_value()) << "a cursor that fell behind is told so";
}

TEST_P(LogContract, TakesNothingOnceClosed) {
  ASSERT_TRUE(AppendAndWait(*log_, 1, "x").ok());
  ASSERT_TRUE(log_->Close().ok());
  ASSERT_TRUE(log_->Close().ok());
  EXPECT_EQ(log_->Append({1}, "x", [](Status) {}).error().code(), Code::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(Forms, LogContract, testing::Bool(),
                         [](const auto& info) { return info.param ? "File" : "Memory"; });

TEST(FileLog, MakesNoFileBeforeTheFirstRecord) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, "log", SmallLog());
  log.reset();
  EXPECT_TRUE(files.List("log")->empty());
  log = *OpenFileLog(files, "log", SmallLog());
  EXPECT_EQ(log->Stats().files, 0u);
  EXPECT_EQ(log->Stats().durable_seq, 0u);
}

TEST(FileLog, GoesOnWhereItEndedOverManyReopens) {
  SimFileSystem files;
  uint64_t seq = 0;
  for (uint64_t life = 1; life <= 20; ++life) {
    auto log = *OpenFileLog(files, "log", SmallLog(life));
    EXPECT_EQ(log->Stats().next_seq, seq + 1);
    for (int i = 0; i < 13; ++i) {
      ++seq;
      ASSERT_TRUE(AppendAndWait(*log, 2, Payload(seq, seq * 97 % 3000)).ok());
    }
    auto entries = *ReadAll(*log, 1);
    ASSERT_EQ(entries.size(), seq);
    for (const LogEntry& entry : entries) {
      EXPECT_TRUE(entry.payload == Payload(entry.seq, entry.seq * 97 % 3000));
      EXPECT_EQ(entry.term, (entry.seq - 1) / 13 + 1);
    }
  }
}

TEST(FileLog, WritesManyRecordsWithOneSync) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, "log", {.partition = {1}, .file_bytes = 1 << 20});
  std::binary_semaphore blocked{0};
  std::binary_semaphore go{0};
  ASSERT_TRUE(log->Append({1}, "x",
                          [&](Status) {
                            blocked.release();
                            go.acquire();
                          })
                  .has_value());
  blocked.acquire();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(log->Append({1}, "y", [](Status) {}).has_value());
  go.release();
  ASSERT_TRUE(log->Close().ok());
  LogStats stats = log->Stats();
  EXPECT_EQ(stats.syncs, 2u);
  EXPECT_EQ(stats.durable_seq, 501u);
  uint64_t counted = 0;
  for (uint64_t n : stats.sync_us) counted += n;
  EXPECT_EQ(counted, 2u);
}

TEST(FileLog, RefusesAnEarlierTermOnceALaterOneHasOpened) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, "log", SmallLog(3));
  ASSERT_TRUE(AppendAndWait(*log, 1, "x").ok());
  log.reset();
  log = *OpenFileLog(files, "log", SmallLog(9));  // writes nothing but its mark
  log.reset();
  auto earlier = OpenFileLog(files, "log", SmallLog(8));
  ASSERT_FALSE(earlier.has_value());
  EXPECT_NE(earlier.error().message().find("fenced"), std::string::npos);
  EXPECT_TRUE(OpenFileLog(files, "log", SmallLog(9)).has_value());
}

TEST(FileLog, RefusesTheFilesOfAnotherPartition) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, "log", SmallLog());
  ASSERT_TRUE(AppendAndWait(*log, 1, "x").ok());
  log.reset();
  FileLogOptions other = SmallLog();
  other.partition = {8};
  EXPECT_EQ(OpenFileLog(files, "log", other).error().code(), Code::kDataIntegrity);
}

TEST(FileLog, KeepsFewFilesWhenTruncated) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, "log", SmallLog());
  for (uint64_t i = 1; i <= 2000; ++i) {
    ASSERT_TRUE(AppendAndWait(*log, 1, Payload(i, 700)).ok());
    ASSERT_TRUE(i % 10 != 0 || log->Truncate(i - 5).ok());
  }
  EXPECT_LE(log->Stats().files, 2u);
  log.reset();
  EXPECT_LE(files.List("log")->size(), 3u) << "and at most one made ahead";
  log = *OpenFileLog(files, "log", SmallLog());
  EXPECT_EQ(log->Stats().next_seq, 2001u);
}

/// The sizes of all log files, in order.
std::vector<uint64_t> SizesOfFiles(SimFileSystem& files) {
  std::vector<uint64_t> sizes;
  for (const DirEntry& entry : *files.List("log")) {
    sizes.push_back(files.ReadFile("log/" + entry.name)->size());
  }
  return sizes;
}

TEST(FileLog, GoesOnInASmallFileOnceAllRecordsAreTruncated) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, "log", SmallLog());
  uint64_t seq = 0;
  const auto append = [&](int records) {
    for (int i = 0; i < records; ++i) {
      ++seq;
      ASSERT_TRUE(AppendAndWait(*log, 2, Payload(seq, 700)).ok());
    }
  };
  for (uint64_t life = 2; life <= 6; ++life) {
    append(300);  // 64 KiB files, and one more made ahead
    auto cursor = *log->Read(seq);
    EXPECT_EQ((*cursor->Next())->seq, seq);
    ASSERT_TRUE(log->Truncate(seq).ok());
    EXPECT_GE(log->Stats().bytes_on_disk, 64u << 10) << "one record is still wanted";
    ASSERT_TRUE(log->Truncate(seq + 1).ok());
    EXPECT_EQ(SizesOfFiles(files), std::vector<uint64_t>{16 << 10});
    EXPECT_EQ(log->Stats().bytes_on_disk, 16u << 10);
    EXPECT_EQ(log->Stats().first_seq, seq + 1);
    EXPECT_EQ(log->Stats().next_seq, seq + 1);
    if (life % 2 == 0) append(3);
    const uint64_t behind = life % 2 == 0 ? 3 : 0;
    log.reset();
    files.Crash(life);
    log = *OpenFileLog(files, "log", SmallLog(life));
    EXPECT_EQ(log->Stats().next_seq, seq + 1);
    auto entries = *ReadAll(*log, seq + 1 - behind);
    EXPECT_EQ(entries.size(), behind);
    append(2);
    EXPECT_EQ(ReadAll(*log, seq - 1)->size(), 2u);
  }
}

TEST(FileLog, KeepsItsFileWhenRecordsAreWantedOrThereIsNoSpace) {
  SimFileSystem files;
  auto log = *OpenFileLog(files, "log", SmallLog());
  uint64_t seq = 0;
  while (log->Stats().files < 3) {
    ASSERT_TRUE(AppendAndWait(*log, 1, Payload(++seq, 900)).ok());
  }
  files.SetCapacity(1);
  ASSERT_TRUE(log->Truncate(seq + 1).ok());
  EXPECT_GE(log->Stats().bytes_on_disk, 64u << 10);
  files.SetCapacity(1 << 30);
  ASSERT_TRUE(AppendAndWait(*log, 1, "x").ok());
  ASSERT_TRUE(log->Truncate(seq + 2).ok());
  EXPECT_EQ(log->Stats().bytes_on_disk, 16u << 10);
}

TEST(FileLog, AnswersWithoutASyncWhenAskedForAsync) {
  SimFileSystem files;
  FakeClock clock;
  FileLogOptions options = SmallLog();
  options.durability = LogDurability::kAsync;
  options.clock = &clock;
  auto log = *OpenFileLog(files, "log", options);
  clock.AdvanceMs(1000);
  ASSERT_TRUE(AppendAndWait(*log, 1, "a").ok());  // the first sync is long ago: due
  const size_t syncs = files.Syncs().size();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(AppendAndWait(*log, 1, "b").ok());
  EXPECT_LE(files.Syncs().size(), syncs + 1) << "at most the one of an idle writer";
  EXPECT_EQ(ReadAll(*log, 1)->size(), 6u);
  ASSERT_TRUE(log->Close().ok());
  files.Crash(0);
  log = *OpenFileLog(files, "log", options);
  EXPECT_EQ(log->Stats().next_seq, 7u) << "closing syncs";
}

/// A log that acknowledges before it syncs, and whose clock stands still: no sync is ever due.
Result<std::unique_ptr<Log>> OpenAsync(SimFileSystem& files, const FakeClock& clock) {
  FileLogOptions options = SmallLog();
  options.durability = LogDurability::kAsync;
  options.clock = &clock;
  return OpenFileLog(files, "log", options);
}

TEST(FileLogAsync, SyncsAFileBeforeItWritesTheNext) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SimFileSystem files;
    FakeClock clock;
    auto log = *OpenAsync(files, clock);
    while (log->Stats().files < 3) ASSERT_TRUE(AppendAndWait(*log, 1, Payload(seed, 900)).ok());
    const uint64_t next_seq = log->Stats().next_seq;
    ASSERT_TRUE(log->Close().ok());  // syncs the last file only
    files.Crash(seed);
    log.reset();
    auto again = OpenAsync(files, clock);
    ASSERT_TRUE(again.has_value()) << again.error().message();
    EXPECT_EQ((*again)->Stats().next_seq, next_seq);
  }
}

TEST(FileLogAsync, SyncsSoonAfterTheLastRecord) {
  SimFileSystem files;
  FakeClock clock;
  auto log = *OpenAsync(files, clock);
  ASSERT_TRUE(AppendAndWait(*log, 1, "a").ok());
  const Clock& watch = SystemClock();
  const int64_t give_up_us = watch.MonotonicUs() + 20'000'000;
  while (log->Stats().syncs == 0 && watch.MonotonicUs() < give_up_us) std::this_thread::yield();
  EXPECT_EQ(log->Stats().syncs, 1u);
  files.Crash(0);
  log.reset();
  auto again = OpenAsync(files, clock);
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ((*again)->Stats().next_seq, 2u);
}

TEST(FileLogAsync, TellsAFailedSyncInTheBackgroundThoughNobodyAppends) {
  SimFileSystem files;
  FakeClock clock;
  std::promise<Status> told;
  FileLogOptions options = SmallLog();
  options.durability = LogDurability::kAsync;
  options.clock = &clock;
  options.broken = [&](const Status& why) { told.set_value(why); };  // a second call would throw
  auto log = *OpenFileLog(files, "log", options);
  // The first append makes its file, with syncs of its own; the second only writes.
  ASSERT_TRUE(AppendAndWait(*log, 1, "a").ok());
  files.FailSync(0, EIO);
  const Status answer = AppendAndWait(*log, 1, "b");
  auto failed = told.get_future();
  ASSERT_EQ(failed.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(failed.get().code(), Code::kIoFailed);
  EXPECT_EQ(log->Stats().broken.code(), Code::kIoFailed);
  if (answer.ok()) EXPECT_EQ(AppendAndWait(*log, 1, "c").code(), Code::kIoFailed);
  EXPECT_FALSE(log->Close().ok());
}

/// The body of a block with the last fragment of record `seq`, which began before it.
std::string EndOf(uint64_t seq) {
  ByteWriter body;
  body.Fixed(seq);
  body.Fixed<int64_t>(1);
  body.Fixed<uint32_t>(100);
  body.Fixed<uint32_t>(1u << 31);
  return body.Take();
}

TEST(RecordAssembler, PassesOverTheEndOfOneRecordOnly) {
  RecordAssembler assembler(/*keep_payloads=*/true);
  std::deque<LogEntry> entries;
  const std::string third = EndOf(3), ninth = EndOf(9);
  ASSERT_TRUE(assembler.Add({.term = 1, .fragments = 1, .body = third}, entries).ok());
  EXPECT_EQ(assembler.next_seq(), 4u);
  const Status status = assembler.Add({.term = 1, .fragments = 1, .body = ninth}, entries);
  EXPECT_EQ(status.code(), Code::kDataIntegrity);
  EXPECT_EQ(status.message(), "a fragment of record 9 is out of order");
}

TEST(FaultyLog, FailsTheCallsOfItsPlan) {
  FaultyLog log(OpenMemoryLog());
  log.faults().Fail("append", {.n = 1, .status = {Code::kQueueFull, "full"}});
  log.faults().Fail("done", {.n = 1});
  EXPECT_TRUE(AppendAndWait(log, 1, "a").ok());
  EXPECT_EQ(AppendAndWait(log, 1, "b").code(), Code::kQueueFull);
  EXPECT_EQ(AppendAndWait(log, 1, "c").code(), Code::kIoFailed);
  EXPECT_EQ(ReadAll(log, 1)->size(), 2u);
  log.faults().Fail("next", {});
  EXPECT_FALSE(ReadAll(log, 1).has_value());
}

}  // namespace
}  // namespace elanus::storage
