// The proxy while the server is not ready: it is reachable, knows its default database, and answers
// everything else with code 1, which clients may try again.
// Called by main.cc until storage is open. Threads: any.
#pragma once

#include "service/frontend.h"

namespace elanus {

class StartingFrontend final : public service::FrontendCatalog, public service::FrontendData {
  using Context = service::CallContext;
  static Status NotReady() {
    return {Code::kNotReady, "the server is starting: service not ready"};
  }

 public:
  Status Ddl(const Context&, const service::DdlRequest&) override { return NotReady(); }
  Result<service::CollectionPtr> Describe(const Context&, const std::string&) override {
    return Error(NotReady());
  }
  Result<service::CollectionPtr> Describe(const Context&, CollectionId) override {
    return Error(NotReady());
  }
  Result<std::vector<service::CollectionPtr>> ListCollections(const Context&) override {
    return Error(NotReady());
  }
  std::vector<model::DatabaseInfo> ListDatabases() override {
    return {{DatabaseId{1}, std::string(model::kDefaultDatabase), {}, 0}};
  }
  Result<model::DatabaseInfo> DescribeDatabase(const std::string& name) override {
    if (name == model::kDefaultDatabase) return ListDatabases().front();
    return Error(NotReady());
  }
  Result<std::vector<std::pair<std::string, std::string>>> ListAliases(
      const Context&, const std::string&) override {
    return Error(NotReady());
  }
  Result<int64_t> RowCount(const Context&, const std::string&, const std::string&) override {
    return Error(NotReady());
  }
  Result<std::vector<service::SegmentStats>> Segments(const Context&, const std::string&) override {
    return Error(NotReady());
  }
  Result<std::vector<service::IndexDescription>> DescribeIndex(const Context&, const std::string&,
                                                               const std::string&,
                                                               const std::string&) override {
    return Error(NotReady());
  }
  Result<service::LoadStatus> LoadProgress(const Context&, const std::string&,
                                           const std::vector<std::string>&) override {
    return Error(NotReady());
  }
  model::Timestamp AllocTimestamp() override { return clock_.Next(); }

  void Mutate(const Context&, service::MutationCall, service::MutationDone done) override {
    done(Error(NotReady()));
  }
  void Delete(const Context&, service::DeleteCall, service::MutationDone done) override {
    done(Error(NotReady()));
  }
  Result<service::SearchResult> Search(const Context&, const service::SearchCall&) override {
    return Error(NotReady());
  }
  Result<service::QueryResult> Query(const Context&, const service::QueryCall&) override {
    return Error(NotReady());
  }
  Result<service::FlushResult> Flush(const Context&, const std::vector<std::string>&) override {
    return Error(NotReady());
  }

 private:
  model::HybridClock clock_{SystemClock()};
};

}  // namespace elanus
