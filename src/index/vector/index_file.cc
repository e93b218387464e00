#include "index/vector/index_file.h"

#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELANUSIX";
constexpr uint32_t kVersion = 3;
constexpr size_t kHeaderBytes = 512;  // room for 16 sections
constexpr size_t kSectionsMax = 16;
constexpr size_t kAlign = 64;
constexpr uint32_t kDimMax = 32768;
constexpr uint32_t kRowsMax = 0x7FFFFFFF;
constexpr uint32_t kDegreeMax = 4096;  // M at most 2048

std::unexpected<Status> Corrupt(std::string_view what) {
  return Error(Code::kDataIntegrity, "index file: " + std::string(what));
}

void PutHeader(ByteWriter& w, const IndexHeader& h) {
  w.Fixed(static_cast<uint8_t>(h.kind));
  w.Fixed(static_cast<uint8_t>(h.metric));
  w.Fixed(static_cast<uint8_t>(h.element));
  w.Fixed(static_cast<uint8_t>(h.codec.kind));
  w.Fixed(h.rows);
  w.Fixed(h.dim);
  w.Fixed(h.scale);
  w.Fixed(h.degree);
  w.Fixed(h.upper_degree);
  w.Fixed(h.m);
  w.Fixed(h.ef_construction);
  w.Fixed(h.nlist);
  w.Fixed(h.tuning.width_10);
  w.Fixed(h.tuning.width_100);
  w.Fixed(h.seed);
  w.Fixed(h.part_dim);
  w.Fixed(static_cast<uint8_t>(h.codec.bits));
  w.Fixed(static_cast<uint8_t>(h.codec.rounds));
  w.Fixed(static_cast<uint16_t>(h.codec.parts));
}

Result<IndexHeader> GetHeader(ByteReader& r) {
  IndexHeader h;
  const auto kind = r.Fixed<uint8_t>();
  const auto metric = r.Fixed<uint8_t>();
  if (kind >= kKinds) return Corrupt("unknown kind");
  if (metric > static_cast<uint8_t>(Metric::kCosine)) return Corrupt("unknown metric");
  h.kind = static_cast<Kind>(kind);
  h.metric = static_cast<Metric>(metric);
  const auto element = r.Fixed<uint8_t>();
  const auto codec = r.Fixed<uint8_t>();
  if (element >= simd::kElements) return Corrupt("unknown element");
  if (codec >= kCodecKinds) return Corrupt("unknown codec");
  h.element = static_cast<simd::Element>(element);
  h.rows = r.Fixed<uint32_t>();
  h.dim = r.Fixed<uint32_t>();
  h.scale = r.Fixed<float>();
  h.degree = r.Fixed<uint32_t>();
  h.upper_degree = r.Fixed<uint32_t>();
  h.m = r.Fixed<uint32_t>();
  h.ef_construction = r.Fixed<uint32_t>();
  h.nlist = r.Fixed<uint32_t>();
  h.tuning.width_10 = r.Fixed<uint32_t>();
  h.tuning.width_100 = r.Fixed<uint32_t>();
  h.seed = r.Fixed<uint64_t>();
  h.part_dim = r.Fixed<uint32_t>();
  h.codec.kind = static_cast<CodecKind>(codec);
  h.codec.bits = r.Fixed<uint8_t>();
  h.codec.rounds = r.Fixed<uint8_t>();
  h.codec.parts = r.Fixed<uint16_t>();
  if (h.dim == 0 || h.dim > kDimMax) return Corrupt("dimension out of range");
  if (h.rows > kRowsMax) return Corrupt("row count out of range");
  if (!std::isfinite(h.scale) || h.scale <= 0) return Corrupt("scale out of range");
  if (h.degree > kDegreeMax || h.upper_degree > kDegreeMax) return Corrupt("degree out of range");
  return h;
}

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kFlat: return "FLAT";
    case Kind::kIvfFlat: return "IVF_FLAT";
    case Kind::kHnsw: return "HNSW";
    case Kind::kIvfPq: return "IVF_PQ";
    case Kind::kScann: return "SCANN";
    case Kind::kIvfCoded: return "IVF of codes";
    case Kind::kForest: return "ANNOY";
    case Kind::kNsg: return "RNSG";
  }
  return "unknown";
}

size_t IndexFile::size() const {
  size_t bytes = 0;
  for (const Buffer& chunk : chunks_) bytes += chunk.size();
  return bytes;
}

