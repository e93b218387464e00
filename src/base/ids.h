// Ids of every kind, distinct types so that a collection's id is never taken for a partition's.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace elanus {

template <class Tag>
struct Id {
  int64_t value = 0;
  friend auto operator<=>(const Id&, const Id&) = default;
  explicit operator bool() const { return value != 0; }
};

using DatabaseId = Id<struct DatabaseTag>;
using CollectionId = Id<struct CollectionTag>;
using PartitionId = Id<struct PartitionTag>;  ///< a partition of a collection
using FieldId = Id<struct FieldTag>;          ///< user fields count from 100 in order
using ShardId = Id<struct ShardTag>;          ///< one ordered stream of a collection (vchannel)
using SegmentId = Id<struct SegmentTag>;
using IndexId = Id<struct IndexTag>;
using LogPartitionId = Id<struct LogPartitionTag>;  ///< one physical log (pchannel)

}  // namespace elanus

template <class Tag>
struct std::hash<elanus::Id<Tag>> {
  size_t operator()(elanus::Id<Tag> id) const noexcept { return std::hash<int64_t>{}(id.value); }
};
