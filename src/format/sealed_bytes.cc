#include "format/sealed_bytes.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace elanus::format {

std::string SealBytes(Envelope envelope, std::string_view body) {
  ELANUS_CHECK(envelope.magic.size() == 4);
  ByteWriter out;
  out.Reserve(body.size() + 12);
  out.Raw(envelope.magic.data(), 4);
  out.Fixed<uint32_t>(envelope.version);
  out.Raw(body.data(), body.size());
  out.Fixed<uint32_t>(Crc32c(out.view()));
  return out.Take();
}

Result<std::string_view> OpenSealedBytes(Envelope envelope, std::string_view bytes,
                                         std::string_view what) {
  if (bytes.size() < 12) return Error(Damaged(what, "cut short"));
  ByteReader tail(bytes.substr(bytes.size() - 4));
  if (Crc32c(bytes.substr(0, bytes.size() - 4)) != tail.Fixed<uint32_t>()) {
    return Error(Damaged(what, "checksum does not match"));
  }
  if (bytes.substr(0, 4) != envelope.magic) return Error(Damaged(what, "is another kind of file"));
  ByteReader head(bytes.substr(4, 4));
  if (uint32_t version = head.Fixed<uint32_t>(); version != envelope.version) {
    return Error(Damaged(what, "has unknown version " + std::to_string(version)));
  }
  return bytes.substr(8, bytes.size() - 12);
}

Status Damaged(std::string_view what, std::string_view detail) {
  return {Code::kDataIntegrity,
          std::string(what) + ": " + std::string(detail) + ": data integrity check failed"};
}

}  // namespace elanus::format
