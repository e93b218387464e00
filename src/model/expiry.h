// Which rows of a collection have outlived their time: by its age, or by a time that each row
// names. Called by worker (reads, merges). Pure functions.
#pragma once

#include <cstdint>

#include "model/collection.h"

namespace elanus::model {

/// At one moment; rows that it counts stay counted at every later one.
struct Expiry {
  Timestamp inserted = 0;  ///< rows inserted at or before it are over; 0: none for their age
  FieldId field;           ///< a TIMESTAMPTZ field whose values are compared; 0: none
  int64_t micros = 0;      ///< rows whose value is at or before it are over; null never

  bool none() const { return inserted == 0 && field.value == 0; }
};

/// By the properties `collection.ttl.seconds` and `ttl_field`.
Expiry ExpiryOf(const CollectionInfo& collection, Timestamp at);

}  // namespace elanus::model
