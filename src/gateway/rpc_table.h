// Every RPC of the public contract in one table: its name, what kind of work it is, what privilege
// it asks, where its reply keeps the status, and which handler serves it.
// Holds: all RPCs of api/proto are listed once; one without a handler answers gRPC UNIMPLEMENTED
// with its own name. README's table of what works is printed from here (rpc_page.h).
// Called by gateway.h (to dispatch) and rpc_page.h (to print).
#pragma once

#include <memory>
#include <span>
#include <string_view>

namespace elanus::gateway {

class Call;
struct Services;
using CallPtr = std::unique_ptr<Call>;
using Handler = void (*)(const Services& services, CallPtr call);

/// Decides which pool runs a call, and which limits apply to it.
enum class RpcKind { kAdmin, kDdl, kDml, kDql };
std::string_view RpcKindName(RpcKind kind);

struct RpcInfo {
  std::string_view service;  ///< with its package
  std::string_view name;
  RpcKind kind;
  int status_field;            ///< see status_wire.h
  std::string_view object;     ///< "Collection", "Global", "User"; empty = login is enough
  std::string_view privilege;  ///< as the API names it, for example "Insert"
  Handler handler;             ///< null: not served

  bool works() const { return handler != nullptr; }
};

std::span<const RpcInfo> RpcTable();

/// The row of "/package.Service/Method"; null when there is none.
const RpcInfo* FindRpc(std::string_view path);
/// The row of a method of MilvusService, which must exist.
const RpcInfo& MilvusRpc(std::string_view name);

}  // namespace elanus::gateway
