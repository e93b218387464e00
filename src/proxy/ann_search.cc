#include "proxy/ann_search.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "proxy/namespaces.h"
#include "proxy/shard_calls.h"
#include "rank/group.h"
#include "rank/merge.h"

namespace elanus::proxy {

namespace {

using service::SearchReply;
using service::SearchRequest;

class AnnSearch {
 public:
  AnnSearch(const Backends& backends, const Cancel& cancel, const service::SearchCall& search,
            const AnnInput& input)
      : backends_(backends), cancel_(cancel), search_(search), input_(input), plan_(input.plan) {}

  Result<AnnResult> Run() {
    FillRequest();
    if (search_.ids.has_value()) {
      RETURN_IF_ERROR(FetchVectors());
    } else {
      ASSIGN_OR_RETURN(QueryVectors vectors, TakeQueryVectors(*plan_.field, search_));
      request_.vectors = std::move(vectors.bytes);
      request_.vector_offsets = std::move(vectors.offsets);
    }
    if (request_.nq != 0) RETURN_IF_ERROR(AskShards());
    if (MayMissMembers()) RETURN_IF_ERROR(AskForGroups());
    Merge();
    return Gather();
  }

 private:
  void FillRequest() {
    request_.collection = input_.collection->id;
    request_.partitions = input_.partitions;
    request_.filter = input_.filter;
    request_.boost = input_.boost;
    request_.field = plan_.field->id;
    request_.metric = plan_.metric;
    request_.nq = search_.nq;
    request_.by_element = plan_.by_element;
    request_.top_k = plan_.limit + plan_.offset;
    request_.params = plan_.params;
    request_.output_fields = input_.output_fields;
    request_.ignore_growing = plan_.ignore_growing;
    request_.explain = plan_.explain;
    request_.read = input_.read;
    if (plan_.group.has_value()) {
      request_.values = plan_.group->values;
      request_.group = {.columns = static_cast<int64_t>(plan_.group->values.size()),
                        .size = plan_.group->size,
                        .strict = plan_.group->strict};
    }
    std::ranges::copy(plan_.order.values, std::back_inserter(request_.values));
    std::ranges::copy(plan_.values, std::back_inserter(request_.values));
  }

  Asked Shards() const {
    return {.backends = backends_,
            .collection = *input_.collection,
            .cancel = cancel_,
            .only = ShardOfNamespace(*input_.collection, input_.name_space)};
  }
  Status AskShards() {
    ASSIGN_OR_RETURN(replies_, SearchAll(Shards(), request_));
    return Status::Ok();
  }

  /// A shard looks for its own nearest groups: what it has of a group that is near in other shards
  /// only, it has not told.
  bool MayMissMembers() const {
    return plan_.group.has_value() && plan_.group->strict && plan_.group->size > 1 &&
           replies_.size() > 1;
  }

  /// Asks every shard again for the groups that are the nearest of all.
  Status AskForGroups() {
    const auto values = Batches(&SearchReply::values);
    const auto queries = rank::MergeGrouped(
        Lists(), plan_.metric,
        {.values = values, .columns = GroupColumns(), .groups = {.limit = request_.top_k}});
    std::set<std::string> keys;
    for (const auto& groups : queries) {
      for (const auto& group : groups) {
        const rank::SourceRow at = group.front();
        std::string key;
        rank::GroupKeyOf(*values[at.source], GroupColumns(), at.row, key);
        keys.insert(std::move(key));
      }
    }
    if (keys.empty()) return Status::Ok();
    request_.group.only.assign(keys.begin(), keys.end());
    return AskShards();
  }

  Status FetchVectors() {
    const model::PrimaryKeys& ids = *search_.ids;
    const model::FieldSchema& primary = *input_.collection->schema.primary();
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
    service::QueryRequest query{.collection = input_.collection->id,
                                .partitions = input_.partitions,
                                .keys = ids,
                                .output_fields = {plan_.field->id},
                                .read = input_.read};
    const model::FieldSchema* namespaces = input_.collection->schema.namespaces();
    if (namespaces != nullptr) query.output_fields.push_back(namespaces->id);
    ASSIGN_OR_RETURN(auto found, QueryKeys(Shards(), query));
    std::vector<std::pair<const model::Column*, size_t>> at(ids.size());
    for (const auto& reply : found) {
      const model::Column* column = reply.rows.Find(plan_.field->id);
      const model::Column* names = namespaces ? reply.rows.Find(namespaces->id) : nullptr;
      for (size_t row = 0; column != nullptr && row < reply.keys.size(); ++row) {
        if (names != nullptr && names->StringAt(row) != input_.name_space) continue;
        auto id = wanted.find(reply.keys.At(row));
        if (id == wanted.end()) continue;
        at[id->second] = {column, row};
        wanted.erase(id);
      }
    }
    UseVectors(at);
    if (wanted.empty()) return Status::Ok();
    std::vector<std::string> missing;
    for (const auto& [key, at] : wanted) missing.push_back(model::PrimaryKeyText(key));
    return InvalidParameter(
        fmt::format("some of the provided primary key IDs do not exist: missing IDs = [{}]",
                    fmt::join(missing, " ")));
  }

