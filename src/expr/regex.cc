#include "expr/regex.h"

#include <algorithm>

namespace elanus::expr {
namespace {

constexpr size_t kMost = 8 << 20;

std::shared_ptr<const RE2> Compile(const std::string& pattern, size_t bytes) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(static_cast<int64_t>(bytes));
  return std::make_shared<const RE2>(pattern, options);
}

}  // namespace

std::shared_ptr<const RE2> CompileRegex(const std::string& pattern) {
  // Enough for what is about as long as it looks, and for thousands of states of its automaton.
  constexpr size_t kLeast = 512 << 10;
  constexpr size_t kPerByte = 512;
  const size_t bytes = std::min(kMost, kLeast + kPerByte * pattern.size());
  auto compiled = Compile(pattern, bytes);
  // `.{1000}` is longer than it looks.
  if (compiled->error_code() == RE2::ErrorPatternTooLarge && bytes < kMost)
    compiled = Compile(pattern, kMost);
  return compiled;
}

}  // namespace elanus::expr
