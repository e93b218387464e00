// A ShardService for tests of the proxy: rows in vectors, filters limited to what tests need. Every
// answer is exact brute force, so that what the proxy adds can be seen.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/mutex.h"
#include "service/shard.h"

namespace elanus::proxy {

struct FakeRow {
  model::PrimaryKey key;
  PartitionId partition;
  model::Timestamp inserted = 0;
  model::RowBatch row;  ///< one row
};

class FakeShards final : public service::ShardService {
 public:
  FakeShards(model::HybridClock& clock, FieldId key_field) : clock_(clock), key_field_(key_field) {}

  std::map<ShardId, std::vector<FakeRow>> rows;
  std::vector<service::WriteRequest> writes;
  std::vector<service::SearchRequest> searches;
  std::vector<service::QueryRequest> queries;
  std::map<ShardId, service::ShardStats> stats;
  std::vector<service::CompactionRequest> compactions;
  std::vector<service::CompactionPlan> planned;
  std::set<ShardId> nothing_to_merge;
  /// Which rows a filter that is not a key list keeps; all by default.
  std::function<bool(const FakeRow&)> filter = [](const FakeRow&) { return true; };
  Status write_error = Status::Ok();
  std::vector<std::pair<service::WriteDone, service::WriteReply>> held;
  bool hold = false;
  /// Called at the beginning of each search and query, which may come from several threads.
  std::function<void()> begun = [] {};

  void Write(service::WriteRequest request, service::WriteDone done) override {
    writes.push_back(request);
    if (!write_error.ok()) return done(Error(write_error));
    const model::Timestamp now = clock_.Next();
    auto& shard = rows[request.shard];
    std::erase_if(shard, [&](const FakeRow& row) {
      if (!request.delete_everywhere && row.partition != request.partition) return false;
      for (size_t i = 0; i < request.deletes.size(); ++i) {
        if (request.deletes.At(i) == row.key) return true;
      }
      return false;
    });
    for (uint32_t i = 0; i < request.rows.rows; ++i) {
      const uint32_t at[] = {i};
      FakeRow row{.partition = request.partition, .inserted = now, .row = request.rows.Take(at)};
      row.key = model::PrimaryKeys::FromColumn(*row.row.Find(key_field_)).At(0);
      shard.push_back(std::move(row));
    }
    if (hold) {
      held.emplace_back(std::move(done), service::WriteReply{now});
    } else {
      done(service::WriteReply{now});
    }
  }

  Result<service::SearchReply> Search(const service::SearchRequest& request,
                                      const Cancel&) override {
    begun();
    const MutexLock lock(mutex_);
    searches.push_back(request);
    service::SearchReply reply{.read_at = request.read.exactly.value_or(clock_.Next())};
    const auto* queries = reinterpret_cast<const float*>(request.vectors.data());
    for (int64_t q = 0; q < request.nq; ++q) {
      std::vector<std::pair<float, const FakeRow*>> hits;
      for (const FakeRow& row : Visible(request.shard, request.partitions, reply.read_at)) {
        auto vector = row.row.Find(request.field)->Values<float>();
        const float score = Score(request.metric, queries + q * vector.size(), vector);
        if (Wanted(request, score)) hits.emplace_back(score, Find(request.shard, row));
      }
      const bool ascends = ScoreAscendsWithNearness(request.metric);
      std::ranges::sort(hits, [&](const auto& a, const auto& b) {
        if (a.first != b.first) return ascends ? a.first > b.first : a.first < b.first;
        return a.second->key < b.second->key;
      });
      size_t kept = std::min(hits.size(), static_cast<size_t>(request.top_k));
      while (request.params.after_score && kept != 0 && kept < hits.size() &&
             hits[kept].first == hits[kept - 1].first) {
        ++kept;
      }
      // Grouping is left to the proxy: all hits are a good answer of a shard, if a long one.
      if (request.group.columns == 0) hits.resize(kept);
      reply.counts.push_back(static_cast<int64_t>(hits.size()));
      for (const auto& [score, row] : hits) {
        reply.keys.Append(row->key);
        reply.scores.push_back(score);
        AppendFields(*row, request.output_fields, reply.rows);
        AppendFields(*row, FieldsOf(request.values), reply.values);
      }
    }
    return reply;
  }

