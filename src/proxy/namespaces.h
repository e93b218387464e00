// Namespaces of a collection: a hidden partition key field that every row has one text in, or a
// partition each. A write says which, a read sees one. Errors carry Milvus' texts. Called by the
// paths that create, write and read. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "expr/filter.h"
#include "model/collection.h"
#include "service/ddl.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// Whether the collection is to have namespaces that a hidden field tells apart.
bool ByHiddenKey(const service::CreateCollection& request);

/// Which of the collection's shards has all rows of a namespace; nothing when rows are spread by
/// key, or no namespace is named.
std::optional<size_t> ShardOfNamespace(const model::CollectionInfo& collection,
                                       const std::optional<std::string>& name_space);

/// Gives a collection that is to have namespaces the field that tells them apart, and isolation of
/// its keys, unless they are to be partitions. One that is to have none loses the mode, which says
/// nothing of it. Errors: an unknown mode, another partition key, isolation that is turned off.
Status AddNamespaces(service::CreateCollection& request);

/// The partitions that a read which names these and a namespace is about. Errors: of a namespace
/// that is a partition, when another is named beside it.
Result<std::vector<std::string>> PartitionsOfRead(const model::CollectionInfo& collection,
                                                  const std::optional<std::string>& name_space,
                                                  const std::vector<std::string>& partitions);
/// The same of a write. \param partition  empty: none is named
Result<std::string> PartitionOfWrite(const model::CollectionInfo& collection,
                                     const std::optional<std::string>& name_space,
                                     const std::string& partition);

/// Keeps the filter's rows of one namespace, unless that is a partition. Errors: one is named of a
/// collection that has none, or none is named of one that has.
Status KeepToNamespace(const model::CollectionInfo& collection,
                       const std::optional<std::string>& name_space, expr::BoundFilter& filter);

/// Puts the rows of a write into the namespace it names, unless that is a partition. Errors: as
/// above; a column of namespaces that says otherwise.
Status FillNamespace(const model::CollectionInfo& collection, service::MutationCall& mutation);

}  // namespace elanus::proxy
