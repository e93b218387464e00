// How regular expressions of filters are compiled: by RE2, in time linear in the text they look at,
// with memory by their length. Called by the binder, which counts that memory, and by query, which
// runs them. Threads: any.
#pragma once

#include <memory>
#include <string>

#include <re2/re2.h>

namespace elanus::expr {

/// Never null; whether it is one says its ok(). What it takes at most, with what it keeps of texts
/// it has seen, says its options().max_mem().
std::shared_ptr<const RE2> CompileRegex(const std::string& pattern);

}  // namespace elanus::expr
