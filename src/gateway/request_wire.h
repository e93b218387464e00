// The requests that carry rows and vectors, decoded from gRPC's pieces straight into service
// values: Insert, Upsert, Delete, Search, HybridSearch, Query. Vectors are copied once, from the
// network buffer to their column. Holds: malformed bytes give kInvalidParameter; what is well
// formed but wrong (unknown field, wrong dimension) is the proxy's to refuse. Called by
// handle_data. Threads: any.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "service/frontend.h"

namespace elanus::gateway {

using Pieces = std::span<const std::string_view>;

struct MutationRequest {
  std::string database;  ///< empty: the connection's
  service::MutationCall call;
};
struct DeleteRequest {
  std::string database;
  service::DeleteCall call;
};
struct SearchRequest {
  std::string database;
  service::SearchCall call;
};
struct HybridSearchRequest {
  std::string database;
  service::HybridSearchCall call;
};
struct QueryRequest {
  std::string database;
  service::QueryCall call;
};

Result<MutationRequest> ReadMutation(Pieces bytes, service::MutationKind kind);
Result<DeleteRequest> ReadDelete(Pieces bytes);
Result<SearchRequest> ReadSearch(Pieces bytes);
Result<HybridSearchRequest> ReadHybridSearch(Pieces bytes);
Result<QueryRequest> ReadQuery(Pieces bytes);

}  // namespace elanus::gateway
