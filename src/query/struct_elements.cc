#include "query/struct_elements.h"

#include <algorithm>
#include <compare>
#include <memory>
#include <utility>

#include "expr/number.h"
#include "model/array_value.h"
#include "query/filter.h"
#include "query/filter_operator.h"

namespace elanus::query {

using model::DataType;

size_t ElementCount(const model::FieldSchema& member, std::string_view value) {
  if (member.type == DataType::kArrayOfVector) {
    const size_t width = model::ValueBytes(member.element_type, member.dim());
    return width == 0 ? 0 : value.size() / width;
  }
  const auto array = model::ArrayView::Open(value);
  return array ? array->size() : 0;
}

model::CollectionSchema ElementSchema(const model::CollectionSchema& schema) {
  model::CollectionSchema elements;
  for (const model::FieldSchema& field : schema.fields) {
    if (field.struct_name.empty() || field.type != DataType::kArray) continue;
    elements.fields.push_back({.id = field.id, .name = field.name, .type = field.element_type});
  }
  return elements;
}

ElementSource::ElementSource(const segment::RowSource& source,
                             const model::CollectionSchema& elements, std::span<const size_t> rows,
                             std::span<const size_t> counts)
    : source_(source), elements_(elements), rows_(rows), counts_(counts) {
  for (size_t count : counts_) total_ += count;
}

std::optional<segment::ColumnView> ElementSource::Column(FieldId field) const {
  const model::FieldSchema* element = elements_.FindField(field);
  const auto arrays = source_.Column(field);
  if (element == nullptr || !arrays || arrays->type != DataType::kArray) return std::nullopt;
  model::Column& column = spread_.emplace_back(model::MakeColumn(field, element->type));
  for (size_t i = 0; i < rows_.size(); ++i) {
    const auto array = model::ArrayView::Open(arrays->StringAt(rows_[i]));
    for (size_t e = 0; e < counts_[i]; ++e) {
      // Members of damaged rows may be shorter than the one that is counted by.
      if (array && e < array->size() && array->element_type() == element->type) {
        column.AppendValue(array->At(e));
      } else {
        column.AppendNull();
      }
    }
  }
  return segment::ViewOf(column);
}

namespace {

bool Bit(const std::vector<uint64_t>& words, size_t i) {
  return (words[i / 64] >> (i % 64) & 1) != 0;
}

/// The node's child as a filter of elements.
expr::BoundFilter ChildOf(const expr::Node& node) {
  return {.root = std::make_shared<const expr::Node>(node.children.front())};
}

class MatchOperator final : public FilterOperator {
 public:
  MatchOperator(const segment::RowSource& source, const model::FieldSchema& counted,
                model::CollectionSchema elements, const expr::Node& node)
      : FilterOperator(200),
        source_(source),
        counted_(counted),
        elements_(std::move(elements)),
        predicate_(ChildOf(node)),
        form_(std::get<expr::MatchElements>(node.form)),
        column_(source.Column(counted.id)) {}

  void Run(const Block& block) override {
    Clear(block);
    rows_.clear();
    counts_.clear();
    ForEachWanted(block, [&](size_t i) {
      const size_t row = block.first + i;
      // Rows older than the struct have none.
      if (!column_ || column_->IsNull(row)) return SetBit(block.is_unknown, i);
      rows_.push_back(row);
      counts_.push_back(ElementCount(counted_, column_->StringAt(row)));
    });
    const ElementSource elements(source_, elements_, rows_, counts_);
    const auto truth = Evaluate(predicate_, elements, elements_);
    size_t first = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const size_t bit = rows_[i] - block.first;
      // It was tried when the operator was made: it cannot fail for these rows alone.
      if (!truth) {
        SetBit(block.is_unknown, bit);
        continue;
      }
      size_t kept = 0;
      size_t known = 0;
      for (size_t e = first; e < first + counts_[i]; ++e) {
        kept += Bit(truth->is_true, e) ? 1 : 0;
        known += Bit(truth->is_unknown, e) ? 0 : 1;
      }
      first += counts_[i];
      if (Holds(kept, known)) SetBit(block.is_true, bit);
    }
  }

 private:
  bool Holds(size_t kept, size_t known) const {
    using Mode = expr::MatchElements::Mode;
    const auto count = static_cast<int64_t>(kept);
    switch (form_.mode) {
      case Mode::kAny: return kept != 0;
      case Mode::kAll: return kept == known;
      case Mode::kLeast: return count >= form_.count;
      case Mode::kMost: return count <= form_.count;
      case Mode::kExact: return count == form_.count;
    }
    return false;
  }