std::string IndexFile::Join() const {
  std::string bytes;
  bytes.reserve(size());
  for (const Buffer& chunk : chunks_)
    bytes.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
  return bytes;
}

IndexFileReader IndexFileWriter::Peek(const IndexHeader& header) const {
  IndexFileReader reader;
  reader.header_ = header;
  for (const Section& section : sections_) {
    reader.sections_[static_cast<size_t>(section.id)] = section.bytes.span();
  }
  return reader;
}

std::vector<Buffer> IndexFileReader::MakeResident() {
  std::vector<Buffer> copies;
  for (auto& section : sections_) {
    if (section.empty()) continue;
    copies.push_back(Buffer::Replace(section));
    section = copies.back().span();
  }
  return copies;
}

uint64_t IndexFileReader::SectionBytes() const {
  uint64_t bytes = 0;
  for (const auto& section : sections_) bytes += section.size();
  return bytes;
}

IndexFile IndexFileWriter::Finish(const IndexHeader& header) {
  ByteWriter w;
  w.Raw(kMagic.data(), kMagic.size());
  w.Fixed(kVersion);
  w.Fixed(static_cast<uint32_t>(sections_.size()));
  PutHeader(w, header);
  uint64_t offset = kHeaderBytes;
  for (const Section& section : sections_) {
    w.Fixed(static_cast<uint32_t>(section.id));
    w.Fixed(Crc32c(section.bytes.data(), section.bytes.size()));
    w.Fixed(offset);
    w.Fixed(static_cast<uint64_t>(section.bytes.size()));
    offset += (section.bytes.size() + kAlign - 1) / kAlign * kAlign;
  }
  IndexFile file;
  Buffer head(kHeaderBytes);
  std::memcpy(head.data(), w.view().data(), w.size());
  const uint32_t crc = Crc32c(head.data(), kHeaderBytes - sizeof(uint32_t));
  std::memcpy(head.data() + kHeaderBytes - sizeof(crc), &crc, sizeof(crc));
  file.chunks_.push_back(std::move(head));
  for (Section& section : sections_) {
    const size_t pad = (kAlign - section.bytes.size() % kAlign) % kAlign;
    file.chunks_.push_back(std::move(section.bytes));
    if (pad != 0) file.chunks_.emplace_back(pad);
  }
  return file;
}

Result<IndexFileReader> IndexFileReader::Open(std::span<const std::byte> file) {
  if (file.size() < kHeaderBytes) return Corrupt("shorter than its header");
  if (std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0)
    return Corrupt("not an index file");
  uint32_t crc;
  std::memcpy(&crc, file.data() + kHeaderBytes - sizeof(crc), sizeof(crc));
  if (crc != Crc32c(file.data(), kHeaderBytes - sizeof(crc)))
    return Corrupt("header checksum does not match");
  ByteReader r(std::string_view(reinterpret_cast<const char*>(file.data()), kHeaderBytes));
  r.Raw(kMagic.size());
  if (r.Fixed<uint32_t>() != kVersion) return Corrupt("unknown version");
  const auto count = r.Fixed<uint32_t>();
  IndexFileReader reader;
  ASSIGN_OR_RETURN(reader.header_, GetHeader(r));
  if (count > kSectionsMax) return Corrupt("too many sections");
  uint64_t end = kHeaderBytes;
  for (uint32_t i = 0; i < count; ++i) {
    const auto id = r.Fixed<uint32_t>();
    const auto sum = r.Fixed<uint32_t>();
    const auto offset = r.Fixed<uint64_t>();
    const auto size = r.Fixed<uint64_t>();
    if (!r.ok() || offset != end || size > file.size() || offset > file.size() - size) {
      return Corrupt("section outside the file");
    }
    if (id >= reader.sections_.size()) return Corrupt("unknown section");
    const auto bytes = file.subspan(offset, size);
    if (Crc32c(bytes.data(), bytes.size()) != sum)
      return Corrupt("section checksum does not match");
    reader.sections_[id] = bytes;
    end = offset + (size + kAlign - 1) / kAlign * kAlign;
  }
  if (end != file.size()) return Corrupt("length does not match its sections");
  return reader;
}

std::unexpected<Status> IndexFileReader::WrongSize(const char* name) {
  return Corrupt(std::string(name) + " has the wrong size");
}

}  // namespace elanus::index
