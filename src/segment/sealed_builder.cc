#include "segment/sealed_builder.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "format/key_filter.h"
#include "model/key_hash.h"
#include "segment/field_reader.h"

namespace elanus::segment {
namespace {

constexpr size_t kPieceBytes = 256 << 10;

struct Source {
  model::Timestamp timestamp;  // first: rows of one key lie in order of time
  uint32_t input;
  uint32_t row;
  friend auto operator<=>(const Source&, const Source&) = default;
};

/// Collects small values into large appends.
class PieceWriter {
 public:
  explicit PieceWriter(format::SegmentFileWriter& writer) : writer_(writer) {}
  Status Add(std::string_view bytes) {
    piece_.append(bytes);
    return piece_.size() >= kPieceBytes ? Flush() : Status::Ok();
  }
  Status Flush() {
    Status status = piece_.empty() ? Status::Ok() : writer_.Append(piece_);
    piece_.clear();
    return status;
  }

 private:
  format::SegmentFileWriter& writer_;
  std::string piece_;
};

template <class T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

class Builder {
 public:
  Builder(const std::vector<SealedInput>& inputs, const SealedBuildOptions& options,
          const format::ByteSink& sink)
      : inputs_(inputs), options_(options), writer_(sink) {}

  Result<SealedBuild> Run() {
    CollectRows();
    const model::FieldSchema& key = *options_.schema->primary();
    if (model::IsString(key.type)) {
      Sort<std::string_view>(key);
    } else {
      Sort<int64_t>(key);
    }
    MapRows();
    RETURN_IF_ERROR(writer_.Begin());
    for (const model::FieldSchema& field : options_.schema->fields) {
      if (options_.stop.stop_requested())
        return Error(Code::kCanceled, "segment build stopped: canceled");
      RETURN_IF_ERROR(WriteField(field));
    }
    RETURN_IF_ERROR(WriteTimestamps());
    RETURN_IF_ERROR(WriteKeyFilter(key));
    RETURN_IF_ERROR(writer_.Finish({.segment = options_.id,
                                    .rows = result_.rows,
                                    .key_field = key.id,
                                    .first_timestamp = result_.first_timestamp,
                                    .last_timestamp = result_.last_timestamp}));
    result_.bytes = writer_.bytes_written();
    result_.digest = writer_.digest();
    return std::move(result_);
  }

 private:
  void CollectRows() {
    for (uint32_t i = 0; i < inputs_.size(); ++i) {
      const SealedInput& input = inputs_[i];
      std::optional<FieldReader> until = UntilReader(input);
      auto next_delete = input.deletes.begin();
      for (uint32_t row = 0; row < input.rows; ++row) {
        while (next_delete != input.deletes.end() && next_delete->row < row) ++next_delete;
        const bool deleted = next_delete != input.deletes.end() && next_delete->row == row;
        if (deleted && next_delete->timestamp <= options_.horizon) continue;
        if (IsOver(input, row, until)) continue;
        order_.push_back({input.segment->TimestampAt(row), i, row});
      }
    }
    result_.rows = order_.size();
  }

  /// Of the field that says when a row's time is over.
  std::optional<FieldReader> UntilReader(const SealedInput& input) const {
    const FieldId id = options_.expiry.field;
    const model::FieldSchema* field = id.value == 0 ? nullptr : options_.schema->FindField(id);
    if (field == nullptr || field->type != model::DataType::kTimestamptz) return std::nullopt;
    return FieldReader(*input.segment, input.rows, *field);
  }
  bool IsOver(const SealedInput& input, uint32_t row, std::optional<FieldReader>& until) const {
    const model::Timestamp inserted = options_.expiry.inserted;
    if (inserted != 0 && input.segment->TimestampAt(row) <= inserted) return true;
    if (!until || until->IsNull(row)) return false;
    int64_t micros;
    std::memcpy(&micros, until->ValueAt(row).data(), sizeof(micros));
    return micros <= options_.expiry.micros;
  }

  template <class Key>
  void Sort(const model::FieldSchema& key) {
    struct Item {
      Key key;
      Source source;
    };
    std::vector<Item> items;
    items.reserve(order_.size());
    std::vector<FieldReader> readers = Readers(key);
    for (const Source& source : order_) {
      const std::string_view value = readers[source.input].ValueAt(source.row);
      if constexpr (std::is_same_v<Key, int64_t>) {
        int64_t number;
        std::memcpy(&number, value.data(), sizeof(number));
        items.push_back({number, source});
      } else {
        items.push_back({value, source});
      }
    }
    std::ranges::sort(items, [](const Item& a, const Item& b) {
      return a.key != b.key ? a.key < b.key : a.source < b.source;
    });
    for (size_t i = 0; i < items.size(); ++i) order_[i] = items[i].source;
  }

