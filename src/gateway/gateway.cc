#include "gateway/gateway.h"

#include <charconv>
#include <exception>
#include <utility>

#include "base/log.h"
#include "gateway/base64.h"
#include "gateway/status_wire.h"

namespace elanus::gateway {

struct Gateway::RpcMetrics {
  Counter& ok;
  Counter& failed;
  Histogram& latency;
};

namespace {

int64_t ParseIdentifier(std::string_view text) {
  int64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  return id;
}

Status QueueFull(std::string_view why) {
  return {Code::kQueueFull, std::string(why) + ": too many concurrent requests, queue is full"};
}

}  // namespace

std::string UserOfAuthorization(std::string_view authorization) {
  auto token = DecodeBase64(authorization);
  if (!token) return {};
  size_t colon = token->find(':');
  return colon == std::string::npos ? std::string() : token->substr(0, colon);
}

Gateway::Gateway(GatewayOptions options, Services services, MetricRegistry& metrics)
    : options_(std::move(options)),
      services_(std::move(services)),
      refused_(metrics.AddCounter("elanus_requests_refused_total",
                                  "Requests refused because a queue or the memory for requests "
                                  "was full.")),
      control_(std::make_unique<Executor>(ExecutorOptions{.name = "control",
                                                          .threads = options_.control_threads,
                                                          .queue_max = options_.queue_max})),
      data_(std::make_unique<Executor>(ExecutorOptions{
          .name = "data", .threads = options_.data_threads, .queue_max = options_.queue_max})) {
  for (const RpcInfo& rpc : RpcTable()) {
    if (!rpc.works()) {
      rpc_metrics_.push_back(nullptr);
      continue;
    }
    std::string name(rpc.name);
    static constexpr std::string_view kRequests = "elanus_requests_total";
    static constexpr std::string_view kRequestsHelp = "Requests answered, by RPC and outcome.";
    rpc_metrics_.push_back(std::make_unique<RpcMetrics>(RpcMetrics{
        metrics.AddCounter(kRequests, kRequestsHelp, {{"rpc", name}, {"outcome", "ok"}}),
        metrics.AddCounter(kRequests, kRequestsHelp, {{"rpc", name}, {"outcome", "error"}}),
        metrics.AddHistogram("elanus_request_seconds",
                             "Time from a request's arrival to its reply, by RPC.",
                             {{"rpc", name}})}));
  }
}

Gateway::~Gateway() {
  data_.reset();
  control_.reset();
  // What is left are writes whose answer is still on its way from the owner of the shard.
  MutexLock lock(mutex_);
  while (calls_.load() != 0) idle_.Wait(mutex_);
}

void Gateway::Start(const RpcInfo& rpc, std::shared_ptr<Transport> transport,
                    const CallHeaders& headers, Cancel cancel) {
  Start(rpc, std::move(transport), headers, std::move(cancel), rpc.handler);
}

void Gateway::Start(const RpcInfo& rpc, std::shared_ptr<Transport> transport,
                    const CallHeaders& headers, Cancel cancel,
                    std::move_only_function<void(const Services&, CallPtr)> handler) {
  service::CallContext context;
  if (!headers.database.empty()) context.database = headers.database;
  context.user = UserOfAuthorization(headers.authorization);
  context.request_id = headers.request_id;
  context.cancel = std::move(cancel);
  auto call = std::make_unique<Call>(
      rpc, std::move(transport), std::move(context), SystemClock().MonotonicUs(),
      [this](const Call& done, const CallRecord& record) { OnReply(done, record); });
  call->client_id = ParseIdentifier(headers.identifier);
  calls_.fetch_add(1);

  const size_t bytes = call->request_bytes();
  const size_t before = bytes_in_flight_.fetch_add(bytes);
  // A single request larger than the bound still passes when it is alone.
  if (before != 0 && before + bytes > options_.request_bytes_max) {
    refused_.Add();
    return call->Fail(QueueFull("too many request bytes in flight"));
  }
  const bool data = rpc.kind == RpcKind::kDml || rpc.kind == RpcKind::kDql;
  Executor& pool = data ? *data_ : *control_;
  // The call lives outside the task, so that a full queue can still answer it.
  auto held = std::make_shared<CallPtr>(std::move(call));
  if (!pool.TrySubmit([this, held, handler = std::move(handler)]() mutable {
        Run(std::move(*held), handler);
      })) {
    refused_.Add();
    (*held)->Fail(QueueFull("too many calls wait"));
  }
}

void Gateway::Run(CallPtr call, std::move_only_function<void(const Services&, CallPtr)>& handler) {
  if (Status status = call->context().cancel.Check(); !status.ok()) return call->Fail(status);
  const RpcInfo& rpc = call->rpc();
  try {
    handler(services_, std::move(call));
  } catch (const std::exception& e) {
    // The call was destroyed on the way here, which answered it.
    LogError("exception in a handler rpc={} what={}", rpc.name, e.what());
  } catch (...) {
    LogError("exception in a handler rpc={}", rpc.name);
  }
}

void Gateway::OnReply(const Call& call, const CallRecord& record) {
  bytes_in_flight_.fetch_sub(record.request_bytes);
  if (auto& metrics = rpc_metrics_[record.rpc - RpcTable().data()]; metrics != nullptr) {
    (record.code == Code::kOk ? metrics->ok : metrics->failed).Add();
    metrics->latency.Observe(record.latency_us);
  }
  if (options_.access_log) options_.access_log(call, record);
  // Under the lock: the destructor must not end between the count and the wake.
  MutexLock lock(mutex_);
  if (calls_.fetch_sub(1) == 1) idle_.NotifyAll();
}

}  // namespace elanus::gateway
