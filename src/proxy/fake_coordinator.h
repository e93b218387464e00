// A Coordinator for tests of the proxy: collections by name in the default database, requests kept.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/coordinator.h"

namespace elanus::proxy {

class FakeCoordinator final : public service::Coordinator {
 public:
  std::map<std::string, service::CollectionPtr> collections;
  std::vector<service::DdlRequest> executed;
  int64_t next_id = 1'000;

  Status Execute(const service::DdlRequest& request) override {
    executed.push_back(request);
    return Status::Ok();
  }
  Result<service::CollectionPtr> FindCollection(const std::string& database,
                                                const std::string& name) const override {
    auto found = collections.find(name);
    if (found != collections.end()) return found->second;
    return Error(Code::kCollectionNotFound,
                 "collection not found[database=" + database + "][collection=" + name + "]");
  }
  Result<service::CollectionPtr> FindCollection(CollectionId id) const override {
    for (const auto& [name, info] : collections) {
      if (info->id == id) return info;
    }
    return Error(Code::kCollectionNotFound, "collection not found");
  }
  Result<std::vector<service::CollectionPtr>> ListCollections(const std::string&) const override {
    std::vector<service::CollectionPtr> list;
    for (const auto& [name, info] : collections) list.push_back(info);
    return list;
  }
  std::vector<model::DatabaseInfo> ListDatabases() const override { return {}; }
  Result<model::DatabaseInfo> FindDatabase(const std::string& name) const override {
    return model::DatabaseInfo{.name = name};
  }
  Result<int64_t> AllocateIds(int64_t count) override {
    const int64_t first = next_id;
    next_id += count;
    return first;
  }
};

}  // namespace elanus::proxy
