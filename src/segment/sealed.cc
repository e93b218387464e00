#include "segment/sealed.h"

#include <algorithm>

#include "base/check.h"
#include "base/mapped_pages.h"
#include "format/sealed_bytes.h"

namespace elanus::segment {

/// Rows of the whole segment, or of a part of it, with vectors as resident as they were when taken.
class SealedSegment::Rows final : public RowSource {
 public:
  Rows(size_t rows, std::shared_ptr<const void> owner, std::map<FieldId, ColumnView> columns,
       std::vector<std::shared_ptr<const index::Buffer>> buffers, ScalarIndexes scalars)
      : rows_(rows),
        owner_(std::move(owner)),
        columns_(std::move(columns)),
        buffers_(std::move(buffers)),
        scalars_(std::move(scalars)) {}
  size_t rows() const override { return rows_; }
  std::optional<ColumnView> Column(FieldId field) const override {
    auto it = columns_.find(field);
    if (it == columns_.end()) return std::nullopt;
    ColumnView view = it->second;
    view.rows = rows_;
    return view;
  }
  std::shared_ptr<const index::ScalarIndex> ScalarIndexOn(
      FieldId field, std::span<const std::string> path) const override {
    for (const auto& [place, scalar] : scalars_) {
      if (place.field == field && std::ranges::equal(place.path, path)) return scalar.index;
    }
    return nullptr;
  }

