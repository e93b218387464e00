// The file of a sealed segment: columns in sections, rows in ascending primary-key order.
// Holds: a section starts at a multiple of 64 bytes and has a CRC32C for each 64 KiB block; the
// directory of sections lies in the footer under its own CRC32C. Written once, front to back; read
// by mapping. Bytes: docs/format/segment_file.md. Called by segment/ (read) and worker/build
// (write).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/codec.h"
#include "base/ids.h"
#include "base/status.h"
#include "model/data_type.h"
#include "model/hybrid_time.h"

namespace elanus::format {

enum class SectionKind : uint8_t {
  kValid = 1,    ///< one byte a row; absent = no nulls
  kFixed = 2,    ///< values of a fixed-width type
  kOffsets = 3,  ///< uint64[rows + 1] into the column's kBytes
  kBytes = 4,
  kTimestamps = 5,  ///< uint64[rows], insert timestamps; field 1
  kKeyFilter = 6,   ///< filter over the primary keys (format/key_filter.h)
};

inline constexpr size_t kSegmentBlockBytes = 64 << 10;

struct SectionInfo {
  SectionKind kind = SectionKind::kFixed;
  FieldId field;
  model::DataType type = model::DataType::kNone;
  int64_t dim = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  std::vector<uint32_t> checksums;  ///< one a block of kSegmentBlockBytes

  template <class V>
  void Visit(V& v) {
    v(kind);
    v(field);
    v(type);
    v(dim);
    v(offset);
    v(bytes);
    v(checksums);
  }
};

struct SegmentFooter {
  SegmentId segment;
  uint64_t rows = 0;
  FieldId key_field;
  model::Timestamp first_timestamp = 0;
  model::Timestamp last_timestamp = 0;
  std::vector<SectionInfo> sections;

  template <class V>
  void Visit(V& v) {
    v(segment);
    v(rows);
    v(key_field);
    v(first_timestamp);
    v(last_timestamp);
    v(sections);
  }
};

/// Takes the next bytes of a file, in order.
using ByteSink = std::function<Status(std::string_view)>;

/// Writes a segment file section by section.
class SegmentFileWriter {
 public:
  explicit SegmentFileWriter(ByteSink sink) : sink_(std::move(sink)) {}

  Status Begin();
  /// Starts a section; its bytes follow by Append, in any pieces.
  Status StartSection(SectionKind kind, FieldId field, model::DataType type, int64_t dim);
  Status Append(std::string_view bytes);
  /// Writes footer and trailer. `footer.sections` is filled in here.
  Status Finish(SegmentFooter footer);

  uint64_t bytes_written() const { return offset_; }
  uint32_t digest() const { return digest_; }

 private:
  Status Write(std::string_view bytes);
  Status EndSection();

  ByteSink sink_;
  uint64_t offset_ = 0;
  uint32_t digest_ = 0;
  bool in_section_ = false;
  uint64_t block_fill_ = 0;
  uint32_t block_crc_ = 0;
  std::vector<SectionInfo> sections_;
};

/// A segment file's bytes with a checked directory.
class SegmentFile {
 public:
  /// Checks trailer, footer and the shape of every section, not the sections' bytes (VerifySection
  /// does). kDataIntegrity naming `name`. `bytes` must outlive the object.
  static Result<SegmentFile> Open(std::string_view bytes, std::string name);

  const SegmentFooter& footer() const { return footer_; }
  const SectionInfo* Find(SectionKind kind, FieldId field) const;
  std::string_view Bytes(const SectionInfo& section) const {
    return bytes_.substr(section.offset, section.bytes);
  }
  /// Compares every block with its checksum. Cost: one pass over the section.
  Status VerifySection(const SectionInfo& section) const;
  const std::string& name() const { return name_; }

 private:
  SegmentFile(std::string_view bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}
  Status CheckSections() const;

  std::string_view bytes_;
  std::string name_;
  SegmentFooter footer_;
};

}  // namespace elanus::format
