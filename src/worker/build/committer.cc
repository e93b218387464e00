#include "worker/build/committer.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/log.h"

namespace elanus::worker {
namespace {

class Committer {
 public:
  Committer(Shard& shard, const JobContext& context, ManifestChange& change,
            const DeclaredFiles& declared)
      : shard_(shard), context_(context), change_(change), declared_(declared) {
    for (Output& output : change_.outputs) replacements_.push_back(std::move(output.replacement));
  }

  Status Run() {
    for (;;) {
      for (const Replacement& r : replacements_) {
        if (!shard_.HasInputs(r.inputs)) {
          return {Code::kCanceled, "the segments were dropped meanwhile: canceled"};
        }
      }
      for (const auto& [id, indexes] : change_.indexes) {
        if (!shard_.HasInputs({id}))
          return {Code::kCanceled, "the segment was dropped meanwhile: canceled"};
      }
      RETURN_IF_ERROR(shard_.fault());
      shard_.Carry(replacements_);
      context_.Reached(JobStep::kDeletesCarried);
      ASSIGN_OR_RETURN(std::optional<CommittedManifest> committed, Attempt());
      if (!committed) continue;
      context_.Reached(JobStep::kCommitted);
      shard_.Replace(replacements_, std::move(*committed));
      context_.Reached(JobStep::kSwapped);
      return Status::Ok();
    }
  }

 private:
  Result<std::optional<CommittedManifest>> Attempt() {
    const CommittedManifest base = shard_.committed();
    format::Manifest next = *base.manifest;
    ShardFiles::CommitSet set{.intents = declared_.intents()};
    DeclaredFiles runs(shard_.files());  // when another job wins, the runs of this attempt go again
    next.segments.clear();
    RETURN_IF_ERROR(KeepSegments(*base.manifest, next, set, runs));
    for (size_t i = 0; i < change_.outputs.size(); ++i) {
      if (replacements_[i].output == nullptr) continue;
      format::SegmentRef ref = change_.outputs[i].ref;
      RETURN_IF_ERROR(RenewDeletes(ref, *replacements_[i].output, set, runs));
      next.segments.push_back(std::move(ref));
    }
    if (change_.frozen != nullptr) {
      next.checkpoint = change_.frozen->checkpoint;
      next.checkpoint_timestamp = change_.frozen->checkpoint_timestamp;
    }
    context_.Reached(JobStep::kRunsWritten);
    for (std::string& intent : runs.intents()) set.intents.push_back(std::move(intent));
    ASSIGN_OR_RETURN(auto committed, shard_.files().Commit(base, std::move(next), set));
    if (committed) runs.Committed();
    return committed;
  }

  Status KeepSegments(const format::Manifest& base, format::Manifest& next,
                      ShardFiles::CommitSet& set, DeclaredFiles& runs) {
    const std::vector<SealedPtr> sealed = shard_.sealed();
    size_t indexed = 0;
    for (format::SegmentRef ref : base.segments) {
      auto it = std::ranges::find(sealed, ref.id, [](const SealedPtr& s) { return s->id(); });
      if (it == sealed.end() || IsInput(ref.id)) {
        for (std::string& name : FilesOf(ref)) set.garbage.push_back(std::move(name));
        continue;
      }
      for (const auto& [id, indexes] : change_.indexes) {
        if (id != ref.id) continue;
        SetIndexes(ref, indexes, set);
        ++indexed;
      }
      if (change_.frozen != nullptr) RETURN_IF_ERROR(RenewDeletes(ref, **it, set, runs));
      next.segments.push_back(std::move(ref));
    }
    if (indexed == change_.indexes.size()) return Status::Ok();
    // Ending their intents now would leave index files that nothing names.
    return {Code::kCanceled, "the segment was dropped meanwhile: canceled"};
  }

  static void SetIndexes(format::SegmentRef& ref, const std::vector<format::IndexRef>& indexes,
                         ShardFiles::CommitSet& set) {
    for (const format::IndexRef& old : ref.indexes) {
      if (std::ranges::find(indexes, old) == indexes.end()) set.garbage.push_back(old.file.name);
    }
    ref.indexes = indexes;
  }

  bool IsInput(SegmentId id) const {
    return std::ranges::any_of(replacements_, [&](const Replacement& r) {
      return std::ranges::find(r.inputs, id) != r.inputs.end();
    });
  }

  /// Writes a new delete run when the segment has deletes that its old one has not.
  Status RenewDeletes(format::SegmentRef& ref, const segment::SealedSegment& segment,
                      ShardFiles::CommitSet& set, DeclaredFiles& runs) {
    const std::vector<format::RowDelete> deletes = segment.deletes().UpTo(model::kTimestampMax);
    if (deletes.size() == ref.deleted_rows) return Status::Ok();
    if (!ref.deletes.name.empty()) set.garbage.push_back(ref.deletes.name);
    const std::string bytes = format::EncodeDeleteRun(deletes);
    ASSIGN_OR_RETURN(std::string name, runs.NewName("deletes"));
    RETURN_IF_ERROR(shard_.files().objects().Put(name, bytes));
    ref.deletes = {std::move(name), bytes.size(), Crc32c(bytes)};
    ref.deleted_rows = deletes.size();
    return Status::Ok();
  }

  Shard& shard_;
  const JobContext& context_;
  ManifestChange& change_;
  const DeclaredFiles& declared_;
  std::vector<Replacement> replacements_;
};

}  // namespace

Status CommitChange(Shard& shard, const JobContext& context, ManifestChange change,
                    DeclaredFiles& declared) {
  const LogPhase phase("publish", "shard", shard.id().value);
  RETURN_IF_ERROR(Committer(shard, context, change, declared).Run());
  declared.Committed();
  return shard.files().CollectGarbage();
}

}  // namespace elanus::worker
