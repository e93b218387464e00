#include "segment/growing.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "index/vector/buffer.h"
#include "model/key_hash.h"

namespace elanus::segment {
namespace {

constexpr uint32_t kChunkRowsMin = 1024;
constexpr uint32_t kChunkRowsMax = 16384;
constexpr size_t kArenaBlockBytes = 64 << 10;
// Rows that come slowly: a fifth of what one core links of 768 numbers.
constexpr int64_t kSlowRowsPerMs = 2;
constexpr int64_t kRateMsLeast = 1000, kRateMsMost = 10'000;  // the rate is one over so long

/// A dense vector column of a run.
index::VectorView VectorsOf(const Run& run, FieldId field) {
  const ColumnView column = *run.source->Column(field);
  return {.data = column.fixed,
          .rows = column.rows,
          .dim = static_cast<size_t>(column.dim),
          .element = index::ElementOf(column.type)};
}

/// Links the rows of the runs that the graph has not yet.
void LinkRows(const std::vector<Run>& runs, FieldId field, index::GrowingGraph& graph,
              const std::stop_token& stop) {
  for (const Run& run : runs) {
    const uint32_t linked = graph.rows();
    if (linked >= run.first + run.source->rows()) continue;
    if (stop.stop_requested() || linked < run.first) return;
    index::VectorView vectors = VectorsOf(run, field);
    vectors.data = vectors.Row(linked - run.first);
    vectors.rows -= linked - run.first;
    graph.Append(vectors, stop);
  }
}

}  // namespace

/// Rows [first, first + capacity). Every buffer has its full size from the start: nothing ever
/// moves.
class GrowingSegment::Chunk {
 public:
  Chunk(uint32_t first, uint32_t capacity, const std::vector<FieldLayout>& layout)
      : first_(first), capacity_(capacity), timestamps_(new model::Timestamp[capacity]) {
    for (const FieldLayout& field : layout) {
      Slot slot{.type = field.type, .dim = field.dim};
      if (const size_t width = model::ValueBytes(field.type, field.dim); width != 0) {
        slot.fixed = index::Buffer(width * capacity);
      } else {
        slot.strings.reset(new std::string_view[capacity]);
      }
      if (field.nullable) slot.valid.reset(new uint8_t[capacity]);
      slots_.push_back(std::move(slot));
    }
  }

  uint32_t first() const { return first_; }
  uint32_t end() const { return first_ + capacity_; }

  /// Copies rows [from, from + count) of a column to chunk rows starting at `at`. Returns the bytes
  /// it took.
  size_t Write(size_t field, const model::Column& column, size_t from, size_t count, uint32_t at) {
    Slot& slot = slots_[field];
    if (slot.valid != nullptr) {
      for (size_t i = 0; i < count; ++i) slot.valid[at + i] = column.IsNull(from + i) ? 0 : 1;
    }
    if (const size_t width = model::ValueBytes(slot.type, slot.dim); width != 0) {
      std::memcpy(slot.fixed.data() + at * width, column.fixed.data() + from * width,
                  count * width);
      return count * width;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      slot.strings[at + i] = Keep(column.StringAt(from + i));
      bytes += column.StringAt(from + i).size() + sizeof(std::string_view);
    }
    return bytes;
  }

  void WriteTimestamps(model::Timestamp ts, size_t count, uint32_t at) {
    std::fill_n(timestamps_.get() + at, count, ts);
  }

  ColumnView View(size_t field, size_t rows) const {
    const Slot& slot = slots_[field];
    return {.type = slot.type,
            .dim = slot.dim,
            .rows = rows,
            .valid = slot.valid.get(),
            .fixed = reinterpret_cast<const char*>(slot.fixed.data()),
            .strings = slot.strings.get()};
  }
  model::Timestamp TimestampAt(uint32_t at) const { return timestamps_[at]; }
  const model::Timestamp* timestamps() const { return timestamps_.get(); }

 private:
  struct Slot {
    model::DataType type;
    int64_t dim;
    std::unique_ptr<uint8_t[]> valid;
    index::Buffer fixed;
    std::unique_ptr<std::string_view[]> strings;
  };

  std::string_view Keep(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > arena_left_) {
      arena_left_ = std::max(kArenaBlockBytes, text.size());
      arena_.emplace_back(new char[arena_left_]);
      arena_at_ = arena_.back().get();
    }
    std::memcpy(arena_at_, text.data(), text.size());
    std::string_view kept(arena_at_, text.size());
    arena_at_ += text.size();
    arena_left_ -= text.size();
    return kept;
  }

  const uint32_t first_;
  const uint32_t capacity_;
  std::unique_ptr<model::Timestamp[]> timestamps_;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<char[]>> arena_;
  char* arena_at_ = nullptr;
  size_t arena_left_ = 0;
};

