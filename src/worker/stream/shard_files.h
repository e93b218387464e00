// The files of one shard: manifests, the head in the MetaStore, what is being written and what is
// no longer needed. Holds: a file's name is in an intent before its first byte is written, and
// leaves the intent in the same commit that puts it into a manifest; replaced files are named as
// garbage in that commit. So after a crash every file is reached from the head, an intent or a
// garbage entry: nothing is found by listing. Every commit and intent also demands the shard's
// `open` entry, which goes first when the shard is dropped: a job that still runs then can name
// nothing any more. Threads: any; commits race by compare-and-swap on the head's revision.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "format/manifest.h"
#include "storage/meta/meta_store.h"
#include "storage/object/object_store.h"

namespace elanus::worker {

/// A manifest and the revision of the head that names it; revision 0 = there is none yet.
struct CommittedManifest {
  std::shared_ptr<const format::Manifest> manifest;
  std::string name;
  int64_t revision = 0;
};

class ShardFiles {
 public:
  ShardFiles(storage::MetaStore& meta, storage::ObjectStore& objects, ShardId shard);

  /// Opens the shard and gives the committed manifest; an empty one for a new shard. Removes what a
  /// crash left: files of intents, garbage. Errors: kDataIntegrity naming the manifest; the
  /// stores'.
  Result<CommittedManifest> Load(CollectionId collection);

  /// A new object name: shard/<id>/<kind>/<unique>.
  std::string NewName(std::string_view kind) const;

  /// Declares files about to be written; returns the intent's key for Commit or Abandon.
  Result<std::string> Intend(const std::vector<std::string>& names);
  /// Deletes the files of an intent and the intent.
  void Abandon(const std::string& intent, const std::vector<std::string>& names);

  /// Makes `next` the head if `base` still is. nullopt: it is not, try again on the newer one.
  /// Intents end and garbage is named for deletion in the same commit.
  struct CommitSet {
    std::vector<std::string> intents;
    std::vector<std::string> garbage;
  };
  Result<std::optional<CommittedManifest>> Commit(const CommittedManifest& base,
                                                  format::Manifest next, const CommitSet& set);
  /// Deletes what commits have named as garbage.
  Status CollectGarbage();
  /// Deletes every committed file and entry of the shard: it was dropped. Safe while jobs of it
  /// still run: they end with kCanceled and delete what they declared; after a crash RemoveRest
  /// does. Safe too when it was done before, in whole or in part.
  Status RemoveAll();
  /// Deletes what jobs of a dropped shard had declared when the process died. \pre no job runs
  Status RemoveRest();

  /// Every shard that has an entry in the store, ascending.
  static Result<std::vector<ShardId>> List(storage::MetaStore& meta);

  storage::ObjectStore& objects() { return objects_; }

 private:
  std::string Key(std::string_view tail) const;
  Status DeleteNamed(const std::string& kind);
  Status MarkOpen();
  Result<CommittedManifest> ReadHead(CollectionId collection);
  Result<std::vector<std::string>> CommittedFiles();
  Result<std::vector<std::string>> ListFiles();
  storage::MetaCompare IsOpen() const { return {Key("open"), open_revision_}; }

  storage::MetaStore& meta_;
  storage::ObjectStore& objects_;
  const ShardId shard_;
  int64_t open_revision_ = 0;
};

/// Every object a manifest names.
std::vector<std::string> FilesOf(const format::SegmentRef& segment);

}  // namespace elanus::worker
