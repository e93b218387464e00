// What of Milvus' contract is served, as Markdown, out of the RPC table.
// Called by `elanus rpcs`; README's table is this text (tools/check printed holds them equal).
#pragma once

#include <string>

namespace elanus::gateway {

/// A table with one row for each subject that has a served RPC, then a line that names the subjects
/// that have none.
std::string RpcPage();

}  // namespace elanus::gateway