/// The first rows of a chunk, as a reader found them published.
class GrowingSegment::ChunkRun final : public RowSource {
 public:
  ChunkRun(std::shared_ptr<const Chunk> chunk, size_t rows, const std::vector<FieldLayout>& layout)
      : chunk_(std::move(chunk)), rows_(rows), layout_(layout) {}
  size_t rows() const override { return rows_; }
  std::optional<ColumnView> Column(FieldId field) const override {
    for (size_t i = 0; i < layout_.size(); ++i) {
      if (layout_[i].id == field) return chunk_->View(i, rows_);
    }
    return std::nullopt;
  }

 private:
  std::shared_ptr<const Chunk> chunk_;
  size_t rows_;
  const std::vector<FieldLayout>& layout_;  // of the segment, which the reader holds
};

GrowingSegment::GrowingSegment(SegmentId id, PartitionId partition,
                               const model::CollectionSchema& schema)
    : Segment(id, partition) {
  for (const model::FieldSchema& field : schema.fields) {
    if (field.is_primary) key_column_ = layout_.size();
    layout_.push_back(
        {field.id, field.type, model::IsVector(field.type) ? field.dim() : 0, field.nullable});
  }
}

GrowingSegment::~GrowingSegment() = default;

GrowingSegment::Chunk& GrowingSegment::Tail() {
  const uint32_t rows = published_.load(std::memory_order_relaxed);
  if (!writer_chunks_.empty() && rows < writer_chunks_.back()->end()) return *writer_chunks_.back();
  const uint32_t capacity = std::clamp(rows, kChunkRowsMin, kChunkRowsMax);
  auto chunk = std::make_shared<Chunk>(rows, capacity, layout_);
  writer_chunks_.push_back(chunk.get());
  MutexLock lock(chunks_mutex_);
  chunks_.push_back(std::move(chunk));
  return *writer_chunks_.back();
}

