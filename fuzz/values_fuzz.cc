// Feeds any bytes to the readers of single values: shapes as text and as bytes, times, durations,
// arrays, sparse vectors. What is accepted must survive the way there and back.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/array_value.h"
#include "model/geometry.h"
#include "model/timestamptz.h"
#include "model/vector_values.h"

namespace elanus::model {
namespace {

void FeedWkt(std::string_view text) {
  const auto bytes = WkbFromWkt(text);
  if (!bytes) return;
  const auto told = WktFromWkb(*bytes);
  ELANUS_CHECK(told.has_value());
  const auto again = WkbFromWkt(*told);
  ELANUS_CHECK(again.has_value());
  ELANUS_CHECK(WktFromWkb(*again).value_or("") == *told);
}

/// Who has a box has a text: both read the same forms.
void FeedWkb(std::string_view bytes) {
  const bool told = WktFromWkb(bytes).has_value();
  const auto box = BoxOfWkb(bytes);
  if (!box) return;
  ELANUS_CHECK(told && box->x_min <= box->x_max && box->y_min <= box->y_max);
}

void FeedTime(std::string_view text) {
  const auto micros = ParseTimestamptz(text, "UTC");
  if (!micros) return;
  ELANUS_CHECK(ParseTimestamptz(FormatTimestamptz(*micros, "UTC"), "UTC").value_or(0) == *micros);
}

void FeedInterval(std::string_view text) {
  const auto interval = ParseInterval(text);
  if (!interval) return;
  (void)AddInterval(0, *interval, 1);
  (void)AddInterval(-1, *interval, -1);
}

void FeedArray(std::string_view bytes) {
  const auto array = ArrayView::Open(bytes);
  if (!array) return;
  size_t total = 0;
  for (size_t i = 0; i < array->size(); ++i) total += array->At(i).size();
  ELANUS_CHECK(!array->StringsAreWhole() || total <= bytes.size());
}

}  // namespace
}  // namespace elanus::model

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace elanus::model;  // NOLINT(google-build-using-namespace)
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: FeedWkt(bytes); break;
    case 1: FeedWkb(bytes); break;
    case 2: FeedTime(bytes); break;
    case 3: FeedInterval(bytes); break;
    case 4: FeedArray(bytes); break;
    default:
      if (CheckSparse(bytes).ok()) ELANUS_CHECK(SparseDim(bytes) >= 0);
      break;
  }
  return 0;
}
