#include "format/segment_file.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/crc32c.h"
#include "format/sealed_bytes.h"

namespace elanus::format {
namespace {

constexpr std::string_view kMagic = "ELSEG001";
constexpr Envelope kFooterEnvelope{.magic = "ELSF", .version = 1};
constexpr size_t kAlignment = 64;
constexpr size_t kTrailerBytes = 8 + 8;  // footer length, magic

}  // namespace

Status SegmentFileWriter::Write(std::string_view bytes) {
  digest_ = Crc32c(bytes, digest_);
  offset_ += bytes.size();
  return sink_(bytes);
}

Status SegmentFileWriter::Begin() { return Write(kMagic); }

Status SegmentFileWriter::StartSection(SectionKind kind, FieldId field, model::DataType type,
                                       int64_t dim) {
  RETURN_IF_ERROR(EndSection());
  const size_t padding = (kAlignment - offset_ % kAlignment) % kAlignment;
  RETURN_IF_ERROR(Write(std::string(padding, '\0')));
  sections_.push_back({.kind = kind, .field = field, .type = type, .dim = dim, .offset = offset_});
  in_section_ = true;
  return Status::Ok();
}

Status SegmentFileWriter::Append(std::string_view bytes) {
  ELANUS_CHECK(in_section_);
  SectionInfo& section = sections_.back();
  section.bytes += bytes.size();
  for (std::string_view rest = bytes; !rest.empty();) {
    const size_t piece = std::min<size_t>(rest.size(), kSegmentBlockBytes - block_fill_);
    block_crc_ = Crc32c(rest.substr(0, piece), block_crc_);
    block_fill_ += piece;
    rest.remove_prefix(piece);
    if (block_fill_ == kSegmentBlockBytes) {
      section.checksums.push_back(block_crc_);
      block_fill_ = 0;
      block_crc_ = 0;
    }
  }
  return Write(bytes);
}

Status SegmentFileWriter::EndSection() {
  if (!in_section_) return Status::Ok();
  if (block_fill_ != 0) sections_.back().checksums.push_back(block_crc_);
  block_fill_ = 0;
  block_crc_ = 0;
  in_section_ = false;
  return Status::Ok();
}

Status SegmentFileWriter::Finish(SegmentFooter footer) {
  RETURN_IF_ERROR(EndSection());
  footer.sections = std::move(sections_);
  const std::string sealed = SealBytes(kFooterEnvelope, EncodeBytes(footer));
  RETURN_IF_ERROR(Write(sealed));
  ByteWriter trailer;
  trailer.Fixed<uint64_t>(sealed.size());
  trailer.Raw(kMagic.data(), kMagic.size());
  return Write(trailer.view());
}

Result<SegmentFile> SegmentFile::Open(std::string_view bytes, std::string name) {
  SegmentFile file(bytes, std::move(name));
  if (bytes.size() < kMagic.size() + kTrailerBytes || !bytes.starts_with(kMagic) ||
      !bytes.ends_with(kMagic)) {
    return Error(Damaged(file.name_, "is not a whole segment file"));
  }
  ByteReader trailer(bytes.substr(bytes.size() - kTrailerBytes));
  const auto footer_bytes = trailer.Fixed<uint64_t>();
  if (footer_bytes > bytes.size() - kTrailerBytes - kMagic.size()) {
    return Error(Damaged(file.name_, "footer does not fit"));
  }
  std::string_view sealed = bytes.substr(bytes.size() - kTrailerBytes - footer_bytes, footer_bytes);
  ASSIGN_OR_RETURN(std::string_view body, OpenSealedBytes(kFooterEnvelope, sealed, file.name_));
  ASSIGN_OR_RETURN(file.footer_, DecodeBytes<SegmentFooter>(body, file.name_));
  RETURN_IF_ERROR(file.CheckSections());
  return file;
}

Status SegmentFile::CheckSections() const {
  const uint64_t rows = footer_.rows;
  if (rows > UINT32_MAX) return Damaged(name_, "claims too many rows");
  for (const SectionInfo& s : footer_.sections) {
    if (Find(s.kind, s.field) != &s) return Damaged(name_, "has two sections of one kind");
    if (s.offset % kAlignment != 0 || s.offset > bytes_.size() ||
        s.bytes > bytes_.size() - s.offset) {
      return Damaged(name_, "a section lies outside the file");
    }
    const uint64_t blocks = (s.bytes + kSegmentBlockBytes - 1) / kSegmentBlockBytes;
    if (s.checksums.size() != blocks) return Damaged(name_, "a section lacks checksums");
    if (s.dim < 0 || s.dim > (1 << 20)) return Damaged(name_, "a section has an absurd dimension");
    uint64_t expected = s.bytes;
    switch (s.kind) {
      case SectionKind::kValid: expected = rows; break;
      case SectionKind::kFixed: expected = rows * model::ValueBytes(s.type, s.dim); break;
      case SectionKind::kOffsets: expected = (rows + 1) * sizeof(uint64_t); break;
      case SectionKind::kTimestamps: expected = rows * sizeof(uint64_t); break;
      case SectionKind::kBytes:
      case SectionKind::kKeyFilter: break;
      default: return Damaged(name_, "has a section of an unknown kind");
    }
    if (s.bytes != expected) return Damaged(name_, "a section has the wrong length");
  }
  return Status::Ok();
}

const SectionInfo* SegmentFile::Find(SectionKind kind, FieldId field) const {
  for (const SectionInfo& section : footer_.sections) {
    if (section.kind == kind && section.field == field) return &section;
  }
  return nullptr;
}

Status SegmentFile::VerifySection(const SectionInfo& section) const {
  std::string_view rest = Bytes(section);
  for (uint32_t expected : section.checksums) {
    const size_t piece = std::min<size_t>(rest.size(), kSegmentBlockBytes);
    if (Crc32c(rest.substr(0, piece)) != expected) {
      return Damaged(name_, "a block's checksum does not match");
    }
    rest.remove_prefix(piece);
  }
  return Status::Ok();
}

}  // namespace elanus::format
