#include "proxy/partial_update.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "model/array_value.h"
#include "proxy/json.h"
#include "proxy/limits.h"
#include "proxy/namespaces.h"
#include "proxy/read_scope.h"
#include "proxy/shard_calls.h"
#include "proxy/struct_check.h"
#include "proxy/value_text.h"

namespace elanus::proxy {

namespace {

using model::Column;
using model::FieldSchema;
using service::FieldOpKind;
using service::UserColumn;

/// Where the old row of each new one is.
struct OldRow {
  const model::RowBatch* batch = nullptr;  ///< nullptr = the key is new
  uint32_t row = 0;
};

class PartialUpdate {
 public:
  PartialUpdate(const Backends& backends, const model::CollectionInfo& collection,
                service::MutationCall& mutation)
      : backends_(backends), collection_(collection), mutation_(mutation) {}

  Result<CheckedRows> Run(const Cancel& cancel) {
    RETURN_IF_ERROR(CheckOps());
    RETURN_IF_ERROR(CheckGiven());
    RETURN_IF_ERROR(ReadOld(cancel));
    CheckedRows checked{.rows = {.rows = rows_}, .keys = keys_, .deletes = keys_};
    for (const FieldSchema& field : collection_.schema.fields) {
      ASSIGN_OR_RETURN(Column column, MergeField(field));
      checked.rows.columns.push_back(std::move(column));
    }
    RETURN_IF_ERROR(CheckStructRows(collection_.schema, checked.rows));
    return checked;
  }

 private:
  Status CheckGiven() {
    if (mutation_.num_rows <= 0) {
      return InvalidParameter("num_rows should be greater than 0", "more than 0",
                              std::to_string(mutation_.num_rows));
    }
    rows_ = static_cast<uint64_t>(mutation_.num_rows);
    for (UserColumn& column : mutation_.columns) {
      if (column.is_dynamic) column.name = model::kDynamicFieldName;
      const FieldSchema* field = collection_.schema.FindField(column.name);
      if (field == nullptr) {
        return InvalidParameter("more fieldData has pass in",
                                std::to_string(collection_.schema.fields.size()),
                                std::to_string(mutation_.columns.size()));
      }
      if (!given_.emplace(field->id, &column).second) {
        return InvalidParameter(fmt::format("duplicated field {} found", column.name));
      }
      RETURN_IF_ERROR(CheckElementType(*field, column));
      RETURN_IF_ERROR(CheckColumn(*field, rows_, TimeZoneOf(collection_), column.column));
    }
    const FieldSchema& primary = *collection_.schema.primary();
    auto key = given_.find(primary.id);
    if (key == given_.end()) {
      return InvalidParameter(
          fmt::format("must assign pk when upsert, primary field: {}", primary.name));
    }
    keys_ = model::PrimaryKeys::FromColumn(key->second->column);
    return CheckNoRepeatedKeys(keys_);
  }

  /// Each op once, on an array that was given.
  Status CheckOps() {
    std::set<std::string_view> seen;
    for (const service::FieldOp& op : mutation_.field_ops) {
      if (op.field.empty()) {
        return InvalidParameter("FieldPartialUpdateOp.field_name is required");
      }
      if (!seen.insert(op.field).second) {
        return InvalidParameter(
            fmt::format("duplicate partial-update op for field \"{}\"", op.field));
      }
      if (op.kind == FieldOpKind::kReplace) continue;
      if (op.kind != FieldOpKind::kArrayAppend && op.kind != FieldOpKind::kArrayRemove) {
        return InvalidParameter(
            fmt::format("unsupported partial update op: {}", static_cast<int32_t>(op.kind)));
      }
      const char* name = op.kind == FieldOpKind::kArrayAppend ? "ARRAY_APPEND" : "ARRAY_REMOVE";
      const FieldSchema* field = collection_.schema.FindField(op.field);
      const bool is_member = field != nullptr && !field->struct_name.empty();
      if (is_member || collection_.schema.FindStruct(op.field) != nullptr) {
        return InvalidParameter(
            fmt::format("op {} is not supported for struct field \"{}\"", name, op.field));
      }
      if (field == nullptr) {
        return InvalidParameter(
            fmt::format("field \"{}\" not found in collection schema", op.field));
      }
      if (field->is_primary) {
        return InvalidParameter(fmt::format(
            "field \"{}\" is the primary key and cannot carry a partial-update op", op.field));
      }
      if (field->type != model::DataType::kArray) {
        return InvalidParameter(fmt::format("op {} requires Array field, but field \"{}\" is {}",
                                            name, op.field, model::DataTypeName(field->type)));
      }
      const bool given = std::ranges::any_of(
          mutation_.columns, [&](const UserColumn& column) { return column.name == op.field; });
      if (!given) {
        return InvalidParameter(fmt::format(
            "partial-update op targets field \"{}\" not present in fields_data", op.field));
      }
      ops_[field->id] = op.kind;
    }
    return Status::Ok();
  }

