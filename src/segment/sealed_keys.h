// The key index of a sealed segment: its sorted key column, the first key of every 256 rows in
// memory, a filter. Holds: keys ascend; equal keys lie together. A key that is not here costs one
// filter block; one that is costs two binary searches. Threads: immutable after Open.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "model/primary_key.h"
#include "segment/column_view.h"

namespace elanus::segment {

class SealedKeys {
 public:
  /// kDataIntegrity when keys do not ascend. \param filter  of format/key_filter.h; empty = none
  static Result<SealedKeys> Open(const ColumnView& keys, std::string_view filter,
                                 std::string_view name);

  /// Rows [first, second) with this key.
  std::pair<uint32_t, uint32_t> Find(const model::PrimaryKey& key) const;
  /// The first row with a key >= (strictly: >) the given one; the row count when there is none.
  uint32_t LowerBound(const model::PrimaryKey& key, bool strictly) const;
  model::PrimaryKey At(uint32_t row) const;
  const ColumnView& column() const { return keys_; }

 private:
  static constexpr uint32_t kFenceRows = 256;

  template <class Key>
  uint32_t Bound(const Key& key, bool strictly, const std::vector<Key>& fences) const;

  ColumnView keys_;
  std::string_view filter_;
  std::vector<int64_t> int_fences_;
  std::vector<std::string_view> string_fences_;
};

}  // namespace elanus::segment
