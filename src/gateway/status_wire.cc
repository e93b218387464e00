#include "gateway/status_wire.h"

#include "base/utf8.h"
#include "gateway/wire_writer.h"

namespace elanus::gateway {

int32_t LegacyErrorCode(Code code) {
  switch (static_cast<int32_t>(code)) {
    case 0: return 0;
    case 1:
    case 110: return 56;  // NotReadyServe
    case 3: return 52;    // InsufficientMemoryToLoad
    case 7: return 54;    // DiskQuotaExhausted
    case 8: return 49;    // RateLimit
    case 9: return 48;    // ForceDeny
    case 11:
    case 505: return 55;  // TimeTickLongDelay
    case 100: return 4;   // CollectionNotExists
    case 109: return 62;  // SchemaMismatch
    case 200:
    case 400:
    case 501: return 15;  // MetaFailed
    case 401:
    case 503:
    case 506:
    case 905: return 46;  // NoReplicaAvailable
    case 600: return 47;  // SegmentNotFound
    case 700: return 25;  // IndexNotExist
    case 904: return 50;  // NodeIDNotMatch
    case 1100:
    case 1101:
    case 1102: return 5;  // IllegalArgument
    default: return 1;    // UnexpectedError
  }
}

std::string StatusReason(const Status& status) {
  // Messages quote what clients sent, and clients refuse replies with text that is not UTF-8.
  return status.message().empty() ? std::string(CodeText(status.code())) : ToUtf8(status.message());
}

std::string StatusReply(const Status& status, int status_field) {
  return EncodeWire([&](auto& out) {
    if (status_field == kReplyIsStatus) {
      WriteStatusFields(out, status);
    } else if (status_field > 0) {
      out.Message(status_field, [&](auto& body) { WriteStatusFields(body, status); });
    }
  });
}

}  // namespace elanus::gateway
