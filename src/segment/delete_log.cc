#include "segment/delete_log.h"

#include <algorithm>

#include "base/check.h"

namespace elanus::segment {

bool DeleteLog::Add(uint32_t row, model::Timestamp ts) {
  MutexLock lock(mutex_);
  if (row >= deleted_.size()) deleted_.Resize(std::max<size_t>(row + 1, deleted_.size() * 2));
  if (deleted_.Test(row)) return false;
  ELANUS_CHECK(deletes_.empty() || deletes_.back().timestamp <= ts);
  deleted_.Set(row);
  deletes_.push_back({row, ts});
  return true;
}

void DeleteLog::Load(std::vector<format::RowDelete> deletes) {
  std::ranges::sort(deletes, {},
                    [](const format::RowDelete& d) { return std::pair(d.timestamp, d.row); });
  for (const format::RowDelete& d : deletes) Add(d.row, d.timestamp);
}

std::shared_ptr<const Bitset> DeleteLog::HiddenAt(model::Timestamp t, uint32_t rows) const {
  MutexLock lock(mutex_);
  const auto end = std::ranges::upper_bound(deletes_, t, {}, &format::RowDelete::timestamp);
  const auto count = static_cast<size_t>(end - deletes_.begin());
  if (count == 0) return nullptr;
  if (cached_ != nullptr && cached_count_ == count && cached_->size() == rows) return cached_;
  std::shared_ptr<Bitset> bits;
  size_t from = 0;
  if (cached_ != nullptr && cached_count_ < count && cached_->size() == rows) {
    bits = std::make_shared<Bitset>(*cached_);
    from = cached_count_;
  } else {
    bits = std::make_shared<Bitset>(rows);
  }
  for (size_t i = from; i < count; ++i) {
    if (deletes_[i].row < rows) bits->Set(deletes_[i].row);
  }
  if (count >= cached_count_) {  // a read in the past must not push out what the latest reads share
    cached_ = bits;
    cached_count_ = count;
  }
  return bits;
}

bool DeleteLog::IsDeleted(uint32_t row) const {
  MutexLock lock(mutex_);
  return row < deleted_.size() && deleted_.Test(row);
}

size_t DeleteLog::count() const {
  MutexLock lock(mutex_);
  return deletes_.size();
}

std::vector<format::RowDelete> DeleteLog::Since(size_t n) const {
  MutexLock lock(mutex_);
  return {deletes_.begin() + static_cast<ptrdiff_t>(std::min(n, deletes_.size())), deletes_.end()};
}

std::vector<format::RowDelete> DeleteLog::UpTo(model::Timestamp t) const {
  std::vector<format::RowDelete> result;
  {
    MutexLock lock(mutex_);
    const auto end = std::ranges::upper_bound(deletes_, t, {}, &format::RowDelete::timestamp);
    result.assign(deletes_.begin(), end);
  }
  std::ranges::sort(result, {}, &format::RowDelete::row);
  return result;
}

}  // namespace elanus::segment
