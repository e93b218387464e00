#include "proxy/search_path.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <map>

#include "proxy/query_path.h"
#include "proxy/read_scope.h"
#include "proxy/router.h"
#include "proxy/value_text.h"
#include "rank/merge.h"
#include "rank/score.h"

namespace elanus::proxy {

namespace {

using service::SearchReply;
using service::SearchRequest;
using service::SearchResult;

rank::MergedLists Merge(const std::vector<SearchReply>& replies, model::Metric metric,
                        rank::Slice slice) {
  std::vector<rank::ScoredLists> lists;
  for (const auto& reply : replies) {
    lists.push_back({.counts = reply.counts, .keys = &reply.keys, .scores = reply.scores});
  }
  return rank::MergeScored(lists, metric, slice);
}

float ScoreAt(const std::vector<SearchReply>& replies, rank::SourceRow at) {
  return replies[at.source].scores[at.row];
}

/// A token in UUID's form, different for every timestamp.
std::string NewToken(model::Timestamp now) {
  const uint64_t a = XXH64(&now, sizeof(now), 1);
  const uint64_t b = XXH64(&now, sizeof(now), 2);
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff,
                     (b >> 48 & 0x3fff) | 0x8000, b & 0xffffffffffff);
}

/// One search while it runs.
class Search {
 public:
  Search(const Backends& backends, const service::CallContext& call,
         const service::SearchCall& search)
      : backends_(backends), call_(call), search_(search) {}

  Result<SearchResult> Run() {
    ASSIGN_OR_RETURN(collection_, Resolve(backends_.coordinator, call_, search_.collection));
    ASSIGN_OR_RETURN(plan_, PlanSearch(*collection_, search_));
    ASSIGN_OR_RETURN(output_,
                     PlanOutput(collection_->schema, search_.output_fields, ReadKind::kSearch));
    ASSIGN_OR_RETURN(request_.partitions, NamedPartitions(*collection_, search_.partitions));
    ASSIGN_OR_RETURN(time_form_, TimeFormOf(*collection_, search_.params));
    ASSIGN_OR_RETURN(request_.filter,
                     BindFilter(*collection_, search_.filter, search_.templates, time_form_.zone));
    if (Status status = Execute(); !status.ok()) return Error(status.Wrap("failed to search"));
    SearchResult result = Finish();
    RETURN_IF_ERROR(TellAsText(time_form_, result.columns));
    return result;
  }

 private:
  Status Execute() {
    std::vector<FieldId> used = output_.fields;
    used.push_back(plan_.field->id);
    RETURN_IF_ERROR(CheckLoaded(*collection_, used, request_.partitions));
    FillRequest();
    if (search_.ids.has_value()) {
      RETURN_IF_ERROR(FetchVectors());
    } else {
      ASSIGN_OR_RETURN(QueryVectors vectors, TakeQueryVectors(*plan_.field, search_));
      request_.vectors = std::move(vectors.bytes);
      request_.vector_offsets = std::move(vectors.offsets);
    }
    if (request_.nq != 0) RETURN_IF_ERROR(AskShards(request_));
    merged_ = Merge(replies_, plan_.metric, {.offset = plan_.offset, .limit = plan_.limit});
    if (plan_.iterator_v2) AddTies();
    for (size_t at : without_vector_) {
      const auto place = static_cast<ptrdiff_t>(std::min(at, merged_.counts.size()));
      merged_.counts.insert(merged_.counts.begin() + place, 0);
    }
    return Status::Ok();
  }

  void FillRequest() {
    request_.collection = collection_->id;
    request_.field = plan_.field->id;
    request_.metric = plan_.metric;
    request_.nq = search_.nq;
    request_.top_k = plan_.limit + plan_.offset;
    request_.params = plan_.params;
    request_.output_fields = output_.fields;
    request_.ignore_growing = plan_.ignore_growing;
    request_.read =
        ReadPointOf(*collection_, search_.consistency, plan_.iterator, backends_.clock.Next());
  }

  Status AskShards(SearchRequest request) {
    for (ShardId shard : collection_->shards) {
      request.shard = shard;
      ASSIGN_OR_RETURN(auto reply, backends_.shards.Search(request, call_.cancel));
      session_ts_ = std::max(session_ts_, reply.read_at);
      replies_.push_back(std::move(reply));
    }
    return Status::Ok();
  }

  /// The next page begins strictly beyond this page's last score, so the page takes every hit that
  /// has this score: else those would be on no page. The shards' lists are whole in this sense.
  void AddTies() {
    if (merged_.rows.size() < static_cast<size_t>(plan_.limit)) return;
    const float last = ScoreAt(replies_, merged_.rows.back());
    merged_ = Merge(replies_, plan_.metric, {});
    auto beyond = std::ranges::find_if(merged_.rows, [&](rank::SourceRow at) {
      const float score = ScoreAt(replies_, at);
      return ScoreAscendsWithNearness(plan_.metric) ? score < last : score > last;
    });
    merged_.rows.erase(beyond, merged_.rows.end());
    merged_.counts = {static_cast<int64_t>(merged_.rows.size())};
  }

