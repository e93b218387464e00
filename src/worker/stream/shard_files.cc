#include "worker/stream/shard_files.h"

#include <fmt/core.h>

#include <charconv>
#include <set>

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/unique.h"
#include "format/sealed_bytes.h"

namespace elanus::worker {
namespace {

const std::string kPrefix = "shard/";

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
  RETURN_IF_ERROR(MarkOpen());
  RETURN_IF_ERROR(RemoveRest());
  return ReadHead(collection);
}

Status ShardFiles::MarkOpen() {
  const std::string key = Key("open");
  ASSIGN_OR_RETURN(auto entry, meta_.Get(key));
  if (entry) {
    open_revision_ = entry->revision;
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(auto commit, meta_.Commit({.compares = {{key, 0}}, .puts = {{key, ""}}}));
  if (!commit.committed) {
    return {Code::kUnavailable, "the shard was opened by another process: service unavailable"};
  }
  open_revision_ = commit.revision;
  return Status::Ok();
}

Result<CommittedManifest> ShardFiles::ReadHead(CollectionId collection) {
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
  ASSIGN_OR_RETURN(auto commit,
                   meta_.Commit({.compares = {IsOpen()}, .puts = {{key, EncodeBytes(names)}}}));
  if (!commit.committed) return Error(Code::kCanceled, "the shard was dropped meanwhile: canceled");
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
  storage::MetaTxn txn{.compares = {{Key("head"), base.revision}, IsOpen()}};
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

Status ShardFiles::RemoveAll() {
  for (;;) {
    ASSIGN_OR_RETURN(const auto head, meta_.Get(Key("head")));
    const int64_t revision = head ? head->revision : 0;
    ASSIGN_OR_RETURN(const std::vector<std::string> names, CommittedFiles());
    // Head and mark go first, the files named as garbage: a crash in between leaves nothing
    // unreachable, and a job in between cannot name anything.
    storage::MetaTxn txn{.compares = {{Key("head"), revision}},
                         .deletes = {Key("head"), Key("open")}};
    if (!names.empty()) txn.puts = {{Key("garbage/drop"), EncodeBytes(names)}};
    ASSIGN_OR_RETURN(auto commit, meta_.Commit(txn));
    if (commit.committed) break;  // else a job was faster
  }
  return DeleteNamed("garbage/");
}

Result<std::vector<std::string>> ShardFiles::CommittedFiles() {
  auto last = ReadHead({});
  // A shard may be dropped because its manifest cannot be read: then its files are what bears its
  // name.
  if (!last.has_value() && last.error().code() == Code::kDataIntegrity) return ListFiles();
  if (!last.has_value()) return Error(last.error());
  std::vector<std::string> names;
  for (const format::SegmentRef& segment : last->manifest->segments) {
    for (std::string& name : FilesOf(segment)) names.push_back(std::move(name));
  }
  if (!last->name.empty()) names.push_back(last->name);
  return names;
}

Result<std::vector<std::string>> ShardFiles::ListFiles() {
  storage::ObjectListing listing{.prefix = Key("")};
  std::vector<std::string> names;
  for (;;) {
    ASSIGN_OR_RETURN(std::vector<std::string> page, objects_.List(listing));
    names.insert(names.end(), page.begin(), page.end());
    if (page.size() < listing.limit) return names;
    listing.after = page.back();
  }
}

Status ShardFiles::RemoveRest() {
  RETURN_IF_ERROR(DeleteNamed("intent/"));
  return DeleteNamed("garbage/");
}

Result<std::vector<ShardId>> ShardFiles::List(storage::MetaStore& meta) {
  ASSIGN_OR_RETURN(auto entries, meta.Range(kPrefix));
  std::set<ShardId> shards;
  for (const storage::MetaEntry& entry : entries) {
    const char* const begin = entry.key.data() + kPrefix.size();
    int64_t id = 0;
    if (std::from_chars(begin, entry.key.data() + entry.key.size(), id).ec == std::errc()) {
      shards.insert(ShardId{id});
    }
  }
  return std::vector<ShardId>(shards.begin(), shards.end());
}

std::vector<std::string> FilesOf(const format::SegmentRef& segment) {
  std::vector<std::string> names{segment.file.name};
  if (!segment.deletes.name.empty()) names.push_back(segment.deletes.name);
  for (const format::IndexRef& index : segment.indexes) names.push_back(index.file.name);
  return names;
}

}  // namespace elanus::worker
