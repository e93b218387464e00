#include "worker/build/output_writer.h"

#include <algorithm>
#include <array>

#include "base/crc32c.h"
#include "base/log.h"
#include "base/mapped_pages.h"
#include "base/thread.h"
#include "format/sealed_bytes.h"
#include "index/scalar/scalar_index.h"
#include "worker/build/index_spec.h"

namespace elanus::worker {
namespace {

std::vector<format::RowDelete> FirstDeletes(const segment::Segment& segment, size_t count) {
  std::vector<format::RowDelete> deletes = segment.deletes().Since(0);
  deletes.resize(count);
  std::ranges::sort(deletes, {}, &format::RowDelete::row);
  return deletes;
}

Status WriteIndexFile(storage::ObjectStore& objects, std::span<const index::Buffer> chunks,
                      format::FileRef& ref) {
  ASSIGN_OR_RETURN(auto writer, objects.Create(ref.name));
  for (const index::Buffer& chunk : chunks) {
    const std::string_view bytes(reinterpret_cast<const char*>(chunk.data()), chunk.size());
    ref.digest = Crc32c(bytes, ref.digest);
    ref.bytes += bytes.size();
    RETURN_IF_ERROR(writer->Append(bytes));
  }
  return writer->Finish();
}

}  // namespace

DeclaredFiles::~DeclaredFiles() {
  for (const auto& [intent, name] : open_) files_.Abandon(intent, {name});
}

Result<std::string> DeclaredFiles::NewName(std::string_view kind) {
  std::string name = files_.NewName(kind);
  ASSIGN_OR_RETURN(std::string intent, files_.Intend({name}));
  open_.emplace_back(std::move(intent), name);
  return name;
}

std::vector<std::string> DeclaredFiles::intents() const {
  std::vector<std::string> keys;
  for (const auto& [intent, name] : open_) keys.push_back(intent);
  return keys;
}

Result<SealedPtr> OpenSegmentFile(storage::ObjectStore& objects, const format::SegmentRef& ref,
                                  std::vector<format::RowDelete> deletes) {
  ASSIGN_OR_RETURN(auto mapped, objects.Map(ref.file.name));
  if (mapped->bytes.size() != ref.file.bytes)
    return Error(format::Damaged(ref.file.name, "has another length than the manifest says"));
  ASSIGN_OR_RETURN(SealedPtr segment,
                   segment::SealedSegment::Open(ref, {ref.file.name, mapped->bytes, mapped->owner},
                                                std::move(deletes)));
  // All columns were read to check them; searches need few of their pages.
  ReleasePages(*mapped);
  return segment;
}

Status OpenIndexFile(ShardFiles& files, const Loading& loading, const IndexedField& indexed,
                     segment::SealedSegment& segment, const format::IndexRef& ref) {
  const auto& [info, field] = indexed;
  ASSIGN_OR_RETURN(auto mapped, files.objects().Map(ref.file.name));
  const segment::FileBytes file{ref.file.name, mapped->bytes, mapped};
  if (!model::IsVector(field.type)) {
    auto scalar = index::ScalarIndex::Open(file.owner, file.bytes);
    if (!scalar.has_value()) return scalar.error().Wrap(ref.file.name);
    if ((*scalar)->rows() != segment.rows())
      return format::Damaged(ref.file.name, "is an index of another segment");
    segment.SetScalarIndex({info.field, info.json_path}, info.id, std::move(*scalar));
    return Status::Ok();
  }
  auto [vectors, vectors_owner] = segment.Vectors(field);
  std::shared_ptr<const void> lease;
  if (!WantsMapped(loading.collection, info)) lease = loading.budget.Take(file.bytes.size());
  const auto mode = lease != nullptr ? index::OpenMode::kResident : index::OpenMode::kMapped;
  using Kept = std::array<std::shared_ptr<const void>, 3>;
  auto owner = std::make_shared<Kept>(Kept{file.owner, std::move(vectors_owner), std::move(lease)});
  auto index = index::OpenIndex(owner, file.bytes, vectors, mode);
  if (!index.has_value()) return index.error().Wrap(ref.file.name);
  if (segment.VectorsMapped(ref.field))
    ReadsAtRandom(vectors.data, vectors.rows * vectors.row_bytes());
  segment.SetIndex(ref.field, ref.index, std::move(*index));
  return Status::Ok();
}

Status LoadVectorFields(const Loading& loading, segment::SealedSegment& segment) {
  for (const model::FieldSchema& field : loading.collection.schema.fields) {
    if (!model::IsVector(field.type)) continue;
    const bool mapped = WantsMapped(loading.collection, field);
    RETURN_IF_ERROR(
        segment.LoadVectors(field.id, [&](uint64_t bytes) -> std::shared_ptr<const void> {
          return mapped ? nullptr : loading.budget.Take(bytes);
        }));
  }
  return Status::Ok();
}

Result<Output> OutputWriter::Write(const std::vector<segment::SegmentPtr>& inputs,
                                   bool with_indexes) {
  const service::CollectionPtr collection = shard_.collection();
  Output output;
  std::vector<segment::SealedInput> sources;
  output.replacement.deletes_seen = shard_.DeleteCounts(inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    output.replacement.inputs.push_back(inputs[i]->id());
    if (inputs[i]->sealed()) {
      const auto held = static_cast<const segment::SealedSegment&>(*inputs[i]).resident();
      bytes_replaced_ += held.vectors + held.indexes;
    }
    sources.push_back({inputs[i], inputs[i]->RowsAt(model::kTimestampMax),
                       FirstDeletes(*inputs[i], output.replacement.deletes_seen[i])});
  }
  context_.Reached(JobStep::kInputsTaken);
  output.ref.id = {static_cast<int64_t>(context_.clock->Next())};
  output.ref.partition = inputs[0]->partition();
  ASSIGN_OR_RETURN(output.ref.file.name, declared_.NewName("segment"));
  RETURN_IF_ERROR(
      context_.Heavily([&] { return WriteRows(*collection, sources, with_indexes, output); }));
  return output;
}

Status OutputWriter::WriteRows(const model::CollectionInfo& collection, const Sources& sources,
                               bool with_indexes, Output& output) {
  storage::ObjectStore& objects = shard_.files().objects();
  ASSIGN_OR_RETURN(auto writer, objects.Create(output.ref.file.name));
  const model::Timestamp horizon = context_.Horizon();
  const segment::SealedBuildOptions options{.id = output.ref.id,
                                            .schema = &collection.schema,
                                            .horizon = horizon,
                                            .expiry = model::ExpiryOf(collection, horizon),
                                            .stop = context_.stop};
  ASSIGN_OR_RETURN(segment::SealedBuild build,
                   segment::BuildSealedFile(sources, options, [&](std::string_view bytes) {
                     OfferCore();
                     return writer->Append(bytes);
                   }));
  output.replacement.row_maps = std::move(build.row_maps);
  if (build.rows == 0) return Status::Ok();  // the writer goes without Finish: no object
  RETURN_IF_ERROR(writer->Finish());
  context_.Reached(JobStep::kFileWritten);
  output.ref.file.bytes = build.bytes;
  output.ref.file.digest = build.digest;
  output.ref.rows = build.rows;
  output.ref.first_timestamp = build.first_timestamp;
  output.ref.last_timestamp = build.last_timestamp;
  ASSIGN_OR_RETURN(output.replacement.output,
                   OpenSegmentFile(objects, output.ref, std::move(build.deletes)));
  if (collection.IsLoaded(output.ref.partition))
    RETURN_IF_ERROR(LoadVectorFields({collection, context_.load}, *output.replacement.output));
  return with_indexes ? BuildIndexes(collection, sources, output) : Status::Ok();
}

Status OutputWriter::BuildIndex(const IndexedField& indexed, const IndexPlan& plan,
                                segment::SealedSegment& segment, format::SegmentRef& ref,
                                const index::BuildStart& start) {
  const model::IndexInfo& info = indexed.info;
  const LogPhase phase("build", "shard", shard_.id().value);
  format::IndexRef index_ref{.index = info.id, .field = info.field};
  const auto* params = std::get_if<index::BuildParams>(&plan);
  if (params != nullptr) {
    const auto [vectors, owner] = segment.Vectors(indexed.field);
    index::BuildParams build = *params;
    build.threads = context_.build_threads;
    // Vectors that are resident already have their share of it; what is replaced will give back
    // its.
    build.memory_max = context_.load.bytes_left() + segment.resident().vectors + bytes_replaced_;
    ASSIGN_OR_RETURN(
        index::IndexFile file,
        index::BuildIndexFile(vectors, build,
                              {.start = start, .stop = context_.stop, .progress = [&](double part) {
                                 shard_.build_progress().Tell(info.id, part);
                               }}));
    ASSIGN_OR_RETURN(index_ref.file.name, declared_.NewName("index"));
    RETURN_IF_ERROR(WriteIndexFile(shard_.files().objects(), file.chunks(), index_ref.file));
  } else {
    const auto runs = segment.Runs(segment.rows());
    ASSIGN_OR_RETURN(std::vector<index::Buffer> file,
                     query::BuildScalarFile(*runs.at(0).source, std::get<query::ScalarSpec>(plan),
                                            context_.stop));
    ASSIGN_OR_RETURN(index_ref.file.name, declared_.NewName("index"));
    RETURN_IF_ERROR(WriteIndexFile(shard_.files().objects(), file, index_ref.file));
  }
  context_.Reached(JobStep::kIndexWritten);
  if (const service::CollectionPtr collection = shard_.collection();
      collection->IsLoaded(segment.partition())) {
    RETURN_IF_ERROR(
        OpenIndexFile(shard_.files(), {*collection, context_.load}, indexed, segment, index_ref));
  }
  ref.indexes.push_back(std::move(index_ref));
  return Status::Ok();
}

namespace {

static_assert(segment::SealedBuild::kGone == index::kRowGone);

struct Largest {
  std::shared_ptr<const index::VectorIndex> index;
  std::span<const uint32_t> rows;  // where they went
};

/// Of the inputs the one with most rows that has an index on the field. The index of lists has
/// their vectors as rows: nobody knows where each of those went.
Largest LargestIndexed(const std::vector<segment::SealedInput>& sources,
                       const std::vector<std::vector<uint32_t>>& row_maps,
                       const model::FieldSchema& field) {
  Largest largest;
  if (!model::IsDenseVector(field.type)) return largest;
  for (size_t i = 0; i < sources.size(); ++i) {
    auto index = sources[i].segment->IndexOn(field.id);
    if (index == nullptr || row_maps[i].size() <= largest.rows.size()) continue;
    largest = {std::move(index), row_maps[i]};
  }
  return largest;
}

}  // namespace

Status OutputWriter::BuildIndexes(const model::CollectionInfo& collection, const Sources& sources,
                                  Output& output) {
  for (const model::IndexInfo& info : collection.indexes) {
    const model::FieldSchema* field = collection.schema.FindField(info.field);
    if (field == nullptr) continue;
    segment::SealedSegment& segment = *output.replacement.output;
    const auto plan = IndexPlanOf(info, *field, segment.IndexedRows(*field));
    if (!plan) continue;
    const Largest start = LargestIndexed(sources, output.replacement.row_maps, *field);
    RETURN_IF_ERROR(
        BuildIndex({info, *field}, *plan, segment, output.ref, {start.index.get(), start.rows}));
  }
  return Status::Ok();
}

}  // namespace elanus::worker
