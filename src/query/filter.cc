#include "query/filter.h"

#include <bit>
#include <string>
#include <unordered_set>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include "query/filter_matches.h"
#include "query/filter_operator.h"

namespace elanus::query {

using model::DataType;

std::unexpected<Status> Unfit(std::string_view what) {
  return Error(Code::kInternal, fmt::format("filter does not fit the schema: {}", what));
}

void ApplyNulls(const BoundColumn& column, const Block& block) {
  if (column.view.valid == nullptr) {
    std::fill_n(block.is_unknown, block.words(), 0);
    return;
  }
  PackBits(column.view.valid + column.Base(block), block.rows, block.is_unknown,
           [](uint8_t valid) { return valid == 0; });
  for (size_t w = 0; w < block.words(); ++w) block.is_true[w] &= ~block.is_unknown[w];
}

namespace {

constexpr double kExpensiveNs = 50;

// What the rows that indexes collect for one filter may take together; leaves beyond it scan.
constexpr size_t kIndexBitsBytes = 32 << 20;

class ConstantOperator final : public FilterOperator {
 public:
  ConstantOperator(BoundColumn column, bool value)
      : FilterOperator(0.05), column_(std::move(column)), value_(value) {}
  void Run(const Block& block) override {
    std::fill_n(block.is_true, block.words(), value_ ? ~uint64_t{0} : 0);
    ApplyNulls(column_, block);
  }

 private:
  BoundColumn column_;
  bool value_;
};

class IsNullOperator final : public FilterOperator {
 public:
  explicit IsNullOperator(BoundColumn column) : FilterOperator(0.1), column_(std::move(column)) {}
  void Run(const Block& block) override {
    std::fill_n(block.is_true, block.words(), 0);
    ApplyNulls(column_, block);
    std::swap_ranges(block.is_true, block.is_true + block.words(), block.is_unknown);
  }

 private:
  BoundColumn column_;
};

class NotOperator final : public FilterOperator {
 public:
  explicit NotOperator(Operator operand)
      : FilterOperator(operand->cost()), operand_(std::move(operand)) {}
  void Run(const Block& block) override {
    operand_->Run(block);
    for (size_t w = 0; w < block.words(); ++w) {
      block.is_true[w] = ~(block.is_true[w] | block.is_unknown[w]);
    }
  }

 private:
  Operator operand_;
};

double TotalCost(const std::vector<Operator>& operands) {
  double cost = 0;
  for (const Operator& operand : operands) cost += operand->cost();
  return cost;
}

// And, Or: cheap operands first, each asked only for the rows that are still open.
template <bool kIsAnd>
class LogicOperator final : public FilterOperator {
 public:
  explicit LogicOperator(std::vector<Operator> operands)
      : FilterOperator(TotalCost(operands)), operands_(std::move(operands)) {
    std::ranges::stable_sort(operands_, {}, [](const Operator& o) { return o->cost(); });
  }

  void Run(const Block& block) override {
    const size_t words = block.words();
    uint64_t open[kBlockWords];
    uint64_t is_true[kBlockWords];
    uint64_t is_unknown[kBlockWords];
    std::copy_n(block.wanted, words, open);
    std::fill_n(block.is_true, words, kIsAnd ? ~uint64_t{0} : 0);
    std::fill_n(block.is_unknown, words, 0);
    Block inner = block;
    inner.wanted = open;
    inner.is_true = is_true;
    inner.is_unknown = is_unknown;
    for (const Operator& operand : operands_) {
      operand->Run(inner);
      if (block.gate != nullptr &&
          block.gate->Leaves(operand->cost() * static_cast<double>(block.rows)))
        return;
      uint64_t any_open = 0;
      for (size_t w = 0; w < words; ++w) {
        // Only open rows' answers count; for the others the totals are final.
        if constexpr (kIsAnd) {
          const uint64_t not_false = is_true[w] | is_unknown[w] | ~open[w];
          block.is_unknown[w] = (block.is_unknown[w] | (is_unknown[w] & open[w])) & not_false;
          block.is_true[w] &= not_false & ~block.is_unknown[w];
          open[w] &= not_false;
        } else {
          block.is_true[w] |= is_true[w] & open[w];
          block.is_unknown[w] =
              (block.is_unknown[w] | (is_unknown[w] & open[w])) & ~block.is_true[w];
          open[w] &= ~is_true[w];
        }
        any_open |= open[w];
      }
      if (any_open == 0) return;
    }
  }

