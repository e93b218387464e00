// Feeds any bytes, in pieces of any size, to the decoders of requests that carry rows. What they
// accept must be well formed enough to be written back, and must not depend on how it was cut.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/codec.h"
#include "gateway/request_wire.h"
#include "gateway/result_wire.h"

namespace elanus::gateway {
namespace {

std::vector<std::string_view> Cut(std::string_view bytes, size_t size) {
  std::vector<std::string_view> pieces;
  for (size_t i = 0; i < bytes.size(); i += size) pieces.push_back(bytes.substr(i, size));
  return pieces;
}

void FeedMutation(std::string_view bytes, size_t size, service::MutationKind kind) {
  auto whole = ReadMutation(Cut(bytes, bytes.size() + 1), kind);
  auto cut = ReadMutation(Cut(bytes, size), kind);
  ELANUS_CHECK(whole.has_value() == cut.has_value());
  if (!whole) return;
  service::QueryResult result;
  for (size_t i = 0; i < whole->call.columns.size(); ++i) {
    const model::Column& column = whole->call.columns[i].column;
    ELANUS_CHECK(EncodeBytes(column) == EncodeBytes(cut->call.columns[i].column));
    // A vector column may have a ragged end, which the proxy refuses; it is not written back.
    const bool ragged = !column.Validate().ok();
    ELANUS_CHECK(!ragged || model::IsVector(column.type));
    if (!ragged) {
      result.columns.push_back({.name = "c", .nullable = i % 2 == 0, .column = column});
    }
  }
  ELANUS_CHECK(!WriteQueryResults(result).empty());
}

}  // namespace
}  // namespace elanus::gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace elanus::gateway;  // NOLINT(google-build-using-namespace)
  if (size < 2) return 0;
  const size_t piece = data[1] % 32 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 5) {
    case 0: FeedMutation(bytes, piece, elanus::service::MutationKind::kInsert); break;
    case 1: FeedMutation(bytes, piece, elanus::service::MutationKind::kUpsert); break;
    case 2: (void)ReadSearch(Cut(bytes, piece)); break;
    case 3: (void)ReadQuery(Cut(bytes, piece)); break;
    default: (void)ReadDelete(Cut(bytes, piece)); break;
  }
  return 0;
}
