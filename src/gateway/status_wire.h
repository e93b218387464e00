// A Status as it stands on the wire: Milvus' common.Status, in every reply, with the new code and
// the older one that many clients read alone.
// Called by call.h for every failed call and by each handler for its reply.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::gateway {

/// Milvus' older error enum for a code (common.ErrorCode); 0 for kOk, 1 where none fits better.
int32_t LegacyErrorCode(Code code);

/// The text a client shows: the message, or the code's base text where there is none.
std::string StatusReason(const Status& status);

/// Field numbers of common.Status, and where a reply keeps it.
inline constexpr int kReplyIsStatus = 0;  ///< the reply is a common.Status itself
inline constexpr int kNoStatus = -1;      ///< the reply has no status

/// Writes the fields of common.Status into a WireSink.
template <class Sink>
void WriteStatusFields(Sink& out, const Status& status) {
  if (status.ok()) return;
  const auto code = static_cast<uint64_t>(static_cast<int64_t>(status.code()));
  out.Int(1, static_cast<uint64_t>(LegacyErrorCode(status.code())));
  out.Text(2, StatusReason(status));
  out.Int(3, code);
  out.Bool(4, status.retriable());
  out.Text(5, StatusReason(status));
  if (CodeInputError(status.code())) {
    out.Message(6, [](auto& entry) {
      entry.Text(1, "is_input_error");
      entry.Text(2, "true");
    });
  }
}

/// A whole reply that carries nothing but a status.
/// \param status_field  number of the reply's status field, or kReplyIsStatus, or kNoStatus
std::string StatusReply(const Status& status, int status_field);

}  // namespace elanus::gateway
