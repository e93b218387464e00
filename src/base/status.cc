#include "base/status.h"

#include <cstdio>
#include <cstdlib>

#include "base/check.h"

namespace elanus {

void CheckFailed(const char* file, int line, const char* text) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, text);
  std::fflush(stderr);
  std::abort();
}

std::string_view CodeText(Code code) {
  switch (code) {
    case Code::kOk: return "";
    case Code::kNotReady: return "service not ready";
    case Code::kUnavailable: return "service unavailable";
    case Code::kMemoryLimit: return "memory limit exceeded";
    case Code::kQueueFull: return "too many concurrent requests, queue is full";
    case Code::kInternal: return "service internal error";
    case Code::kDiskLimit: return "disk limit exceeded";
    case Code::kRateLimit: return "rate limit exceeded";
    case Code::kQuotaExceeded: return "quota exceeded";
    case Code::kUnimplemented: return "service unimplemented";
    case Code::kResourceInsufficient: return "service resource insufficient";
    case Code::kCollectionNotFound: return "collection not found";
    case Code::kCollectionNotLoaded: return "collection not loaded";
    case Code::kCollectionNumLimit: return "exceeded the limit number of collections";
    case Code::kCollectionNotFullyLoaded: return "collection not fully loaded";
    case Code::kCollectionLoaded: return "collection already loaded";
    case Code::kIllegalSchema: return "illegal collection schema";
    case Code::kSchemaMismatch: return "collection schema mismatch";
    case Code::kPartitionNotFound: return "partition not found";
    case Code::kPartitionNotLoaded: return "partition not loaded";
    case Code::kGeneralCapacity: return "general capacity exceeded";
    case Code::kResourceGroupNotFound: return "resource group not found";
    case Code::kReplicaNotFound: return "replica not found";
    case Code::kChannelNotFound: return "channel not found";
    case Code::kSegmentNotFound: return "segment not found";
    case Code::kIndexNotFound: return "index not found";
    case Code::kIndexNotSupported: return "index type not supported";
    case Code::kIndexDuplicate: return "index duplicates";
    case Code::kDatabaseNotFound: return "database not found";
    case Code::kDatabaseNumLimit: return "exceeded the limit number of database";
    case Code::kDatabaseInvalidName: return "invalid database name";
    case Code::kKeyNotFound: return "key not found";
    case Code::kIoFailed: return "IO failed";
    case Code::kUnexpectedEof: return "unexpected EOF";
    case Code::kDataIntegrity: return "data integrity check failed";
    case Code::kInvalidParameter: return "invalid parameter";
    case Code::kMissingParameter: return "missing parameter";
    case Code::kParameterTooLarge: return "parameter too large";
    case Code::kNotAuthenticated: return "not authenticated";
    case Code::kPrivilegeNotPermitted: return "privilege not permitted";
    case Code::kAliasNotFound: return "alias not found";
    case Code::kAliasCollectionNameConflict: return "alias and collection name conflict";
    case Code::kAliasAlreadyExist: return "alias already exist";
    case Code::kFieldNotFound: return "field not found";
    case Code::kFieldInvalidName: return "field name invalid";
    case Code::kSegcore: return "segcore error";
    case Code::kQueryPlan: return "query plan failed";
    case Code::kUnsupported: return "unsupported operation";
    case Code::kCanceled: return "canceled";
    case Code::kTimeout: return "timeout";
    case Code::kUnexpected: return "unexpected error";
  }
  return "unexpected error";
}

bool CodeRetriable(Code code) {
  switch (code) {
    case Code::kNotReady:
    case Code::kUnavailable:
    case Code::kQueueFull:
    case Code::kRateLimit:
    case Code::kResourceInsufficient:
    case Code::kCollectionNotFullyLoaded:
    case Code::kUnexpectedEof: return true;
    default: return false;
  }
}

bool CodeInputError(Code code) {
  switch (code) {
    case Code::kCollectionNotFound:
    case Code::kCollectionNumLimit:
    case Code::kCollectionLoaded:
    case Code::kIllegalSchema:
    case Code::kSchemaMismatch:
    case Code::kPartitionNotFound:
    case Code::kResourceGroupNotFound:
    case Code::kIndexDuplicate:
    case Code::kDatabaseNotFound:
    case Code::kDatabaseNumLimit:
    case Code::kDatabaseInvalidName:
    case Code::kInvalidParameter:
    case Code::kMissingParameter:
    case Code::kParameterTooLarge:
    case Code::kNotAuthenticated:
    case Code::kPrivilegeNotPermitted:
    case Code::kAliasNotFound:
    case Code::kFieldNotFound:
    case Code::kQueryPlan: return true;
    default: return false;
  }
}

Status Status::Wrap(std::string_view context) const {
  if (ok()) return *this;
  return {code_, std::string(context) + ": " + message_};
}

Status InvalidParameter(std::string_view message) {
  return {Code::kInvalidParameter, std::string(message) + ": invalid parameter"};
}

Status InvalidParameter(std::string_view message, std::string_view expected,
                        std::string_view actual) {
  std::string text(message);
  if (!text.empty()) text += ": ";
  text += "invalid parameter[expected=";
  text += expected;
  text += "][actual=";
  text += actual;
  text += "]";
  return {Code::kInvalidParameter, std::move(text)};
}

}  // namespace elanus
