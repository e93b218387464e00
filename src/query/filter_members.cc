// Operators on sets that clients built: bloom_match and roaring_match on integer columns, the
// former on strings too (JSON: filter_json.cc). They look at wanted rows alone.
#include <bit>
#include <memory>
#include <utility>

#include "query/filter_operator.h"

namespace elanus::query {
namespace {

using model::DataType;

/// A Bloom filter is often larger than the caches: the blocks of a word's rows are asked for before
/// the first of them is looked at.
class BloomProbe {
 public:
  explicit BloomProbe(std::shared_ptr<const expr::BloomMembers> set) : set_(std::move(set)) {}

  static constexpr double kCostNs = 5;
  template <class T>
  uint64_t Word(const T* values, uint64_t wanted) const {
    if (!set_->Takes(expr::BloomMembers::kInts)) return 0;
    uint64_t hashes[64];
    for (uint64_t bits = wanted; bits != 0; bits &= bits - 1) {
      const int i = std::countr_zero(bits);
      hashes[i] = expr::BloomMembers::HashOf(int64_t{values[i]});
      set_->Prefetch(hashes[i]);
    }
    uint64_t word = 0;
    for (uint64_t bits = wanted; bits != 0; bits &= bits - 1) {
      const int i = std::countr_zero(bits);
      word |= uint64_t{set_->HasHash(hashes[i])} << i;
    }
    return word;
  }

 private:
  std::shared_ptr<const expr::BloomMembers> set_;
};

class RoaringProbe {
 public:
  explicit RoaringProbe(std::shared_ptr<const expr::RoaringMembers> set) : set_(std::move(set)) {}

  static constexpr double kCostNs = 15;
  template <class T>
  uint64_t Word(const T* values, uint64_t wanted) const {
    uint64_t word = 0;
    for (uint64_t bits = wanted; bits != 0; bits &= bits - 1) {
      const int i = std::countr_zero(bits);
      word |= uint64_t{set_->Has(int64_t{values[i]})} << i;
    }
    return word;
  }

 private:
  std::shared_ptr<const expr::RoaringMembers> set_;
};

template <class T, class Probe>
class MembersOperator final : public FilterOperator {
 public:
  MembersOperator(BoundColumn column, Probe probe)
      : FilterOperator(Probe::kCostNs), column_(std::move(column)), probe_(std::move(probe)) {}
  void Run(const Block& block) override {
    const T* values = column_.Values<T>(block);
    for (size_t w = 0; w < block.words(); ++w)
      block.is_true[w] = probe_.Word(values + w * 64, block.wanted[w]);
    ApplyNulls(column_, block);
  }

 private:
  BoundColumn column_;
  Probe probe_;
};

template <class Probe>
Result<Operator> MakeOfInts(BoundColumn column, Probe probe) {
  const auto make = [&]<class T>(T) -> Result<Operator> {
    return std::make_unique<MembersOperator<T, Probe>>(std::move(column), std::move(probe));
  };
  switch (column.view.type) {
    case DataType::kInt8: return make(int8_t{});
    case DataType::kInt16: return make(int16_t{});
    case DataType::kInt32: return make(int32_t{});
    case DataType::kInt64: return make(int64_t{});
    default: return Unfit("a set beside a column that has no integers");
  }
}

}  // namespace

Result<Operator> MakeBloomMatch(BoundColumn column, const expr::BloomMatch& form) {
  if (form.members == nullptr || !form.members->ok()) return Unfit("a set from a client");
  if (model::IsString(column.view.type)) return MakeStringBloom(std::move(column), form.members);
  return MakeOfInts(std::move(column), BloomProbe(form.members));
}

Result<Operator> MakeRoaringMatch(BoundColumn column, const expr::RoaringMatch& form) {
  if (form.members == nullptr || !form.members->ok()) return Unfit("a set from a client");
  return MakeOfInts(std::move(column), RoaringProbe(form.members));
}

}  // namespace elanus::query
