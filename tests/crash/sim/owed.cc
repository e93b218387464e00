#include "sim/owed.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace elanus::crash {
namespace {

/// Throws nothing: an error is a text, the first one ends the comparison.
struct Reader {
  Process& process;
  std::string wrong;

  Rows Read(const model::CollectionInfo& info, PartitionId partition,
            std::optional<model::Timestamp> at) {
    Rows rows;
    for (ShardId shard : info.shards) {
      service::QueryRequest request{.shard = shard,
                                    .collection = info.id,
                                    .partitions = {partition},
                                    .output_fields = {kVersionField, kVectorField}};
      request.read.exactly = at;
      auto reply = process.owner().Query(request, {});
      if (!reply.has_value()) {
        wrong = fmt::format("query of {}: {}", info.name, reply.error().message());
        return rows;
      }
      Take(*reply, rows);
    }
    return rows;
  }

  void Take(const service::QueryReply& reply, Rows& rows) {
    const auto versions = reply.rows.columns[0].Values<int64_t>();
    const auto vectors = reply.rows.columns[1].Values<float>();
    for (size_t i = 0; i < reply.keys.size(); ++i) {
      const int64_t key = reply.keys.ints[i];
      if (!rows.emplace(key, versions[i]).second) wrong = fmt::format("row {} is there twice", key);
      if (!std::ranges::equal(vectors.subspan(i * kDim, kDim), VectorOf(key, versions[i]))) {
        wrong = fmt::format("row {} version {} has the vector of another", key, versions[i]);
      }
    }
  }

  CollectionState ReadAll(const model::CollectionInfo& info) {
    CollectionState state{.indexed = info.FindIndexOn(kVectorField) != nullptr,
                          .loaded = info.loaded,
                          .extended = info.schema.FindField("extra") != nullptr};
    int64_t rows = 0;
    for (const model::PartitionInfo& partition : info.partitions) {
      Rows& read = state.partitions[partition.name];
      read = Read(info, partition.id, {});
      rows += static_cast<int64_t>(read.size());
    }
    Count(info, rows);
    CountVersion(info, state);
    return state;
  }

  /// Rows of one version, by a filter that an index on it may answer.
  void CountVersion(const model::CollectionInfo& info, const CollectionState& state) {
    std::map<int64_t, int64_t> versions;
    for (const auto& [name, rows] : state.partitions) {
      for (auto [key, version] : rows) ++versions[version];
    }
    if (versions.empty()) return;
    const auto [version, expected] = *versions.rbegin();
    const auto root = std::make_shared<const expr::Node>(
        expr::Node{.form = expr::Compare{.column = {kVersionField, model::DataType::kInt64, {}},
                                         .op = expr::CompareOp::kEq,
                                         .value = expr::Value{version}}});
    int64_t count = 0;
    for (ShardId shard : info.shards) {
      auto reply = process.owner().Query(
          {.shard = shard, .collection = info.id, .filter = {.root = root}, .count_only = true},
          {});
      if (reply.has_value()) count += reply->count;
    }
    if (count != expected && wrong.empty()) {
      wrong = fmt::format("{} has {} rows of version {}, a filter counts {}", info.name, expected,
                          version, count);
    }
  }

  /// Of no partition in particular: rows of a dropped one would show here.
  void Count(const model::CollectionInfo& info, int64_t rows) {
    int64_t count = 0;
    for (ShardId shard : info.shards) {
      auto reply =
          process.owner().Query({.shard = shard, .collection = info.id, .count_only = true}, {});
      if (reply.has_value()) count += reply->count;
    }
    if (count != rows && wrong.empty()) {
      wrong = fmt::format("count(*) of {} is {}, read were {} rows", info.name, count, rows);
    }
  }

  /// A few rows are found by their vectors, and nothing is found that is not there.
  void Search(const model::CollectionInfo& info, const CollectionState& state) {
    std::map<int64_t, std::pair<int64_t, PartitionId>> live;
    for (const model::PartitionInfo& partition : info.partitions) {
      for (auto [key, version] : state.partitions.at(partition.name)) {
        live[key] = {version, partition.id};
      }
    }
    size_t step = 0;
    for (auto& [key, row] : live) {
      if (step++ % (1 + live.size() / 4) != 0) continue;
      const std::vector<float> v = VectorOf(key, row.first);
      bool found = false;
      for (ShardId shard : info.shards) {
        service::SearchRequest request{.shard = shard,
                                       .collection = info.id,
                                       .field = kVectorField,
                                       .top_k = 5,
                                       .params = {.ef = 256},
                                       .output_fields = {kVersionField}};
        request.vectors.assign(reinterpret_cast<const char*>(v.data()), kDim * sizeof(float));
        auto reply = process.owner().Search(request, {});
        if (!reply.has_value()) {
          wrong = fmt::format("search in {}: {}", info.name, reply.error().message());
          return;
        }
        for (size_t i = 0; i < reply->keys.size(); ++i) {
          const int64_t hit = reply->keys.ints[i];
          const int64_t version = reply->rows.columns[0].Values<int64_t>()[i];
          auto it = live.find(hit);
          if (it == live.end() || it->second.first != version) {
            wrong = fmt::format("search found row {} version {}, which is not there", hit, version);
          }
          found |= hit == key;
        }
      }
      if (!found) wrong = fmt::format("search for row {} of {} did not find it", key, info.name);
    }
  }
};

std::string Describe(const MaybeCollection& state) {
  if (!state) return "nothing";
  std::string text = fmt::format("indexed={} loaded={} extended={}", state->indexed, state->loaded,
                                 state->extended);
  for (const auto& [name, rows] : state->partitions) {
    text += fmt::format(" {}:{} rows", name, rows.size());
  }
  return text;
}

/// The first rows that differ, for a message.
std::string Difference(const MaybeCollection& owed, const MaybeCollection& found) {
  std::string text = fmt::format("owed {}, found {}", Describe(owed), Describe(found));
  if (!owed || !found) return text;
  for (const auto& [name, want] : owed->partitions) {
    auto have = found->partitions.find(name);
    if (have == found->partitions.end()) continue;
    for (auto [key, version] : want) {
      auto it = have->second.find(key);
      if (it == have->second.end()) return text + fmt::format("; row {} is missing", key);
      if (it->second != version) {
        return text + fmt::format("; row {} has version {}, owed {}", key, it->second, version);
      }
    }
    for (auto [key, version] : have->second) {
      if (!want.contains(key)) return text + fmt::format("; row {} should not be there", key);
    }
  }
  return text;
}

}  // namespace

