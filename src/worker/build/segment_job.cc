#include "worker/build/segment_job.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "format/sealed_bytes.h"
#include "query/visible_rows.h"
#include "worker/build/committer.h"
#include "worker/build/index_spec.h"
#include "worker/build/output_writer.h"

namespace elanus::worker {
namespace {

/// True when the manifest names segments that are no longer served or lacks deletes.
bool ManifestIsStale(const Shard& shard) {
  const auto manifest = shard.committed().manifest;
  const std::vector<SealedPtr> sealed = shard.sealed();
  if (manifest->segments.size() != sealed.size()) return true;
  return std::ranges::any_of(manifest->segments, [&](const format::SegmentRef& ref) {
    auto it = std::ranges::find(sealed, ref.id, [](const SealedPtr& s) { return s->id(); });
    return it == sealed.end() || (*it)->deletes().count() != ref.deleted_rows;
  });
}

/// What an index of the collection lacks on one segment: the first such index, or nothing.
struct IndexWork {
  std::vector<format::IndexRef> keep;
  struct Build {
    model::IndexInfo info;
    model::FieldSchema field;
    IndexPlan plan;
  };
  std::vector<Build> build;
  bool changed = false;

  /// Whether something is missing that takes long to build and that searches wait for.
  bool LacksVectorIndex() const {
    return std::ranges::any_of(build, [](const Build& entry) {
      return std::holds_alternative<index::BuildParams>(entry.plan);
    });
  }
};

IndexWork WorkOn(const format::SegmentRef& ref, const segment::SealedSegment& segment,
                 const model::CollectionInfo& collection) {
  IndexWork work;
  for (const format::IndexRef& have : ref.indexes) {
    const bool wanted = std::ranges::any_of(
        collection.indexes, [&](const model::IndexInfo& info) { return info.id == have.index; });
    if (wanted) work.keep.push_back(have);
  }
  work.changed = work.keep.size() != ref.indexes.size();
  for (const model::IndexInfo& info : collection.indexes) {
    const bool have = std::ranges::any_of(
        ref.indexes, [&](const format::IndexRef& r) { return r.index == info.id; });
    const model::FieldSchema* field = collection.schema.FindField(info.field);
    if (have || field == nullptr) continue;
    if (IsVector(field->type) && !segment.HasColumn(field->id)) continue;
    if (auto plan = IndexPlanOf(info, *field, segment.IndexedRows(*field)))
      work.build.push_back({info, *field, *plan});
  }
  work.changed |= !work.build.empty();
  return work;
}

/// Of the field that has most.
uint64_t ListVectors(const segment::SealedSegment& segment, const model::CollectionSchema& schema) {
  uint64_t most = 0;
  for (const model::FieldSchema& field : schema.fields) {
    if (field.type == model::DataType::kArrayOfVector)
      most = std::max(most, segment.IndexedRows(field));
  }
  return most;
}

/// Searches of a flushed segment go on by the graph that its rows had while they were growing,
/// until its own index is built.
void KeepGraphs(const model::CollectionInfo& collection, segment::GrowingSegment& input,
                Output& output, const std::stop_token& stop) {
  const SealedPtr& sealed = output.replacement.output;
  if (sealed == nullptr || !collection.IsLoaded(sealed->partition())) return;
  for (const model::FieldSchema& field : collection.schema.fields) {
    const auto graph = input.GraphOn(field.id);
    // Many rows outside: linking them would hold up the flush.
    constexpr uint32_t kOutsideMost = 4096;
    if (graph == nullptr || input.RowCount() - graph->rows() > kOutsideMost) continue;
    input.GrowGraph(field.id, graph->metric(), stop);
    const auto [vectors, owner] = sealed->Vectors(field);
    const auto file = graph->Reordered(vectors, output.replacement.row_maps[0]);
    if (!file) continue;
    const std::string bytes = file->Join();
    auto index = index::OpenIndex(owner, std::as_bytes(std::span(bytes)), vectors,
                                  index::OpenMode::kResident);
    if (index.has_value()) sealed->SetIndex(field.id, {}, std::move(*index));
  }
}

}  // namespace

Status FlushShard(Shard& shard, const JobContext& context) {
  RETURN_IF_ERROR(shard.fault());
  const Frozen frozen = shard.Freeze();
  if (frozen.segments.empty() && !ManifestIsStale(shard)) {
    // Nothing to write; deletes that hit nothing may still hold the checkpoint back.
    if (shard.committed().manifest->checkpoint >= frozen.checkpoint) {
      shard.Flushed(frozen);
      return Status::Ok();
    }
  }
  const LogPhase phase("flush", "shard", shard.id().value);
  std::map<PartitionId, std::vector<GrowingPtr>> partitions;
  for (const GrowingPtr& segment : frozen.segments)
    partitions[segment->partition()].push_back(segment);
  DeclaredFiles declared(shard.files());
  OutputWriter writer(shard, context, declared);
  ManifestChange change{.frozen = &frozen};
  for (const auto& [partition, inputs] : partitions) {
    ASSIGN_OR_RETURN(Output output,
                     writer.Write({inputs.begin(), inputs.end()}, /*with_indexes=*/false));
    if (inputs.size() == 1) KeepGraphs(*shard.collection(), *inputs[0], output, context.stop);
    change.outputs.push_back(std::move(output));
  }
  RETURN_IF_ERROR(CommitChange(shard, context, std::move(change), declared));
  shard.Flushed(frozen);
  return Status::Ok();
}

Result<SegmentId> MergeSegments(Shard& shard, const std::vector<SegmentId>& inputs,
                                const JobContext& context) {
  const LogPhase phase("merge", "shard", shard.id().value);
  const BuildProgress::Job progress(shard.build_progress(), inputs);
  std::vector<segment::SegmentPtr> segments;
  for (const SealedPtr& segment : shard.sealed()) {
    if (std::ranges::find(inputs, segment->id()) != inputs.end()) segments.push_back(segment);
  }
  if (segments.size() != inputs.size())
    return Error(Code::kCanceled, "the segments were dropped meanwhile: canceled");
  DeclaredFiles declared(shard.files());
  OutputWriter writer(shard, context, declared);
  ManifestChange change;
  ASSIGN_OR_RETURN(Output output, writer.Write(segments, /*with_indexes=*/true));
  const SegmentId id = output.replacement.output == nullptr ? SegmentId{} : output.ref.id;
  change.outputs.push_back(std::move(output));
  RETURN_IF_ERROR(CommitChange(shard, context, std::move(change), declared));
  return id;
}

Status BuildMissingIndexes(Shard& shard, SegmentId id, const JobContext& context) {
  const service::CollectionPtr collection = shard.collection();
  const auto manifest = shard.committed().manifest;
  const std::vector<SealedPtr> sealed = shard.sealed();
  const auto segment = std::ranges::find(sealed, id, [](const SealedPtr& s) { return s->id(); });
  const auto ref = std::ranges::find(manifest->segments, id, &format::SegmentRef::id);
  if (segment == sealed.end() || ref == manifest->segments.end())
    return {Code::kCanceled, "the segment was dropped meanwhile: canceled"};
  IndexWork work = WorkOn(*ref, **segment, *collection);
  if (!work.changed) return Status::Ok();
  const BuildProgress::Job progress(shard.build_progress(), {id});
  DeclaredFiles declared(shard.files());
  OutputWriter writer(shard, context, declared);
  format::SegmentRef next = *ref;
  next.indexes = std::move(work.keep);
  for (const IndexWork::Build& entry : work.build)
    RETURN_IF_ERROR(context.Heavily(
        [&] { return writer.BuildIndex({entry.info, entry.field}, entry.plan, **segment, next); }));
  ManifestChange change;
  change.indexes.emplace_back(next.id, next.indexes);
  return CommitChange(shard, context, std::move(change), declared);
}

namespace {

/// Rows that a merge leaves out. One that is deleted and over counts twice, though never beyond
/// what there is.
uint64_t RowsOver(const segment::SealedSegment& segment, const format::SegmentRef& ref,
                  const model::CollectionSchema& schema, const model::Expiry& expiry,
                  model::Timestamp horizon) {
  if (ref.last_timestamp <= expiry.inserted) return ref.rows;
  uint64_t over = segment.deletes().UpTo(horizon).size();
  if (expiry.field.value != 0 || ref.first_timestamp <= expiry.inserted)
    over += query::CountExpired(segment, schema, expiry, static_cast<uint32_t>(ref.rows));
  return std::min<uint64_t>(over, ref.rows);
}

/// Whether each vector index that is missing has a graph of growing rows in its place.
bool GraphsStandIn(const IndexWork& work, const segment::SealedSegment& segment) {
  return std::ranges::all_of(work.build, [&](const IndexWork::Build& entry) {
    return std::holds_alternative<query::ScalarSpec>(entry.plan) ||
           segment.IndexOn(entry.field.id) != nullptr;
  });
}

/// Whether its vector indexes are layered graphs, of which there is one.
bool HasGraphs(const segment::SealedSegment& segment, const model::CollectionInfo& collection) {
  size_t graphs = 0;
  for (const model::IndexInfo& info : collection.indexes) {
    const model::FieldSchema* field = collection.schema.FindField(info.field);
    if (field == nullptr || !model::IsVector(field->type)) continue;
    const auto index = segment.IndexOn(field->id);
    if (index == nullptr || index->kind() != index::Kind::kHnsw) return false;
    ++graphs;
  }
  return graphs != 0;
}

}  // namespace

std::vector<SegmentFigures> Figures(const Shard& shard, model::Timestamp horizon) {
  const service::CollectionPtr collection = shard.collection();
  const auto manifest = shard.committed().manifest;
  std::vector<SegmentFigures> figures;
  const model::Expiry expiry = model::ExpiryOf(*collection, horizon);
  for (const SealedPtr& segment : shard.sealed()) {
    auto ref = std::ranges::find(manifest->segments, segment->id(), &format::SegmentRef::id);
    if (ref == manifest->segments.end()) continue;
    const IndexWork work = WorkOn(*ref, *segment, *collection);
    figures.push_back(
        {.id = ref->id,
         .partition = ref->partition,
         .bytes = ref->file.bytes,
         .rows = ref->rows,
         .list_vectors = ListVectors(*segment, collection->schema),
         .deleted_rows = RowsOver(*segment, *ref, collection->schema, expiry, horizon),
         .indexed = !work.LacksVectorIndex(),
         .by_graph = work.LacksVectorIndex() && GraphsStandIn(work, *segment),
         .extends = !work.LacksVectorIndex() && HasGraphs(*segment, *collection),
         .outdated = work.changed && !work.LacksVectorIndex()});
  }
  return figures;
}

uint64_t EstimateStepBytes(const model::CollectionInfo& collection, const StepSize& size) {
  constexpr uint64_t kOrderBytes = 64;  // of a row: where it comes from, its key, where it goes
  uint64_t bytes = size.merged ? size.rows * kOrderBytes : 0;
  uint64_t build = 0;
  for (const model::FieldSchema& field : collection.schema.fields) {
    const bool is_vector = model::IsVector(field.type);
    const size_t dim = is_vector ? static_cast<size_t>(field.dim()) : 0;
    const bool lists = field.type == model::DataType::kArrayOfVector;
    const uint64_t rows = lists ? size.list_vectors : size.rows;
    if (is_vector && size.merged && collection.loaded)
      bytes += rows * model::ValueBytes(field.vector_type(), field.dim());
    for (const model::IndexInfo& info : collection.indexes) {
      if (info.field != field.id) continue;
      if (const auto spec = ScalarSpecOf(info, field, rows); spec && !is_vector)
        build = std::max(build, query::EstimateScalarBuildBytes(rows, *spec));
      const auto params = BuildParamsOf(info, field, rows);
      if (!params) continue;
      if (collection.loaded) bytes += index::EstimateIndexBytes(rows, dim, *params);
      build = std::max(build, index::EstimateBuildBytes(rows, dim, *params));
    }
  }
  return bytes + build;  // index files are built one after the other
}

Result<std::vector<SealedPtr>> OpenSegments(ShardFiles& files, const format::Manifest& manifest) {
  std::vector<SealedPtr> segments;
  for (const format::SegmentRef& ref : manifest.segments) {
    std::vector<format::RowDelete> deletes;
    if (!ref.deletes.name.empty()) {
      ASSIGN_OR_RETURN(std::string bytes, files.objects().Get(ref.deletes.name));
      ASSIGN_OR_RETURN(deletes, format::DecodeDeleteRun(bytes, ref.rows, ref.deletes.name));
    }
    ASSIGN_OR_RETURN(SealedPtr segment, OpenSegmentFile(files.objects(), ref, std::move(deletes)));
    segments.push_back(std::move(segment));
  }
  return segments;
}

namespace {

/// False: the index is not open; or it reads from files what is, or may now be, in memory.
bool IndexIsInPlace(const Loading& loading, const model::IndexInfo& info,
                    const model::FieldSchema& field, const format::IndexRef& ref,
                    const segment::SealedSegment& segment) {
  if (segment.IndexIdOn(ref.field) != ref.index) return false;
  const auto index = segment.IndexOn(ref.field);
  if (index == nullptr || index->vectors().data != segment.Vectors(field).first.data) return false;
  const bool mapped = index->Memory().mapped_bytes != 0;
  return !mapped || WantsMapped(loading.collection, info) ||
         loading.budget.bytes_left() < ref.file.bytes;
}

/// Searches use what the manifest names and the collection asks for, and nothing else.
Status OpenWantedIndexes(ShardFiles& files, const Loading& loading, const format::SegmentRef& ref,
                         segment::SealedSegment& segment) {
  const model::CollectionInfo& collection = loading.collection;
  const std::vector<format::IndexRef> wanted = WorkOn(ref, segment, collection).keep;
  std::vector<IndexId> ids;
  for (const format::IndexRef& index : wanted) {
    ids.push_back(index.index);
    const auto info = std::ranges::find(collection.indexes, index.index, &model::IndexInfo::id);
    const model::FieldSchema* field = collection.schema.FindField(index.field);
    if (info == collection.indexes.end() || field == nullptr) continue;
    const bool have = model::IsVector(field->type)
                          ? IndexIsInPlace(loading, *info, *field, index, segment)
                          : segment.HasScalarIndex(index.index);
    if (!have) RETURN_IF_ERROR(OpenIndexFile(files, loading, {*info, *field}, segment, index));
  }
  segment.KeepScalarIndexes(ids);
  for (const model::FieldSchema& field : collection.schema.fields) {
    if (segment.IndexIdOn(field.id) == IndexId{}) continue;
    if (std::ranges::find(wanted, field.id, &format::IndexRef::field) == wanted.end())
      segment.SetIndex(field.id, {}, nullptr);
  }
  return Status::Ok();
}

Status LoadOnce(Shard& shard, const LoadBudget& budget) {
  const service::CollectionPtr collection = shard.collection();
  const Loading loading{*collection, budget};
  const auto manifest = shard.committed().manifest;
  for (const SealedPtr& segment : shard.sealed()) {
    if (!collection->IsLoaded(segment->partition())) {
      segment->ReleaseVectors();
      continue;
    }
    RETURN_IF_ERROR(LoadVectorFields(loading, *segment));
    auto ref = std::ranges::find(manifest->segments, segment->id(), &format::SegmentRef::id);
    if (ref == manifest->segments.end()) continue;
    RETURN_IF_ERROR(OpenWantedIndexes(shard.files(), loading, *ref, *segment));
  }
  return Status::Ok();
}

}  // namespace

Status ApplyLoadState(Shard& shard, const LoadBudget& budget) {
  for (;;) {
    const int64_t revision = shard.committed().revision;
    Status status = LoadOnce(shard, budget);
    // A commit meanwhile may have removed the file that was to be opened: the newer manifest says.
    if (status.ok() || shard.committed().revision == revision) return status;
  }
}

}  // namespace elanus::worker
