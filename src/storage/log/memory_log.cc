// The log as a queue in memory, with a thread that calls the dones: the form for unit tests and
// simulation.
#include <fmt/core.h>

#include <deque>
#include <utility>

#include "base/mutex.h"
#include "base/thread.h"
#include "storage/log/log.h"

namespace elanus::storage {
namespace {

struct Records {
  Mutex mutex;
  std::deque<LogEntry> entries GUARDED_BY(mutex);
  uint64_t first_seq GUARDED_BY(mutex) = 1;
  uint64_t durable_seq GUARDED_BY(mutex) = 0;
};

class MemoryCursor final : public LogCursor {
 public:
  MemoryCursor(std::shared_ptr<Records> records, uint64_t next_seq)
      : records_(std::move(records)), next_seq_(next_seq) {}

  Result<std::optional<LogEntry>> Next() override {
    MutexLock lock(records_->mutex);
    if (next_seq_ > records_->durable_seq) return std::nullopt;
    if (next_seq_ < records_->first_seq) {
      return Error(Code::kDataIntegrity, fmt::format("record {} is truncated", next_seq_));
    }
    return records_->entries[next_seq_++ - records_->first_seq];
  }

 private:
  const std::shared_ptr<Records> records_;
  uint64_t next_seq_;
};

class MemoryLog final : public Log {
 public:
  MemoryLog(uint64_t term, uint64_t pending_bytes_max)
      : term_(term),
        pending_bytes_max_(pending_bytes_max),
        thread_("log-writer", [this] { Run(); }) {}
  ~MemoryLog() override { std::ignore = Close(); }

  Result<uint64_t> Append(ShardId shard, std::string payload, AppendDone done) override {
    uint64_t seq = 0;
    {
      MutexLock lock(mutex_);
      if (closing_) return Error(Code::kUnavailable, "the log is closed");
      if (pending_bytes_ != 0 && pending_bytes_ + payload.size() > pending_bytes_max_) {
        return Error(Code::kQueueFull, fmt::format("{} bytes wait for the log", pending_bytes_));
      }
      seq = next_seq_++;
      pending_bytes_ += payload.size();
      queue_.push_back({{seq, term_, shard, std::move(payload)}, std::move(done)});
    }
    work_.NotifyOne();
    return seq;
  }

  Result<std::unique_ptr<LogCursor>> Read(uint64_t from_seq) override {
    MutexLock lock(records_->mutex);
    if (from_seq < records_->first_seq || from_seq > records_->durable_seq + 1) {
      return Error(Code::kDataIntegrity,
                   fmt::format("the log holds records {} to {}, wanted from {}",
                               records_->first_seq, records_->durable_seq, from_seq));
    }
    return std::make_unique<MemoryCursor>(records_, from_seq);
  }

  Status Truncate(uint64_t below_seq) override {
    MutexLock lock(records_->mutex);
    while (!records_->entries.empty() && records_->first_seq < below_seq) {
      records_->entries.pop_front();
      ++records_->first_seq;
    }
    return Status::Ok();
  }

  LogStats Stats() const override {
    LogStats stats;
    {
      MutexLock lock(mutex_);
      stats.next_seq = next_seq_;
      stats.bytes_pending = pending_bytes_;
    }
    MutexLock lock(records_->mutex);
    stats.first_seq = records_->first_seq;
    stats.durable_seq = records_->durable_seq;
    return stats;
  }

  Status Close() override {
    {
      MutexLock lock(mutex_);
      closing_ = true;
    }
    work_.NotifyOne();
    thread_.Join();
    return Status::Ok();
  }

 private:
  struct Pending {
    LogEntry entry;
    AppendDone done;
  };

  void Run() {
    MutexLock lock(mutex_);
    for (;;) {
      while (queue_.empty() && !closing_) work_.Wait(mutex_);
      if (queue_.empty()) return;
      Pending record = std::move(queue_.front());
      queue_.pop_front();
      pending_bytes_ -= record.entry.payload.size();
      lock.Unlock();
      {
        MutexLock records_lock(records_->mutex);
        records_->durable_seq = record.entry.seq;
        records_->entries.push_back(std::move(record.entry));
      }
      record.done(Status::Ok());
      lock.Lock();
    }
  }

  const uint64_t term_;
  const uint64_t pending_bytes_max_;
  const std::shared_ptr<Records> records_ = std::make_shared<Records>();
  mutable Mutex mutex_;
  CondVar work_;
  std::deque<Pending> queue_ GUARDED_BY(mutex_);
  uint64_t next_seq_ GUARDED_BY(mutex_) = 1;
  uint64_t pending_bytes_ GUARDED_BY(mutex_) = 0;
  bool closing_ GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace

std::unique_ptr<Log> OpenMemoryLog(uint64_t term, uint64_t pending_bytes_max) {
  return std::make_unique<MemoryLog>(term, pending_bytes_max);
}

}  // namespace elanus::storage
