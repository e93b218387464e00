// An ObjectStore whose calls fail as a FaultPlan says. Operations: put, create, append, finish, get
// (Get, GetRange, Map, Size), delete, list.
#pragma once

#include <memory>
#include <utility>

#include "storage/fault_plan.h"
#include "storage/object/object_store.h"

namespace elanus::storage {

class FaultyObjectStore final : public ObjectStore {
 public:
  explicit FaultyObjectStore(ObjectStore& inner) : inner_(inner) {}

  FaultPlan& faults() { return faults_; }

  Status Put(const std::string& name, std::string_view bytes) override {
    return faults_.Run("put", [&] { return inner_.Put(name, bytes); });
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& name) override {
    return faults_.Run("create", [&]() -> Result<std::unique_ptr<ObjectWriter>> {
      ASSIGN_OR_RETURN(auto writer, inner_.Create(name));
      return std::make_unique<Writer>(faults_, std::move(writer));
    });
  }
  Result<std::string> Get(const std::string& name) override {
    return faults_.Run("get", [&] { return inner_.Get(name); });
  }
  Result<std::string> GetRange(const std::string& name, ByteRange range) override {
    return faults_.Run("get", [&] { return inner_.GetRange(name, range); });
  }
  Result<std::shared_ptr<const MappedObject>> Map(const std::string& name) override {
    return faults_.Run("get", [&] { return inner_.Map(name); });
  }
  Status Delete(const std::string& name) override {
    return faults_.Run("delete", [&] { return inner_.Delete(name); });
  }
  Result<std::vector<std::string>> List(const ObjectListing& listing) override {
    return faults_.Run("list", [&] { return inner_.List(listing); });
  }
  Result<uint64_t> Size(const std::string& name) override {
    return faults_.Run("get", [&] { return inner_.Size(name); });
  }

 private:
  class Writer final : public ObjectWriter {
   public:
    Writer(FaultPlan& faults, std::unique_ptr<ObjectWriter> inner)
        : faults_(faults), inner_(std::move(inner)) {}
    Status Append(std::string_view bytes) override {
      return faults_.Run("append", [&] { return inner_->Append(bytes); });
    }
    Status Finish() override {
      return faults_.Run("finish", [&] { return inner_->Finish(); });
    }

   private:
    FaultPlan& faults_;
    const std::unique_ptr<ObjectWriter> inner_;
  };

  ObjectStore& inner_;
  FaultPlan faults_;
};

}  // namespace elanus::storage