 private:
  std::vector<Operator> operands_;
};

/// A leaf that writes down what it was asked, kept, read and took.
class TracedOperator final : public FilterOperator {
 public:
  /// \param view   of the leaf's column; empty when it reads none or two
  /// \param trace    entry `at` of its leaves is this one's
  /// \param counted  its rows are in there already: an index knew them all
  TracedOperator(Operator leaf, segment::ColumnView view, SegmentTrace& trace, size_t at,
                 bool counted)
      : FilterOperator(leaf->cost()),
        leaf_(std::move(leaf)),
        view_(view),
        trace_(trace),
        at_(at),
        counted_(counted) {}

  void Run(const Block& block) override {
    LeafTrace& own = trace_.leaves[at_];
    const bool reads = leaf_->Reads(block);
    {
      const StepTimer timer(&own.us);
      leaf_->Run(block);
    }
    for (size_t w = 0; !counted_ && w < block.words(); ++w) {
      own.rows_asked += static_cast<uint64_t>(std::popcount(block.wanted[w]));
      own.rows_kept += static_cast<uint64_t>(std::popcount(block.wanted[w] & block.is_true[w]));
    }
    if (own.way == LeafTrace::Way::kScan) {
      own.bytes += reads ? BytesOf(block, block.wanted) : 0;
    } else {
      own.bytes += block.words() * sizeof(uint64_t);
    }
  }
  std::optional<double> KeptPart() const override { return leaf_->KeptPart(); }

 private:
  uint64_t BytesOf(const Block& block, const uint64_t* wanted) const {
    if (view_.rows < block.first + block.rows) return 0;  // one repeated value
    const size_t width = model::ValueBytes(view_.type, view_.dim);
    uint64_t bytes = 0;
    for (size_t w = 0; w < block.words(); ++w) {
      for (uint64_t bits = wanted[w]; bits != 0; bits &= bits - 1) {
        const size_t row = block.first + w * 64 + static_cast<size_t>(std::countr_zero(bits));
        bytes += width != 0 ? width : view_.StringAt(row).size();
      }
    }
    return bytes;
  }

  Operator leaf_;
  segment::ColumnView view_;
  SegmentTrace& trace_;
  size_t at_;
  bool counted_;
};

class Compiler {
 public:
  /// \param matches  outlives it
  /// \param known    nodes that are true for all rows it will run over; nullptr: none
  Compiler(const segment::RowSource& source, const model::CollectionSchema& schema,
           Matches& matches, SegmentTrace* trace,
           const std::unordered_set<const expr::Node*>* known = nullptr)
      : source_(source), schema_(schema), matches_(matches), trace_(trace), known_(known) {}

  /// \param wanted  about how many rows will be asked of the node
  Result<Operator> Compile(const expr::Node& node, int depth, uint64_t wanted) {
    if (depth > kFilterDepthMax) return Unfit("nested too deeply");
    if (known_ != nullptr && known_->contains(&node)) return MakeConstant(true);
    const bool is_not = std::holds_alternative<expr::Not>(node.form);
    const bool is_and = std::holds_alternative<expr::And>(node.form);
    if (std::holds_alternative<expr::MatchElements>(node.form)) {
      return MakeMatch(source_, schema_, node);
    }
    if (!is_not && !is_and && !std::holds_alternative<expr::Or>(node.form)) {
      if (!node.children.empty()) return Unfit("a leaf with children");
      return CompileLeaf(node, wanted);
    }
    ASSIGN_OR_RETURN(const std::vector<uint64_t> left, LeftFor(node, is_and, depth, wanted));
    std::vector<Operator> operands;
    for (size_t i = 0; i < node.children.size(); ++i) {
      ASSIGN_OR_RETURN(Operator operand, Compile(node.children[i], depth + 1, left[i]));
      operands.push_back(std::move(operand));
    }
    if (operands.empty() || (is_not && operands.size() != 1)) return Unfit("operands");
    if (is_not) return std::make_unique<NotOperator>(std::move(operands.front()));
    if (is_and) return std::make_unique<LogicOperator<true>>(std::move(operands));
    return std::make_unique<LogicOperator<false>>(std::move(operands));
  }

