// The proxy's door for rows: writes, searches, queries, flush, compaction. What it does is in the
// paths; this class only names them. Called by gateway/. Threads: any.
#pragma once

#include "proxy/backends.h"
#include "proxy/compaction_path.h"
#include "proxy/hybrid_path.h"
#include "proxy/query_path.h"
#include "proxy/search_path.h"
#include "proxy/write_path.h"
#include "service/frontend.h"

namespace elanus::proxy {

class RowFrontend final : public service::FrontendData {
 public:
  RowFrontend(service::Coordinator& coordinator, service::ShardService& shards,
              model::HybridClock& clock, int64_t history_ms = 3'600'000)
      : RowFrontend(Backends{coordinator, shards, clock, history_ms}) {}
  explicit RowFrontend(const Backends& backends)
      : backends_(backends),
        writes_(backends_),
        searches_(backends_),
        hybrids_(backends_),
        queries_(backends_),
        compactions_(backends_) {}

  void Mutate(const service::CallContext& call, service::MutationCall mutation,
              service::MutationDone done) override {
    writes_.Mutate(call, std::move(mutation), std::move(done));
  }
  void Delete(const service::CallContext& call, service::DeleteCall deletion,
              service::MutationDone done) override {
    writes_.Delete(call, std::move(deletion), std::move(done));
  }
  Result<service::SearchResult> Search(const service::CallContext& call,
                                       const service::SearchCall& search) override {
    return searches_.Run(call, search);
  }
  Result<service::SearchResult> HybridSearch(const service::CallContext& call,
                                             const service::HybridSearchCall& search) override {
    return hybrids_.Run(call, search);
  }
  Result<service::QueryResult> Query(const service::CallContext& call,
                                     const service::QueryCall& query) override {
    return queries_.Run(call, query);
  }
  Result<service::FlushResult> Flush(const service::CallContext& call,
                                     const std::vector<std::string>& collections) override;
  Result<service::CompactReply> Compact(const service::CallContext& call,
                                        const service::CompactCall& compact) override {
    return compactions_.Run(call, compact);
  }
  Result<service::CompactionPlans> CompactionsOfJob(int64_t job) override {
    return compactions_.OfJob(job);
  }
  Result<service::CompactionPlans> CompactionsOf(const service::CallContext& call,
                                                 const std::string& collection) override {
    return compactions_.Of(call, collection);
  }

 private:
  const Backends backends_;
  WritePath writes_;
  SearchPath searches_;
  HybridPath hybrids_;
  QueryPath queries_;
  CompactionPath compactions_;
};

}  // namespace elanus::proxy
