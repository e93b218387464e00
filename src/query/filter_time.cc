// TIMESTAMPTZ columns moved by an interval, then compared.
#include "expr/number.h"
#include "model/timestamptz.h"
#include "query/filter_operator.h"

namespace elanus::query {
namespace {

class TimeOperator final : public FilterOperator {
 public:
  TimeOperator(BoundColumn column, const expr::TimeCompare& form)
      : FilterOperator(15), column_(std::move(column)), form_(form) {}
  void Run(const Block& block) override {
    Clear(block);
    const int64_t* values = column_.Values<int64_t>(block);
    ForEachWanted(block, [&](size_t i) {
      const int64_t moved = model::AddInterval(values[i], form_.interval, form_.sign);
      if (expr::Holds(form_.op, moved <=> form_.value)) SetBit(block.is_true, i);
    });
    ApplyNulls(column_, block);
  }

 private:
  BoundColumn column_;
  expr::TimeCompare form_;
};

}  // namespace

Result<Operator> MakeTimeCompare(BoundColumn column, const expr::TimeCompare& form) {
  if (column.view.type != model::DataType::kTimestamptz) return Unfit("a time");
  if (form.op > expr::CompareOp::kGe || (form.sign != 1 && form.sign != -1)) {
    return Unfit("an operator");
  }
  return std::make_unique<TimeOperator>(std::move(column), form);
}

}  // namespace elanus::query