 private:
  /// About how many rows will be asked of each operand: beside the most selective one of an `and`,
  /// which goes first, what it leaves.
  Result<std::vector<uint64_t>> LeftFor(const expr::Node& node, bool is_and, int depth,
                                        uint64_t wanted) {
    std::vector<uint64_t> left(node.children.size(), wanted);
    if (!is_and) return left;
    uint64_t fewest = wanted;
    size_t first = node.children.size();
    for (size_t i = 0; i < node.children.size(); ++i) {
      ASSIGN_OR_RETURN(const uint64_t rows, matches_.RowsAtMost(node.children[i], depth + 1));
      if (rows >= fewest) continue;
      fewest = rows;
      first = i;
    }
    for (size_t i = 0; i < left.size(); ++i) {
      if (i != first) left[i] = fewest;
    }
    return left;
  }

  Result<Operator> CompileLeaf(const expr::Node& node, uint64_t wanted) {
    ASSIGN_OR_RETURN(Operator scan,
                     std::visit([&](const auto& form) { return Leaf(node, form); }, node.form));
    const size_t bytes = (source_.rows() + 63) / 64 * sizeof(uint64_t);
    ASSIGN_OR_RETURN(const IndexMatch* match, matches_.Of(node));
    if (match == nullptr || bytes > bits_left_ || !matches_.Pays(*match, *scan, wanted))
      return Traced(node, LeafTrace::Way::kScan, std::move(scan));
    bits_left_ -= bytes;
    const auto way = match->exact ? LeafTrace::Way::kIndex : LeafTrace::Way::kIndexThenScan;
    double us = 0;
    Operator leaf;
    {
      const StepTimer timer(trace_ == nullptr ? nullptr : &us);
      leaf = MakeIndexOperator(*match, std::move(scan));
    }
    return Traced(node, way, std::move(leaf), us);
  }

  /// \param us  spent on it already
  Operator Traced(const expr::Node& node, LeafTrace::Way way, Operator leaf, double us = 0) {
    if (trace_ == nullptr) return leaf;
    auto at = static_cast<size_t>(std::ranges::find(trace_->leaves, &node, &LeafTrace::leaf) -
                                  trace_->leaves.begin());
    const bool counted =
        at != trace_->leaves.size() && trace_->leaves[at].way == LeafTrace::Way::kIndex;
    if (at == trace_->leaves.size())
      trace_->leaves.push_back({.leaf = &node, .way = way, .estimated = leaf->KeptPart()});
    trace_->leaves[at].us += us;
    const segment::ColumnView view =
        std::visit([&](const auto& form) { return ViewOf(form); }, node.form);
    return std::make_unique<TracedOperator>(std::move(leaf), view, *trace_, at, counted);
  }
  template <class Form>
  segment::ColumnView ViewOf(const Form& form) const {
    if constexpr (requires { form.column.field; }) {
      return source_.Column(form.column.field).value_or(segment::ColumnView{});
    } else {
      return {};
    }
  }

  Result<Operator> Leaf(const expr::Node&, const expr::Constant& form) {
    return MakeConstant(form.value);
  }
  Result<Operator> Leaf(const expr::Node&, const expr::And&) { return Unfit("and"); }
  Result<Operator> Leaf(const expr::Node&, const expr::Or&) { return Unfit("or"); }
  Result<Operator> Leaf(const expr::Node&, const expr::Not&) { return Unfit("not"); }
  Result<Operator> Leaf(const expr::Node&, const expr::MatchElements&) { return Unfit("match"); }
  Result<Operator> Leaf(const expr::Node&, const expr::CompareColumns& form) {
    ASSIGN_OR_RETURN(BoundColumn left, Bind(form.left));
    ASSIGN_OR_RETURN(BoundColumn right, Bind(form.right));
    if (!form.left.path.empty() || !form.right.path.empty()) return Unfit("two JSON paths");
    return MakeCompareColumns(std::move(left), form.op, std::move(right));
  }
  Result<Operator> Leaf(const expr::Node&, const expr::IsNull& form) {
    ASSIGN_OR_RETURN(BoundColumn column, Bind(form.column));
    return MakeIsNull(std::move(column));
  }
  // All other leaves read one column; JSON and arrays have operators of their own.
  template <class Form>
  Result<Operator> Leaf(const expr::Node& node, const Form& form) {
    ASSIGN_OR_RETURN(BoundColumn column, Bind(form.column));
    const DataType type = column.view.type;
    if constexpr (std::is_same_v<Form, expr::GeometryCompare>) {
      if (type != DataType::kGeometry) return Unfit("a shape in a column of another type");
      return MakeGeometry(std::move(column), form);
    }
    if (type == DataType::kArrayOfVector) return OnVectorLists(std::move(column), form);
    if (type == DataType::kJson || type == DataType::kArray)
      return MakeJson(std::move(column), node);
    if (!form.column.path.empty()) return Unfit("a path into a column that is not JSON");
    const bool is_string = model::IsString(type);
    if (!is_string && !IsNumberLike(type)) return Unfit(model::DataTypeName(type));
    return Make(std::move(column), is_string, form);
  }

