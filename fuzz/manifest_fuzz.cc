// The small records at rest: manifest, delete run, log record. Bytes behind a right seal are read
// or refused, and what was read comes back when it is written and read again.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "format/log_record.h"
#include "format/manifest.h"
#include "format/sealed_bytes.h"

namespace elanus::format {
namespace {

void FuzzManifest(std::string_view body) {
  auto manifest = DecodeManifest(SealBytes({.magic = "ELMF", .version = 1}, body), "the-manifest");
  if (!manifest.has_value()) return;
  auto again = DecodeManifest(EncodeManifest(*manifest), "again");
  ELANUS_CHECK(again.has_value() && *again == *manifest);
}

void FuzzDeleteRun(std::string_view body) {
  constexpr uint64_t kRows = 1000;
  auto run =
      DecodeDeleteRun(SealBytes({.magic = "ELDR", .version = 1}, body), kRows, "the-deletes");
  if (!run.has_value()) return;
  for (size_t i = 0; i < run->size(); ++i) {
    ELANUS_CHECK((*run)[i].row < kRows && (i == 0 || (*run)[i - 1].row < (*run)[i].row));
  }
  auto again = DecodeDeleteRun(EncodeDeleteRun(*run), kRows, "again");
  ELANUS_CHECK(again.has_value() && *again == *run);
}

void FuzzLogRecord(std::string_view bytes) {
  auto record = DecodeLogRecord(bytes);
  if (!record.has_value()) return;
  uint64_t sum = 0;
  for (const model::Column& column : record->rows.columns) {
    for (size_t row = 0; row < column.rows; ++row) {
      if (!column.IsNull(row)) sum += column.ValueAt(row).size();
    }
  }
  const std::string written = EncodeLogRecord(*record);
  auto again = DecodeLogRecord(written);
  ELANUS_CHECK(again.has_value() && EncodeLogRecord(*again) == written && sum < bytes.size() * 8);
}

}  // namespace
}  // namespace elanus::format

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: elanus::format::FuzzManifest(bytes); break;
    case 1: elanus::format::FuzzDeleteRun(bytes); break;
    default: elanus::format::FuzzLogRecord(bytes);
  }
  return 0;
}
