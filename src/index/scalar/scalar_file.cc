#include "index/scalar/scalar_file.h"

#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELANUSSX";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 256;
constexpr size_t kAlign = 64;
constexpr uint32_t kRowsMax = 0x7FFFFFFF;

size_t Padded(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

Buffer MakeHeader(const ScalarHeader& header, const ScalarSpans& sections) {
  ByteWriter w;
  w.Raw(kMagic.data(), kMagic.size());
  w.Fixed(kVersion);
  w.Fixed(static_cast<uint8_t>(header.type));
  w.Fixed(static_cast<uint8_t>(header.use));
  w.Fixed(static_cast<uint8_t>(header.exact ? 1 : 0));
  w.Fixed(uint8_t{0});
  w.Fixed(header.rows);
  w.Fixed(header.keys);
  w.Fixed(header.gram_min);
  w.Fixed(header.gram_max);
  w.Fixed(uint32_t{0});
  uint64_t offset = kHeaderBytes;
  for (const auto& section : sections) {
    w.Fixed(offset);
    w.Fixed(static_cast<uint64_t>(section.size()));
    w.Fixed(Crc32c(section.data(), section.size()));
    w.Fixed(uint32_t{0});
    offset += Padded(section.size());
  }
  Buffer head(kHeaderBytes);
  std::memcpy(head.data(), w.view().data(), w.size());
  const uint32_t crc = Crc32c(head.data(), kHeaderBytes - sizeof(uint32_t));
  std::memcpy(head.data() + kHeaderBytes - sizeof(crc), &crc, sizeof(crc));
  return head;
}

Result<ScalarHeader> ParseHeader(ByteReader& r) {
  ScalarHeader header;
  const auto type = r.Fixed<uint8_t>();
  const auto use = r.Fixed<uint8_t>();
  const auto exact = r.Fixed<uint8_t>();
  r.Fixed<uint8_t>();
  if (type > static_cast<uint8_t>(KeyType::kBool)) return DamagedScalarFile("unknown key type");
  if (use > static_cast<uint8_t>(KeyUse::kBoxes)) return DamagedScalarFile("unknown use of keys");
  header.type = static_cast<KeyType>(type);
  header.use = static_cast<KeyUse>(use);
  header.exact = exact != 0;
  header.rows = r.Fixed<uint32_t>();
  header.keys = r.Fixed<uint32_t>();
  header.gram_min = r.Fixed<uint16_t>();
  header.gram_max = r.Fixed<uint16_t>();
  r.Fixed<uint32_t>();
  if (header.rows > kRowsMax) return DamagedScalarFile("row count out of range");
  if (header.use == KeyUse::kGrams && (header.type != KeyType::kText || header.gram_min == 0 ||
                                       header.gram_max < header.gram_min)) {
    return DamagedScalarFile("gram lengths out of range");
  }
  if (header.use == KeyUse::kBoxes && header.type != KeyType::kReal)
    return DamagedScalarFile("boxes of a type that has none");
  return header;
}

}  // namespace

std::unexpected<Status> DamagedScalarFile(const char* what) {
  return Error(Code::kDataIntegrity, std::string("scalar index file: ") + what);
}

std::vector<Buffer> MakeScalarFile(const ScalarHeader& header, const ScalarSpans& sections) {
  std::vector<Buffer> file;
  file.push_back(MakeHeader(header, sections));
  for (const auto& section : sections) {
    if (section.empty()) continue;
    Buffer piece(Padded(section.size()));
    std::memcpy(piece.data(), section.data(), section.size());
    file.push_back(std::move(piece));
  }
  return file;
}

Result<ScalarHeader> ReadScalarFile(std::span<const std::byte> file, ScalarSpans& sections) {
  if (file.size() < kHeaderBytes) return DamagedScalarFile("shorter than its header");
  if (std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0)
    return DamagedScalarFile("not a scalar index file");
  uint32_t crc;
  std::memcpy(&crc, file.data() + kHeaderBytes - sizeof(crc), sizeof(crc));
  if (crc != Crc32c(file.data(), kHeaderBytes - sizeof(crc)))
    return DamagedScalarFile("header checksum does not match");
  ByteReader r(std::string_view(reinterpret_cast<const char*>(file.data()), kHeaderBytes));
  r.Raw(kMagic.size());
  if (r.Fixed<uint32_t>() != kVersion) return DamagedScalarFile("unknown version");
  ASSIGN_OR_RETURN(const ScalarHeader header, ParseHeader(r));
  uint64_t end = kHeaderBytes;
  for (auto& section : sections) {
    const auto offset = r.Fixed<uint64_t>();
    const auto size = r.Fixed<uint64_t>();
    const auto sum = r.Fixed<uint32_t>();
    r.Fixed<uint32_t>();
    if (!r.ok() || offset != end || offset > file.size() || size > file.size() - offset)
      return DamagedScalarFile("section outside the file");
    section = file.subspan(offset, size);
    if (Crc32c(section.data(), section.size()) != sum)
      return DamagedScalarFile("section checksum does not match");
    end = offset + Padded(size);
  }
  if (end != file.size()) return DamagedScalarFile("length does not match its sections");
  return header;
}

}  // namespace elanus::index
