#include "model/expiry.h"

#include <charconv>
#include <string>

namespace elanus::model {

Expiry ExpiryOf(const CollectionInfo& collection, Timestamp at) {
  Expiry expiry;
  if (const std::string* name = FindValue(collection.properties, "ttl_field")) {
    const FieldSchema* field = collection.schema.FindField(*name);
    if (field == nullptr || field->type != DataType::kTimestamptz) return expiry;
    expiry.field = field->id;
    expiry.micros = TimestampMs(at) * 1000;
    return expiry;
  }
  const std::string* text = FindValue(collection.properties, "collection.ttl.seconds");
  int64_t seconds = 0;
  if (text == nullptr ||
      std::from_chars(text->data(), text->data() + text->size(), seconds).ec != std::errc() ||
      seconds <= 0) {
    return expiry;
  }
  const Timestamp span = TimestampFromMs(seconds * 1000);
  if (at > span) expiry.inserted = at - span;
  return expiry;
}

}  // namespace elanus::model
