// Objects as shared buffers in memory: the form for unit tests and simulation.
#include <fmt/core.h>

#include <map>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "storage/object/object_store.h"

namespace elanus::storage {
namespace {

using Buffer = std::shared_ptr<const std::string>;

class MemoryObjectStore final : public ObjectStore {
 public:
  Status Put(const std::string& name, std::string_view bytes) override {
    ASSIGN_OR_RETURN(auto writer, Create(name));
    RETURN_IF_ERROR(writer->Append(bytes));
    return writer->Finish();
  }

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& name) override {
    RETURN_IF_ERROR(CheckObjectName(name));
    MutexLock lock(mutex_);
    if (objects_.contains(name) || !writing_.insert(name).second) {
      return Error(Code::kIoFailed, fmt::format("object {} exists already", name));
    }
    return std::make_unique<Writer>(*this, name);
  }

  Result<std::string> Get(const std::string& name) override {
    ASSIGN_OR_RETURN(Buffer buffer, Find(name));
    return *buffer;
  }

  Result<std::string> GetRange(const std::string& name, ByteRange range) override {
    ASSIGN_OR_RETURN(Buffer buffer, Find(name));
    if (range.offset > buffer->size() || range.size > buffer->size() - range.offset) {
      return Error(Code::kUnexpectedEof,
                   fmt::format("object {} has {} bytes, wanted {} from {}", name, buffer->size(),
                               range.size, range.offset));
    }
    return buffer->substr(range.offset, range.size);
  }

  Result<std::shared_ptr<const MappedObject>> Map(const std::string& name) override {
    ASSIGN_OR_RETURN(Buffer buffer, Find(name));
    return std::make_shared<const MappedObject>(
        MappedObject{std::as_bytes(std::span(buffer->data(), buffer->size())), buffer});
  }

  Status Delete(const std::string& name) override {
    RETURN_IF_ERROR(CheckObjectName(name));
    MutexLock lock(mutex_);
    objects_.erase(name);
    return Status::Ok();
  }

  Result<std::vector<std::string>> List(const ObjectListing& listing) override {
    MutexLock lock(mutex_);
    std::vector<std::string> names;
    auto it = listing.after < listing.prefix ? objects_.lower_bound(listing.prefix)
                                             : objects_.upper_bound(listing.after);
    for (; it != objects_.end() && names.size() < listing.limit; ++it) {
      if (!it->first.starts_with(listing.prefix)) break;
      names.push_back(it->first);
    }
    return names;
  }

  Result<uint64_t> Size(const std::string& name) override {
    ASSIGN_OR_RETURN(Buffer buffer, Find(name));
    return buffer->size();
  }

 private:
  class Writer final : public ObjectWriter {
   public:
    Writer(MemoryObjectStore& store, std::string name) : store_(store), name_(std::move(name)) {}
    ~Writer() override {
      MutexLock lock(store_.mutex_);
      store_.writing_.erase(name_);
    }
    Status Append(std::string_view bytes) override {
      bytes_ += bytes;
      return Status::Ok();
    }
    Status Finish() override {
      MutexLock lock(store_.mutex_);
      store_.objects_[name_] = std::make_shared<const std::string>(std::move(bytes_));
      return Status::Ok();
    }

   private:
    MemoryObjectStore& store_;
    const std::string name_;
    std::string bytes_;
  };

  Result<Buffer> Find(const std::string& name) {
    RETURN_IF_ERROR(CheckObjectName(name));
    MutexLock lock(mutex_);
    auto it = objects_.find(name);
    if (it == objects_.end()) {
      return Error(Code::kKeyNotFound, fmt::format("object {} does not exist", name));
    }
    return it->second;
  }

  Mutex mutex_;
  std::map<std::string, Buffer> objects_ GUARDED_BY(mutex_);
  std::set<std::string> writing_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<ObjectStore> NewMemoryObjectStore() {
  return std::make_unique<MemoryObjectStore>();
}

}  // namespace elanus::storage
