#include "format/manifest.h"

#include "format/sealed_bytes.h"

namespace elanus::format {
namespace {

constexpr Envelope kManifestEnvelope{.magic = "ELMF", .version = 1};
constexpr Envelope kDeleteRunEnvelope{.magic = "ELDR", .version = 1};

}  // namespace

std::string EncodeManifest(const Manifest& manifest) {
  return SealBytes(kManifestEnvelope, EncodeBytes(manifest));
}

Result<Manifest> DecodeManifest(std::string_view bytes, std::string_view name) {
  ASSIGN_OR_RETURN(std::string_view body, OpenSealedBytes(kManifestEnvelope, bytes, name));
  return DecodeBytes<Manifest>(body, name);
}

std::string EncodeDeleteRun(const std::vector<RowDelete>& deletes) {
  ByteWriter out;
  out.Varint(deletes.size());
  uint32_t row = 0;
  for (const RowDelete& d : deletes) {
    out.Varint(d.row - row);
    out.Fixed<uint64_t>(d.timestamp);
    row = d.row;
  }
  return SealBytes(kDeleteRunEnvelope, out.view());
}

Result<std::vector<RowDelete>> DecodeDeleteRun(std::string_view bytes, uint64_t rows,
                                               std::string_view name) {
  ASSIGN_OR_RETURN(std::string_view body, OpenSealedBytes(kDeleteRunEnvelope, bytes, name));
  ByteReader in(body);
  const size_t count = in.Count(9);
  std::vector<RowDelete> deletes;
  deletes.reserve(count);
  uint64_t row = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t step = in.Varint();
    row += step;
    const auto timestamp = in.Fixed<uint64_t>();
    if (!in.ok() || row >= rows || step > rows || (i != 0 && step == 0)) {
      return Error(Damaged(name, "names rows that its segment does not have"));
    }
    deletes.push_back({static_cast<uint32_t>(row), timestamp});
  }
  if (!in.done()) return Error(Damaged(name, "malformed or cut short"));
  return deletes;
}

}  // namespace elanus::format
