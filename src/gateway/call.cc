#include "gateway/call.h"

#include <utility>

#include "base/clock.h"
#include "gateway/status_wire.h"

namespace elanus::gateway {

std::string Transport::EncodeError(const RpcInfo& rpc, const Status& status) {
  return StatusReply(status, rpc.status_field);
}

Call::Call(const RpcInfo& rpc, std::shared_ptr<Transport> transport, service::CallContext context,
           int64_t started_us, OnReply on_reply)
    : rpc_(rpc),
      transport_(std::move(transport)),
      context_(std::move(context)),
      started_us_(started_us),
      on_reply_(std::move(on_reply)) {
  for (std::string_view piece : transport_->request()) request_bytes_ += piece.size();
}

Call::~Call() {
  if (!replied_) Fail(Status(Code::kInternal, "the call was dropped: service internal error"));
}

std::string_view Call::ContiguousRequest(std::string& storage) const {
  auto pieces = request();
  if (pieces.empty()) return {};
  if (pieces.size() == 1) return pieces.front();
  storage.clear();
  storage.reserve(request_bytes_);
  for (std::string_view piece : pieces) storage.append(piece);
  return storage;
}

void Call::Reply(Code outcome, std::string bytes) {
  if (std::exchange(replied_, true)) return;
  CallRecord record{.rpc = &rpc_, .code = outcome, .request_bytes = request_bytes_};
  record.latency_us = static_cast<uint64_t>(SystemClock().MonotonicUs() - started_us_);
  record.reply_bytes = bytes.size();
  if (on_reply_) on_reply_(*this, record);
  transport_->Send(std::move(bytes));
}

void Call::Fail(const Status& status) {
  Reply(status.code(), transport_->EncodeError(rpc_, status));
}

}  // namespace elanus::gateway
