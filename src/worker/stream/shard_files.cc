#include "worker/stream/shard_files.h"

#include <fmt/core.h>

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/unique.h"
#include "format/sealed_bytes.h"

namespace elanus::worker {
namespace {

struct HeadRecord {
  std::string manifest;
  uint64_t version = 0;
  uint32_t digest = 0;
  template <class V>
  void Visit(V& v) {
    v(manifest);
    v(version);
    v(digest);
  }
};

}  // namespace

ShardFiles::ShardFiles(storage::MetaStore& meta, storage::ObjectStore& objects, ShardId shard)
    : meta_(meta), objects_(objects), shard_(shard) {}

std::string ShardFiles::Key(std::string_view tail) const {
  return fmt::format("shard/{}/{}", shard_.value, tail);
}

std::string ShardFiles::NewName(std::string_view kind) const {
  return fmt::format("shard/{}/{}/{}", shard_.value, kind, UniqueText());
}

Status ShardFiles::DeleteNamed(const std::string& kind) {
  ASSIGN_OR_RETURN(auto entries, meta_.Range(Key(kind)));
  for (const storage::MetaEntry& entry : entries) {
    ASSIGN_OR_RETURN(auto names, DecodeBytes<std::vector<std::string>>(entry.value, entry.key));
    for (const std::string& name : names) RETURN_IF_ERROR(objects_.Delete(name));
    RETURN_IF_ERROR(StatusOf(meta_.Commit({.deletes = {entry.key}})));
  }
  return Status::Ok();
}

Result<CommittedManifest> ShardFiles::Load(CollectionId collection) {
  RETURN_IF_ERROR(DeleteNamed("intent/"));
  RETURN_IF_ERROR(DeleteNamed("garbage/"));
  ASSIGN_OR_RETURN(auto head, meta_.Get(Key("head")));
  if (!head) {
    auto empty = std::make_shared<format::Manifest>();
    empty->shard = shard_;
    empty->collection = collection;
    return CommittedManifest{.manifest = std::move(empty)};
  }
  ASSIGN_OR_RETURN(HeadRecord record, DecodeBytes<HeadRecord>(head->value, head->key));
  ASSIGN_OR_RETURN(std::string bytes, objects_.Get(record.manifest));
  if (Crc32c(bytes) != record.digest)
    return Error(format::Damaged(record.manifest, "is not what the head names"));
  ASSIGN_OR_RETURN(format::Manifest manifest, format::DecodeManifest(bytes, record.manifest));
  if (manifest.shard != shard_)
    return Error(format::Damaged(record.manifest, "belongs to another shard"));
  return CommittedManifest{std::make_shared<const format::Manifest>(std::move(manifest)),
                           record.manifest, head->revision};
}

Result<std::string> ShardFiles::Intend(const std::vector<std::string>& names) {
  std::string key = Key("intent/" + UniqueText());
  RETURN_IF_ERROR(StatusOf(meta_.Commit({.puts = {{key, EncodeBytes(names)}}})));
  return key;
}

void ShardFiles::Abandon(const std::string& intent, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (Status status = objects_.Delete(name); !status.ok())
      return;  // the intent stays: the next start tries again
  }
  if (auto done = meta_.Commit({.deletes = {intent}}); !done.has_value()) {
    LogWarn("intent not removed shard={} error={}", shard_.value, done.error().message());
  }
}

Result<std::optional<CommittedManifest>> ShardFiles::Commit(const CommittedManifest& base,
                                                            format::Manifest next,
                                                            const CommitSet& set) {
  next.version = base.manifest->version + 1;
  next.parent = base.name;
  const std::string name =
      fmt::format("shard/{}/manifest/{:08}-{}", shard_.value, next.version, UniqueText());
  ASSIGN_OR_RETURN(const std::string manifest_intent, Intend({name}));
  const std::string bytes = format::EncodeManifest(next);
  RETURN_IF_ERROR(objects_.Put(name, bytes));
  storage::MetaTxn txn{.compares = {{Key("head"), base.revision}}};
  txn.puts.emplace_back(Key("head"), EncodeBytes(HeadRecord{name, next.version, Crc32c(bytes)}));
  std::vector<std::string> old = set.garbage;
  if (!base.name.empty()) old.push_back(base.name);
  if (!old.empty())
    txn.puts.emplace_back(Key(fmt::format("garbage/{:020}", next.version)), EncodeBytes(old));
  txn.deletes = set.intents;
  txn.deletes.push_back(manifest_intent);
  ASSIGN_OR_RETURN(storage::MetaCommit commit, meta_.Commit(txn));
  if (!commit.committed) {
    Abandon(manifest_intent, {name});
    return std::nullopt;
  }
  return CommittedManifest{std::make_shared<const format::Manifest>(std::move(next)), name,
                           commit.revision};
}

Status ShardFiles::CollectGarbage() { return DeleteNamed("garbage/"); }

Status ShardFiles::RemoveAll(const CommittedManifest& last) {
  std::vector<std::string> names;
  for (const format::SegmentRef& segment : last.manifest->segments) {
    for (std::string& name : FilesOf(segment)) names.push_back(std::move(name));
  }
  if (!last.name.empty()) names.push_back(last.name);
  // The head goes first, with its files named as garbage: a crash in between leaves nothing
  // unreachable.
  RETURN_IF_ERROR(StatusOf(meta_.Commit(
      {.puts = {{Key("garbage/drop"), EncodeBytes(names)}}, .deletes = {Key("head")}})));
  RETURN_IF_ERROR(DeleteNamed("intent/"));
  return DeleteNamed("garbage/");
}

std::vector<std::string> FilesOf(const format::SegmentRef& segment) {
  std::vector<std::string> names{segment.file.name};
  if (!segment.deletes.name.empty()) names.push_back(segment.deletes.name);
  for (const format::IndexRef& index : segment.indexes) names.push_back(index.file.name);
  return names;
}

}  // namespace elanus::worker
