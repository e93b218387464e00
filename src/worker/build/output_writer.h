// Writes rows of segments as one new sealed segment, with its indexes, as files that no manifest
// names yet. Holds: a file is declared (an intent) before its first byte. Threads: the caller's;
// one object a job.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "format/manifest.h"
#include "worker/build/index_spec.h"
#include "worker/build/load_budget.h"
#include "worker/build/segment_job.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

/// Files of a job that are declared and not committed; deleted again unless Committed() is called.
class DeclaredFiles {
 public:
  explicit DeclaredFiles(ShardFiles& files) : files_(files) {}
  ~DeclaredFiles();
  DeclaredFiles(const DeclaredFiles&) = delete;
  DeclaredFiles& operator=(const DeclaredFiles&) = delete;

  Result<std::string> NewName(std::string_view kind);
  std::vector<std::string> intents() const;
  void Committed() { open_.clear(); }

 private:
  ShardFiles& files_;
  std::vector<std::pair<std::string, std::string>> open_;  // intent, name
};

/// An index and the field it is on, both of the collection.
struct IndexedField {
  const model::IndexInfo& info;
  const model::FieldSchema& field;
};

/// A new segment on its way: files written, not committed.
struct Output {
  format::SegmentRef ref;
  Replacement replacement;
};

class OutputWriter {
 public:
  OutputWriter(Shard& shard, const JobContext& context, DeclaredFiles& declared)
      : shard_(shard), context_(context), declared_(declared) {}

  /// The rows of `inputs` (all of one partition) in key order. Opened, and loaded when the
  /// collection is.
  Result<Output> Write(const std::vector<segment::SegmentPtr>& inputs, bool with_indexes);
  /// Index files of a segment that exists; adds their references.
  /// \param start  an index over part of its rows, for the build to go on from; empty: none
  Status BuildIndex(const IndexedField& indexed, const IndexPlan& plan,
                    segment::SealedSegment& segment, format::SegmentRef& ref,
                    const index::BuildStart& start = {});

 private:
  using Sources = std::vector<segment::SealedInput>;

  Status WriteRows(const model::CollectionInfo& collection, const Sources& sources,
                   bool with_indexes, Output& output);
  Status BuildIndexes(const model::CollectionInfo& collection, const Sources& sources,
                      Output& output);

  Shard& shard_;
  const JobContext& context_;
  DeclaredFiles& declared_;
  uint64_t bytes_replaced_ = 0;  // resident ones of sealed inputs
};

/// Opens and checks a segment file of the manifest. Errors: kDataIntegrity naming the file.
Result<SealedPtr> OpenSegmentFile(storage::ObjectStore& objects, const format::SegmentRef& ref,
                                  std::vector<format::RowDelete> deletes);
/// Opens an index file of the segment and lets searches, or filters, use it. Errors: kDataIntegrity
/// naming the file.
Status OpenIndexFile(ShardFiles& files, const Loading& loading, const IndexedField& indexed,
                     segment::SealedSegment& segment, const format::IndexRef& ref);
/// Makes every vector column of the segment resident, lists of vectors too, but for what is to stay
/// mapped.
Status LoadVectorFields(const Loading& loading, segment::SealedSegment& segment);

}  // namespace elanus::worker
