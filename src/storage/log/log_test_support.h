// What the tests of the log share. Test code only.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "storage/log/log.h"

namespace elanus::storage {

/// Files so small that a test crosses many.
inline FileLogOptions SmallLog(uint64_t term = 1) {
  return {.partition = {7}, .term = term, .file_bytes = 64 << 10, .first_file_bytes = 16 << 10};
}

/// Appends and waits for the answer.
inline Status AppendAndWait(Log& log, int64_t shard, std::string payload) {
  std::promise<Status> answered;
  auto seq = log.Append({shard}, std::move(payload),
                        [&](Status status) { answered.set_value(std::move(status)); });
  if (!seq.has_value()) return seq.error();
  return answered.get_future().get();
}

/// Everything from `from_seq` to the durable end.
inline Result<std::vector<LogEntry>> ReadAll(Log& log, uint64_t from_seq) {
  ASSIGN_OR_RETURN(auto cursor, log.Read(from_seq));
  std::vector<LogEntry> entries;
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<LogEntry> entry, cursor->Next());
    if (!entry.has_value()) return entries;
    entries.push_back(*std::move(entry));
  }
}

/// `size` bytes that tell their seed.
inline std::string Payload(uint64_t seed, size_t size) {
  std::string bytes(size, '\0');
  uint64_t x = seed * 0x9e3779b97f4a7c15 + 1;
  for (char& c : bytes) {
    x = x * 6364136223846793005 + 1442695040888963407;
    c = static_cast<char>(x >> 56);
  }
  return bytes;
}

}  // namespace elanus::storage