std::vector<float> VectorOf(int64_t key, int64_t version) {
  std::vector<float> v(kDim);
  auto x = static_cast<uint64_t>(key) * 0x9e3779b97f4a7c15 + static_cast<uint64_t>(version);
  for (float& f : v) {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9;
    x ^= x >> 27;
    f = static_cast<float>(x >> 40) / static_cast<float>(1 << 23) - 1.0f;
  }
  return v;
}

void Owed::Begin(const std::string& name, MaybeCollection after) {
  ELANUS_CHECK(!pending_);
  pending_ = Pending{name, std::move(after)};
}

void Owed::Acknowledge() {
  now_[pending_->name] = std::move(pending_->after);
  pending_.reset();
}

const MaybeCollection& Owed::At(const std::string& name) const {
  static const MaybeCollection kNothing;
  auto it = now_.find(name);
  return it == now_.end() ? kNothing : it->second;
}

void Owed::Remember(const std::string& name, const std::string& partition, PartitionId id,
                    model::Timestamp at) {
  if (snapshots_.size() >= 8) snapshots_.erase(snapshots_.begin());
  snapshots_.push_back({name, id, at, At(name)->partitions.at(partition)});
}

std::string Owed::CheckHistory(Process& process, const Machine& machine) {
  Reader reader{process, ""};
  for (const Snapshot& snapshot : snapshots_) {
    if (model::TimestampMs(snapshot.at) < machine.wall.WallMs() - kRetentionMs + 1) continue;
    auto info = process.coordinator().FindCollection("", snapshot.name);
    if (!info.has_value()) continue;
    const auto has = [&](const model::PartitionInfo& p) { return p.id == snapshot.partition; };
    if (!std::ranges::any_of((*info)->partitions, has)) continue;
    const Rows read = reader.Read(**info, snapshot.partition, snapshot.at);
    if (!reader.wrong.empty()) return reader.wrong;
    if (read != snapshot.rows) {
      return fmt::format("a read of {} at an earlier timestamp shows {} rows, it had {}",
                         snapshot.name, read.size(), snapshot.rows.size());
    }
  }
  return "";
}

std::string Owed::Settle(Process& process, const Machine& machine) {
  auto list = process.coordinator().ListCollections("");
  if (!list.has_value()) return list.error().message();
  std::map<std::string, service::CollectionPtr> found;
  std::set<std::string> names;
  for (const auto& info : *list) {
    found[info->name] = info;
    names.insert(info->name);
  }
  for (const auto& [name, state] : now_) names.insert(name);
  if (pending_) names.insert(pending_->name);
  for (const std::string& name : names) {
    MaybeCollection state;
    Reader reader{process, ""};
    if (found.contains(name)) {
      state = reader.ReadAll(*found[name]);
      if (reader.wrong.empty()) reader.Search(*found[name], *state);
    }
    if (!reader.wrong.empty()) return reader.wrong;
    if (state == At(name)) continue;
    if (!pending_ || pending_->name != name) return name + ": " + Difference(At(name), state);
    if (state != pending_->after) {
      return fmt::format("{}: a change without an answer is there in part: before, {}; after, {}",
                         name, Difference(At(name), state), Difference(pending_->after, state));
    }
    now_[name] = std::move(state);
  }
  pending_.reset();
  return CheckHistory(process, machine);
}

std::string CheckFiles(Process& process) {
  std::set<std::string> wanted;
  auto entries = process.meta().Range("shard/");
  if (!entries.has_value()) return entries.error().message();
  for (const storage::MetaEntry& entry : *entries) {
    if (!entry.key.ends_with("/head") && !entry.key.ends_with("/open")) {
      return "left in the meta store: " + entry.key;
    }
  }
  auto list = process.coordinator().ListCollections("");
  if (!list.has_value()) return list.error().message();
  size_t known = 0;
  for (const auto& info : *list) {
    for (ShardId shard : info->shards) {
      auto last = worker::ShardFiles(process.meta(), process.objects(), shard).Load(info->id);
      if (!last.has_value()) return last.error().message();
      known += last->name.empty() ? 1 : 2;
      if (last->name.empty()) continue;
      wanted.insert(last->name);
      for (const format::SegmentRef& segment : last->manifest->segments) {
        for (std::string& name : worker::FilesOf(segment)) wanted.insert(std::move(name));
      }
    }
  }
  if (known != entries->size()) return "an entry is left of a shard that is gone";
  auto names = process.objects().List({.prefix = "shard/", .limit = 100'000});
  if (!names.has_value()) return names.error().message();
  for (const std::string& name : *names) {
    if (wanted.erase(name) == 0) return "nothing names the object " + name;
  }
  return wanted.empty() ? "" : "missing is the object " + *wanted.begin();
}

}  // namespace elanus::crash
