#include "proxy/hybrid_path.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "proxy/ann_search.h"
#include "proxy/boost_params.h"
#include "proxy/isolation.h"
#include "proxy/limits.h"
#include "proxy/list_params.h"
#include "proxy/namespaces.h"
#include "proxy/rank_params.h"
#include "proxy/read_scope.h"
#include "proxy/search_path.h"
#include "proxy/value_text.h"
#include "rank/score.h"

namespace elanus::proxy {

namespace {

/// One hybrid search while it runs.
class HybridSearch {
 public:
  HybridSearch(const Backends& backends, const service::CallContext& call,
               const service::HybridSearchCall& search)
      : backends_(backends), call_(call), search_(search) {}

  Result<service::SearchResult> Run() {
    ASSIGN_OR_RETURN(collection_,
                     backends_.coordinator.FindCollection(call_.database, search_.collection));
    RETURN_IF_ERROR(CheckSearches());
    ASSIGN_OR_RETURN(plan_, PlanRank(collection_->schema, search_));
    ASSIGN_OR_RETURN(output_,
                     PlanOutput(collection_->schema, search_.output_fields, ReadKind::kSearch));
    ASSIGN_OR_RETURN(time_form_, TimeFormOf(*collection_, search_.rank_params));
    ASSIGN_OR_RETURN(const auto named,
                     PartitionsOfRead(*collection_, search_.name_space, search_.partitions));
    ASSIGN_OR_RETURN(const auto partitions, NamedPartitions(*collection_, named));
    ASSIGN_OR_RETURN(const auto read,
                     ReadPointNow(backends_, *collection_, search_.consistency, false));
    std::vector<AnnInput> inputs;
    for (const service::SearchCall& part : search_.searches) {
      ASSIGN_OR_RETURN(AnnInput input, PlanPart(part));
      input.partitions = partitions;
      input.read = read;
      if (Status status = ReadableFor(input, input.partitions); !status.ok()) {
        return Error(status.Wrap("failed to search"));
      }
      inputs.push_back(std::move(input));
    }
    std::vector<const SearchPlan*> plans;
    for (const AnnInput& input : inputs) plans.push_back(&input.plan);
    ASSIGN_OR_RETURN(by_element_, CheckListParts(collection_->schema, plan_.group, plans));
    for (size_t i = 0; i < inputs.size(); ++i) {
      auto found = RunAnnSearch(backends_, call_.cancel, search_.searches[i], inputs[i]);
      if (!found.has_value()) return Error(found.error().Wrap("failed to search"));
      const SearchPlan& plan = inputs[i].plan;
      if (plan.by_element && !by_element_) *found = Collapsed(*found, plan);
      found_.push_back(*std::move(found));
      metrics_.push_back(plan.metric);
    }
    service::SearchResult result = Finish();
    RETURN_IF_ERROR(TellAsText(time_form_, result.columns));
    RETURN_IF_ERROR(TellAsText(time_form_, result.group_values));
    return result;
  }

 private:
  Status CheckSearches() const {
    if (search_.searches.size() > kHybridSearchesMax) {
      return InvalidParameter(
          fmt::format("maximum of ann search requests is {}", kHybridSearchesMax));
    }
    const int64_t nq = search_.searches.empty() ? 0 : search_.searches[0].nq;
    RETURN_IF_ERROR(CheckQueryCount(nq));
    for (const auto& part : search_.searches) {
      if (part.nq != nq) {
        return InvalidParameter("sub search request nq should be the same", std::to_string(nq),
                                std::to_string(part.nq));
      }
    }
    return Status::Ok();
  }

  Result<AnnInput> PlanPart(const service::SearchCall& part) const {
    AnnInput input{.collection = collection_,
                   .name_space = search_.name_space,
                   .output_fields = output_.fields};
    if (part.aggregation) {
      return Error(InvalidParameter("search_aggregation is not supported in hybrid_search"));
    }
    service::SearchCall own{.params = part.params, .nq = part.nq, .vector_type = part.vector_type};
    if (model::FindValue(own.params, "topk") == nullptr) {
      own.params.emplace_back("topk", std::to_string(plan_.limit + plan_.offset));
    }
    ASSIGN_OR_RETURN(input.plan, PlanSearch(*collection_, own));
    if (input.plan.iterator_v2) {
      return Error(InvalidParameter("search iterator v2 is not supported for hybrid search"));
    }
    if (!input.plan.order.empty()) {
      return Error(InvalidParameter("order_by is not supported for hybrid search"));
    }
    // A part has no page of its own: the pages are those of the fused list.
    input.plan.offset = 0;
    input.plan.round_decimal = -1;
    input.plan.group = plan_.group;
    if (plan_.score.decay) input.plan.values.push_back(plan_.score.input);
    ASSIGN_OR_RETURN(const Params params, Params::Open(part.params));
    ASSIGN_OR_RETURN(input.plan.element_scope, ElementScopeOf(params, input.plan));
    if (plan_.group) {
      RETURN_IF_ERROR(CheckGroupedSearch(*input.plan.field, params, input.plan.iterator));
    }
    ASSIGN_OR_RETURN(input.filter,
                     BindFilter(*collection_, part.filter, part.templates, time_form_.zone));
    RETURN_IF_ERROR(KeepToNamespace(*collection_, search_.name_space, input.filter));
    RETURN_IF_ERROR(CheckIsolation(*collection_, input.filter));
    if (part.function_score) {
      ASSIGN_OR_RETURN(input.boost, PlanBoost(*collection_, *part.function_score, part.templates,
                                              time_form_.zone));
      RETURN_IF_ERROR(CheckBoosted(input));
    }
    RETURN_IF_ERROR(CheckElements(input));
    return input;
  }