  Status FetchVectors() {
    const model::PrimaryKeys& ids = *search_.ids;
    const model::FieldSchema& primary = *collection_->schema.primary();
    if (ids.is_string != IsString(primary.type)) {
      return InvalidParameter(fmt::format("primary key is {}, but IDs type mismatch",
                                          IsString(primary.type) ? "varchar" : "int64"));
    }
    std::map<model::PrimaryKey, size_t> wanted;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (!wanted.emplace(ids.At(i), i).second) {
        return InvalidParameter("duplicate IDs found in search request");
      }
    }
    service::QueryRequest query{.collection = collection_->id,
                                .partitions = request_.partitions,
                                .keys = ids,
                                .output_fields = {plan_.field->id},
                                .read = request_.read};
    ASSIGN_OR_RETURN(auto found, AskByKey(backends_, *collection_, query, call_.cancel));
    std::vector<std::pair<const model::Column*, size_t>> vectors(ids.size());
    for (const auto& reply : found) {
      const model::Column* column = reply.rows.Find(plan_.field->id);
      for (size_t row = 0; column != nullptr && row < reply.keys.size(); ++row) {
        auto at = wanted.find(reply.keys.At(row));
        if (at == wanted.end()) continue;
        vectors[at->second] = {column, row};
        wanted.erase(at);
      }
    }
    if (wanted.empty()) {
      TakeVectors(vectors);
      return Status::Ok();
    }
    std::vector<std::string> missing;
    for (const auto& [key, at] : wanted) missing.push_back(model::PrimaryKeyText(key));
    return InvalidParameter(
        fmt::format("some of the provided primary key IDs do not exist: missing IDs = [{}]",
                    fmt::join(missing, " ")));
  }

  /// The rows' vectors become the queries; a row without one is a query without hits.
  void TakeVectors(const std::vector<std::pair<const model::Column*, size_t>>& rows) {
    const model::FieldSchema& field = *plan_.field;
    model::Column queries = model::MakeColumn(field.id, field.type, field.dim());
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto& [column, row] = rows[i];
      if (column->IsNull(row)) {
        without_vector_.push_back(i);
      } else {
        queries.AppendFrom(*column, row);
      }
    }
    request_.nq = static_cast<int64_t>(queries.rows);
    request_.vectors = queries.IsFixed() ? std::move(queries.fixed) : std::move(queries.bytes);
    request_.vector_offsets = std::move(queries.offsets);
  }

  SearchResult Finish() {
    SearchResult result{.collection = collection_,
                        .counts = std::move(merged_.counts),
                        .output_fields = output_.names,
                        .session_ts = session_ts_,
                        .iterator_v2 = plan_.iterator_v2};
    std::vector<const model::PrimaryKeys*> keys;
    std::vector<const model::RowBatch*> rows;
    for (const auto& reply : replies_) {
      keys.push_back(&reply.keys);
      rows.push_back(&reply.rows);
    }
    result.keys = rank::TakeKeys(keys, merged_.rows);
    result.keys.is_string = IsString(collection_->schema.primary()->type);
    for (auto at : merged_.rows) result.scores.push_back(ScoreAt(replies_, at));
    if (plan_.iterator_v2) FillIterator(result);
    rank::RoundScores(result.scores, plan_.round_decimal);
    result.columns =
        OutputColumns(collection_->schema, output_, rank::TakeRows(rows, merged_.rows));
    return result;
  }

  void FillIterator(SearchResult& result) const {
    result.iterator_token =
        plan_.iterator_token.empty() ? NewToken(backends_.clock.Next()) : plan_.iterator_token;
    if (!result.scores.empty()) {
      result.iterator_last_bound = result.scores.back();
    } else {
      const float best = std::numeric_limits<float>::max();
      result.iterator_last_bound =
          plan_.iterator_last.value_or(ScoreAscendsWithNearness(plan_.metric) ? best : -best);
    }
  }

  const Backends& backends_;
  const service::CallContext& call_;
  const service::SearchCall& search_;
  service::CollectionPtr collection_;
  SearchPlan plan_;
  OutputPlan output_;
  TimeForm time_form_;
  SearchRequest request_;
  std::vector<SearchReply> replies_;
  std::vector<size_t> without_vector_;  ///< queries by key whose row has a null vector, ascending
  rank::MergedLists merged_;
  model::Timestamp session_ts_ = 0;
};

}  // namespace

Result<SearchResult> SearchPath::Run(const service::CallContext& call,
                                     const service::SearchCall& search) const {
  return Search(backends_, call, search).Run();
}

}  // namespace elanus::proxy
