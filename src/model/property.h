// Properties that a user gives a collection, a field or an index as texts, where more than one room
// reads them. Pure; called by coordinator and worker.
#pragma once

#include <string_view>

namespace elanus::model {

/// Whether rows or indexes stay in their mapped files; of a field in either spelling.
inline constexpr std::string_view kMmapKey = "mmap.enabled";
inline constexpr std::string_view kFieldMmapKey = "mmap_enabled";

/// Whether a switch is on: every text that clients write for it.
inline bool IsTrue(std::string_view text) {
  return text == "true" || text == "True" || text == "1";
}

}  // namespace elanus::model
