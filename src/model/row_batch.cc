#include "model/row_batch.h"

namespace elanus::model {

const Column* RowBatch::Find(FieldId field) const {
  for (const Column& column : columns) {
    if (column.field == field) return &column;
  }
  return nullptr;
}

Column* RowBatch::Find(FieldId field) {
  return const_cast<Column*>(static_cast<const RowBatch*>(this)->Find(field));
}

RowBatch RowBatch::Take(std::span<const uint32_t> wanted) const {
  RowBatch out{.rows = wanted.size()};
  out.columns.reserve(columns.size());
  for (const Column& column : columns) {
    Column taken = MakeColumn(column.field, column.type, column.dim);
    taken.fixed.reserve(ValueBytes(column.type, column.dim) * wanted.size());
    for (uint32_t row : wanted) taken.AppendFrom(column, row);
    out.columns.push_back(std::move(taken));
  }
  return out;
}

Status RowBatch::Validate() const {
  for (const Column& column : columns) {
    if (column.rows != rows) {
      return {Code::kDataIntegrity,
              "columns of a batch differ in length: data integrity check failed"};
    }
    RETURN_IF_ERROR(column.Validate());
  }
  return Status::Ok();
}

}  // namespace elanus::model