  template <class Form>
  Result<Operator> OnVectorLists(BoundColumn column, const Form& form) {
    if constexpr (std::is_same_v<Form, expr::LengthCompare>) {
      const model::FieldSchema& field = *schema_.FindField(form.column.field);
      const size_t bytes = model::ValueBytes(field.element_type, field.dim());
      if (bytes == 0 || form.op > expr::CompareOp::kGe) return Unfit("lists of vectors");
      return MakeListLength(std::move(column), bytes, form);
    }
    return Unfit("lists of vectors");
  }

  static bool IsNumberLike(DataType type) {
    return model::IsNumeric(type) || type == DataType::kBool || type == DataType::kTimestamptz;
  }
  static Result<Operator> Make(BoundColumn column, bool is_string, const expr::Compare& form) {
    return is_string ? MakeStringCompare(std::move(column), form.op, form.value)
                     : MakeNumberCompare(std::move(column), form.op, form.value);
  }
  static Result<Operator> Make(BoundColumn column, bool is_string, const expr::Range& form) {
    return is_string ? MakeStringRange(std::move(column), form)
                     : MakeNumberRange(std::move(column), form);
  }
  static Result<Operator> Make(BoundColumn column, bool is_string, const expr::In& form) {
    return is_string ? MakeStringIn(std::move(column), form.values)
                     : MakeNumberIn(std::move(column), form.values);
  }
  static Result<Operator> Make(BoundColumn column, bool is_string, const expr::Like& form) {
    if (!is_string) return Unfit("like on numbers");
    return MakeStringLike(std::move(column), form.pattern);
  }
  static Result<Operator> Make(BoundColumn column, bool is_string, const expr::Regex& form) {
    if (!is_string) return Unfit("a regular expression on numbers");
    return MakeStringRegex(std::move(column), form.pattern);
  }
  static Result<Operator> Make(BoundColumn column, bool is_string,
                               const expr::ArithmeticCompare& form) {
    if (is_string) return Unfit("arithmetic on strings");
    return MakeArithmetic(std::move(column), form);
  }
  static Result<Operator> Make(BoundColumn column, bool, const expr::TimeCompare& form) {
    return MakeTimeCompare(std::move(column), form);
  }
  static Result<Operator> Make(BoundColumn column, bool, const expr::BloomMatch& form) {
    return MakeBloomMatch(std::move(column), form);
  }
  static Result<Operator> Make(BoundColumn column, bool, const expr::RoaringMatch& form) {
    return MakeRoaringMatch(std::move(column), form);
  }
  template <class Form>
  static Result<Operator> Make(BoundColumn, bool, const Form&) {
    return Unfit("a JSON operation on another type");
  }

  Result<BoundColumn> Bind(const expr::ColumnRef& ref) {
    const model::FieldSchema* field = schema_.FindField(ref.field);
    if (field == nullptr) return Unfit("an unknown field");
    const bool vector = model::IsVector(field->type) && field->type != DataType::kArrayOfVector;
    if (field->type != ref.type || vector) return Unfit("a field's type");
    std::optional<segment::ColumnView> view = source_.Column(ref.field);
    if (!view) return Repeated(*field);
    if (view->type != field->type || view->rows < source_.rows()) return Unfit("a column's shape");
    return BoundColumn{.view = *view};
  }

