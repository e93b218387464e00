// Feeds any bytes to the decoder of one FieldData: columns of every type, the members of struct
// arrays among them. What it takes needs memory in proportion to what came, and comes back the
// same when it is written and read again.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "gateway/column_wire.h"

namespace elanus::gateway {
namespace {

constexpr size_t kMemoryOfByte = 64;

Status Read(std::string_view bytes, std::vector<service::UserColumn>& columns) {
  bool ok = true;
  RETURN_IF_ERROR(ReadColumns(WireReader({&bytes, 1}, &ok), columns));
  return ok ? Status::Ok() : InvalidParameter("damaged");
}

/// A null among dense vectors takes a whole one's room: that has a limit of its own.
size_t MemoryOf(const model::Column& column) {
  if (column.IsFixed() && model::IsVector(column.type) && !column.valid.empty()) return 0;
  return column.fixed.size() + column.bytes.size() + column.valid.size() +
         column.offsets.size() * sizeof(uint64_t);
}

/// As an answer has it: members are put together again.
service::OutputColumn Answer(const service::UserColumn& user) {
  service::OutputColumn out{.name = user.name,
                            .is_dynamic = user.is_dynamic,
                            .element_type = user.element_type,
                            .column = user.column};
  const size_t open = user.name.find('[');
  if (open != std::string::npos && open != 0 && user.name.ends_with(']')) {
    out.struct_name = user.name.substr(0, open);
    out.name = user.name.substr(open + 1, user.name.size() - open - 2);
  }
  return out;
}

void Feed(std::string_view bytes) {
  std::vector<service::UserColumn> columns;
  if (!Read(bytes, columns).ok()) return;
  size_t memory = 0;
  for (const auto& user : columns) memory += MemoryOf(user.column);
  ELANUS_CHECK(memory <= kMemoryOfByte * bytes.size() + 4096 * (columns.size() + 1));
  for (const auto& user : columns) {
    // Ragged vectors are the proxy's to refuse; nulls come back in another form than they went.
    if (!user.column.valid.empty() || !user.column.Validate().ok()) continue;
    const std::vector<service::OutputColumn> out = {Answer(user)};
    const std::string written = EncodeWire([&](auto& sink) { WriteColumns(sink, 1, out); });
    const std::string_view again = written;
    bool ok = true;
    WireReader message({&again, 1}, &ok);
    ELANUS_CHECK(message.Next() && message.field() == 1);
    std::vector<service::UserColumn> back;
    ELANUS_CHECK(ReadColumns(message.Message(), back).ok());
    ELANUS_CHECK(back.size() == 1);
    ELANUS_CHECK(back[0].column.rows == user.column.rows);
    ELANUS_CHECK(back[0].column.bytes == user.column.bytes);
    ELANUS_CHECK(back[0].column.fixed == user.column.fixed);
  }
}

}  // namespace
}  // namespace elanus::gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  elanus::gateway::Feed({reinterpret_cast<const char*>(data), size});
  return 0;
}
