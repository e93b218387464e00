// The replies that carry rows, written from service values straight to wire bytes.
// Called by handle_data. Threads: any.
#pragma once

#include <string>

#include "service/frontend.h"

namespace elanus::gateway {

/// milvus.SearchResults. A query without hits still has its zero in `topks`.
std::string WriteSearchResults(const service::SearchResult& result);
/// milvus.QueryResults
std::string WriteQueryResults(const service::QueryResult& result);

enum class Mutation { kInsert, kUpsert, kDelete };
/// milvus.MutationResult
std::string WriteMutationResult(const service::MutationReply& reply, Mutation mutation);

}  // namespace elanus::gateway
