// A bound filter as text again: canonical, for people (EXPLAIN, logs), with the names of a schema.
// Called by worker. Pure function.
#pragma once

#include <string>
#include <string_view>

#include "expr/node.h"
#include "model/schema.h"

namespace elanus::expr {

/// A comparison as Milvus' errors name it, such as `LessEqual`.
std::string_view OpName(CompareOp op);

/// Reads as the filter language does, each operator in its own parentheses. Long lists are cut:
/// `a in [1, 2, 3, ... 99997 more]`. Whatever the bytes were: a tree deeper than a parsed one can
/// be ends in `...`.
std::string TextOf(const Node& node, const model::CollectionSchema& schema);

}  // namespace elanus::expr
