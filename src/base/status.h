// Status and Result: how every error travels. A Status carries Milvus' error code and text, so that
// the gateway copies it to the wire unchanged; codes are the contract's (public table of Milvus
// error codes). Holds: code kOk has no message. Called by everyone; no exception leaves a room that
// wraps a library.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace elanus {

/// Milvus' error codes, the ones Elanus uses. Values are on the wire: never renumber.
enum class Code : int32_t {
  kOk = 0,
  kNotReady = 1,
  kUnavailable = 2,
  kMemoryLimit = 3,
  kQueueFull = 4,
  kInternal = 5,
  kDiskLimit = 7,
  kRateLimit = 8,
  kQuotaExceeded = 9,
  kUnimplemented = 10,
  kResourceInsufficient = 12,
  kCollectionNotFound = 100,
  kCollectionNotLoaded = 101,
  kCollectionNumLimit = 102,
  kCollectionNotFullyLoaded = 103,
  kCollectionLoaded = 104,
  kIllegalSchema = 105,
  kSchemaMismatch = 109,
  kPartitionNotFound = 200,
  kPartitionNotLoaded = 201,
  kGeneralCapacity = 250,
  kResourceGroupNotFound = 300,
  kReplicaNotFound = 400,
  kChannelNotFound = 500,
  kSegmentNotFound = 600,
  kIndexNotFound = 700,
  kIndexNotSupported = 701,
  kIndexDuplicate = 702,
  kDatabaseNotFound = 800,
  kDatabaseNumLimit = 801,
  kDatabaseInvalidName = 802,
  kKeyNotFound = 1000,
  kIoFailed = 1001,
  kUnexpectedEof = 1002,
  kDataIntegrity = 1009,
  kInvalidParameter = 1100,
  kMissingParameter = 1101,
  kParameterTooLarge = 1102,
  kNotAuthenticated = 1400,
  kPrivilegeNotPermitted = 1401,
  kAliasNotFound = 1600,
  kAliasCollectionNameConflict = 1601,
  kAliasAlreadyExist = 1602,
  kFieldNotFound = 1700,
  kFieldInvalidName = 1701,
  kSegcore = 2000,
  kQueryPlan = 2201,
  kUnsupported = 3000,
  kCanceled = 10000,
  kTimeout = 10001,
  kUnexpected = 65535,
};

/// The base text that Milvus gives a code, for example "collection not found" for
/// kCollectionNotFound.
std::string_view CodeText(Code code);

/// True for errors that a later try of the same call may not meet.
bool CodeRetriable(Code code);

/// True when the caller's request is at fault (Milvus: is_input_error).
bool CodeInputError(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status Ok() { return {}; }

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  bool retriable() const { return CodeRetriable(code_) && !CodeInputError(code_); }

  /// The same error with `context: ` before its text.
  Status Wrap(std::string_view context) const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

template <class T>
using Result = std::expected<T, Status>;

/// An error to return from a function whose result is Result<T>.
inline std::unexpected<Status> Error(Code code, std::string message) {
  return std::unexpected(Status(code, std::move(message)));
}
inline std::unexpected<Status> Error(Status status) { return std::unexpected(std::move(status)); }

/// `message: invalid parameter`, Milvus' shape of a refused request (code 1100).
Status InvalidParameter(std::string_view message);

/// `message: invalid parameter[expected=E][actual=A]` (code 1100).
Status InvalidParameter(std::string_view message, std::string_view expected,
                        std::string_view actual);

/// The status of a Result: ok when it holds a value.
template <class T>
Status StatusOf(const Result<T>& result) {
  return result.has_value() ? Status::Ok() : result.error();
}

}  // namespace elanus

#define ELANUS_CONCAT_INNER(a, b) a##b
#define ELANUS_CONCAT(a, b) ELANUS_CONCAT_INNER(a, b)

/// Returns the error of a Status expression from a function that returns Status or Result.
#define RETURN_IF_ERROR(expression)                              \
  do {                                                           \
    if (auto status_ = (expression); !status_.ok()) [[unlikely]] \
      return ::elanus::StatusReturn(std::move(status_));         \
  } while (false)

/// `ASSIGN_OR_RETURN(auto x, F())`: the value of a Result, or its error returned.
#define ASSIGN_OR_RETURN(declaration, expression)                                       \
  auto ELANUS_CONCAT(result_, __LINE__) = (expression);                                 \
  if (!ELANUS_CONCAT(result_, __LINE__).has_value()) [[unlikely]]                       \
    return ::elanus::StatusReturn(std::move(ELANUS_CONCAT(result_, __LINE__)).error()); \
  declaration = *std::move(ELANUS_CONCAT(result_, __LINE__))

namespace elanus {

/// Converts to Status and to any Result<T>: what the macros above return.
class StatusReturn {
 public:
  explicit StatusReturn(Status status) : status_(std::move(status)) {}
  operator Status() && { return std::move(status_); }  // NOLINT(google-explicit-constructor)
  template <class T>
  operator std::expected<T, Status>() && {  // NOLINT(google-explicit-constructor)
    return std::unexpected(std::move(status_));
  }

 private:
  Status status_;
};

}  // namespace elanus
