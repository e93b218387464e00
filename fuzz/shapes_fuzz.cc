// Two shapes from outside compared by every relation there is: texts, as users send them, and bytes
// that claim to be a shape. Whatever comes in, an answer or none comes out, and relations that
// mirror each other agree.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "model/geometry.h"
#include "query/geos.h"

namespace elanus::query {
namespace {

using Op = expr::GeometryCompare::Op;

void Compare(std::string_view a, std::string_view b) {
  const auto left = GeosShape::Read(a);
  const auto right = GeosShape::Read(b);
  if (left == nullptr || right == nullptr) return;
  for (const Op op : {Op::kEquals, Op::kTouches, Op::kOverlaps, Op::kCrosses, Op::kContains,
                      Op::kIntersects, Op::kWithin}) {
    (void)left->Holds(op, b);
    (void)right->Holds(op, a);
  }
  (void)left->DistanceTo(b);
  (void)left->IsValid(b);
  // "b within a" and "a contains b" are one question asked of either side.
  const auto valid_a = left->IsValid(a);
  const auto valid_b = left->IsValid(b);
  if (!valid_a.value_or(false) || !valid_b.value_or(false)) return;
  const auto within = left->Holds(Op::kWithin, b);
  const auto contains = right->Holds(Op::kContains, a);
  if (within && contains) ELANUS_CHECK(*within == *contains);
}

void FeedTexts(std::string_view text) {
  const size_t cut = text.find('\n');
  if (cut == std::string_view::npos) return;
  const auto a = model::WkbFromWkt(text.substr(0, cut));
  const auto b = model::WkbFromWkt(text.substr(cut + 1));
  if (a && b) Compare(*a, *b);
}

void FeedBytes(std::string_view bytes) {
  const auto text = model::WktFromWkb(bytes);
  const auto shape = GeosShape::Read(bytes);
  if (shape != nullptr) (void)shape->IsValid(bytes);
  if (!text) return;
  // Bytes that we can tell are a shape that GEOS reads, and compares with itself.
  const auto again = model::WkbFromWkt(*text);
  if (again) Compare(*again, bytes);
}

}  // namespace
}  // namespace elanus::query

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    elanus::query::FeedTexts(bytes);
  } else {
    elanus::query::FeedBytes(bytes);
  }
  return 0;
}
