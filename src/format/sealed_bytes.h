// The envelope of small files: magic, version, body, CRC32C over all of it.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::format {

struct Envelope {
  std::string_view magic;  ///< 4 bytes
  uint32_t version = 1;
};

std::string SealBytes(Envelope envelope, std::string_view body);

/// The body, a view into `bytes`. kDataIntegrity naming `what` when magic, version, length or
/// checksum do not fit.
Result<std::string_view> OpenSealedBytes(Envelope envelope, std::string_view bytes,
                                         std::string_view what);

/// kDataIntegrity: `what: detail: data integrity check failed`.
Status Damaged(std::string_view what, std::string_view detail);

}  // namespace elanus::format
