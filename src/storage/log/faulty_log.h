// A Log whose calls fail as a FaultPlan says. Operations: append (refused at once), done (the
// record is appended and becomes durable, but its done is told the error), read, next (of a
// cursor), truncate.
#pragma once

#include <memory>
#include <utility>

#include "storage/fault_plan.h"
#include "storage/log/log.h"

namespace elanus::storage {

class FaultyLog final : public Log {
 public:
  explicit FaultyLog(std::unique_ptr<Log> inner) : inner_(std::move(inner)) {}

  FaultPlan& faults() { return faults_; }

  Result<uint64_t> Append(ShardId shard, std::string payload, AppendDone done) override {
    return faults_.Run("append", [&]() -> Result<uint64_t> {
      FaultPlan::Fault fault = faults_.Next("done");
      if (fault.status.ok()) return inner_->Append(shard, std::move(payload), std::move(done));
      return inner_->Append(shard, std::move(payload),
                            [done = std::move(done), status = std::move(fault.status)](
                                Status) mutable { done(std::move(status)); });
    });
  }
  Result<std::unique_ptr<LogCursor>> Read(uint64_t from_seq) override {
    return faults_.Run("read", [&]() -> Result<std::unique_ptr<LogCursor>> {
      ASSIGN_OR_RETURN(auto cursor, inner_->Read(from_seq));
      return std::make_unique<Cursor>(faults_, std::move(cursor));
    });
  }
  Status Truncate(uint64_t below_seq) override {
    return faults_.Run("truncate", [&] { return inner_->Truncate(below_seq); });
  }
  LogStats Stats() const override { return inner_->Stats(); }
  Status Close() override { return inner_->Close(); }

 private:
  class Cursor final : public LogCursor {
   public:
    Cursor(FaultPlan& faults, std::unique_ptr<LogCursor> inner)
        : faults_(faults), inner_(std::move(inner)) {}
    Result<std::optional<LogEntry>> Next() override {
      return faults_.Run("next", [&] { return inner_->Next(); });
    }

   private:
    FaultPlan& faults_;
    const std::unique_ptr<LogCursor> inner_;
  };

  const std::unique_ptr<Log> inner_;
  FaultPlan faults_;
};

}  // namespace elanus::storage