  const segment::RowSource& source_;
  const model::FieldSchema& counted_;
  const model::CollectionSchema elements_;
  const expr::BoundFilter predicate_;
  const expr::MatchElements form_;
  const std::optional<segment::ColumnView> column_;
  std::vector<size_t> rows_;
  std::vector<size_t> counts_;
};

class ListLengthOperator final : public FilterOperator {
 public:
  ListLengthOperator(BoundColumn column, size_t vector_bytes, const expr::LengthCompare& form)
      : FilterOperator(3), column_(std::move(column)), vector_bytes_(vector_bytes), form_(form) {}
  void Run(const Block& block) override {
    Clear(block);
    const size_t base = column_.Base(block);
    ForEachWanted(block, [&](size_t i) {
      if (column_.view.IsNull(base + i)) return SetBit(block.is_unknown, i);
      const auto length =
          static_cast<int64_t>(column_.view.StringAt(base + i).size() / vector_bytes_);
      if (expr::Holds(form_.op, length <=> form_.value)) SetBit(block.is_true, i);
    });
  }

 private:
  BoundColumn column_;
  size_t vector_bytes_;
  expr::LengthCompare form_;
};

/// The member that a match counts by. Errors: kInternal when the node does not fit the schema.
Result<const model::FieldSchema*> CountedBy(const model::CollectionSchema& schema,
                                            const expr::Node& node) {
  const auto* form = std::get_if<expr::MatchElements>(&node.form);
  if (form == nullptr || node.children.size() != 1 ||
      form->mode > expr::MatchElements::Mode::kExact) {
    return Unfit("a match of elements");
  }
  const model::FieldSchema* counted = schema.FindField(form->counted);
  if (counted == nullptr || counted->struct_name.empty()) return Unfit("no struct array");
  return counted;
}

}  // namespace

Result<Operator> MakeMatch(const segment::RowSource& source, const model::CollectionSchema& schema,
                           const expr::Node& node) {
  ASSIGN_OR_RETURN(const model::FieldSchema* counted, CountedBy(schema, node));
  model::CollectionSchema elements = ElementSchema(schema);
  const ElementSource nothing(source, elements, {}, {});
  RETURN_IF_ERROR(StatusOf(Evaluate(ChildOf(node), nothing, elements)));
  return std::make_unique<MatchOperator>(source, *counted, std::move(elements), node);
}

Operator MakeListLength(BoundColumn column, size_t vector_bytes, const expr::LengthCompare& form) {
  return std::make_unique<ListLengthOperator>(std::move(column), vector_bytes, form);
}

Result<std::vector<uint64_t>> KeptBits(const segment::RowSource& source, const ElementRows& rows,
                                       const expr::ElementFilter& elements, const ReadView& view) {
  if (elements.match.children.empty()) return Unfit("a filter of elements");
  const model::CollectionSchema schema = ElementSchema(*view.schema);
  const ElementSource spread(source, schema, rows.rows, rows.counts);
  ASSIGN_OR_RETURN(Truth truth,
                   Evaluate(ChildOf(elements.match), spread, schema, {.cancel = view.cancel}));
  return std::move(truth.is_true);
}

Result<std::vector<std::vector<int64_t>>> KeptElements(
    const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
    const expr::ElementFilter& elements, std::span<const RowRef> rows) {
  ASSIGN_OR_RETURN(const model::FieldSchema* counted, CountedBy(*view.schema, elements.match));
  const expr::BoundFilter predicate = ChildOf(elements.match);
  const model::CollectionSchema schema = ElementSchema(*view.schema);
  std::vector<std::vector<int64_t>> kept(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (view.cancel != nullptr) RETURN_IF_ERROR(view.cancel->Check());
    const segment::Segment& segment = *segments[rows[i].segment];
    for (const segment::Run& run : segment.Runs(segment.RowsAt(view.at))) {
      if (rows[i].row < run.first || rows[i].row >= run.first + run.source->rows()) continue;
      const size_t row = rows[i].row - run.first;
      const auto column = run.source->Column(counted->id);
      if (!column || column->IsNull(row)) continue;
      const size_t count = ElementCount(*counted, column->StringAt(row));
      const ElementSource source(*run.source, schema, std::span(&row, 1), std::span(&count, 1));
      ASSIGN_OR_RETURN(const Truth truth, Evaluate(predicate, source, schema));
      for (size_t e = 0; e < count; ++e) {
        if (Bit(truth.is_true, e)) kept[i].push_back(static_cast<int64_t>(e));
      }
    }
  }
  return kept;
}

}  // namespace elanus::query