void GrowingSegment::Append(const model::RowBatch& rows, model::Timestamp ts) {
  ELANUS_CHECK(ts >= last_timestamp_);
  if (first_timestamp_ == 0) first_timestamp_ = ts;
  last_timestamp_ = ts;
  std::vector<const model::Column*> columns;
  for (const FieldLayout& field : layout_) {
    columns.push_back(rows.Find(field.id));
    ELANUS_CHECK(columns.back() != nullptr);
  }
  const model::Column& keys = *columns[key_column_];
  size_t bytes = rows.rows * sizeof(model::Timestamp);
  for (size_t from = 0; from < rows.rows;) {
    Chunk& chunk = Tail();
    const uint32_t row = published_.load(std::memory_order_relaxed);
    const size_t count = std::min<size_t>(rows.rows - from, chunk.end() - row);
    for (size_t f = 0; f < columns.size(); ++f)
      bytes += chunk.Write(f, *columns[f], from, count, row - chunk.first());
    chunk.WriteTimestamps(ts, count, row - chunk.first());
    for (size_t i = 0; i < count; ++i) {
      const uint64_t hash =
          model::IsString(keys.type)
              ? model::HashKey(keys.StringAt(from + i), model::HashUse::kInShard)
              : model::HashKey(keys.Values<int64_t>()[from + i], model::HashUse::kInShard);
      keys_.Insert(hash, row + static_cast<uint32_t>(i));
    }
    published_.store(row + static_cast<uint32_t>(count), std::memory_order_release);
    from += count;
  }
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

size_t GrowingSegment::Delete(const model::PrimaryKey& key, model::Timestamp ts) {
  size_t hits = 0;
  const auto* text = std::get_if<std::string>(&key);
  const uint64_t hash = model::HashKey(key, model::HashUse::kInShard);
  keys_.ForEach(hash, [&](uint32_t row) {
    const Chunk& chunk = WriterChunkOf(row);
    const uint32_t at = row - chunk.first();
    const ColumnView view = chunk.View(key_column_, at + 1);
    const bool equal = text != nullptr ? view.StringAt(at) == *text
                                       : view.Values<int64_t>()[at] == std::get<int64_t>(key);
    if (equal && chunk.TimestampAt(at) < ts && deletes_.Add(row, ts)) ++hits;
  });
  return hits;
}

GrowingSegment::Chunk& GrowingSegment::ChunkOf(uint32_t row) const {
  MutexLock lock(chunks_mutex_);
  auto it =
      std::ranges::upper_bound(chunks_, row, {}, [](const auto& chunk) { return chunk->first(); });
  return **std::prev(it);
}

const GrowingSegment::Chunk& GrowingSegment::WriterChunkOf(uint32_t row) const {
  auto it = std::ranges::upper_bound(writer_chunks_, row, {}, &Chunk::first);
  return **std::prev(it);
}

uint32_t GrowingSegment::RowsAt(model::Timestamp t) const {
  const uint32_t rows = RowCount();
  if (rows == 0 || TimestampAt(rows - 1) <= t) return rows;
  uint32_t low = 0;
  uint32_t high = rows;  // timestamps ascend: the first row after T
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (TimestampAt(middle) <= t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::vector<Run> GrowingSegment::Runs(uint32_t rows) const {
  std::vector<Run> runs;
  MutexLock lock(chunks_mutex_);
  for (const auto& chunk : chunks_) {
    if (chunk->first() >= rows) break;
    const uint32_t count = std::min(rows, chunk->end()) - chunk->first();
    runs.push_back({chunk->first(), std::make_shared<ChunkRun>(chunk, count, layout_)});
  }
  return runs;
}

std::shared_ptr<Bitset> GrowingSegment::InsertedBy(model::Timestamp t, uint32_t rows) const {
  const uint32_t first_rows = std::min(rows, RowsAt(t));  // timestamps ascend
  if (first_rows == 0) return nullptr;
  auto bits = std::make_shared<Bitset>(rows);
  bits->SetRange(0, first_rows);
  return bits;
}

model::PrimaryKey GrowingSegment::KeyAt(uint32_t row) const {
  const Chunk& chunk = ChunkOf(row);
  const uint32_t at = row - chunk.first();
  const ColumnView view = chunk.View(key_column_, at + 1);
  if (model::IsString(view.type)) return std::string(view.StringAt(at));
  return view.Values<int64_t>()[at];
}

model::Timestamp GrowingSegment::TimestampAt(uint32_t row) const {
  const Chunk& chunk = ChunkOf(row);
  return chunk.TimestampAt(row - chunk.first());
}

std::shared_ptr<const index::GrowingGraph> GrowingSegment::GraphOn(FieldId field) const {
  MutexLock lock(graphs_mutex_);
  const auto it = graphs_.find(field);
  return it == graphs_.end() ? nullptr : it->second;
}

uint64_t GrowingSegment::graph_bytes() const {
  MutexLock lock(graphs_mutex_);
  uint64_t bytes = 0;
  for (const auto& [field, graph] : graphs_) bytes += graph->bytes();
  return bytes;
}

uint64_t GrowingSegment::RowsOutsideGraphs() const {
  const uint32_t rows = RowCount();
  MutexLock lock(graphs_mutex_);
  if (graphs_.empty())
    return expects_searches_ || CameSlowly(rows) ? rows - rows_offered_.load() : 0;
  uint32_t outside = 0;
  for (const auto& [field, graph] : graphs_)
    outside = std::max(outside, std::min(rows, graph->rows_max()) - graph->rows());
  return outside;
}

bool GrowingSegment::CameSlowly(uint32_t rows) const {
  if (rows == 0) return false;
  const int64_t last_ms = model::TimestampMs(TimestampAt(rows - 1));
  const int64_t age_ms = last_ms - model::TimestampMs(TimestampAt(0));
  if (age_ms < kRateMsLeast) return false;
  const int64_t window_ms = std::min(age_ms, kRateMsMost);
  const uint32_t before = RowsAt(model::TimestampFromMs(last_ms - window_ms));
  return rows - std::min(rows, before) <= kSlowRowsPerMs * window_ms;
}

void GrowingSegment::GrowGraph(FieldId field, model::Metric metric, const std::stop_token& stop) {
  if (std::ranges::find(layout_, field, &FieldLayout::id) == layout_.end()) return;
  MutexLock grow(grow_mutex_);
  const std::vector<Run> runs = Runs(RowCount());
  std::shared_ptr<index::GrowingGraph> graph;
  {
    MutexLock lock(graphs_mutex_);
    if (const auto it = graphs_.find(field); it != graphs_.end()) graph = it->second;
  }
  // Chunks grow: of the first ones the last has most rows.
  const auto longest =
      std::ranges::max_element(runs, {}, [](const Run& run) { return run.source->rows(); });
  if (longest == runs.end()) return;
  const index::VectorView sample = VectorsOf(*longest, field);
  const bool fits = graph != nullptr && graph->metric() == metric;
  if (fits && (graph->rows_sampled() >= index::GrowingGraph::kSampleEnough ||
               sample.rows < index::GrowingGraph::kSampleEnough))
    return LinkRows(runs, field, *graph, stop);
  if (RowCount() < index::GrowingGraph::RowsMin(sample.row_bytes())) return;
  auto fresh = std::make_shared<index::GrowingGraph>(metric, sample);
  // Meanwhile searches go by the old one.
  if (fits) LinkRows(runs, field, *fresh, stop);
  {
    MutexLock lock(graphs_mutex_);
    if (!fits || !stop.stop_requested()) graphs_[field] = fresh;
  }
  if (!fits) LinkRows(runs, field, *fresh, stop);
}

std::vector<uint32_t> GrowingSegment::FindKey(const model::PrimaryKey& key, uint32_t rows) const {
  std::vector<uint32_t> found;
  for (const Run& run : Runs(rows)) {
    const ColumnView view = *run.source->Column(layout_[key_column_].id);
    if (const auto* text = std::get_if<std::string>(&key)) {
      for (size_t i = 0; i < view.rows; ++i) {
        if (view.strings[i] == *text) found.push_back(run.first + static_cast<uint32_t>(i));
      }
    } else {
      const auto values = view.Values<int64_t>();
      const int64_t wanted = std::get<int64_t>(key);
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] == wanted) found.push_back(run.first + static_cast<uint32_t>(i));
      }
    }
  }
  return found;
}

}  // namespace elanus::segment
