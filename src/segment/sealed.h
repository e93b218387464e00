// A segment file, mapped and checked, with the deletes that hit it, its vectors resident or mapped
// when loaded, its indexes. Holds: the file's bytes agree with their checksums before a row of them
// is served (vectors: before they are loaded); rows ascend by primary key. Threads: many readers;
// Delete by the shard's apply thread; Load, Release and SetIndex by maintenance, each swapped in
// whole.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "format/manifest.h"
#include "format/segment_file.h"
#include "index/scalar/scalar_index.h"
#include "index/vector/buffer.h"
#include "model/schema.h"
#include "segment/delete_log.h"
#include "segment/sealed_keys.h"
#include "segment/segment.h"

namespace elanus::segment {

/// Bytes of a file and what keeps them.
struct FileBytes {
  std::string name;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

class SealedSegment final : public Segment {
 public:
  /// Checks everything but the vectors' bytes. Errors: kDataIntegrity naming the file.
  static Result<std::shared_ptr<SealedSegment>> Open(const format::SegmentRef& ref, FileBytes file,
                                                     std::vector<format::RowDelete> deletes);

  /// Deletes rows of the key inserted before `ts`; returns how many it hit.
  size_t Delete(const model::PrimaryKey& key, model::Timestamp ts);
  /// Deletes one row; false when it is deleted already.
  bool DeleteRow(uint32_t row, model::Timestamp ts) { return deletes_.Add(row, ts); }

  /// Asked for the bytes that are to become resident; answers what is kept as long as they are, or
  /// null: they stay where they are.
  using Reserve = std::function<std::shared_ptr<const void>(uint64_t bytes)>;
  /// Checks the vector column, or the lists of vectors, against its checksums and copies it to
  /// memory of our own, on huge pages when large; or leaves it in the mapped file. What was left
  /// there before is asked for again; who holds Vectors() keeps what it has.
  /// \param reserve  empty: resident
  Status LoadVectors(FieldId field, const Reserve& reserve = {});
  void ReleaseVectors();
  /// The bytes of the field that LoadVectors checks and brings in; 0: it has nothing to do.
  uint64_t VectorBytes(FieldId field) const;
  bool VectorsLoaded(FieldId field) const;
  bool VectorsMapped(FieldId field) const;
  /// The vectors of a loaded or mapped dense vector column and their owner; of lists, those of all
  /// rows' lists one after another. Empty for other fields.
  std::pair<index::VectorView, std::shared_ptr<const void>> Vectors(
      const model::FieldSchema& field) const;
  /// How many rows an index on the field has: vectors, or rows of the segment.
  uint64_t IndexedRows(const model::FieldSchema& field) const;
  /// An index that searches of the field use from now on; nullptr: none. `id` is the user's index,
  /// or 0: the graph that the rows had while they were growing, until the user's is built.
  void SetIndex(FieldId field, IndexId id, std::shared_ptr<const index::VectorIndex> index);
  /// The id of the field's index, 0 while there is none.
  IndexId IndexIdOn(FieldId field) const;
  /// An index that filters on a field, or on a path inside a JSON field, use from now on.
  struct ScalarPlace {
    FieldId field;
    std::vector<std::string> path;
    friend auto operator<=>(const ScalarPlace&, const ScalarPlace&) = default;
  };
  void SetScalarIndex(ScalarPlace place, IndexId id,
                      std::shared_ptr<const index::ScalarIndex> index);
  bool HasScalarIndex(IndexId id) const;
  /// Lets go of every scalar index whose id is not among these.
  void KeepScalarIndexes(std::span<const IndexId> ids);
  struct Resident {
    uint64_t vectors = 0;  ///< bytes
    uint64_t indexes = 0;
  };
  Resident resident() const;

  uint32_t rows() const { return rows_; }
  /// False: the field came after the segment was written; all its rows are null or the default.
  bool HasColumn(FieldId field) const { return columns_.contains(field); }
  uint64_t file_bytes() const { return file_.bytes.size(); }
  const format::SegmentFooter& footer() const { return reader_.footer(); }
  const SealedKeys& keys() const { return keys_; }

  bool sealed() const override { return true; }
  const DeleteLog& deletes() const override { return deletes_; }
  uint32_t RowsAt(model::Timestamp) const override { return rows_; }
  std::vector<Run> Runs(uint32_t rows) const override;
  std::shared_ptr<const Bitset> HiddenAt(model::Timestamp t, uint32_t rows) const override;
  std::shared_ptr<Bitset> InsertedBy(model::Timestamp t, uint32_t rows) const override;
  model::PrimaryKey KeyAt(uint32_t row) const override { return keys_.At(row); }
  model::Timestamp TimestampAt(uint32_t row) const override { return timestamps_[row]; }
  std::vector<uint32_t> FindKey(const model::PrimaryKey& key, uint32_t rows) const override;
  bool OrderedByKey() const override { return true; }
  uint32_t LowerBound(const model::PrimaryKey& key, bool strictly) const override {
    return keys_.LowerBound(key, strictly);
  }
  std::shared_ptr<const index::VectorIndex> IndexOn(FieldId field) const override;

 private:
  class Rows;

  SealedSegment(const format::SegmentRef& ref, FileBytes file, format::SegmentFile reader);
  Status OpenColumns();
  Status OpenColumn(const format::SectionInfo& section);
  Status CheckOffsets(const ColumnView& view, uint64_t bytes) const;
  /// The section with the field's vectors, or lists of them; nullptr: it has none of one width.
  const format::SectionInfo* VectorSection(FieldId field) const;

  const FileBytes file_;
  const format::SegmentFile reader_;
  const uint32_t rows_;
  std::map<FieldId, ColumnView> columns_;
  std::vector<std::vector<BlockRange>> ranges_;  ///< what views of columns_ point at
  const model::Timestamp* timestamps_ = nullptr;
  SealedKeys keys_;
  DeleteLog deletes_;

  mutable Mutex mutex_;
  /// Of loaded fields; null: mapped.
  std::map<FieldId, std::shared_ptr<const index::Buffer>> resident_ GUARDED_BY(mutex_);
  struct OpenedIndex {
    IndexId id;
    std::shared_ptr<const index::VectorIndex> index;
  };
  std::map<FieldId, OpenedIndex> indexes_ GUARDED_BY(mutex_);
  struct OpenedScalar {
    IndexId id;
    std::shared_ptr<const index::ScalarIndex> index;
  };
  using ScalarIndexes = std::map<ScalarPlace, OpenedScalar>;
  ScalarIndexes scalars_ GUARDED_BY(mutex_);
  /// The whole segment as one run; made anew when vectors or scalar indexes come or go.
  mutable std::shared_ptr<const RowSource> run_ GUARDED_BY(mutex_);
  /// The file for readers of its columns. Gives its pages back once vectors became resident and
  /// nobody reads any more what was mapped then: paging out, as Replace() does, leaves those.
  std::shared_ptr<const void> Mapped() const REQUIRES(mutex_);
  mutable std::shared_ptr<const void> mapped_ GUARDED_BY(mutex_);
};

}  // namespace elanus::segment
