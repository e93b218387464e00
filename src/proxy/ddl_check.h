// A DDL request before it goes to the coordinator: names, schema, index parameters. Errors carry
// Milvus' codes and texts. Called by CatalogFrontend. Threads: any.
#pragma once

#include "base/status.h"
#include "service/call.h"
#include "service/coordinator.h"
#include "service/ddl.h"

namespace elanus::proxy {

/// Checks a request, puts the call's database where none was named, and normalizes what the user
/// may write in several ways.
Status CheckDdl(const service::Coordinator& coordinator, const service::CallContext& call,
                service::DdlRequest& request);

}  // namespace elanus::proxy