  Result<service::QueryReply> Query(const service::QueryRequest& request, const Cancel&) override {
    begun();
    const MutexLock lock(mutex_);
    queries.push_back(request);
    service::QueryReply reply{.read_at = request.read.exactly.value_or(clock_.Next())};
    auto found = Visible(request.shard, request.partitions, reply.read_at);
    if (request.keys.has_value()) {
      std::erase_if(found, [&](const FakeRow& row) {
        for (size_t i = 0; i < request.keys->size(); ++i) {
          if (request.keys->At(i) == row.key) return false;
        }
        return true;
      });
    }
    if (request.count_only) {
      reply.count = static_cast<int64_t>(found.size());
      return reply;
    }
    std::ranges::sort(found, {}, &FakeRow::key);
    for (const FakeRow& row : found) {
      const bool cut = request.limit >= 0 && request.order.empty();
      if (cut && reply.keys.size() == static_cast<size_t>(request.limit)) break;
      reply.keys.Append(row.key);
      reply.timestamps.push_back(row.inserted);
      AppendFields(row, request.output_fields, reply.rows);
      AppendFields(row, FieldsOf(request.order), reply.order_values);
    }
    return reply;
  }

  Result<std::vector<SegmentId>> Flush(ShardId shard, const Cancel&) override {
    return std::vector<SegmentId>{SegmentId{shard.value * 10}};
  }
  Result<service::ShardStats> Stats(ShardId shard) const override {
    auto found = stats.find(shard);
    return found == stats.end() ? service::ShardStats{} : found->second;
  }
  /// One plan a shard, unless it is in `nothing_to_merge`.
  Result<service::CompactionPlans> Compact(const service::CompactionRequest& request) override {
    compactions.push_back(request);
    service::CompactionPlans reply;
    if (nothing_to_merge.contains(request.shard)) return reply;
    reply.plans.push_back({.id = request.job * 10 + request.shard.value,
                           .job = request.job,
                           .kind = request.kind,
                           .collection = CollectionId{7},
                           .shard = request.shard});
    planned.insert(planned.end(), reply.plans.begin(), reply.plans.end());
    return reply;
  }
  Result<service::CompactionPlans> Compactions(
      const service::CompactionFilter& filter) const override {
    service::CompactionPlans reply;
    for (const auto& plan : planned) {
      if (filter.job != 0 && plan.job != filter.job) continue;
      if (filter.collection && plan.collection != filter.collection) continue;
      reply.plans.push_back(plan);
    }
    return reply;
  }
  Status Change(const service::ShardChange&) override { return Status::Ok(); }

 private:
  std::vector<FakeRow> Visible(ShardId shard, const std::vector<PartitionId>& partitions,
                               model::Timestamp at) {
    std::vector<FakeRow> visible;
    for (const FakeRow& row : rows[shard]) {
      const bool wanted =
          partitions.empty() || std::ranges::find(partitions, row.partition) != partitions.end();
      if (wanted && row.inserted <= at && filter(row)) visible.push_back(row);
    }
    return visible;
  }
  const FakeRow* Find(ShardId shard, const FakeRow& copy) {
    for (const FakeRow& row : rows[shard]) {
      if (row.key == copy.key && row.inserted == copy.inserted) return &row;
    }
    return nullptr;
  }
  static float Score(model::Metric metric, const float* query, std::span<const float> vector) {
    float sum = 0;
    for (size_t i = 0; i < vector.size(); ++i) {
      const float difference = query[i] - vector[i];
      sum += metric == model::Metric::kL2 ? difference * difference : query[i] * vector[i];
    }
    return sum;
  }
  static bool Wanted(const service::SearchRequest& request, float score) {
    const bool ascends = ScoreAscendsWithNearness(request.metric);
    const auto& params = request.params;
    if (params.after_score &&
        (ascends ? score >= *params.after_score : score <= *params.after_score)) {
      return false;
    }
    if (params.radius && (ascends ? score <= *params.radius : score >= *params.radius))
      return false;
    if (params.range_filter &&
        (ascends ? score > *params.range_filter : score < *params.range_filter)) {
      return false;
    }
    return true;
  }
  static std::vector<FieldId> FieldsOf(const std::vector<model::RowValue>& values) {
    std::vector<FieldId> fields;
    for (const auto& value : values) fields.push_back(value.field);
    return fields;
  }
  static void AppendFields(const FakeRow& row, const std::vector<FieldId>& fields,
                           model::RowBatch& out) {
    for (size_t i = 0; i < fields.size(); ++i) {
      const model::Column* column = row.row.Find(fields[i]);
      if (column == nullptr) continue;
      if (out.Find(fields[i]) == nullptr) {
        out.columns.push_back(model::MakeColumn(fields[i], column->type, column->dim));
      }
      out.Find(fields[i])->AppendFrom(*column, 0);
    }
    ++out.rows;
  }

  model::HybridClock& clock_;
  const FieldId key_field_;
  Mutex mutex_;
};

}  // namespace elanus::proxy