  /// Rankings of rows from one of elements.
  static AnnResult Collapsed(const AnnResult& found, const SearchPlan& plan) {
    rank::CollapsedLists rows = rank::CollapseElements(
        {.counts = found.counts, .keys = &found.keys, .scores = found.scores}, plan.metric,
        plan.element_scope.value_or(rank::Collapse{}));
    const std::array keys = {&found.keys};
    const std::array fields = {&found.rows};
    const std::array values = {&found.values};
    AnnResult out{.counts = std::move(rows.counts),
                  .keys = rank::TakeKeys(keys, rows.rows),
                  .scores = std::move(rows.scores),
                  .rows = rank::TakeRows(fields, rows.rows),
                  .values = rank::TakeRows(values, rows.rows),
                  .read_at = found.read_at};
    out.keys.is_string = found.keys.is_string;
    return out;
  }

  rank::FusedLists FuseFound() const {
    std::vector<rank::Ranking> rankings;
    std::vector<const model::RowBatch*> values;
    std::vector<std::vector<float>> factors;
    for (size_t i = 0; i < found_.size(); ++i) {
      rankings.push_back({.lists = {.counts = found_[i].counts,
                                    .keys = &found_[i].keys,
                                    .scores = found_[i].scores,
                                    .elements = found_[i].elements},
                          .metric = metrics_[i]});
      values.push_back(&found_[i].values);
      // The input of a decay is the last of the values.
      if (plan_.score.decay) {
        factors.push_back(plan_.score.decay->At(found_[i].values.columns.back()));
      }
    }
    for (size_t i = 0; i < factors.size(); ++i) rankings[i].factors = factors[i];
    const rank::FusedLists fused = rank::Fuse(rankings, plan_.score.fusion);
    const rank::Slice page{.offset = plan_.offset, .limit = plan_.limit};
    if (!plan_.group) return rank::Cut(fused, page);
    return rank::GroupFused(fused,
                            {.values = values,
                             .columns = plan_.group->values.size(),
                             .size = plan_.group->size,
                             .groups = page},
                            plan_.group_scorer);
  }

  service::SearchResult Finish() {
    rank::FusedLists fused = FuseFound();
    service::SearchResult result{.collection = collection_,
                                 .counts = std::move(fused.counts),
                                 .scores = std::move(fused.scores),
                                 .output_fields = output_.names};
    std::vector<const model::PrimaryKeys*> keys;
    std::vector<const model::RowBatch*> rows;
    std::vector<const model::RowBatch*> values;
    for (const AnnResult& found : found_) {
      keys.push_back(&found.keys);
      rows.push_back(&found.rows);
      values.push_back(&found.values);
      result.session_ts = std::max(result.session_ts, found.read_at);
    }
    for (const rank::SourceRow at : fused.rows) {
      if (by_element_) result.elements.push_back(found_[at.source].elements[at.row]);
    }
    result.keys = rank::TakeKeys(keys, fused.rows);
    result.keys.is_string = IsString(collection_->schema.primary()->type);
    rank::RoundScores(result.scores, plan_.round_decimal);
    result.columns = OutputColumns(collection_->schema, output_, rank::TakeRows(rows, fused.rows));
    if (plan_.group) {
      model::RowBatch taken = rank::TakeRows(values, fused.rows);
      result.group_values = GroupValueColumns(collection_->schema, *plan_.group, taken);
    }
    return result;
  }

  const Backends& backends_;
  const service::CallContext& call_;
  const service::HybridSearchCall& search_;
  service::CollectionPtr collection_;
  RankPlan plan_;
  OutputPlan output_;
  TimeForm time_form_;
  bool by_element_ = false;       // the hits are elements of one struct array
  std::vector<AnnResult> found_;  // one a search
  std::vector<model::Metric> metrics_;
};

}  // namespace

Result<service::SearchResult> HybridPath::Run(const service::CallContext& call,
                                              const service::HybridSearchCall& search) const {
  return HybridSearch(backends_, call, search).Run();
}

}  // namespace elanus::proxy
