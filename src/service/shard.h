// The owner of shards as the proxy sees it: writes that are durable when acknowledged, reads at one
// timestamp. Implemented by worker/stream; in a cluster also by rpc/. Everything is named by id.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/codec.h"
#include "base/status.h"
#include "expr/boost.h"
#include "expr/filter.h"
#include "model/collection.h"
#include "model/metric.h"
#include "model/primary_key.h"
#include "model/row_batch.h"
#include "model/row_value.h"
#include "rank/aggregate.h"
#include "rank/order.h"
#include "service/compaction.h"

namespace elanus::service {

/// One atomic unit on one shard: first the deletes take effect, then the rows, all at one
/// timestamp. Insert: rows only. Delete: deletes only. Upsert: both.
struct WriteRequest {
  ShardId shard;
  CollectionId collection;
  uint64_t schema_version = 0;
  PartitionId partition;  ///< of the rows; of the deletes too unless `delete_everywhere`
  bool delete_everywhere = false;
  model::RowBatch rows;  ///< complete: every field of the schema, `$meta` too
  model::PrimaryKeys deletes;

  template <class V>
  void Visit(V& v) {
    v(shard);
    v(collection);
    v(schema_version);
    v(partition);
    v(delete_everywhere);
    v(rows);
    v(deletes);
  }
};

struct WriteReply {
  model::Timestamp timestamp = 0;
  template <class V>
  void Visit(V& v) {
    v(timestamp);
  }
};
using WriteDone = std::move_only_function<void(Result<WriteReply>)>;

/// When a read happens. The owner waits until it has applied everything up to `guarantee`, then
/// reads at `exactly` when given (iterators, time travel), else at its applied watermark.
struct ReadPoint {
  model::Timestamp guarantee = 0;
  std::optional<model::Timestamp> exactly;

  template <class V>
  void Visit(V& v) {
    v(guarantee);
    v(exactly);
  }
};

/// Knobs of one vector search; 0 and nullopt mean "not given".
struct VectorSearchParams {
  int64_t ef = 0;
  int64_t nprobe = 0;
  int64_t reorder_k = 0;
  double refine_k = 0;
  std::optional<double> radius;        ///< in scores, as the user gave it
  std::optional<double> range_filter;  ///< in scores
  /// Search iterator: only hits strictly beyond this score. The page is then whole: hits that tie
  /// with the last of top_k come too, since the next page begins strictly beyond them.
  std::optional<float> after_score;

  template <class V>
  void Visit(V& v) {
    v(ef);
    v(nprobe);
    v(reorder_k);
    v(refine_k);
    v(radius);
    v(range_filter);
    v(after_score);
  }
};

/// Hits kept together by value: top_k then counts groups.
struct Grouping {
  int64_t columns = 0;  ///< the first so many of SearchRequest::values tell groups apart; 0 = none
  int64_t size = 1;     ///< hits a group
  bool strict = false;  ///< look further until every group has its size
  /// Not empty: these groups and no others, by rank::GroupKeyOf; top_k does not count.
  std::vector<std::string> only;

  template <class V>
  void Visit(V& v) {
    v(columns);
    v(size);
    v(strict);
    v(only);
  }
};

struct SearchRequest {
  ShardId shard;
  CollectionId collection;
  std::vector<PartitionId> partitions;  ///< empty = all loaded ones
  FieldId field;
  model::Metric metric = model::Metric::kL2;
  int64_t nq = 1;
  std::string vectors;  ///< nq vectors of the field's type, one after another
  /// Of sparse vectors and of lists: where each begins in `vectors`, and its end; nq + 1. Else
  /// empty.
  std::vector<uint64_t> vector_offsets;
  bool by_element = false;  ///< of lists of vectors: hits are single vectors of them
  int64_t top_k = 10;       ///< hits wanted a query (limit + offset)
  VectorSearchParams params;
  expr::BoundFilter filter;
  std::vector<FieldId> output_fields;
  std::vector<model::RowValue> values;  ///< wanted of every hit beside the output fields
  Grouping group;
  std::optional<expr::Boost> boost;  ///< of the top_k nearest hits; not with groups
  bool ignore_growing = false;
  bool explain = false;  ///< the reply says how it was found
  ReadPoint read;

