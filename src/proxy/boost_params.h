// The boost functions of a FunctionScore: filters with weights that change scores where the rows
// lie. Errors carry Milvus' texts. Pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "base/status.h"
#include "expr/boost.h"
#include "model/collection.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// Whether the function says `reranker: boost`.
bool IsBoost(const service::RerankFunction& function);

/// What is left of a score without its boost functions; nullopt when that is nothing.
std::optional<service::FunctionScore> WithoutBoosts(const service::FunctionScore& score);

/// The boost functions of a score; nullopt when it has none.
/// \param time_zone  of times told without an offset
Result<std::optional<expr::Boost>> PlanBoost(const model::CollectionInfo& collection,
                                             const service::FunctionScore& score,
                                             const expr::Templates& templates,
                                             std::string_view time_zone);

}  // namespace elanus::proxy
