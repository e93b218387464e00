// Sets for bloom_match and roaring_match as clients send them. A body alone gets the header that
// fits it, so that what is inside is reached too. What is accepted has as many members as it says,
// and the same after its byte form.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/codec.h"
#include "expr/bloom_members.h"
#include "expr/members_build.h"
#include "expr/roaring_members.h"

namespace elanus::expr {
namespace {

/// Numbers that the bytes themselves are, and their like.
template <class Visit>
void ForEachNumber(std::string_view bytes, Visit visit) {
  for (const int64_t v : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{65535}, INT64_MAX}) visit(v);
  for (size_t i = 0; i + sizeof(int64_t) <= bytes.size() && i < 512; ++i) {
    int64_t value = 0;
    std::memcpy(&value, bytes.data() + i, sizeof(value));
    visit(value);
    visit(value & 0xffff);
    visit(value & 0xffffffffff);
  }
}

void FeedBloom(std::string_view bytes) {
  const auto set = BloomMembers::Open(std::make_shared<const std::string>(bytes));
  if (!set) return;
  const auto again = DecodeBytes<BloomMembers>(EncodeBytes(**set), "set");
  ELANUS_CHECK(again.has_value() && again->ok());
  ForEachNumber(bytes, [&](int64_t v) { ELANUS_CHECK((*set)->Has(v) == again->Has(v)); });
  ELANUS_CHECK((*set)->Has(bytes) == again->Has(bytes));
}

void FeedRoaring(std::string_view bytes) {
  const auto set = RoaringMembers::Open(std::make_shared<const std::string>(bytes));
  if (!set) return;
  const auto again = DecodeBytes<RoaringMembers>(EncodeBytes(**set), "set");
  ELANUS_CHECK(again.has_value() && again->ok() && again->size() == (*set)->size());
  ForEachNumber(bytes, [&](int64_t v) {
    ELANUS_CHECK((*set)->Has(v) == again->Has(v));
    ELANUS_CHECK((*set)->size() != 0 || !(*set)->Has(v));
  });
}

}  // namespace
}  // namespace elanus::expr

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace elanus::expr;  // NOLINT(google-build-using-namespace)
  if (size < 3) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  uint16_t members = 0;
  std::memcpy(&members, data + 1, sizeof(members));
  switch (data[0] % 3) {
    case 0: FeedBloom(rest); break;
    case 1: FeedRoaring(rest); break;
    default: FeedRoaring(RoaringEnvelope(rest, members)); break;
  }
  return 0;
}
