#include "worker/stream/shard.h"

#include <algorithm>

#include "base/check.h"
#include "segment/field_reader.h"
#include "worker/build/index_spec.h"

namespace elanus::worker {
namespace {

/// Rows written before a field existed get its default, so that they fit a segment of the newer
/// schema.
void CompleteRows(model::RowBatch& rows, const model::CollectionSchema& schema) {
  for (const model::FieldSchema& field : schema.fields) {
    if (rows.Find(field.id) != nullptr) continue;
    model::Column column =
        model::MakeColumn(field.id, field.type, model::IsVector(field.type) ? field.dim() : 0);
    const std::string value = field.default_value
                                  ? segment::ScalarBytes(*field.default_value, field.type)
                              : field.is_dynamic ? "{}"
                                                 : std::string();
    const bool null = !field.default_value && !field.is_dynamic;
    for (uint64_t row = 0; row < rows.rows; ++row) {
      if (null) {
        column.AppendNull();
      } else {
        column.AppendValue(value);
      }
    }
    rows.columns.push_back(std::move(column));
  }
}

}  // namespace

Shard::Shard(ShardId id, service::CollectionPtr collection, ShardFiles files)
    : id_(id),
      files_(std::move(files)),
      collection_(std::move(collection)),
      schema_(collection_->schema) {}

void Shard::Adopt(CommittedManifest committed, std::vector<SealedPtr> sealed) {
  MutexLock lock(state_mutex_);
  applied_seq_ = committed.manifest->checkpoint;
  applied_timestamp_ = committed.manifest->checkpoint_timestamp;
  committed_ = std::move(committed);
  sealed_ = std::move(sealed);
}

void Shard::Park(Status fault) {
  MutexLock lock(info_mutex_);
  fault_ = std::move(fault);
}

void Shard::Drop() {
  MutexLock lock(info_mutex_);
  fault_ = {Code::kCollectionNotFound, "the collection was dropped: collection not found"};
  dropped_ = true;
}

bool Shard::dropped() const {
  MutexLock lock(info_mutex_);
  return dropped_;
}

Status Shard::fault() const {
  MutexLock lock(info_mutex_);
  return fault_;
}

service::CollectionPtr Shard::collection() const {
  MutexLock lock(info_mutex_);
  return collection_;
}

namespace {

bool Loads(const model::CollectionInfo& before, const model::CollectionInfo& after) {
  return std::ranges::any_of(before.partitions, [&](const model::PartitionInfo& partition) {
    return !partition.loaded && after.IsLoaded(partition.id);
  });
}

}  // namespace

bool Shard::SetCollection(service::CollectionPtr collection) {
  {
    MutexLock lock(state_mutex_);
    if (collection->schema.version != schema_.version) {
      // Rows of the new schema go to new segments; the old ones are flushed as they are.
      for (auto& [partition, segment] : growing_) frozen_.push_back(std::move(segment));
      growing_.clear();
      schema_ = collection->schema;
    }
  }
  MutexLock lock(info_mutex_);
  const bool loads = Loads(*collection_, *collection);
  if (loads) ++loads_begun_;
  collection_ = std::move(collection);
  return loads;
}

uint64_t Shard::loads_begun() const {
  MutexLock lock(info_mutex_);
  return loads_begun_;
}

void Shard::EndLoads(uint64_t begun, Status outcome) {
  MutexLock lock(info_mutex_);
  if (outcome.ok()) loads_ended_ = std::max(loads_ended_, begun);
  load_fault_ = std::move(outcome);
}

void Shard::Apply(format::LogRecord& record, uint64_t seq) {
  MutexLock lock(state_mutex_);
  if (seq <= applied_seq_) return;  // replay of what the manifest has
  switch (record.kind) {
    case format::LogRecord::Kind::kWrite: ApplyWrite(record); break;
    case format::LogRecord::Kind::kDropPartition: RemoveRows(record.partition); break;
    case format::LogRecord::Kind::kTruncate: RemoveRows(std::nullopt); break;
  }
  applied_seq_ = seq;
  applied_timestamp_ = record.timestamp;
  if (first_unflushed_seq_ == 0) first_unflushed_seq_ = seq;
}

void Shard::ApplyWrite(format::LogRecord& record) {
  if (!record.deletes.empty()) ApplyDeletes(record);
  if (record.rows.rows == 0) return;
  CompleteRows(record.rows, schema_);
  GrowingPtr& segment = growing_[record.partition];
  if (segment == nullptr) {
    segment = std::make_shared<segment::GrowingSegment>(NextSegmentId(record.timestamp),
                                                        record.partition, schema_);
    if (searched_.contains(record.partition)) segment->ExpectSearches();
  }
  const uint64_t before = segment->bytes();
  segment->Append(record.rows, record.timestamp);
  bytes_taken_ += segment->bytes() - before;
}

SegmentId Shard::NextSegmentId(model::Timestamp ts) {
  // Timestamps are unique in a cluster's lifetime of a shard: so are ids made of them.
  return {static_cast<int64_t>(ts)};
}

void Shard::ApplyDeletes(const format::LogRecord& record) {
  for (size_t i = 0; i < record.deletes.size(); ++i) {
    const model::PrimaryKey key = record.deletes.At(i);
    auto wanted = [&](const segment::Segment& s) {
      return record.delete_everywhere || s.partition() == record.partition;
    };
    for (auto& [partition, segment] : growing_) {
      if (wanted(*segment)) segment->Delete(key, record.timestamp);
    }
    for (GrowingPtr& segment : frozen_) {
      if (wanted(*segment)) segment->Delete(key, record.timestamp);
    }
    for (SealedPtr& segment : sealed_) {
      if (wanted(*segment) && segment->Delete(key, record.timestamp) != 0) dirty_deletes_ = true;
    }
  }
}

void Shard::RemoveRows(std::optional<PartitionId> partition) {
  auto gone = [&](const auto& segment) { return !partition || segment->partition() == *partition; };
  std::erase_if(growing_, [&](const auto& entry) { return gone(entry.second); });
  std::erase_if(frozen_, gone);
  std::erase_if(sealed_, gone);
  std::erase_if(searched_, [&](PartitionId id) { return !partition || id == *partition; });
  dirty_deletes_ =
      true;  // the manifest names segments that are gone: the next flush writes a new one
}

std::vector<segment::SegmentPtr> Shard::View() const {
  std::vector<segment::SegmentPtr> view;
  MutexLock lock(state_mutex_);
  for (const SealedPtr& segment : sealed_) view.push_back(segment);
  for (const GrowingPtr& segment : frozen_) view.push_back(segment);
  for (const auto& [partition, segment] : growing_) view.push_back(segment);
  return view;
}

Frozen Shard::Freeze() {
  MutexLock lock(state_mutex_);
  for (auto& [partition, segment] : growing_) {
    searched_.erase(partition);
    if (segment->searched()) searched_.insert(partition);
    frozen_.push_back(std::move(segment));
  }
  growing_.clear();
  if (first_freezing_seq_ == 0) first_freezing_seq_ = first_unflushed_seq_;
  first_unflushed_seq_ = 0;
  return {.segments = frozen_,
          .checkpoint = applied_seq_,
          .checkpoint_timestamp = applied_timestamp_,
          .dirty_deletes = dirty_deletes_};
}

CommittedManifest Shard::committed() const {
  MutexLock lock(state_mutex_);
  return committed_;
}

std::vector<SealedPtr> Shard::sealed() const {
  MutexLock lock(state_mutex_);
  return sealed_;
}

std::vector<GrowingPtr> Shard::growing() const {
  MutexLock lock(state_mutex_);
  std::vector<GrowingPtr> all = frozen_;
  for (const auto& [partition, segment] : growing_) all.push_back(segment);
  return all;
}

segment::SegmentPtr Shard::FindLocked(SegmentId id) const {
  for (const SealedPtr& segment : sealed_) {
    if (segment->id() == id) return segment;
  }
  for (const GrowingPtr& segment : frozen_) {
    if (segment->id() == id) return segment;
  }
  return nullptr;
}

bool Shard::HasInputsLocked(const std::vector<SegmentId>& inputs) const {
  return std::ranges::all_of(
      inputs, [&](SegmentId id) NO_THREAD_SAFETY_ANALYSIS { return FindLocked(id) != nullptr; });
}

bool Shard::HasInputs(const std::vector<SegmentId>& inputs) const {
  MutexLock lock(state_mutex_);
  return HasInputsLocked(inputs);
}

std::vector<size_t> Shard::DeleteCounts(const std::vector<segment::SegmentPtr>& inputs) const {
  std::vector<size_t> counts;
  MutexLock lock(state_mutex_);
  for (const segment::SegmentPtr& input : inputs) counts.push_back(input->deletes().count());
  return counts;
}

void Shard::CarryLocked(std::vector<Replacement>& replacements) {
  for (Replacement& replacement : replacements) {
    if (replacement.output == nullptr || !HasInputsLocked(replacement.inputs)) continue;
    std::vector<format::RowDelete> carried;
    for (size_t i = 0; i < replacement.inputs.size(); ++i) {
      const segment::SegmentPtr input = FindLocked(replacement.inputs[i]);
      const std::vector<format::RowDelete> late =
          input->deletes().Since(replacement.deletes_seen[i]);
      replacement.deletes_seen[i] += late.size();
      for (const format::RowDelete& d : late) {
        const uint32_t row = replacement.row_maps[i][d.row];
        ELANUS_CHECK(row != segment::SealedBuild::kGone);
        carried.push_back({row, d.timestamp});
      }
    }
    std::ranges::sort(carried, {}, &format::RowDelete::timestamp);
    for (const format::RowDelete& d : carried) replacement.output->DeleteRow(d.row, d.timestamp);
  }
}

void Shard::Carry(std::vector<Replacement>& replacements) {
  MutexLock lock(state_mutex_);
  CarryLocked(replacements);
}

void Shard::Replace(std::vector<Replacement>& replacements, CommittedManifest committed) {
  MutexLock lock(state_mutex_);
  CarryLocked(replacements);
  for (Replacement& replacement : replacements) {
    if (!HasInputsLocked(replacement.inputs)) {
      dirty_deletes_ = true;  // dropped meanwhile: the manifest names an output that is not served
      continue;
    }
    auto replaced = [&](const auto& segment) {
      return std::ranges::find(replacement.inputs, segment->id()) != replacement.inputs.end();
    };
    std::erase_if(frozen_, replaced);
    std::erase_if(sealed_, replaced);
    if (replacement.output != nullptr) {
      // The manifest has the output's deletes of the commit; later ones are still only in the log.
      sealed_.push_back(replacement.output);
      dirty_deletes_ = true;
    }
  }
  committed_ = std::move(committed);
}

void Shard::Flushed(const Frozen& frozen) {
  MutexLock lock(state_mutex_);
  first_freezing_seq_ = 0;
  if (applied_seq_ == frozen.checkpoint) dirty_deletes_ = false;
}

uint64_t Shard::first_unflushed_seq() const {
  MutexLock lock(state_mutex_);
  return first_freezing_seq_ != 0 ? first_freezing_seq_ : first_unflushed_seq_;
}

uint64_t Shard::bytes_taken() const {
  MutexLock lock(state_mutex_);
  return bytes_taken_;
}

uint64_t Shard::unflushed_bytes() const {
  uint64_t bytes = 0;
  for (const GrowingPtr& segment : growing()) bytes += segment->bytes();
  return bytes;
}

service::SegmentStats Shard::SealedStats(const model::CollectionInfo& collection,
                                         const segment::SealedSegment& segment,
                                         const format::SegmentRef& ref) const {
  service::SegmentStats s{.id = ref.id,
                          .partition = ref.partition,
                          .state = service::SegmentState::kSealed,
                          .rows = static_cast<int64_t>(ref.rows),
                          .bytes = static_cast<int64_t>(ref.file.bytes)};
  auto to_load = [&](uint64_t bytes, bool there) {
    s.bytes_to_load += static_cast<int64_t>(bytes);
    if (there) s.bytes_loaded += static_cast<int64_t>(bytes);
  };
  for (const model::FieldSchema& field : collection.schema.fields)
    to_load(segment.VectorBytes(field.id), segment.VectorsLoaded(field.id));
  for (const model::IndexInfo& index : collection.indexes) {
    const model::FieldSchema* field = collection.schema.FindField(index.field);
    const auto built = std::ranges::find(ref.indexes, index.id, &format::IndexRef::index);
    const bool has_file = built != ref.indexes.end();
    const bool opened =
        segment.IndexIdOn(index.field) == index.id || segment.HasScalarIndex(index.id);
    if (has_file && field != nullptr) to_load(built->file.bytes, opened);
    const bool missing = field != nullptr && IsVector(field->type) && !segment.HasColumn(field->id);
    const double part = build_progress_.Of(ref.id, index.id);
    if (has_file || missing || field == nullptr ||
        !IndexPlanOf(index, *field, segment.IndexedRows(*field))) {
      s.built_indexes.push_back(index.id);
      if (!has_file || !ChoosesItsType(index) || segment.IndexIdOn(index.field) != index.id)
        continue;
      if (const auto in_use = segment.IndexOn(index.field); in_use != nullptr)
        s.chosen.push_back({index.id, std::string(index::KindName(in_use->kind()))});
    } else if (part > 0) {
      s.building.push_back({index.id, static_cast<int64_t>(part * static_cast<double>(ref.rows))});
    }
  }
  return s;
}

service::ShardStats Shard::Stats() const {
  service::ShardStats stats;
  service::CollectionPtr collection;
  {
    MutexLock lock(info_mutex_);
    collection = collection_;
    stats.fault = fault_;
    stats.loading = loads_ended_ < loads_begun_;
    stats.load_fault = load_fault_;
  }
  MutexLock lock(state_mutex_);
  stats.applied = applied_timestamp_;
  for (const format::SegmentRef& ref : committed_.manifest->segments) {
    const auto segment = std::ranges::find(sealed_, ref.id, [](const auto& s) { return s->id(); });
    if (segment != sealed_.end())
      stats.segments.push_back(SealedStats(*collection, **segment, ref));
  }
  auto add = [&](const segment::GrowingSegment& segment) {
    stats.segments.push_back({.id = segment.id(),
                              .partition = segment.partition(),
                              .state = service::SegmentState::kGrowing,
                              .rows = segment.RowCount(),
                              .bytes = static_cast<int64_t>(segment.bytes())});
  };
  for (const GrowingPtr& segment : frozen_) add(*segment);
  for (const auto& [partition, segment] : growing_) add(*segment);
  return stats;
}

}  // namespace elanus::worker
