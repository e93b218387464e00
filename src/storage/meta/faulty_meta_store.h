// A MetaStore whose calls fail as a FaultPlan says. Operations: get, range, commit.
#pragma once

#include "storage/fault_plan.h"
#include "storage/meta/meta_store.h"

namespace elanus::storage {

class FaultyMetaStore final : public MetaStore {
 public:
  explicit FaultyMetaStore(MetaStore& inner) : inner_(inner) {}

  FaultPlan& faults() { return faults_; }

  Result<std::optional<MetaEntry>> Get(const std::string& key) override {
    return faults_.Run("get", [&] { return inner_.Get(key); });
  }
  Result<std::vector<MetaEntry>> Range(const std::string& prefix) override {
    return faults_.Run("range", [&] { return inner_.Range(prefix); });
  }
  Result<MetaCommit> Commit(const MetaTxn& txn) override {
    return faults_.Run("commit", [&] { return inner_.Commit(txn); });
  }

 private:
  MetaStore& inner_;
  FaultPlan faults_;
};

}  // namespace elanus::storage
