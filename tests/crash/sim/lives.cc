#include "sim/lives.h"

#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <random>

#include "base/log.h"
#include "base/unique.h"
#include "sim/owed.h"

namespace elanus::crash {
namespace {

using worker::JobStep;

constexpr int kLives = 4;
constexpr int kStepsInALife = 24;
constexpr size_t kRowsThatAreIndexed = 1100;
constexpr std::array<const char*, 7> kStepNames = {
    "inputs taken", "file written", "index written", "deletes carried",
    "runs written", "committed",    "swapped"};

model::CollectionSchema Schema(const std::string& name) {
  model::CollectionSchema schema{.name = name};
  schema.fields.push_back({.name = "id", .type = model::DataType::kInt64, .is_primary = true});
  schema.fields.push_back({.name = "v",
                           .type = model::DataType::kFloatVector,
                           .type_params = {{"dim", std::to_string(kDim)}}});
  schema.fields.push_back({.name = "version", .type = model::DataType::kInt64});
  return schema;
}

model::RowBatch Batch(const std::vector<int64_t>& keys, int64_t version) {
  model::RowBatch batch{.rows = keys.size()};
  model::Column ids = model::MakeColumn(kIdField, model::DataType::kInt64);
  model::Column vectors = model::MakeColumn(kVectorField, model::DataType::kFloatVector, kDim);
  model::Column versions = model::MakeColumn(kVersionField, model::DataType::kInt64);
  for (int64_t key : keys) {
    const std::vector<float> v = VectorOf(key, version);
    ids.Append(key);
    vectors.AppendValue({reinterpret_cast<const char*>(v.data()), kDim * sizeof(float)});
    versions.Append(version);
  }
  batch.columns = {std::move(ids), std::move(vectors), std::move(versions)};
  return batch;
}

class Lives {
 public:
  explicit Lives(uint64_t seed) : random_(seed), large_(seed % 4 == 0) { SeedUniqueText(seed); }

