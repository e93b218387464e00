// The door to immutable files: segments, delete runs, manifests, index files.
// Holds: a name is written once and then never changes; once Put or Finish returned ok, bytes and
// name survive a power loss; before that a reader finds nothing under the name, never a part.
// Names look like "shard/12/segment/uuid.seg": parts of [A-Za-z0-9._-] between slashes, no part
// begins with a dot or ends in ".tmp"; anything else is refused with kInvalidParameter.
// Called by format/, worker/ and coordinator/. Threads: safe from any; an ObjectWriter belongs to
// one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"

namespace elanus::storage {

/// An object's bytes in memory, readable while it is held, also after Delete.
using MappedObject = MappedFile;

struct ByteRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct ObjectListing {
  std::string prefix;
  std::string after;  ///< only names behind this one: the last name of the page before
  size_t limit = 1000;
};

/// A large object on its way. Destroyed before Finish: the object never was.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status Append(std::string_view bytes) = 0;
  /// Durable and visible when ok. Called once.
  virtual Status Finish() = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Errors: kIoFailed when the name exists or is being written, kDiskLimit.
  virtual Status Put(const std::string& name, std::string_view bytes) = 0;
  virtual Result<std::unique_ptr<ObjectWriter>> Create(const std::string& name) = 0;
  /// Errors here and below: kKeyNotFound when there is no such object.
  virtual Result<std::string> Get(const std::string& name) = 0;
  /// Exactly the range; kUnexpectedEof when the object ends before it.
  virtual Result<std::string> GetRange(const std::string& name, ByteRange range) = 0;
  virtual Result<std::shared_ptr<const MappedObject>> Map(const std::string& name) = 0;
  /// Durable when ok; ok too when there is no such object.
  virtual Status Delete(const std::string& name) = 0;
  /// A page of names in byte order; shorter than the limit only at the end.
  virtual Result<std::vector<std::string>> List(const ObjectListing& listing) = 0;
  virtual Result<uint64_t> Size(const std::string& name) = 0;
};

/// ok when `name` may name an object.
Status CheckObjectName(std::string_view name);

std::unique_ptr<ObjectStore> NewMemoryObjectStore();

/// Files below `root`, which is created. Removes what writers that died have left behind; nobody
/// else may use the folder meanwhile (the server's lock sees to it).
Result<std::unique_ptr<ObjectStore>> OpenDirectoryObjectStore(FileSystem& files, std::string root);

}  // namespace elanus::storage
