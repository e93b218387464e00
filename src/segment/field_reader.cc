#include "segment/field_reader.h"

#include <algorithm>

#include "base/check.h"

namespace elanus::segment {
namespace {

template <class T>
std::string BytesOf(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

}  // namespace

std::string ScalarBytes(const model::Scalar& value, model::DataType type) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return BytesOf<uint8_t>(*flag ? 1 : 0);
  const auto* number = std::get_if<int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  if (number == nullptr && real == nullptr) return {};
  const int64_t whole = number != nullptr ? *number : static_cast<int64_t>(*real);
  const double fraction = real != nullptr ? *real : static_cast<double>(*number);
  switch (type) {
    case model::DataType::kBool: return BytesOf<uint8_t>(whole != 0 ? 1 : 0);
    case model::DataType::kInt8: return BytesOf(static_cast<int8_t>(whole));
    case model::DataType::kInt16: return BytesOf(static_cast<int16_t>(whole));
    case model::DataType::kInt32: return BytesOf(static_cast<int32_t>(whole));
    case model::DataType::kFloat: return BytesOf(static_cast<float>(fraction));
    case model::DataType::kDouble: return BytesOf(fraction);
    default: return BytesOf(whole);
  }
}

FieldReader::FieldReader(const Segment& segment, uint32_t rows, const model::FieldSchema& field) {
  for (Run& run : segment.Runs(rows)) {
    auto view = run.source->Column(field.id);
    const auto end = run.first + static_cast<uint32_t>(run.source->rows());
    pieces_.push_back({run.first, end, std::move(run.source), view});
  }
  default_null_ = !field.default_value.has_value() && field.nullable;
  if (field.default_value) {
    default_bytes_ = ScalarBytes(*field.default_value, field.type);
  } else if (field.is_dynamic) {
    default_bytes_ = "{}";
  } else {
    default_bytes_.assign(model::ValueBytes(field.type, field.dim()), '\0');
  }
}

const FieldReader::Piece& FieldReader::PieceOf(uint32_t row) {
  if (row < pieces_[current_].first || row >= pieces_[current_].end) {
    auto it = std::ranges::upper_bound(pieces_, row, {}, &Piece::first);
    ELANUS_CHECK(it != pieces_.begin());
    current_ = static_cast<size_t>(std::prev(it) - pieces_.begin());
    ELANUS_CHECK(row < pieces_[current_].end);
  }
  return pieces_[current_];
}

bool FieldReader::IsNull(uint32_t row) {
  const Piece& piece = PieceOf(row);
  return piece.view ? piece.view->IsNull(row - piece.first) : default_null_;
}

std::string_view FieldReader::ValueAt(uint32_t row) {
  const Piece& piece = PieceOf(row);
  return piece.view ? piece.view->ValueAt(row - piece.first) : std::string_view(default_bytes_);
}

void FieldReader::AppendTo(uint32_t row, model::Column& out) {
  if (IsNull(row)) return out.AppendNull();
  out.AppendValue(ValueAt(row));
}

}  // namespace elanus::segment