  Status ReadOld(const Cancel& cancel) {
    service::QueryRequest request{.collection = collection_.id, .keys = keys_};
    for (const FieldSchema& field : collection_.schema.fields) {
      request.output_fields.push_back(field.id);
    }
    if (!mutation_.partition.empty()) {
      ASSIGN_OR_RETURN(request.partitions, NamedPartitions(collection_, {mutation_.partition}));
    }
    request.bytes_max = std::numeric_limits<int64_t>::max();
    const service::Consistency strong{.use_default = false,
                                      .level = model::ConsistencyLevel::kStrong};
    request.read = ReadPointOf(collection_, strong, false, backends_.clock.Next());
    Status status = CheckLoaded(collection_, request.partitions);
    if (status.ok()) {
      auto replies = QueryKeys({.backends = backends_,
                                .collection = collection_,
                                .cancel = cancel,
                                .only = ShardOfNamespace(collection_, mutation_.name_space)},
                               request);
      status = StatusOf(replies);
      if (status.ok()) replies_ = *std::move(replies);
    }
    if (!status.ok()) return status.Wrap("failed to query");
    return FindOld();
  }

  /// Only in the namespace that is written to: what another has is not this one's to read.
  Status FindOld() {
    const FieldSchema* namespaces = collection_.schema.namespaces();
    std::map<model::PrimaryKey, OldRow> found;
    for (const auto& reply : replies_) {
      const Column* names = namespaces == nullptr ? nullptr : reply.rows.Find(namespaces->id);
      for (uint32_t row = 0; row < reply.keys.size(); ++row) {
        if (names != nullptr && names->StringAt(row) != mutation_.name_space) continue;
        found[reply.keys.At(row)] = {&reply.rows, row};
      }
    }
    if (found.size() < rows_ && collection_.schema.primary()->auto_id) {
      return InvalidParameter(
          "partial update on an AutoID collection requires every primary key to exist");
    }
    old_.resize(rows_);
    for (uint64_t row = 0; row < rows_; ++row) {
      auto at = found.find(keys_.At(row));
      if (at != found.end()) old_[row] = at->second;
    }
    return Status::Ok();
  }

  Result<Column> MergeField(const FieldSchema& field) {
    auto given = given_.find(field.id);
    if (auto op = ops_.find(field.id); op != ops_.end()) {
      return OperateOn(field, op->second, given->second->column);
    }
    if (given != given_.end() && !field.is_dynamic) return std::move(given->second->column);
    const Column* update = given == given_.end() ? nullptr : &given->second->column;
    const Column fallback = FilledColumn(field, 1);
    const bool may_miss = field.is_dynamic || field.nullable || field.default_value.has_value();
    Column merged = model::MakeColumn(field.id, field.type, field.dim());
    for (uint64_t row = 0; row < rows_; ++row) {
      const OldRow& old = old_[row];
      const Column* column = old.batch == nullptr ? nullptr : old.batch->Find(field.id);
      if (column == nullptr && !may_miss) return Error(MissingField(field));
      const Column& source = column == nullptr ? fallback : *column;
      const size_t at = column == nullptr ? 0 : old.row;
      if (update == nullptr) {
        merged.AppendFrom(source, at);
      } else {
        const std::string_view before = source.IsNull(at) ? "{}" : source.StringAt(at);
        merged.AppendValue(reader_.Merge(before, update->StringAt(row)));
      }
    }
    return merged;
  }

  /// The old arrays with the given elements added, or without any equal to one of them. A null
  /// that is given leaves the old value as it is; the old value of a new key is an empty array.
  Result<Column> OperateOn(const FieldSchema& field, FieldOpKind op, const Column& given) const {
    Column merged = model::MakeColumn(field.id, field.type);
    for (uint64_t row = 0; row < rows_; ++row) {
      const OldRow& old = old_[row];
      const Column* column = old.batch == nullptr ? nullptr : old.batch->Find(field.id);
      const bool was_null = column == nullptr || column->IsNull(old.row);
      if (given.IsNull(row)) {
        was_null ? merged.AppendNull() : merged.AppendFrom(*column, old.row);
        continue;
      }
      const auto before =
          was_null ? std::nullopt : model::ArrayView::Open(column->StringAt(old.row));
      const auto change = model::ArrayView::Open(given.StringAt(row));
      model::ArrayBuilder elements(field.element_type);
      for (size_t i = 0; before && i < before->size(); ++i) {
        const bool removed = op == FieldOpKind::kArrayRemove && Holds(*change, before->At(i));
        if (!removed) elements.Append(before->At(i));
      }
      for (size_t i = 0; op == FieldOpKind::kArrayAppend && i < change->size(); ++i) {
        elements.Append(change->At(i));
      }
      if (static_cast<int64_t>(elements.size()) > field.max_capacity()) {
        return Error(Code::kUnexpected, fmt::format("array length {} exceeds max_capacity {}",
                                                    elements.size(), field.max_capacity()));
      }
      merged.AppendValue(elements.Take());
    }
    return merged;
  }
  static bool Holds(const model::ArrayView& array, std::string_view element) {
    for (size_t i = 0; i < array.size(); ++i) {
      if (array.At(i) == element) return true;
    }
    return false;
  }

  const Backends& backends_;
  const model::CollectionInfo& collection_;
  service::MutationCall& mutation_;
  uint64_t rows_ = 0;
  model::PrimaryKeys keys_;
  std::map<FieldId, UserColumn*> given_;
  std::map<FieldId, FieldOpKind> ops_;
  std::vector<service::QueryReply> replies_;
  std::vector<OldRow> old_;
  JsonReader reader_;
};

}  // namespace

Result<CheckedRows> MergePartialUpdate(const Backends& backends,
                                       const model::CollectionInfo& collection,
                                       service::MutationCall& mutation, const Cancel& cancel) {
  return PartialUpdate(backends, collection, mutation).Run(cancel);
}

}  // namespace elanus::proxy
