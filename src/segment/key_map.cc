#include "segment/key_map.h"

#include "base/check.h"

namespace elanus::segment {

void KeyMap::Insert(uint64_t hash, uint32_t row) {
  ELANUS_CHECK(row == hashes_.size());
  hashes_.push_back(hash);
  if (hashes_.size() * 2 > slots_.size()) return Grow();
  size_t i = hash & mask_;
  while (slots_[i].row != kFree) i = (i + 1) & mask_;
  slots_[i] = {row, Tag(hash)};
}

void KeyMap::Grow() {
  slots_.assign(slots_.empty() ? 1024 : slots_.size() * 2, Slot{});
  mask_ = slots_.size() - 1;
  for (uint32_t row = 0; row < hashes_.size(); ++row) {
    size_t i = hashes_[row] & mask_;
    while (slots_[i].row != kFree) i = (i + 1) & mask_;
    slots_[i] = {row, Tag(hashes_[row])};
  }
}

}  // namespace elanus::segment
