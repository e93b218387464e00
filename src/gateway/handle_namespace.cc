// Namespaces that are partitions of their collection: made, listed, described, dropped, counted.
// Those kept by a key come and go with their rows and have no such calls, as in Milvus.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "gateway/handlers.h"
#include "gateway/schema_wire.h"
#include "gateway/services.h"
#include "gateway/unary.h"
#include "milvus.pb.h"
#include "service/namespaces.h"

namespace elanus::gateway::handle {
namespace {

constexpr int64_t kPageDefault = 100;
constexpr int64_t kPageMax = 1000;

Status NotFound(const std::string& name) {
  return {Code::kPartitionNotFound, fmt::format("namespace not found[namespace={}]", name)};
}

/// The collection, when it has namespaces that can be named by these calls.
Result<service::CollectionPtr> Collection(const Services& services, const Call& call,
                                          const std::string& name) {
  ASSIGN_OR_RETURN(auto info, services.catalog->Describe(call.context(), name));
  if (!service::NamespacesArePartitions(info->properties)) {
    return Error(InvalidParameter(
        "namespace APIs require collection with namespace enabled and namespace.mode=partition"));
  }
  return info;
}

bool IsNamespace(const model::PartitionInfo& partition) {
  return partition.name != model::kDefaultPartition;
}

/// \return nullptr when there is none; an error when the name can be nobody's
Result<const model::PartitionInfo*> Find(const Services& services, const Call& call,
                                         const model::CollectionInfo& info,
                                         const std::string& name) {
  RETURN_IF_ERROR(StatusOf(services.catalog->HasPartition(call.context(), info.name, name)));
  const model::PartitionInfo* partition = info.FindPartition(name);
  return partition == nullptr || !IsNamespace(*partition) ? nullptr : partition;
}

/// A namespace that is there; the error of one that is not.
struct Existing {
  service::CollectionPtr collection;
  const model::PartitionInfo* partition = nullptr;
};
template <class Request>
Result<Existing> FindExisting(const Services& services, const Call& call, const Request& request) {
  Existing existing;
  ASSIGN_OR_RETURN(existing.collection, Collection(services, call, request.collection_name()));
  ASSIGN_OR_RETURN(existing.partition,
                   Find(services, call, *existing.collection, request.namespace_name()));
  if (existing.partition == nullptr) return Error(NotFound(request.namespace_name()));
  return existing;
}

void Fill(const model::CollectionInfo& info, const model::PartitionInfo& partition,
          pb::milvus::NamespaceInfo& out) {
  out.set_collection_name(info.name);
  out.set_namespace_name(partition.name);
  out.set_created_timestamp(partition.created);
  out.set_created_utc_timestamp(static_cast<uint64_t>(model::TimestampMs(partition.created)));
  out.set_state("Ready");
}

/// Where a page begins: the token is the number of namespaces before it.
Result<size_t> PageStart(const std::string& token, size_t total) {
  if (token.empty()) return size_t{0};
  int64_t at = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), at);
  if (error != std::errc() || end != token.data() + token.size() || at < 0) {
    return Error(InvalidParameter(fmt::format("invalid namespace page token: \"{}\"", token)));
  }
  return std::min(static_cast<size_t>(at), total);
}

}  // namespace

void CreateNamespace(const Services& services, CallPtr call) {
  Unary<pb::milvus::CreateNamespaceRequest, pb::milvus::CreateNamespaceResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        const std::string& name = request.namespace_name();
        ASSIGN_OR_RETURN(auto info, Collection(services, current, request.collection_name()));
        RETURN_IF_ERROR(StatusOf(Find(services, current, *info, name)));
        if (info->FindPartition(name) != nullptr) {
          return InvalidParameter(fmt::format("namespace already exists[namespace={}]", name));
        }
        RETURN_IF_ERROR(services.catalog->Ddl(
            current.context(),
            service::CreatePartition{current.context().database, info->name, name}));
        ASSIGN_OR_RETURN(info, Collection(services, current, request.collection_name()));
        ASSIGN_OR_RETURN(const auto* made, Find(services, current, *info, name));
        if (made == nullptr) return NotFound(name);  // dropped meanwhile
        Fill(*info, *made, *reply.mutable_namespace_());
        return Status::Ok();
      });
}

void DescribeNamespace(const Services& services, CallPtr call) {
  Unary<pb::milvus::DescribeNamespaceRequest, pb::milvus::DescribeNamespaceResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(const Existing found, FindExisting(services, current, request));
        Fill(*found.collection, *found.partition, *reply.mutable_namespace_());
        return Status::Ok();
      });
}

void ListNamespaces(const Services& services, CallPtr call) {
  Unary<pb::milvus::ListNamespacesRequest, pb::milvus::ListNamespacesResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto info, Collection(services, current, request.collection_name()));
        std::vector<const model::PartitionInfo*> found;
        for (const model::PartitionInfo& partition : info->partitions) {
          if (IsNamespace(partition) && partition.name.starts_with(request.prefix()))
            found.push_back(&partition);
        }
        std::ranges::sort(found, {}, [](const auto* partition) { return partition->name; });
        ASSIGN_OR_RETURN(const size_t start, PageStart(request.page_token(), found.size()));
        if (request.page_size() < 0)
          return InvalidParameter("namespace page size must be non-negative");
        const int64_t size =
            request.page_size() == 0 ? kPageDefault : std::min(request.page_size(), kPageMax);
        const size_t end = std::min(found.size(), start + static_cast<size_t>(size));
        for (size_t i = start; i < end; ++i) Fill(*info, *found[i], *reply.add_namespaces());
        if (end < found.size()) reply.set_next_page_token(std::to_string(end));
        return Status::Ok();
      });
}

void DropNamespace(const Services& services, CallPtr call) {
  Unary<pb::milvus::DropNamespaceRequest, pb::milvus::DropNamespaceResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(const Existing found, FindExisting(services, current, request));
        if (found.partition->loaded) {
          return InvalidParameter(
              "namespace cannot be dropped, namespace is loaded, please release it first");
        }
        RETURN_IF_ERROR(services.catalog->Ddl(
            current.context(),
            service::DropPartition{current.context().database, found.collection->name,
                                   request.namespace_name()}));
        Fill(*found.collection, *found.partition, *reply.mutable_namespace_());
        return Status::Ok();
      });
}

void HasNamespace(const Services& services, CallPtr call) {
  Unary<pb::milvus::HasNamespaceRequest, pb::milvus::HasNamespaceResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto info, Collection(services, current, request.collection_name()));
        ASSIGN_OR_RETURN(const auto* found,
                         Find(services, current, *info, request.namespace_name()));
        reply.set_value(found != nullptr);
        return Status::Ok();
      });
}

void GetNamespaceStats(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetNamespaceStatsRequest, pb::milvus::GetNamespaceStatsResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        const std::string& name = request.namespace_name();
        if (request.exact()) return InvalidParameter("exact namespace stats are not supported yet");
        ASSIGN_OR_RETURN(const Existing found, FindExisting(services, current, request));
        ASSIGN_OR_RETURN(const int64_t rows, services.catalog->RowCount(
                                                 current.context(), found.collection->name, name));
        reply.set_namespace_name(name);
        auto& stats = *reply.mutable_stats();
        PairsToPb({{"row_count", std::to_string(rows)}}, *stats.mutable_stats());
        stats.set_approx_entity_count(rows);
        stats.set_entity_count_type("approximate");
        return Status::Ok();
      });
}

}  // namespace elanus::gateway::handle