  void MapRows() {
    for (const SealedInput& input : inputs_)
      result_.row_maps.emplace_back(input.rows, SealedBuild::kGone);
    for (uint32_t row = 0; row < order_.size(); ++row) {
      const Source& source = order_[row];
      result_.row_maps[source.input][source.row] = row;
      if (result_.first_timestamp == 0 || source.timestamp < result_.first_timestamp) {
        result_.first_timestamp = source.timestamp;
      }
      result_.last_timestamp = std::max(result_.last_timestamp, source.timestamp);
    }
    for (size_t i = 0; i < inputs_.size(); ++i) {
      for (const format::RowDelete& d : inputs_[i].deletes) {
        if (d.row >= inputs_[i].rows) continue;
        const uint32_t row = result_.row_maps[i][d.row];
        if (row != SealedBuild::kGone) result_.deletes.push_back({row, d.timestamp});
      }
    }
    std::ranges::sort(result_.deletes, {}, &format::RowDelete::row);
  }

  std::vector<FieldReader> Readers(const model::FieldSchema& field) const {
    std::vector<FieldReader> readers;
    for (const SealedInput& input : inputs_)
      readers.emplace_back(*input.segment, input.rows, field);
    return readers;
  }

  Status WriteField(const model::FieldSchema& field) {
    const int64_t dim = model::IsVector(field.type) ? field.dim() : 0;
    std::vector<FieldReader> readers = Readers(field);
    if (field.nullable) RETURN_IF_ERROR(WriteValidity(field, dim, readers));
    PieceWriter piece(writer_);
    if (model::ValueBytes(field.type, dim) == 0) {
      RETURN_IF_ERROR(
          writer_.StartSection(format::SectionKind::kOffsets, field.id, field.type, dim));
      uint64_t offset = 0;
      RETURN_IF_ERROR(piece.Add(BytesOf(offset)));
      for (const Source& s : order_) {
        offset += readers[s.input].ValueAt(s.row).size();
        RETURN_IF_ERROR(piece.Add(BytesOf(offset)));
      }
      RETURN_IF_ERROR(piece.Flush());
      RETURN_IF_ERROR(writer_.StartSection(format::SectionKind::kBytes, field.id, field.type, dim));
    } else {
      RETURN_IF_ERROR(writer_.StartSection(format::SectionKind::kFixed, field.id, field.type, dim));
    }
    for (const Source& s : order_) RETURN_IF_ERROR(piece.Add(readers[s.input].ValueAt(s.row)));
    return piece.Flush();
  }

  Status WriteValidity(const model::FieldSchema& field, int64_t dim,
                       std::vector<FieldReader>& readers) {
    std::string valid(order_.size(), '\1');
    bool any_null = false;
    for (size_t i = 0; i < order_.size(); ++i) {
      if (readers[order_[i].input].IsNull(order_[i].row)) {
        valid[i] = '\0';
        any_null = true;
      }
    }
    if (!any_null) return Status::Ok();
    RETURN_IF_ERROR(writer_.StartSection(format::SectionKind::kValid, field.id, field.type, dim));
    return writer_.Append(valid);
  }

  Status WriteTimestamps() {
    RETURN_IF_ERROR(writer_.StartSection(format::SectionKind::kTimestamps, model::kTimestampField,
                                         model::DataType::kInt64, 0));
    PieceWriter piece(writer_);
    for (const Source& s : order_) RETURN_IF_ERROR(piece.Add(BytesOf(s.timestamp)));
    return piece.Flush();
  }

  Status WriteKeyFilter(const model::FieldSchema& key) {
    std::string filter(format::KeyFilterBytes(order_.size()), '\0');
    std::vector<FieldReader> readers = Readers(key);
    for (const Source& s : order_) {
      const std::string_view value = readers[s.input].ValueAt(s.row);
      uint64_t hash;
      if (model::IsString(key.type)) {
        hash = model::HashKey(value, model::HashUse::kInShard);
      } else {
        int64_t number;
        std::memcpy(&number, value.data(), sizeof(number));
        hash = model::HashKey(number, model::HashUse::kInShard);
      }
      format::KeyFilterAdd(filter, hash);
    }
    RETURN_IF_ERROR(writer_.StartSection(format::SectionKind::kKeyFilter, key.id, key.type, 0));
    return writer_.Append(filter);
  }

  const std::vector<SealedInput>& inputs_;
  const SealedBuildOptions& options_;
  format::SegmentFileWriter writer_;
  std::vector<Source> order_;
  SealedBuild result_;
};

}  // namespace

Result<SealedBuild> BuildSealedFile(const std::vector<SealedInput>& inputs,
                                    const SealedBuildOptions& options,
                                    const format::ByteSink& sink) {
  return Builder(inputs, options, sink).Run();
}

}  // namespace elanus::segment