  SeedResult Run() {
    for (int life = 0; life < kLives && result_.wrong.empty(); ++life) Live();
    if (result_.wrong.empty()) Last();
    return std::move(result_);
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Off() const { return machine_.files.stopped(); }
  bool Done() const { return Off() || !result_.wrong.empty(); }
  void Wrong(std::string text) {
    if (result_.wrong.empty()) result_.wrong = std::move(text);
  }
  void Trace(uint64_t what) {
    result_.trace = (result_.trace ^ what ^ machine_.files.Operations()) * 0x9e3779b97f4a7c15;
  }

  // A life.

  void Live() {
    LogDebug("a life");
    // Some power losses come while the losses of the one before are being repaired.
    doing_ = "recovery";
    if (Below(4) == 0) machine_.files.StopAfter(Below(60));
    Open();
    if (Done()) return End();
    constexpr std::array<uint64_t, 4> kBudgets = {30, 200, 600, 2000};
    machine_.files.StopAfter(Below(kBudgets[Below(kBudgets.size())]));
    // A log file that has its name, but not for good.
    if (Below(6) == 0) machine_.files.StopAtSync("data/log");
    for (int step = 0; step < kStepsInALife && !Done(); ++step) Step();
    End();
  }

  void Open() {
    auto opened = Process::Open(machine_, [this](JobStep step) { AtStep(step); });
    if (!opened.has_value()) {
      if (!Off()) Wrong("the server does not open: " + opened.error().message());
      return;
    }
    process_ = std::move(*opened);
    if (Off()) return;  // what a half-dead process answers is not its word
    std::string wrong = owed_.Settle(*process_, machine_);
    if (wrong.empty()) wrong = CheckFiles(*process_);
    if (!wrong.empty() && !Off()) Wrong(std::move(wrong));
    Trace(1);
  }

  void End() {
    if (Off()) ++result_.tally["power off in " + doing_];
    if (!Off() && process_ != nullptr && result_.wrong.empty()) {
      const auto failures = process_->owner().counters().maintenance.failures;
      if (failures != 0) Wrong(fmt::format("{} jobs of maintenance failed", failures));
    }
    const bool in_order = !Off() && Below(2) == 0;
    if (!in_order) machine_.files.Stop();
    process_.reset();
    in_job_ = false;
    if (Below(3) == 0) {
      machine_.files.Resume();
      ++result_.tally[in_order ? "stop in order" : "kill"];
    } else {
      machine_.files.Crash(random_());
      ++result_.tally["power loss"];
    }
  }

  /// After the last crash: everything is there, and everything can be brought to rest.
  void Last() {
    Open();
    if (!result_.wrong.empty()) return;
    at_rest_ = true;
    for (int round = 0; round < 2; ++round) {
      for (const auto& [name, state] : owed_.collections()) {
        if (state) Flush(name);
      }
      for (int i = 0; process_->owner().RunMaintenance(); ++i) {
        if (i > 100) return Wrong("maintenance does not come to rest");
      }
      Count();
      if (!result_.wrong.empty()) return;
      const auto counters = process_->owner().counters();
      if (counters.maintenance.failures != 0) return Wrong("maintenance failed at rest");
      if (counters.bytes_unflushed != 0) return Wrong("rows are left unflushed");
      // The last record may lie across files.
      if (process_->log().Stats().files > 7) return Wrong("the log was not truncated");
      process_.reset();
      machine_.files.Crash(random_());
      Open();
      if (!result_.wrong.empty()) return;
    }
    process_.reset();
  }

  void Count() {
    const auto counters = process_->owner().counters().maintenance;
    result_.tally["flushes"] += counters.flushes;
    result_.tally["merges"] += counters.merges;
    result_.tally["index builds"] += counters.index_builds;
  }

  // Steps of a life.

  void Step() {
    if (Below(3) == 0) machine_.wall.AdvanceMs(static_cast<int64_t>(Below(400)));
    const uint64_t what = Below(20);
    if (what < 10) {
      Write();
    } else if (what < 13) {
      Define();
    } else if (what < 16) {
      if (const std::string name = AnyCollection(); !name.empty()) Flush(name);
    } else {
      doing_ = "merge or build";
      for (uint64_t i = 0, n = 1 + Below(3); i < n && !Done(); ++i) {
        in_job_ = true;
        process_->owner().RunMaintenance();
        in_job_ = false;
      }
    }
    Trace(what);
  }

  void AtStep(JobStep step) {
    if (at_rest_ || Done()) return;
    const std::string job = doing_.substr(0, doing_.find(':'));
    const std::string step_name = kStepNames[static_cast<size_t>(step)];
    doing_ = fmt::format("a change under {} at {}", job, step_name);
    for (uint64_t i = Below(3); i > 0 && !Done(); --i) {
      Below(6) == 0 ? Define() : Write();
      ++result_.tally["changes under a job"];
    }
    if (!Off() && Below(24) == 0) machine_.files.StopAfter(0);
    if (!Off()) doing_ = fmt::format("{}: after {}", job, step_name);
  }

  std::string AnyCollection() {
    std::vector<std::string> names;
    for (const auto& [name, state] : owed_.collections()) {
      if (state) names.push_back(name);
    }
    return names.empty() ? "" : names[Below(names.size())];
  }

  void Flush(const std::string& name) {
    auto info = process_->coordinator().FindCollection("", name);
    if (!info.has_value()) return Wrong(name + " is not in the catalog");
    doing_ = "flush";
    for (ShardId shard : (*info)->shards) {
      auto flushed = process_->owner().Flush(shard, {});
      if (flushed.has_value() || Done()) continue;
      // A collection that is dropped meanwhile takes its flush along.
      if (process_->coordinator().FindCollection((*info)->id).has_value()) {
        Wrong("flush: " + flushed.error().message());
      }
      return;
    }
  }

  // Writes.

  struct Target {
    std::string name;
    std::string partition;
    service::CollectionPtr info;
    PartitionId id;
    size_t shard = 0;
  };

  std::optional<Target> AnyTarget() {
    Target target{.name = AnyCollection()};
    if (target.name.empty()) return std::nullopt;
    auto info = process_->coordinator().FindCollection("", target.name);
    if (!info.has_value()) {
      Wrong(target.name + " is not in the catalog");
      return std::nullopt;
    }
    target.info = *info;
    const model::PartitionInfo& partition =
        target.info->partitions[Below(target.info->partitions.size())];
    target.partition = partition.name;
    target.id = partition.id;
    target.shard = Below(target.info->shards.size());
    return target;
  }

  /// Up to `count` keys of the target that are there, each once.
  std::vector<int64_t> SomeOf(const Target& target, const Rows& rows, size_t count) {
    std::vector<int64_t> keys;
    for (auto [key, version] : rows) {
      if (static_cast<size_t>(key) % target.info->shards.size() == target.shard)
        keys.push_back(key);
    }
    std::ranges::shuffle(keys, random_);
    keys.resize(std::min(keys.size(), count));
    return keys;
  }

  void Write() {
    const std::optional<Target> target = AnyTarget();
    if (!target) return Define();
    MaybeCollection after = owed_.At(target->name);
    Rows& rows = after->partitions.at(target->partition);
    const int64_t version = ++version_;
    const uint64_t kind = Below(10);
    size_t count = 1 + Below(30);
    if (large_ && Below(12) == 0) count = kRowsThatAreIndexed;
    std::vector<int64_t> deletes;
    std::vector<int64_t> keys;
    if (kind >= 5) deletes = SomeOf(*target, rows, count);
    if (kind >= 5 && kind < 8) keys = deletes;  // an upsert
    if (kind < 6) {
      const auto shards = static_cast<int64_t>(target->info->shards.size());
      for (size_t i = 0; i < count; ++i) {
        keys.push_back(next_key_++ * shards + static_cast<int64_t>(target->shard));
      }
    }
    next_key_ += 2;  // no key is made twice when collections have one shard or two
    if (keys.empty() && deletes.empty()) return;
    for (int64_t key : deletes) rows.erase(key);
    for (int64_t key : keys) rows[key] = version;
    service::WriteRequest request{.shard = target->info->shards[target->shard],
                                  .collection = target->info->id,
                                  .schema_version = target->info->schema.version,
                                  .partition = target->id,
                                  .rows = keys.empty() ? model::RowBatch{} : Batch(keys, version)};
    request.deletes.ints = std::move(deletes);
    Send(*target, std::move(request), std::move(after));
  }

  void Send(const Target& target, service::WriteRequest request, MaybeCollection after) {
    LogDebug("write {}.{} rows={} deletes={} {}", target.name, target.partition, request.rows.rows,
             request.deletes.size(), doing_);
    owed_.Begin(target.name, std::move(after));
    const std::string job = doing_;
    if (!in_job_) doing_ = "write";
    auto answer = std::make_shared<std::promise<Result<service::WriteReply>>>();
    process_->owner().Write(std::move(request), [answer](Result<service::WriteReply> reply) {
      answer->set_value(std::move(reply));
    });
    const Result<service::WriteReply> reply = answer->get_future().get();
    if (reply.has_value()) {
      owed_.Acknowledge();
      ++result_.tally["writes"];
      if (Below(6) == 0) {
        owed_.Remember(target.name, target.partition, target.id, reply->timestamp);
      }
      Trace(reply->timestamp);
    } else if (!Off()) {
      Wrong("a write was refused: " + reply.error().message());
    }
    if (!Off()) doing_ = job;
  }

  // The catalog.

  void Define() {
    const std::string name = Below(2) == 0 ? "a" : "b";
    const MaybeCollection& now = owed_.At(name);
    if (!now) {
      return Execute(name, CollectionState{.partitions = {{"_default", {}}}},
                     service::CreateCollection{.schema = Schema(name),
                                               .shards_num = static_cast<int32_t>(1 + Below(2))});
    }
    MaybeCollection after = now;
    switch (Below(10)) {
      case 0:
        if (Below(2) != 0) return;  // a collection is to live long enough to be merged
        StopAtARemoval(name);
        return Execute(name, std::nullopt, service::DropCollection{.collection = name});
      case 1:
        for (auto& [partition, rows] : after->partitions) rows.clear();
        return Execute(name, std::move(after), service::TruncateCollection{.collection = name});
      case 2:
        if (now->extended) return;
        after->extended = true;
        return Execute(
            name, std::move(after),
            service::AddField{
                .collection = name,
                .field = {.name = "extra", .type = model::DataType::kInt64, .nullable = true}});
      case 3:
      case 4:
      case 5: return DefinePartition(name, std::move(after));
      default: return DefineIndex(name, std::move(after));
    }
  }

  /// Sometimes the power goes off when a file of the collection has lost its name, but not for
  /// good.
  void StopAtARemoval(const std::string& name) {
    constexpr std::array<const char*, 3> kKinds = {"segment", "deletes", "manifest"};
    auto info = process_->coordinator().FindCollection("", name);
    if (!info.has_value() || Below(2) != 0) return;
    machine_.files.StopAtSync(fmt::format("data/objects/shard/{}/{}", (*info)->shards[0].value,
                                          kKinds[Below(kKinds.size())]));
  }

  void DefinePartition(const std::string& name, MaybeCollection after) {
    const std::string partition = Below(2) == 0 ? "p" : "q";
    if (after->partitions.erase(partition) != 0) {
      // Milvus lets go only of a partition that is not loaded: the whole is released first.
      if (after->loaded) return;
      return Execute(name, std::move(after),
                     service::DropPartition{.collection = name, .partition = partition});
    }
    after->partitions[partition];
    Execute(name, std::move(after),
            service::CreatePartition{.collection = name, .partition = partition});
  }

  /// An index on a scalar field comes and goes, loaded or not; what reads answer stays the same.
  void DefineScalarIndex(const std::string& name, MaybeCollection after) {
    auto info = process_->coordinator().FindCollection("", name);
    if (!info.has_value()) return;
    const bool there = std::ranges::any_of((*info)->indexes, [](const model::IndexInfo& index) {
      return index.field == kVersionField;
    });
    if (there) {
      return Execute(name, std::move(after),
                     service::DropIndex{.collection = name, .field = "version"});
    }
    Execute(name, std::move(after),
            service::CreateIndex{
                .collection = name, .field = "version", .params = {{"index_type", "STL_SORT"}}});
  }

  void DefineIndex(const std::string& name, MaybeCollection after) {
    if (Below(3) == 0) return DefineScalarIndex(name, std::move(after));
    if (!after->indexed) {
      after->indexed = true;
      return Execute(name, std::move(after),
                     service::CreateIndex{.collection = name,
                                          .field = "v",
                                          .params = {{"index_type", "HNSW"},
                                                     {"metric_type", "L2"},
                                                     {"M", "4"},
                                                     {"efConstruction", "8"}}});
    }
    if (!after->loaded) {
      if (Below(4) == 0) {
        after->indexed = false;
        return Execute(name, std::move(after),
                       service::DropIndex{.collection = name, .field = "v"});
      }
      after->loaded = true;
      return Execute(name, std::move(after), service::SetLoad{.collection = name});
    }
    if (Below(2) != 0) return;
    after->loaded = false;
    Execute(name, std::move(after), service::SetLoad{.collection = name, .load = false});
  }

  void Execute(const std::string& name, MaybeCollection after, service::DdlRequest request) {
    LogDebug("define {} request={} {}", name, request.index(), doing_);
    owed_.Begin(name, std::move(after));
    const std::string job = doing_;
    if (!in_job_) doing_ = "DDL";
    if (Status status = process_->coordinator().Execute(request); status.ok()) {
      owed_.Acknowledge();
      ++result_.tally["DDL"];
      Trace(2);
    } else if (!Off()) {
      Wrong("DDL was refused: " + status.message());
    }
    if (!Off()) doing_ = job;
  }

  std::mt19937_64 random_;
  const bool large_;  ///< has segments large enough for an index
  Machine machine_;
  Owed owed_;
  SeedResult result_;
  std::unique_ptr<Process> process_;
  std::string doing_;
  bool in_job_ = false;
  bool at_rest_ = false;
  int64_t next_key_ = 1;
  int64_t version_ = 0;
};

}  // namespace

SeedResult RunSeed(uint64_t seed) { return Lives(seed).Run(); }

}  // namespace elanus::crash
