#include "format/log_record.h"

#include "base/check.h"
#include "format/sealed_bytes.h"

namespace elanus::format {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kTimestampOffset = 2;
constexpr std::string_view kWhat = "log record";

}  // namespace

std::string EncodeLogRecord(const LogRecord& record) {
  ByteWriter out;
  size_t bytes = 64;
  for (const model::Column& column : record.rows.columns) {
    bytes += column.fixed.size() + column.bytes.size() + column.offsets.size() * 8 +
             column.valid.size() + 32;
  }
  out.Reserve(bytes);
  out.Fixed<uint8_t>(kVersion);
  out.Fixed<uint8_t>(static_cast<uint8_t>(record.kind));
  out.Fixed<uint64_t>(record.timestamp);
  Encoder encoder(out);
  encoder(record);
  return out.Take();
}

void StampLogRecord(std::string& bytes, model::Timestamp timestamp) {
  ELANUS_CHECK(bytes.size() >= kTimestampOffset + sizeof(timestamp));
  std::memcpy(bytes.data() + kTimestampOffset, &timestamp, sizeof(timestamp));
}

Result<LogRecord> DecodeLogRecord(std::string_view bytes) {
  ByteReader in(bytes);
  if (uint8_t version = in.Fixed<uint8_t>(); in.ok() && version != kVersion) {
    return Error(Damaged(kWhat, "has unknown version " + std::to_string(version)));
  }
  LogRecord record;
  const auto kind = in.Fixed<uint8_t>();
  if (in.ok() && (kind < 1 || kind > 3)) return Error(Damaged(kWhat, "has an unknown kind"));
  record.kind = static_cast<LogRecord::Kind>(kind);
  record.timestamp = in.Fixed<uint64_t>();
  Decoder decoder(in);
  decoder(record);
  if (!in.done()) return Error(Damaged(kWhat, "malformed or cut short"));
  RETURN_IF_ERROR(record.rows.Validate());
  return record;
}

}  // namespace elanus::format
