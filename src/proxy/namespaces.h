// Namespaces of a collection: a hidden partition key field that every row has one text in. A write
// says which, a read sees one. Errors carry Milvus' texts. Called by the paths that create, write
// and read. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "expr/filter.h"
#include "model/collection.h"
#include "service/ddl.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// Gives a collection that is to have namespaces the field that tells them apart, and isolation of
/// its keys. Errors: another partition key, isolation that is turned off.
Status AddNamespaces(service::CreateCollection& request);

/// Keeps the filter's rows of one namespace. Errors: one is named of a collection that has none, or
/// none is named of one that has.
Status KeepToNamespace(const model::CollectionInfo& collection,
                       const std::optional<std::string>& name_space, expr::BoundFilter& filter);

/// Puts the rows of a write into the namespace it names. Errors: as above; a column of namespaces
/// that says otherwise.
Status FillNamespace(const model::CollectionInfo& collection, service::MutationCall& mutation);

}  // namespace elanus::proxy