  template <class V>
  void Visit(V& v) {
    v(shard);
    v(collection);
    v(partitions);
    v(field);
    v(metric);
    v(nq);
    v(vectors);
    v(vector_offsets);
    v(by_element);
    v(top_k);
    v(params);
    v(filter);
    v(output_fields);
    v(values);
    v(group);
    v(boost);
    v(ignore_growing);
    v(explain);
    v(read);
  }
};

/// Hits of all queries after one another; `rows` and `values` are aligned with them. Nearest first
/// within a query; grouped ones group by group, the group with the nearest hit first.
struct SearchReply {
  std::vector<int64_t> counts;  ///< nq: hits of each query
  model::PrimaryKeys keys;
  std::vector<float> scores;
  std::vector<int64_t> elements;  ///< of a search by element: which of the row's list; else empty
  model::RowBatch rows;           ///< the output fields, in the order asked
  model::RowBatch values;         ///< SearchRequest::values, in their order
  model::Timestamp read_at = 0;
  std::string plan;  ///< of an explained read: a JSON object, docs/user/explain.md

  template <class V>
  void Visit(V& v) {
    v(counts);
    v(keys);
    v(scores);
    v(elements);
    v(rows);
    v(values);
    v(read_at);
    v(plan);
  }
};

struct QueryRequest {
  ShardId shard;
  CollectionId collection;
  std::vector<PartitionId> partitions;  ///< empty = all loaded ones
  expr::BoundFilter filter;
  /// When set: only these keys are looked up (the filter is a plain `pk in [...]`).
  std::optional<model::PrimaryKeys> keys;
  std::vector<FieldId> output_fields;
  bool count_only = false;
  /// When any is set the reply's rows are partial aggregates (rank/aggregate.h): nothing else of
  /// the reply but `read_at` is filled, the limit does not count.
  std::vector<rank::Aggregate> aggregates;
  std::vector<FieldId> group_by;
  int64_t limit = -1;  ///< rows wanted, the first in order (limit + offset); -1 = all
  std::vector<model::RowValue> order;       ///< empty = by key
  std::vector<rank::Direction> directions;  ///< one a value of `order`
  bool ignore_growing = false;
  bool explain = false;  ///< the reply says how it was found
  /// Reply bytes above this are refused with Milvus' text.
  int64_t bytes_max = 100 << 20;
  ReadPoint read;

  template <class V>
  void Visit(V& v) {
    v(shard);
    v(collection);
    v(partitions);
    v(filter);
    v(keys);
    v(output_fields);
    v(count_only);
    v(aggregates);
    v(group_by);
    v(limit);
    v(order);
    v(directions);
    v(ignore_growing);
    v(explain);
    v(bytes_max);
    v(read);
  }
};

/// Rows in ascending key order or that of QueryRequest::order, one a key (the newest).
struct QueryReply {
  int64_t count = 0;  ///< of all matching rows, same keys counted each time; only with count_only
  model::PrimaryKeys keys;
  std::vector<model::Timestamp> timestamps;  ///< of the rows' inserts
  model::RowBatch rows;
  /// Of a filter with element_filter: how many elements of each row it keeps, and which.
  std::vector<int64_t> element_counts;
  std::vector<int64_t> elements;
  model::RowBatch order_values;  ///< a column a value of QueryRequest::order
  model::Timestamp read_at = 0;
  std::string plan;  ///< of an explained read: a JSON object, docs/user/explain.md

  template <class V>
  void Visit(V& v) {
    v(count);
    v(keys);
    v(timestamps);
    v(rows);
    v(element_counts);
    v(elements);
    v(order_values);
    v(read_at);
    v(plan);
  }
};

enum class SegmentState : int32_t { kGrowing = 0, kSealed = 1 };

/// An index that is being built on a segment.
struct IndexPart {
  IndexId index;
  int64_t rows = 0;  ///< about so many are in it

