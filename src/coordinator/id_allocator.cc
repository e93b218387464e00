#include "coordinator/id_allocator.h"

#include <algorithm>

#include "base/codec.h"

namespace elanus::coordinator {

namespace {
constexpr const char* kNextIdKey = "catalog/next_id";
}

Result<int64_t> IdAllocator::Allocate(int64_t count) {
  MutexLock lock(mutex_);
  if (end_ - next_ < count) RETURN_IF_ERROR(Reserve(count));
  const int64_t first = next_;
  next_ += count;
  return first;
}

Status IdAllocator::Reserve(int64_t count) {
  ASSIGN_OR_RETURN(auto stored, store_.Get(kNextIdKey));
  auto start = static_cast<int64_t>(clock_.Next());
  if (stored.has_value()) {
    ASSIGN_OR_RETURN(const int64_t used, DecodeBytes<int64_t>(stored->value, kNextIdKey));
    start = std::max(start, used);
  }
  // What is left of the old block is given up: the new one need not follow it.
  const int64_t end = start + std::max(count, kIdBlock);
  storage::MetaTxn txn;
  txn.compares.push_back({kNextIdKey, stored.has_value() ? stored->revision : 0});
  txn.puts.push_back({kNextIdKey, EncodeBytes(end)});
  ASSIGN_OR_RETURN(auto commit, store_.Commit(txn));
  if (!commit.committed) {
    return {Code::kUnavailable, "another coordinator took the ids: service unavailable"};
  }
  next_ = start;
  end_ = end;
  return Status::Ok();
}

}  // namespace elanus::coordinator