  // The column of a field that is younger than the rows: its default, or null.
  static Result<BoundColumn> Repeated(const model::FieldSchema& field) {
    auto column = std::make_shared<model::Column>(model::MakeColumn(field.id, field.type));
    const std::optional<std::string> bytes = DefaultBytes(field);
    for (size_t row = 0; row < kBlockRows; ++row) {
      if (bytes) {
        column->AppendValue(*bytes);
      } else {
        column->AppendNull();
      }
    }
    return BoundColumn{.view = segment::ViewOf(*column), .repeats = true, .owned = column};
  }

  template <class T, class From>
  static std::string Bytes(From value) {
    const auto typed = static_cast<T>(value);
    return {reinterpret_cast<const char*>(&typed), sizeof(typed)};
  }
  static std::optional<std::string> DefaultBytes(const model::FieldSchema& field) {
    if (field.is_dynamic) return "{}";
    if (!field.default_value) return std::nullopt;
    const model::Scalar& value = *field.default_value;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* b = std::get_if<bool>(&value)) return Bytes<uint8_t>(*b);
    const auto* whole = std::get_if<int64_t>(&value);
    const auto* fraction = std::get_if<double>(&value);
    if (whole == nullptr && fraction == nullptr) return std::nullopt;
    switch (field.type) {
      case DataType::kInt8: return Bytes<int8_t>(whole ? *whole : 0);
      case DataType::kInt16: return Bytes<int16_t>(whole ? *whole : 0);
      case DataType::kInt32: return Bytes<int32_t>(whole ? *whole : 0);
      case DataType::kFloat: return fraction ? Bytes<float>(*fraction) : Bytes<float>(*whole);
      case DataType::kDouble: return fraction ? Bytes<double>(*fraction) : Bytes<double>(*whole);
      default: return Bytes<int64_t>(whole ? *whole : 0);
    }
  }

  const segment::RowSource& source_;
  const model::CollectionSchema& schema_;
  Matches& matches_;
  SegmentTrace* trace_;
  const std::unordered_set<const expr::Node*>* known_;
  size_t bits_left_ = kIndexBitsBytes;
};

}  // namespace

Operator MakeConstant(bool value) { return MakeConstantOver({}, value); }
Operator MakeConstantOver(BoundColumn column, bool value) {
  return std::make_unique<ConstantOperator>(std::move(column), value);
}
Operator MakeIsNull(BoundColumn column) {
  return std::make_unique<IsNullOperator>(std::move(column));
}

namespace {

/// Runs an operator for the rows whose bit is set in `is_true`; leaves those set for which it is
/// true, and others in `is_unknown`. Both have a bit 0 where the block's first row is.
Status RunBlock(FilterOperator& root, size_t first, size_t rows, const Cancel* cancel,
                uint64_t* is_true, uint64_t* is_unknown) {
  if (cancel != nullptr) RETURN_IF_ERROR(cancel->Check());
  uint64_t wanted[kBlockWords];
  CancelGate gate(cancel);
  const Block block{.first = first,
                    .rows = rows,
                    .wanted = wanted,
                    .is_true = is_true,
                    .is_unknown = is_unknown,
                    .gate = &gate};
  std::copy_n(is_true, block.words(), wanted);
  if (std::all_of(wanted, wanted + block.words(), [](uint64_t word) { return word == 0; }))
    return Status::Ok();
  root.Run(block);
  for (size_t w = 0; w < block.words(); ++w) {
    is_true[w] &= wanted[w];
    is_unknown[w] &= wanted[w];
  }
  return gate.status();
}

/// Rows that cost much (JSON of 64 KiB, regular expressions) get smaller blocks, so that a
/// cancelled call still frees its core within 50 ms.
size_t BlockRowsOf(const FilterOperator& root) {
  return root.cost() > kExpensiveNs ? kBlockRows / 4 : kBlockRows;
}

/// Leaves those of the rows, which ascend, for which the operator is true.
Status KeepTrue(FilterOperator& root, const segment::RowSource& source, const Cancel* cancel,
                std::vector<uint32_t>& rows) {
  const size_t block_rows = BlockRowsOf(root);
  size_t kept = 0;
  for (size_t next = 0; next < rows.size();) {
    const size_t first = rows[next] / block_rows * block_rows;
    const size_t count = std::min(block_rows, source.rows() - first);
    uint64_t is_true[kBlockWords] = {};
    uint64_t is_unknown[kBlockWords] = {};
    const size_t begin = next;
    for (; next < rows.size() && rows[next] < first + count; ++next)
      SetBit(is_true, rows[next] - first);
    RETURN_IF_ERROR(RunBlock(root, first, count, cancel, is_true, is_unknown));
    for (size_t i = begin; i < next; ++i) {
      const size_t row = rows[i] - first;
      if ((is_true[row / 64] >> (row % 64) & 1) != 0) rows[kept++] = rows[i];
    }
  }
  rows.resize(kept);
  return Status::Ok();
}

}  // namespace

