#include "model/column.h"

#include "base/check.h"

namespace elanus::model {

std::string_view Column::ValueAt(size_t row) const {
  const size_t width = ValueBytes(type, dim);
  if (width == 0) return StringAt(row);
  return std::string_view(fixed).substr(row * width, width);
}

void Column::ResizeZero(size_t count) {
  rows = count;
  valid.clear();
  bytes.clear();
  const size_t width = ValueBytes(type, dim);
  fixed.assign(width * count, '\0');
  offsets.assign(width == 0 ? count + 1 : 0, 0);
}

void Column::AppendValue(std::string_view value) {
  const size_t width = ValueBytes(type, dim);
  if (width != 0) {
    ELANUS_CHECK(value.size() == width);
    fixed.append(value);
  } else {
    bytes.append(value);
    offsets.push_back(bytes.size());
  }
  if (!valid.empty()) valid.push_back(1);
  ++rows;
}

void Column::AppendNull() {
  if (valid.empty()) valid.assign(rows, 1);
  const size_t width = ValueBytes(type, dim);
  if (width != 0) {
    fixed.append(width, '\0');
  } else {
    offsets.push_back(bytes.size());
  }
  valid.push_back(0);
  ++rows;
}

void Column::AppendFrom(const Column& other, size_t row) {
  if (other.IsNull(row)) return AppendNull();
  AppendValue(other.ValueAt(row));
}

Status Column::Validate() const {
  auto fault = [](std::string_view what) {
    return Status(Code::kDataIntegrity,
                  "column " + std::string(what) + ": data integrity check failed");
  };
  if (!valid.empty() && valid.size() != rows) return fault("validity has the wrong length");
  if (dim < 0) return fault("has a negative dimension");
  const size_t width = ValueBytes(type, dim);
  if (width != 0) {
    if (fixed.size() / width != rows || fixed.size() % width != 0)
      return fault("has the wrong number of values");
    return Status::Ok();
  }
  if (offsets.size() != rows + 1 || offsets.front() != 0 || offsets.back() != bytes.size()) {
    return fault("offsets do not span its bytes");
  }
  for (size_t r = 0; r < rows; ++r) {
    if (offsets[r] > offsets[r + 1]) return fault("offsets do not ascend");
  }
  return Status::Ok();
}

Column MakeColumn(FieldId field, DataType type, int64_t dim) {
  Column column{.field = field, .type = type, .dim = dim};
  column.ResizeZero(0);
  return column;
}

}  // namespace elanus::model
