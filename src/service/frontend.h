// The proxy as the gateway sees it: the user's calls with names, texts and checked-nothing values.
// Implemented by proxy/. Errors carry Milvus' codes and texts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "expr/filter.h"
#include "model/collection.h"
#include "model/primary_key.h"
#include "model/row_batch.h"
#include "service/call.h"
#include "service/coordinator.h"
#include "service/ddl.h"
#include "service/shard.h"

namespace elanus::service {

/// A column as the client sent it: named, with compact or full values already spread to full
/// length.
struct UserColumn {
  std::string name;
  bool is_dynamic = false;
  bool valid_given = false;                               ///< the client sent valid_data for it
  model::DataType element_type = model::DataType::kNone;  ///< of lists of vectors
  model::Column column;                                   ///< `field` is not set yet
};

enum class MutationKind { kInsert, kUpsert };

/// What a partial update does with the given value of a field.
enum class FieldOpKind : int32_t { kReplace = 0, kArrayAppend = 1, kArrayRemove = 2 };
struct FieldOp {
  std::string field;
  FieldOpKind kind = FieldOpKind::kReplace;  ///< any number: the proxy checks it
};

struct MutationCall {
  MutationKind kind = MutationKind::kInsert;
  std::string collection;
  std::string partition;                  ///< empty = the default partition, or by partition key
  std::optional<std::string> name_space;  ///< the namespace, where the client names one
  std::vector<UserColumn> columns;
  int64_t num_rows = 0;
  model::Timestamp schema_timestamp = 0;  ///< 0 = no check
  bool partial_update = false;
  std::vector<FieldOp> field_ops;  ///< one that does not replace makes the update a partial one
};

struct MutationReply {
  model::PrimaryKeys keys;
  int64_t count = 0;
  model::Timestamp timestamp = 0;
};
using MutationDone = std::move_only_function<void(Result<MutationReply>)>;

struct DeleteCall {
  std::string collection;
  std::string partition;
  std::optional<std::string> name_space;  ///< the namespace, where the client names one
  std::string filter;
  expr::Templates templates;
  std::optional<model::ConsistencyLevel> consistency;
};

/// How fresh a read must be, as the client said it.
struct Consistency {
  bool use_default = true;
  model::ConsistencyLevel level = model::ConsistencyLevel::kStrong;
  model::Timestamp guarantee = 0;
  model::Timestamp travel = 0;  ///< reads what was there at that time; 0: what is there now
};

/// A function that gives hits new scores, as the client described it.
struct RerankFunction {
  std::string name;
  std::vector<std::string> input_fields;
  model::KeyValues params;  ///< `reranker` says which
};
struct FunctionScore {
  std::vector<RerankFunction> functions;
  model::KeyValues params;
};

/// Buckets over a search's hits, as the client described them: a level's buckets are split by the
/// next.
struct AggregationMetric {
  std::string alias;
  std::string op;
  std::string field;
};
struct AggregationSort {
  std::string name;
  std::string direction;
  bool nulls_first = false;
};
struct AggregationTopHits {
  int64_t size = 0;
  std::vector<AggregationSort> sort;
};
struct AggregationLevel {
  std::vector<std::string> fields;
  int64_t size = 0;
  int64_t search_size = 0;
  std::vector<AggregationMetric> metrics;
  std::vector<AggregationSort> order;
  std::optional<AggregationTopHits> top_hits;
};
struct SearchAggregation {
  std::vector<AggregationLevel> levels;
};

struct SearchCall {
  std::string collection;
  std::vector<std::string> partitions;
  std::optional<std::string> name_space;  ///< the namespace, where the client names one
  std::string filter;
  expr::Templates templates;
  std::vector<std::string> output_fields;
  model::KeyValues params;  ///< search_params as sent, `params` JSON not opened
  int64_t nq = 0;
  model::DataType vector_type = model::DataType::kFloatVector;  ///< of the placeholder
  std::string vectors;                                          ///< all queries after one another
  std::vector<uint64_t> vector_offsets;   ///< nq + 1: where each query begins in `vectors`
  std::optional<model::PrimaryKeys> ids;  ///< search by key instead of vectors
  std::optional<FunctionScore> function_score;
  std::optional<SearchAggregation> aggregation;
  Consistency consistency;
};

/// Several searches of one collection whose rankings become one.
struct HybridSearchCall {
  std::string collection;
  std::vector<std::string> partitions;
  std::optional<std::string> name_space;  ///< the namespace, where the client names one
  std::vector<SearchCall>
      searches;  ///< their collection, partitions and output fields are not used
  std::vector<std::string> output_fields;
  model::KeyValues rank_params;                 ///< as sent, `params` JSON not opened
  std::optional<FunctionScore> function_score;  ///< instead of a strategy in rank_params
  Consistency consistency;
};

struct OutputColumn {
  std::string name;  ///< the field's name, `$meta` for the dynamic field
  bool is_dynamic = false;
  bool nullable = false;
  model::DataType element_type = model::DataType::kNone;  ///< of an ARRAY field
  std::string struct_name;  ///< of a member of a struct array; `name` is then the member's
  /// The field's type where the column is its text (times, shapes), else kNone.
  model::DataType told = model::DataType::kNone;
  model::Column column;
};

/// What a bucket or one of its hits says; monostate is null.
struct BucketBytes {
  std::string bytes;
  friend auto operator<=>(const BucketBytes&, const BucketBytes&) = default;
};
using BucketValue =
    std::variant<std::monostate, bool, int64_t, float, double, std::string, BucketBytes>;
struct BucketField {
  FieldId field;
  std::string name;
  BucketValue value;
};
struct BucketHit {
  model::PrimaryKey key;
  float score = 0;
  std::vector<BucketField> fields;
};
struct Bucket {
  std::vector<BucketField> key;
  int64_t count = 0;  ///< hits found for it
  std::vector<std::pair<std::string, BucketValue>> metrics;
  std::vector<BucketHit> hits;
  std::vector<Bucket> buckets;
};

struct SearchResult {
  CollectionPtr collection;
  std::vector<int64_t> counts;  ///< nq
  model::PrimaryKeys keys;
  std::vector<float> scores;
  std::vector<int64_t> elements;  ///< of a search by element: which of the row's list
  std::vector<OutputColumn> columns;
  std::vector<std::string> output_fields;  ///< names as asked, `*` expanded
  std::vector<OutputColumn> group_values;  ///< of each hit, one column a grouping field
  /// Of a search with an aggregation, which has no hits of its own: all queries' buckets, and how
  /// many each has.
  std::vector<Bucket> buckets;
  std::vector<int64_t> bucket_counts;
  model::Timestamp session_ts = 0;
  bool iterator_v2 = false;
  std::string iterator_token;
  float iterator_last_bound = 0;
};

struct QueryCall {
  std::string collection;
  std::vector<std::string> partitions;
  std::optional<std::string> name_space;  ///< the namespace, where the client names one
  std::string filter;
  expr::Templates templates;
  std::vector<std::string> output_fields;
  model::KeyValues params;  ///< query_params as sent
  Consistency consistency;
};

struct QueryResult {
  CollectionPtr collection;
  std::vector<OutputColumn> columns;
  /// Of a filter with element_filter: which elements of each row it keeps.
  std::optional<std::vector<std::vector<int64_t>>> elements;
  std::vector<std::string> output_fields;
  model::Timestamp session_ts = 0;
};

struct IndexDescription {
  /// Of AUTOINDEX with one more parameter than the user gave: `chosen_index_type`, what it became
  /// on the segments that have it ("HNSW", "HNSW, SCANN"); not there before the first is in use.
  model::IndexInfo info;
  std::string field_name;
  int64_t indexed_rows = 0;
  int64_t total_rows = 0;
  int64_t pending_rows = 0;
  bool finished = true;
  std::string fail_reason;
};

enum class LoadState : int32_t { kNotExist = 0, kNotLoad = 1, kLoading = 2, kLoaded = 3 };

struct LoadStatus {
  LoadState state = LoadState::kNotLoad;
  int64_t progress = 0;  ///< 0..100; a load that has ended stays at 100
  /// 0..100: how much of what there is now is in place, whatever a load brought in.
  int64_t refresh_progress = 0;
  Status fault;  ///< why what is missing could not be brought in; tried again with the next change
};

struct FlushResult {
  std::map<std::string, std::vector<SegmentId>> segments;  ///< by collection
  model::Timestamp flushed_to = 0;
};

/// A merge on request. Segments are merged within a shard and a partition.
struct CompactCall {
  std::string collection;
  CollectionId id;                  ///< instead of the name
  PartitionId partition;            ///< 0 = every one
  ShardId shard;                    ///< 0 = every one
  std::vector<SegmentId> segments;  ///< only these; empty = all
  bool clustering = false;          ///< only of a collection with a clustering key
  bool deletes_only = false;        ///< what Milvus calls level 0
  int64_t target_mb = 0;            ///< of a merged segment; 0 = the server's limit
};
struct CompactReply {
  int64_t job = -1;  ///< -1: there was nothing to merge
  int64_t plans = 0;
};

/// Reads that answer from the catalog and the shards' counters.
class FrontendCatalog {
 public:
  virtual ~FrontendCatalog() = default;
  virtual Status Ddl(const CallContext& call, const DdlRequest& request) = 0;
  virtual Result<CollectionPtr> Describe(const CallContext& call,
                                         const std::string& collection) = 0;
  virtual Result<CollectionPtr> Describe(const CallContext& call, CollectionId id) = 0;
  virtual Result<std::vector<CollectionPtr>> ListCollections(const CallContext& call) = 0;
  virtual std::vector<model::DatabaseInfo> ListDatabases() = 0;
  virtual Result<model::DatabaseInfo> DescribeDatabase(const std::string& name) = 0;
  /// kInvalidParameter when no partition could bear that name; blanks around it do not count.
  virtual Result<bool> HasPartition(const CallContext& call, const std::string& collection,
                                    const std::string& partition) = 0;
  /// (alias, collection) pairs; of one collection, or of the database when `collection` is empty.
  virtual Result<std::vector<std::pair<std::string, std::string>>> ListAliases(
      const CallContext& call, const std::string& collection) = 0;
  /// Rows of a collection, or of one partition; deletes not subtracted, as in Milvus.
  virtual Result<int64_t> RowCount(const CallContext& call, const std::string& collection,
                                   const std::string& partition) = 0;
  virtual Result<std::vector<SegmentStats>> Segments(const CallContext& call,
                                                     const std::string& collection) = 0;
  virtual Result<std::vector<IndexDescription>> DescribeIndex(const CallContext& call,
                                                              const std::string& collection,
                                                              const std::string& field,
                                                              const std::string& index_name) = 0;
  virtual Result<LoadStatus> LoadProgress(const CallContext& call, const std::string& collection,
                                          const std::vector<std::string>& partitions) = 0;
  virtual model::Timestamp AllocTimestamp() = 0;
};

/// Writes and reads of rows.
class FrontendData {
 public:
  virtual ~FrontendData() = default;
  virtual void Mutate(const CallContext& call, MutationCall mutation, MutationDone done) = 0;
  virtual void Delete(const CallContext& call, DeleteCall deletion, MutationDone done) = 0;
  virtual Result<SearchResult> Search(const CallContext& call, const SearchCall& search) = 0;
  virtual Result<SearchResult> HybridSearch(const CallContext& call,
                                            const HybridSearchCall& search) = 0;
  virtual Result<QueryResult> Query(const CallContext& call, const QueryCall& query) = 0;
  virtual Result<FlushResult> Flush(const CallContext& call,
                                    const std::vector<std::string>& collections) = 0;
  virtual Result<CompactReply> Compact(const CallContext& call, const CompactCall& compact) = 0;
  /// The plans of a job; none of one that is not known (any more).
  virtual Result<CompactionPlans> CompactionsOfJob(int64_t job) = 0;
  virtual Result<CompactionPlans> CompactionsOf(const CallContext& call,
                                                const std::string& collection) = 0;
};

}  // namespace elanus::service