Result<Truth> Evaluate(const expr::BoundFilter& filter, const segment::RowSource& source,
                       const model::CollectionSchema& schema, const EvaluateScope& scope) {
  const size_t rows = source.rows();
  const size_t words = (rows + 63) / 64;
  // At first every wanted row is true; each block then reads its part before it is overwritten.
  Truth truth{std::vector<uint64_t>(words, ~uint64_t{0}), std::vector<uint64_t>(words, 0)};
  if (rows % 64 != 0) truth.is_true.back() = (uint64_t{1} << (rows % 64)) - 1;
  for (size_t w = 0; scope.hidden != nullptr && w < words; ++w) {
    truth.is_true[w] &= ~scope.hidden[w];
  }
  if (filter.root == nullptr) return truth;
  Matches own(source, scope.cancel, scope.index_use);
  Matches& matches = scope.matches == nullptr ? own : *scope.matches;
  ASSIGN_OR_RETURN(const Operator root,
                   Compiler(source, schema, matches, scope.trace).Compile(*filter.root, 0, rows));
  const size_t block_rows = BlockRowsOf(*root);
  for (size_t first = 0; first < rows; first += block_rows) {
    RETURN_IF_ERROR(RunBlock(*root, first, std::min(block_rows, rows - first), scope.cancel,
                             truth.is_true.data() + first / 64,
                             truth.is_unknown.data() + first / 64));
  }
  return truth;
}

Result<std::optional<std::vector<uint32_t>>> FewRowsByIndex(const expr::BoundFilter& filter,
                                                            const segment::RowSource& source,
                                                            const model::CollectionSchema& schema,
                                                            uint64_t most,
                                                            const EvaluateScope& scope) {
  std::optional<std::vector<uint32_t>> few;
  if (filter.root == nullptr) return few;
  Matches own(source, scope.cancel, scope.index_use);
  Matches& matches = scope.matches == nullptr ? own : *scope.matches;
  ASSIGN_OR_RETURN(auto proposed, matches.Propose(*filter.root, most, scope.trace != nullptr));
  if (!proposed) return few;
  if (scope.trace != nullptr) {
    const auto all = static_cast<double>(source.rows());
    for (const ProposedRows::Leaf& leaf : proposed->leaves) {
      const bool exact = leaf.match->exact && leaf.match->sets.size() == 1;
      scope.trace->leaves.push_back(
          {.leaf = leaf.node,
           .way = exact ? LeafTrace::Way::kIndex : LeafTrace::Way::kIndexThenScan,
           .estimated = static_cast<double>(leaf.match->rows_max) / all,
           // The look at rows that it only proposed is counted when it happens.
           .rows_asked = source.rows() - (exact ? 0 : leaf.rows),
           .rows_kept = exact ? leaf.rows : 0,
           .bytes = leaf.rows * sizeof(uint32_t),
           .us = leaf.us});
    }
  }
  few = std::move(proposed->rows);
  if (proposed->exact || few->empty()) return few;
  // The rest looks at these rows alone: bits of all rows, which an index would give, cost more.
  Matches none(source, scope.cancel, IndexUse::kNever);
  ASSIGN_OR_RETURN(const Operator root,
                   Compiler(source, schema, none, scope.trace, &proposed->known)
                       .Compile(*filter.root, 0, few->size()));
  RETURN_IF_ERROR(KeepTrue(*root, source, scope.cancel, *few));
  // A leaf of an `or` was also asked of rows that only the others propose.
  if (scope.trace != nullptr) {
    for (LeafTrace& leaf : scope.trace->leaves)
      leaf.rows_asked = std::min<uint64_t>(leaf.rows_asked, source.rows());
  }
  return few;
}

}  // namespace elanus::query
