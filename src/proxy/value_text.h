// Fields that clients see as text and the server keeps in another form: TIMESTAMPTZ (ISO 8601, in
// microseconds) and GEOMETRY (WKT, in WKB). Called by the row checks on the way in and by the query
// and search paths on the way out. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/collection.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// The zone of times without one: the collection's property, else UTC.
std::string TimeZoneOf(const model::CollectionInfo& collection);

/// Text values of a TIMESTAMPTZ or GEOMETRY field become what the server keeps; other columns stay
/// as they are. Errors carry Milvus' texts.
Status ReadText(const model::FieldSchema& field, std::string_view time_zone, model::Column& column);

/// How one request wants times told.
struct TimeForm {
  std::string zone = "UTC";
  std::vector<std::string> parts;  ///< not empty: arrays of these numbers instead of text
};

/// The parameters `timezone` and `time_fields` of a query or search.
/// Errors: kInvalidParameter for a zone or a part that there is not.
Result<TimeForm> TimeFormOf(const model::CollectionInfo& collection,
                            const model::KeyValues& params);

/// Times and shapes become text (or arrays of parts) in place.
/// Errors: kDataIntegrity for a stored geometry that is none.
Status TellAsText(const TimeForm& form, std::vector<service::OutputColumn>& columns);

}  // namespace elanus::proxy