  /// A row without a vector (null) is a query without hits: it is left out, and put back by Counts.
  void UseVectors(const std::vector<std::pair<const model::Column*, size_t>>& at) {
    model::Column vectors =
        model::MakeColumn(plan_.field->id, plan_.field->type, plan_.field->dim());
    for (const auto& [column, row] : at) {
      if (column == nullptr) continue;
      has_vector_.push_back(!column->IsNull(row));
      if (has_vector_.back()) vectors.AppendFrom(*column, row);
    }
    request_.nq = static_cast<int64_t>(vectors.rows);
    request_.vectors = vectors.IsFixed() ? std::move(vectors.fixed) : std::move(vectors.bytes);
    request_.vector_offsets = std::move(vectors.offsets);
  }
  std::vector<int64_t> Counts() const {
    if (has_vector_.empty()) return merged_.counts;
    std::vector<int64_t> counts;
    for (size_t query = 0, next = 0; query < has_vector_.size(); ++query) {
      counts.push_back(has_vector_[query] ? merged_.counts[next++] : 0);
    }
    return counts;
  }

  std::vector<rank::ScoredLists> Lists() const {
    std::vector<rank::ScoredLists> lists;
    for (const auto& reply : replies_) {
      lists.push_back({.counts = reply.counts,
                       .keys = &reply.keys,
                       .scores = reply.scores,
                       .elements = reply.elements});
    }
    return lists;
  }
  std::vector<const model::RowBatch*> Batches(model::RowBatch SearchReply::* which) const {
    std::vector<const model::RowBatch*> batches;
    for (const auto& reply : replies_) batches.push_back(&(reply.*which));
    return batches;
  }
  float ScoreAt(rank::SourceRow at) const { return replies_[at.source].scores[at.row]; }

  /// An order chooses among the nearest limit + offset hits (or groups), and pages through them in
  /// its own order.
  void Merge() {
    const rank::Slice page{.offset = plan_.offset, .limit = plan_.limit};
    const rank::Slice nearest{.limit = plan_.offset + plan_.limit};
    const auto values = Batches(&SearchReply::values);
    const rank::RowOrder order(plan_.order.directions, GroupColumns(), values);
    if (plan_.group.has_value()) {
      auto queries = rank::MergeGrouped(Lists(), plan_.metric,
                                        {.values = values,
                                         .columns = GroupColumns(),
                                         .size = plan_.group->size,
                                         .groups = plan_.order.empty() ? page : nearest});
      if (!plan_.order.empty()) {
        for (auto& groups : queries) rank::SortGroups(groups, order, page);
      }
      merged_ = rank::Flatten(queries);
    } else if (!plan_.order.empty()) {
      merged_ = rank::MergeScored(Lists(), plan_.metric, nearest);
      rank::SortLists(merged_, order, page);
    } else {
      merged_ = rank::MergeScored(Lists(), plan_.metric, page);
      if (plan_.iterator_v2) EndBetweenScores();
    }
  }

  size_t GroupColumns() const { return plan_.group.has_value() ? plan_.group->values.size() : 0; }

  /// The next page begins strictly beyond this page's last score, so a page holds all hits of a
  /// score or none: those that tie across its end wait for the next page, unless they are all there
  /// is. The shards' lists are whole in this sense.
  void EndBetweenScores() {
    const auto limit = static_cast<size_t>(plan_.limit);
    if (merged_.rows.size() < limit) return;
    merged_ = rank::MergeScored(Lists(), plan_.metric, {});
    if (merged_.rows.size() > limit) {
      const float cut = ScoreAt(merged_.rows[limit]);
      size_t end = limit;
      while (end > 0 && ScoreAt(merged_.rows[end - 1]) == cut) --end;
      const bool ties_only = end == 0;
      while (ties_only && end < merged_.rows.size() && ScoreAt(merged_.rows[end]) == cut) ++end;
      merged_.rows.resize(end);
    }
    merged_.counts = {static_cast<int64_t>(merged_.rows.size())};
  }

  AnnResult Gather() {
    AnnResult result{.counts = Counts()};
    std::vector<const model::PrimaryKeys*> keys;
    for (const auto& reply : replies_) {
      keys.push_back(&reply.keys);
      result.read_at = std::max(result.read_at, reply.read_at);
      if (plan_.explain) result.plans.push_back(reply.plan);
    }
    result.keys = rank::TakeKeys(keys, merged_.rows);
    result.keys.is_string = IsString(input_.collection->schema.primary()->type);
    for (auto at : merged_.rows) result.scores.push_back(ScoreAt(at));
    for (auto at : merged_.rows) {
      if (plan_.by_element) result.elements.push_back(replies_[at.source].elements[at.row]);
    }
    result.rows = rank::TakeRows(Batches(&SearchReply::rows), merged_.rows);
    result.values = rank::TakeRows(Batches(&SearchReply::values), merged_.rows);
    return result;
  }

  const Backends& backends_;
  const Cancel& cancel_;
  const service::SearchCall& search_;
  const AnnInput& input_;
  const SearchPlan& plan_;
  SearchRequest request_;
  std::vector<bool> has_vector_;  // of a search by ids: a query each
  std::vector<SearchReply> replies_;
  rank::MergedLists merged_;
};

}  // namespace

Result<AnnResult> RunAnnSearch(const Backends& backends, const Cancel& cancel,
                               const service::SearchCall& search, const AnnInput& input) {
  return AnnSearch(backends, cancel, search, input).Run();
}

}  // namespace elanus::proxy
