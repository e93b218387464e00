// The payload of one log entry of a shard.
// Holds: the timestamp lies at a fixed place, so that the owner encodes a record before it knows
// the timestamp and stamps it under its lock. Bytes: docs/format/log_record.md. Called by
// worker/stream.
#pragma once

#include <string>
#include <string_view>

#include "base/codec.h"
#include "base/status.h"
#include "model/hybrid_time.h"
#include "model/primary_key.h"
#include "model/row_batch.h"

namespace elanus::format {

struct LogRecord {
  enum class Kind : uint8_t {
    kWrite = 1,          ///< deletes, then rows, both at `timestamp`
    kDropPartition = 2,  ///< barrier: every row of `partition` so far is gone
    kTruncate = 3,       ///< barrier: every row of the shard so far is gone
  };

  Kind kind = Kind::kWrite;
  model::Timestamp timestamp = 0;
  CollectionId collection;
  uint64_t schema_version = 0;
  PartitionId partition;
  bool delete_everywhere = false;  ///< deletes reach every partition, not only `partition`
  model::PrimaryKeys deletes;
  model::RowBatch rows;

  template <class V>
  void Visit(V& v) {
    v(collection);
    v(schema_version);
    v(partition);
    v(delete_everywhere);
    v(deletes);
    v(rows);
  }
};

/// The record's bytes. Cost: one copy of the rows.
std::string EncodeLogRecord(const LogRecord& record);

/// Overwrites the timestamp of encoded bytes.
void StampLogRecord(std::string& bytes, model::Timestamp timestamp);

/// kDataIntegrity when the bytes are not one whole record whose rows agree with themselves.
Result<LogRecord> DecodeLogRecord(std::string_view bytes);

}  // namespace elanus::format
