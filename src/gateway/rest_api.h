// Milvus' REST v2 over the same chain as gRPC: a route names the RPC it stands for, and so its
// pool, metrics and privilege.
// Holds: HTTP 200 with {"code":0,"data":…} or {"code":N,"message":…}; only an unknown route (404),
// a passed deadline (408) and a body too large (413) use HTTP's own codes.
// Called by http_server's thread; the routes run on the gateway's pools.
#pragma once

#include "gateway/gateway.h"
#include "gateway/http_server.h"

namespace elanus::gateway {

/// Answers one request of the public port.
void HandleRest(Gateway& gateway, HttpRequest request, HttpServer::Respond respond);

}  // namespace elanus::gateway
