// Which texts may name an object: relative, no part that a file system or a temporary name could
// mean otherwise.
#include <fmt/core.h>

#include <algorithm>

#include "storage/object/object_store.h"

namespace elanus::storage {
namespace {

bool NameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool GoodPart(std::string_view part) {
  return !part.empty() && part.size() <= 200 && part[0] != '.' && !part.ends_with(".tmp") &&
         std::ranges::all_of(part, NameByte);
}

}  // namespace

Status CheckObjectName(std::string_view name) {
  std::string_view rest = name;
  bool good = name.size() <= 1000;
  while (good) {
    const size_t slash = rest.find('/');
    good = GoodPart(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return good ? Status::Ok() : InvalidParameter(fmt::format("bad object name \"{}\"", name));
}

}  // namespace elanus::storage