  template <class V>
  void Visit(V& v) {
    v(index);
    v(rows);
  }
};

/// What AUTOINDEX became on a segment: the name of an index type.
struct ChosenIndex {
  IndexId index;
  std::string type;

  template <class V>
  void Visit(V& v) {
    v(index);
    v(type);
  }
};

struct SegmentStats {
  SegmentId id;
  PartitionId partition;
  SegmentState state = SegmentState::kGrowing;
  int64_t rows = 0;
  int64_t bytes = 0;
  /// Indexes of the collection that it has; one that needs no file here counts as built.
  std::vector<IndexId> built_indexes;
  std::vector<IndexPart> building;
  std::vector<ChosenIndex> chosen;  ///< of those that are in use
  /// Of a sealed one: vectors and index files that it is to have open while its partition is
  /// loaded, and those of them that it has.
  int64_t bytes_to_load = 0;
  int64_t bytes_loaded = 0;

  template <class V>
  void Visit(V& v) {
    v(id);
    v(partition);
    v(state);
    v(rows);
    v(bytes);
    v(built_indexes);
    v(building);
    v(chosen);
    v(bytes_to_load);
    v(bytes_loaded);
  }
};

/// What one shard holds now.
struct ShardStats {
  std::vector<SegmentStats> segments;
  Status fault;          ///< why the shard is parked; Ok when it serves
  bool loading = false;  ///< a load has begun that has not brought in all that was there
  Status load_fault;     ///< how the last attempt to load ended
  model::Timestamp applied = 0;

  template <class V>
  void Visit(V& v) {
    v(segments);
    v(fault);
    v(loading);
    v(load_fault);
    v(applied);
  }
};

/// A change of the catalog as a shard meets it: an order in the shard's log (barrier) or a new
/// description.
struct ShardChange {
  enum class Kind : int32_t {
    kOpen = 0,
    kUpdate = 1,
    kDrop = 2,
    kDropPartition = 3,
    kTruncate = 4
  };
  Kind kind = Kind::kUpdate;
  ShardId shard;
  PartitionId partition;                                    ///< of kDropPartition
  std::shared_ptr<const model::CollectionInfo> collection;  ///< as it is after the change

  template <class V>
  void Visit(V& v) {
    v(kind);
    v(shard);
    v(partition);
    v(collection);
  }
};

class ShardService {
 public:
  virtual ~ShardService() = default;

  /// `done` is called once, on a thread of the owner's: with a timestamp when the write is durable
  /// and visible, with an error when it did not happen. Never blocks; kQueueFull when it waited for
  /// its turn in vain.
  virtual void Write(WriteRequest request, WriteDone done) = 0;

  /// Computes on the caller's thread. kCanceled, kTimeout; kChannelNotFound when the shard is not
  /// here.
  virtual Result<SearchReply> Search(const SearchRequest& request, const Cancel& cancel) = 0;
  virtual Result<QueryReply> Query(const QueryRequest& request, const Cancel& cancel) = 0;

  /// Makes everything acknowledged so far part of segment files; returns the ids of the shard's
  /// sealed segments.
  virtual Result<std::vector<SegmentId>> Flush(ShardId shard, const Cancel& cancel) = 0;

  virtual Result<ShardStats> Stats(ShardId shard) const = 0;

  /// Plans the merge of a shard's sealed segments and returns before they begin; no plan when there
  /// is nothing to merge. kInvalidParameter when the target is less than the server's own limit.
  virtual Result<CompactionPlans> Compact(const CompactionRequest& request) = 0;
  /// What is known of plans: those that have ended are kept for a while.
  virtual Result<CompactionPlans> Compactions(const CompactionFilter& filter) const = 0;

  /// Applies a change of the catalog; returns when it is durable in the shard's log (where it is a
  /// barrier) and applied.
  virtual Status Change(const ShardChange& change) = 0;
};

}  // namespace elanus::service
