// Which properties may a collection, a field or an index have? Errors carry Milvus' codes and
// texts. Pure functions of a description and a request. Called by plan_collection, plan_alter and
// plan_index.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/collection.h"
#include "service/ddl.h"

namespace elanus::coordinator {

inline constexpr std::string_view kDynamicKey = "dynamicfield.enabled";
inline constexpr std::string_view kTimezoneKey = "timezone";
inline constexpr std::string_view kDefaultTimezone = "UTC";

/// Values that no collection of this schema may have, new or altered.
Status CheckCollectionProperties(const model::CollectionSchema& schema,
                                 const model::KeyValues& properties);

/// What a request may not change in this very collection; its values are checked too.
Status CheckAlterCollection(const model::CollectionInfo& old,
                            const service::AlterCollection& request);

/// `warmup` of a field or an index, when given, is disable, sync or async.
Status CheckWarmup(const model::KeyValues& params);

/// A change of one type parameter of a field.
Status CheckFieldProperty(const model::CollectionInfo& old, const model::FieldSchema& field,
                          const model::KeyValue& property);
Status CheckFieldDeleteKey(const std::string& key);

/// A parameter of an index that may be changed or taken away, and a new value of it.
Status CheckIndexKey(std::string_view key);
Status CheckIndexProperty(const model::KeyValue& property);

}  // namespace elanus::coordinator
