// What a search over a struct's vectors may ask for besides them: by lists or by element, alone or
// as a part of a hybrid search. Errors carry Milvus' texts. Pure functions; called by the search
// paths.
#pragma once

#include <optional>
#include <span>

#include "base/status.h"
#include "proxy/search_params.h"

namespace elanus::proxy {

/// The `element_scope` of a hybrid search's part: `{"collapse": {"strategy": S, "topk": N}}`;
/// nullopt when it is not given. Errors: a strategy that is none, a number where none belongs, sums
/// of distances, a part that is not by element.
Result<std::optional<rank::Collapse>> ElementScopeOf(const Params& params, const SearchPlan& plan);

/// A search of its own: lists have no ranges and no groups, elements only groups by primary key.
Status CheckListSearch(const model::CollectionSchema& schema, const SearchPlan& plan);

/// The parts of a hybrid search together.
/// \return whether the answer's hits are elements: when all parts are by element of one struct
/// array; else the elements of each part become rows before they are fused
Result<bool> CheckListParts(const model::CollectionSchema& schema,
                            const std::optional<GroupPlan>& group,
                            std::span<const SearchPlan* const> parts);

}  // namespace elanus::proxy
