// Vector search over the segments of a shard: filter, then index or brute force a segment, then one
// list a query. Holds: a query gets min(top_k, visible keys) hits, nearest first, a primary key at
// most once (its newest row; searched by element, each element of it once); grouped, it gets
// min(top_k, groups there are) groups, each contiguous, in the order of their nearest hits.
// Threads: computes on the caller's, and on those of the view's crew that would idle; pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector/vector_index.h"
#include "model/metric.h"
#include "model/row_value.h"
#include "query/fetch.h"
#include "query/visible_rows.h"
#include "segment/column_view.h"

namespace elanus::query {

struct SearchRequest {
  FieldId field;
  model::Metric metric = model::Metric::kL2;
  /// One row a query, of the field's type and dimension; of the type of the lists' vectors when
  /// `by_element`.
  segment::ColumnView queries;
  bool by_element = false;  ///< of lists of vectors: hits are single vectors of them
  size_t top_k = 10;
  int ef = 0;           ///< 0: the index's own choice
  int nprobe = 0;       ///< 0: the index's own choice
  int reorder_k = 0;    ///< rows measured exactly; 0: the index's own choice
  double refine_k = 0;  ///< the same, times the hits wanted; 0: not given
  index::Window
      window;  ///< in distances; anything but all(): range search or the next page of an iterator
  /// Keep every hit as near as the last one: pages of an iterator never cut a run of equal
  /// distances.
  bool whole_ties = false;
  /// When not empty, top_k counts groups: hits whose values here are equal are one group.
  std::span<const model::RowValue> group_by;
  size_t group_size = 1;      ///< hits a group
  bool group_strict = false;  ///< look further until every group is full or no row is left
  std::span<const std::string>
      group_only;  ///< when not empty, only these groups (rank::GroupKeyOf)
};

struct SearchHit {
  RowRef ref;
  float distance = 0;
  int64_t element = -1;  ///< of a search by element: the position in the row's list
};

/// Errors: kCanceled, kTimeout, the filter's, the index's (kInvalidParameter).
Result<std::vector<std::vector<SearchHit>>> Search(const std::vector<segment::SegmentPtr>& segments,
                                                   const ReadView& view,
                                                   const SearchRequest& request);

}  // namespace elanus::query
