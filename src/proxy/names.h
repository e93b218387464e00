// Which names a user may give. Errors carry Milvus' codes and texts. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace elanus::proxy {

/// `Invalid collection name: X. …: invalid parameter`.
Status CheckCollectionName(std::string_view name);
/// The same with "collection alias".
Status CheckAliasName(std::string_view alias);
/// kFieldInvalidName; keywords of the filter language are refused.
Status CheckFieldName(std::string_view name);
/// Names that the server has for itself.
bool IsSystemFieldName(std::string_view name);
/// kDatabaseInvalidName.
Status CheckDatabaseName(std::string_view name);
/// The name has been trimmed. Digits may begin it, `-` may be inside.
Status CheckPartitionName(std::string_view name);
Status CheckIndexName(std::string_view name);

/// Without blanks at both ends.
std::string_view Trim(std::string_view text);

/// The parts between the separators that stand outside [brackets] and quotes; at least one.
std::vector<std::string> SplitOutsideBrackets(std::string_view text, char separator);

}  // namespace elanus::proxy