 private:
  size_t rows_;
  std::shared_ptr<const void> owner_;
  std::map<FieldId, ColumnView> columns_;
  std::vector<std::shared_ptr<const index::Buffer>> buffers_;
  ScalarIndexes scalars_;
};

SealedSegment::SealedSegment(const format::SegmentRef& ref, FileBytes file,
                             format::SegmentFile reader)
    : Segment(ref.id, ref.partition),
      file_(std::move(file)),
      reader_(std::move(reader)),
      rows_(static_cast<uint32_t>(reader_.footer().rows)) {}

Result<std::shared_ptr<SealedSegment>> SealedSegment::Open(const format::SegmentRef& ref,
                                                           FileBytes file,
                                                           std::vector<format::RowDelete> deletes) {
  ASSIGN_OR_RETURN(format::SegmentFile reader, format::SegmentFile::Open(file.text(), file.name));
  if (reader.footer().rows != ref.rows || reader.footer().segment != ref.id) {
    return Error(format::Damaged(file.name, "is not the segment that the manifest names"));
  }
  std::shared_ptr<SealedSegment> segment(
      new SealedSegment(ref, std::move(file), std::move(reader)));
  RETURN_IF_ERROR(segment->OpenColumns());
  segment->deletes_.Load(std::move(deletes));
  return segment;
}

Status SealedSegment::OpenColumns() {
  for (const format::SectionInfo& section : reader_.footer().sections) {
    const bool vector =
        section.kind == format::SectionKind::kFixed && model::IsVector(section.type);
    if (!vector) RETURN_IF_ERROR(reader_.VerifySection(section));
    RETURN_IF_ERROR(OpenColumn(section));
  }
  for (auto& [field, view] : columns_) {
    const bool fixed = model::ValueBytes(view.type, view.dim) != 0;
    if (fixed ? view.fixed == nullptr && rows_ != 0
              : view.offsets == nullptr || view.bytes == nullptr) {
      return format::Damaged(file_.name, "a column lacks its values");
    }
    if (!fixed) {
      RETURN_IF_ERROR(CheckOffsets(view, reader_.Find(format::SectionKind::kBytes, field)->bytes));
    }
    if (std::vector<BlockRange> ranges = RangesOf(view); !ranges.empty())
      view.ranges = ranges_.emplace_back(std::move(ranges)).data();
  }
  const auto key = columns_.find(reader_.footer().key_field);
  if (key == columns_.end() || timestamps_ == nullptr)
    return format::Damaged(file_.name, "lacks keys or timestamps");
  if (key->second.type != model::DataType::kInt64 && !model::IsString(key->second.type)) {
    return format::Damaged(file_.name, "keys have a wrong type");
  }
  std::string_view filter;
  if (const auto* section = reader_.Find(format::SectionKind::kKeyFilter, key->first))
    filter = reader_.Bytes(*section);
  ASSIGN_OR_RETURN(keys_, SealedKeys::Open(key->second, filter, file_.name));
  return Status::Ok();
}

Status SealedSegment::OpenColumn(const format::SectionInfo& section) {
  const char* bytes = reader_.Bytes(section).data();
  if (section.kind == format::SectionKind::kTimestamps) {
    timestamps_ = reinterpret_cast<const model::Timestamp*>(bytes);
    return Status::Ok();
  }
  if (section.kind == format::SectionKind::kKeyFilter) return Status::Ok();
  auto [it, fresh] = columns_.try_emplace(
      section.field, ColumnView{.type = section.type, .dim = section.dim, .rows = rows_});
  ColumnView& view = it->second;
  if (view.type != section.type || view.dim != section.dim) {
    return format::Damaged(file_.name, "sections of a column disagree");
  }
  switch (section.kind) {
    case format::SectionKind::kValid: view.valid = reinterpret_cast<const uint8_t*>(bytes); break;
    case format::SectionKind::kFixed: view.fixed = bytes; break;
    case format::SectionKind::kOffsets:
      view.offsets = reinterpret_cast<const uint64_t*>(bytes);
      break;
    default: view.bytes = bytes; break;
  }
  return Status::Ok();
}

Status SealedSegment::CheckOffsets(const ColumnView& view, uint64_t bytes) const {
  bool ascending = view.offsets[0] == 0 && view.offsets[rows_] == bytes;
  for (uint32_t row = 0; row < rows_; ++row)
    ascending &= view.offsets[row] <= view.offsets[row + 1];
  return ascending ? Status::Ok()
                   : format::Damaged(file_.name, "offsets do not span a column's bytes");
}

size_t SealedSegment::Delete(const model::PrimaryKey& key, model::Timestamp ts) {
  size_t hits = 0;
  const auto [first, last] = keys_.Find(key);
  for (uint32_t row = first; row < last; ++row) {
    if (timestamps_[row] < ts && deletes_.Add(row, ts)) ++hits;
  }
  return hits;
}

const format::SectionInfo* SealedSegment::VectorSection(FieldId field) const {
  const auto column = columns_.find(field);
  if (column == columns_.end()) return nullptr;
  const bool lists = column->second.type == model::DataType::kArrayOfVector;
  const format::SectionInfo* section =
      reader_.Find(lists ? format::SectionKind::kBytes : format::SectionKind::kFixed, field);
  return section == nullptr || !model::IsVector(section->type) ? nullptr : section;
}

uint64_t SealedSegment::VectorBytes(FieldId field) const {
  const format::SectionInfo* section = VectorSection(field);
  return section == nullptr ? 0 : section->bytes;
}

Status SealedSegment::LoadVectors(FieldId field, const Reserve& reserve) {
  const format::SectionInfo* section = VectorSection(field);
  if (section == nullptr) return Status::Ok();
  const bool loaded = VectorsLoaded(field);
  if (loaded && !VectorsMapped(field)) return Status::Ok();
  const bool lists = section->type == model::DataType::kArrayOfVector;
  if (!lists && !loaded)  // lists were checked when opened
    RETURN_IF_ERROR(reader_.VerifySection(*section));
  const std::string_view text = reader_.Bytes(*section);
  if (text.empty()) return Status::Ok();
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  struct Held {
    std::shared_ptr<const void> lease;
    index::Buffer buffer;
  };
  std::shared_ptr<const index::Buffer> buffer;
  std::shared_ptr<const void> lease = reserve ? reserve(bytes.size()) : nullptr;
  if (!reserve || lease != nullptr) {
    auto held = std::make_shared<Held>(std::move(lease), index::Buffer::Replace(bytes));
    buffer = {held, &held->buffer};
  }
  if (loaded && buffer == nullptr) return Status::Ok();  // mapped it is, mapped it stays
  MutexLock lock(mutex_);
  run_.reset();
  resident_[field] = std::move(buffer);
  Mapped();  // what was copied was mapped too
  mapped_.reset();
  return Status::Ok();
}

std::shared_ptr<const void> SealedSegment::Mapped() const {
  if (mapped_ == nullptr) {
    mapped_ = {file_.bytes.data(),
               [file = MappedFile{file_.bytes, file_.owner}](const void*) { ReleasePages(file); }};
  }
  return mapped_;
}

void SealedSegment::ReleaseVectors() {
  MutexLock lock(mutex_);
  indexes_.clear();
  scalars_.clear();
  resident_.clear();
  run_.reset();
}

bool SealedSegment::VectorsLoaded(FieldId field) const {
  MutexLock lock(mutex_);
  return resident_.contains(field);
}

bool SealedSegment::VectorsMapped(FieldId field) const {
  MutexLock lock(mutex_);
  const auto loaded = resident_.find(field);
  return loaded == resident_.end() || loaded->second == nullptr;
}

std::pair<index::VectorView, std::shared_ptr<const void>> SealedSegment::Vectors(
    const model::FieldSchema& field) const {
  auto it = columns_.find(field.id);
  if (it == columns_.end() || it->second.type != field.type) return {};
  const ColumnView& column = it->second;
  const bool lists = column.type == model::DataType::kArrayOfVector;
  const size_t width = model::ValueBytes(field.vector_type(), column.dim);
  if (width == 0 || !model::IsVector(column.type)) return {};
  index::VectorView view{.data = lists ? column.bytes : column.fixed,
                         .rows = lists ? column.offsets[rows_] / width : rows_,
                         .dim = static_cast<size_t>(column.dim),
                         .element = index::ElementOf(field.vector_type())};
  MutexLock lock(mutex_);
  auto loaded = resident_.find(field.id);
  if (loaded == resident_.end() || loaded->second == nullptr) return {view, Mapped()};
  view.data = loaded->second->data();
  return {view, loaded->second};
}

uint64_t SealedSegment::IndexedRows(const model::FieldSchema& field) const {
  return field.type == model::DataType::kArrayOfVector ? Vectors(field).first.rows : rows_;
}

void SealedSegment::SetIndex(FieldId field, IndexId id,
                             std::shared_ptr<const index::VectorIndex> index) {
  MutexLock lock(mutex_);
  if (index == nullptr) {
    indexes_.erase(field);
  } else {
    indexes_[field] = {id, std::move(index)};
  }
}

void SealedSegment::SetScalarIndex(ScalarPlace place, IndexId id,
                                   std::shared_ptr<const index::ScalarIndex> index) {
  MutexLock lock(mutex_);
  scalars_[std::move(place)] = {id, std::move(index)};
  run_.reset();
}

bool SealedSegment::HasScalarIndex(IndexId id) const {
  MutexLock lock(mutex_);
  return std::ranges::any_of(scalars_, [&](const auto& entry) { return entry.second.id == id; });
}

void SealedSegment::KeepScalarIndexes(std::span<const IndexId> ids) {
  MutexLock lock(mutex_);
  const size_t gone = std::erase_if(scalars_, [&](const auto& entry) {
    return std::ranges::find(ids, entry.second.id) == ids.end();
  });
  if (gone != 0) run_.reset();
}

IndexId SealedSegment::IndexIdOn(FieldId field) const {
  MutexLock lock(mutex_);
  auto it = indexes_.find(field);
  return it == indexes_.end() ? IndexId{} : it->second.id;
}

SealedSegment::Resident SealedSegment::resident() const {
  MutexLock lock(mutex_);
  Resident bytes;
  for (const auto& [field, buffer] : resident_)
    bytes.vectors += buffer != nullptr ? buffer->size() : 0;
  for (const auto& [field, opened] : indexes_)
    bytes.indexes += opened.index->Memory().resident_bytes;
  return bytes;
}

std::vector<Run> SealedSegment::Runs(uint32_t rows) const {
  ELANUS_CHECK(rows == rows_);
  MutexLock lock(mutex_);
  if (run_ == nullptr) {
    std::map<FieldId, ColumnView> columns = columns_;
    std::vector<std::shared_ptr<const index::Buffer>> buffers;
    for (const auto& [field, buffer] : resident_) {
      if (buffer == nullptr) continue;
      ColumnView& column = columns[field];
      const bool lists = column.type == model::DataType::kArrayOfVector;
      (lists ? column.bytes : column.fixed) = reinterpret_cast<const char*>(buffer->data());
      buffers.push_back(buffer);
    }
    run_ =
        std::make_shared<Rows>(rows_, Mapped(), std::move(columns), std::move(buffers), scalars_);
  }
  std::vector<Run> runs;
  if (rows_ != 0) runs.push_back({0, run_});
  return runs;
}

std::shared_ptr<Bitset> SealedSegment::InsertedBy(model::Timestamp t, uint32_t rows) const {
  if (reader_.footer().first_timestamp > t) return nullptr;
  auto bits = std::make_shared<Bitset>(rows);
  for (uint32_t row = 0; row < rows; ++row) {
    bits->words()[row / 64] |= uint64_t{timestamps_[row] <= t ? 1U : 0U} << (row % 64);
  }
  return bits;
}

std::shared_ptr<const Bitset> SealedSegment::HiddenAt(model::Timestamp t, uint32_t rows) const {
  auto deleted = deletes_.HiddenAt(t, rows);
  if (reader_.footer().last_timestamp <= t) return deleted;
  auto bits =
      deleted == nullptr ? std::make_shared<Bitset>(rows) : std::make_shared<Bitset>(*deleted);
  for (uint32_t row = 0; row < rows; ++row) {
    if (timestamps_[row] > t) bits->Set(row);
  }
  return bits;
}

std::vector<uint32_t> SealedSegment::FindKey(const model::PrimaryKey& key, uint32_t rows) const {
  std::vector<uint32_t> found;
  const auto [first, last] = keys_.Find(key);
  for (uint32_t row = first; row < std::min(last, rows); ++row) found.push_back(row);
  return found;
}

std::shared_ptr<const index::VectorIndex> SealedSegment::IndexOn(FieldId field) const {
  MutexLock lock(mutex_);
  auto it = indexes_.find(field);
  return it == indexes_.end() ? nullptr : it->second.index;
}

}  // namespace elanus::segment
