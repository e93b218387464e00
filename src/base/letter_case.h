// Letters in one case, for names that are compared without regard to it. ASCII only, whatever the
// locale: names of the contract (index types, metrics, operators) have no other letters. Called by
// every room that reads such names. Threads: any.
#pragma once

#include <string>
#include <string_view>

namespace elanus {

inline std::string Upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

inline std::string Lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace elanus
