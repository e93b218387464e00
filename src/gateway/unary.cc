#include "gateway/unary.h"

namespace elanus::gateway {

void FillStatus(const Status& status, pb::common::Status& out) {
  if (status.ok()) return;
  const std::string reason = StatusReason(status);
  out.set_error_code(static_cast<pb::common::ErrorCode>(LegacyErrorCode(status.code())));
  out.set_code(static_cast<int32_t>(status.code()));
  out.set_reason(reason);
  out.set_detail(reason);
  out.set_retriable(status.retriable());
  if (CodeInputError(status.code())) (*out.mutable_extra_info())["is_input_error"] = "true";
}

}  // namespace elanus::gateway
