// What a shard consists of at one moment. Immutable: a change writes a new manifest and moves the
// shard's head in the MetaStore by compare-and-swap. Bytes: docs/format/manifest.md. Called by
// worker/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/codec.h"
#include "base/ids.h"
#include "base/status.h"
#include "model/hybrid_time.h"

namespace elanus::format {

/// A write-once object with what it must contain.
struct FileRef {
  std::string name;
  uint64_t bytes = 0;
  uint32_t digest = 0;  ///< CRC32C of the whole file

  template <class V>
  void Visit(V& v) {
    v(name);
    v(bytes);
    v(digest);
  }
  friend bool operator==(const FileRef&, const FileRef&) = default;
};

struct IndexRef {
  IndexId index;
  FieldId field;
  FileRef file;

  template <class V>
  void Visit(V& v) {
    v(index);
    v(field);
    v(file);
  }
  friend bool operator==(const IndexRef&, const IndexRef&) = default;
};

struct SegmentRef {
  SegmentId id;
  PartitionId partition;
  FileRef file;
  uint64_t rows = 0;
  uint64_t deleted_rows = 0;
  model::Timestamp first_timestamp = 0;  ///< smallest and largest insert timestamp of its rows
  model::Timestamp last_timestamp = 0;
  FileRef deletes;  ///< delete run; name empty = none
  std::vector<IndexRef> indexes;

  template <class V>
  void Visit(V& v) {
    v(id);
    v(partition);
    v(file);
    v(rows);
    v(deleted_rows);
    v(first_timestamp);
    v(last_timestamp);
    v(deletes);
    v(indexes);
  }
  friend bool operator==(const SegmentRef&, const SegmentRef&) = default;
};

struct Manifest {
  ShardId shard;
  CollectionId collection;
  uint64_t version = 0;  ///< parent's + 1
  std::string parent;    ///< object name; empty for the first
  /// Every log record of the shard with seq <= checkpoint is wholly in these files: inserts and
  /// deletes.
  uint64_t checkpoint = 0;
  model::Timestamp checkpoint_timestamp = 0;
  std::vector<SegmentRef> segments;

  template <class V>
  void Visit(V& v) {
    v(shard);
    v(collection);
    v(version);
    v(parent);
    v(checkpoint);
    v(checkpoint_timestamp);
    v(segments);
  }
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

std::string EncodeManifest(const Manifest& manifest);
Result<Manifest> DecodeManifest(std::string_view bytes, std::string_view name);

/// A delete that hit a row of a sealed segment.
struct RowDelete {
  uint32_t row = 0;
  model::Timestamp timestamp = 0;
  friend auto operator<=>(const RowDelete&, const RowDelete&) = default;
};

/// Deletes of one segment, sorted by row, one a row (the oldest). Bytes: docs/format/delete_run.md.
std::string EncodeDeleteRun(const std::vector<RowDelete>& deletes);
/// \param rows  of the segment: a delete of a row outside it is damage
Result<std::vector<RowDelete>> DecodeDeleteRun(std::string_view bytes, uint64_t rows,
                                               std::string_view name);

}  // namespace elanus::format
