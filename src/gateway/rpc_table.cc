#include "gateway/rpc_table.h"

#include <string>
#include <unordered_map>

#include "base/check.h"
#include "gateway/handlers.h"
#include "gateway/status_wire.h"

namespace elanus::gateway {
namespace {

constexpr std::string_view kMilvus = "milvus.proto.milvus.MilvusService";
constexpr std::string_view kTelemetry = "milvus.proto.milvus.ClientTelemetryService";
constexpr std::string_view kProxy = "milvus.proto.milvus.ProxyService";
constexpr std::string_view kTokenizer = "milvus.proto.tokenizer.Tokenizer";
constexpr std::string_view kHealth = "grpc.health.v1.Health";

// clang-format off
constexpr RpcInfo kTable[] = {
    // Connection and health
    {kMilvus, "Connect", RpcKind::kAdmin, 1, "", "", handle::Connect},
    {kMilvus, "GetVersion", RpcKind::kAdmin, 1, "", "", handle::GetVersion},
    {kMilvus, "CheckHealth", RpcKind::kAdmin, 1, "", "", handle::CheckHealth},
    {kMilvus, "AllocTimestamp", RpcKind::kAdmin, 1, "", "", handle::AllocTimestamp},
    {kMilvus, "GetComponentStates", RpcKind::kAdmin, 3, "", "", handle::GetComponentStates},
    {kMilvus, "GetMetrics", RpcKind::kAdmin, 1, "", "", nullptr},
    {kMilvus, "Dummy", RpcKind::kAdmin, kNoStatus, "", "", nullptr},
    {kMilvus, "RegisterLink", RpcKind::kAdmin, 2, "", "", nullptr},
    // Databases
    {kMilvus, "CreateDatabase", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateDatabase", handle::CreateDatabase},
    {kMilvus, "DropDatabase", RpcKind::kDdl, kReplyIsStatus, "Global", "DropDatabase", handle::DropDatabase},
    {kMilvus, "ListDatabases", RpcKind::kDdl, 1, "", "", handle::ListDatabases},
    {kMilvus, "AlterDatabase", RpcKind::kDdl, kReplyIsStatus, "Global", "AlterDatabase", handle::AlterDatabase},
    {kMilvus, "DescribeDatabase", RpcKind::kDdl, 1, "Global", "DescribeDatabase", handle::DescribeDatabase},
    // Collections
    {kMilvus, "CreateCollection", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateCollection", handle::CreateCollection},
    {kMilvus, "DropCollection", RpcKind::kDdl, kReplyIsStatus, "Global", "DropCollection", handle::DropCollection},
    {kMilvus, "HasCollection", RpcKind::kDdl, 1, "", "", handle::HasCollection},
    {kMilvus, "DescribeCollection", RpcKind::kDdl, 1, "Global", "DescribeCollection", handle::DescribeCollection},
    {kMilvus, "BatchDescribeCollection", RpcKind::kDdl, 1, "Global", "DescribeCollection", handle::BatchDescribeCollection},
    {kMilvus, "ShowCollections", RpcKind::kDdl, 1, "", "", handle::ShowCollections},
    {kMilvus, "RenameCollection", RpcKind::kDdl, kReplyIsStatus, "Global", "RenameCollection", handle::RenameCollection},
    {kMilvus, "TruncateCollection", RpcKind::kDdl, 1, "Global", "DropCollection", handle::TruncateCollection},
    {kMilvus, "AlterCollection", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateCollection", handle::AlterCollection},
    {kMilvus, "AlterCollectionField", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateCollection", handle::AlterCollectionField},
    {kMilvus, "AddCollectionField", RpcKind::kDdl, kReplyIsStatus, "Collection", "AddCollectionField", handle::AddCollectionField},
    {kMilvus, "AddCollectionStructField", RpcKind::kDdl, kReplyIsStatus, "Collection", "AddCollectionField", handle::AddCollectionStructField},
    {kMilvus, "AlterCollectionSchema", RpcKind::kDdl, 1, "Collection", "AlterCollectionSchema", handle::AlterCollectionSchema},
    {kMilvus, "AddCollectionFunction", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateCollection", nullptr},
    {kMilvus, "AlterCollectionFunction", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateCollection", nullptr},
    {kMilvus, "DropCollectionFunction", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateCollection", nullptr},
    {kMilvus, "GetCollectionStatistics", RpcKind::kDdl, 1, "Collection", "GetStatistics", handle::GetCollectionStatistics},
    // Load and release
    {kMilvus, "LoadCollection", RpcKind::kDdl, kReplyIsStatus, "Collection", "Load", handle::LoadCollection},
    {kMilvus, "ReleaseCollection", RpcKind::kDdl, kReplyIsStatus, "Collection", "Release", handle::ReleaseCollection},
    {kMilvus, "LoadPartitions", RpcKind::kDdl, kReplyIsStatus, "Collection", "Load", handle::LoadPartitions},
    {kMilvus, "ReleasePartitions", RpcKind::kDdl, kReplyIsStatus, "Collection", "Release", handle::ReleasePartitions},
    {kMilvus, "GetLoadingProgress", RpcKind::kDdl, 1, "Collection", "GetLoadState", handle::GetLoadingProgress},
    {kMilvus, "GetLoadState", RpcKind::kDdl, 1, "Collection", "GetLoadState", handle::GetLoadState},
    {kMilvus, "GetReplicas", RpcKind::kDdl, 1, "", "", handle::GetReplicas},
    {kMilvus, "Prewarm", RpcKind::kDdl, 1, "Collection", "Load", nullptr},
    {kMilvus, "DescribePrewarmTask", RpcKind::kDdl, 1, "", "", nullptr},
    // Aliases
    {kMilvus, "CreateAlias", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateAlias", handle::CreateAlias},
    {kMilvus, "DropAlias", RpcKind::kDdl, kReplyIsStatus, "Global", "DropAlias", handle::DropAlias},
    {kMilvus, "AlterAlias", RpcKind::kDdl, kReplyIsStatus, "Global", "CreateAlias", handle::AlterAlias},
    {kMilvus, "DescribeAlias", RpcKind::kDdl, 1, "Global", "DescribeAlias", handle::DescribeAlias},
    {kMilvus, "ListAliases", RpcKind::kDdl, 1, "Global", "ListAliases", handle::ListAliases},
    // Partitions and namespaces
    {kMilvus, "CreatePartition", RpcKind::kDdl, kReplyIsStatus, "Collection", "CreatePartition", handle::CreatePartition},
    {kMilvus, "DropPartition", RpcKind::kDdl, kReplyIsStatus, "Collection", "DropPartition", handle::DropPartition},
    {kMilvus, "HasPartition", RpcKind::kDdl, 1, "Collection", "HasPartition", handle::HasPartition},
    {kMilvus, "ShowPartitions", RpcKind::kDdl, 1, "Collection", "ShowPartitions", handle::ShowPartitions},
    {kMilvus, "GetPartitionStatistics", RpcKind::kDdl, 1, "Collection", "GetStatistics", handle::GetPartitionStatistics},
    {kMilvus, "CreateNamespace", RpcKind::kDdl, 1, "Collection", "CreatePartition", handle::CreateNamespace},
    {kMilvus, "DescribeNamespace", RpcKind::kDdl, 1, "Collection", "ShowPartitions", handle::DescribeNamespace},
    {kMilvus, "ListNamespaces", RpcKind::kDdl, 1, "Collection", "ShowPartitions", handle::ListNamespaces},
    {kMilvus, "DropNamespace", RpcKind::kDdl, 1, "Collection", "DropPartition", handle::DropNamespace},
    {kMilvus, "HasNamespace", RpcKind::kDdl, 1, "Collection", "HasPartition", handle::HasNamespace},
    {kMilvus, "GetNamespaceStats", RpcKind::kDdl, 1, "Collection", "ShowPartitions", handle::GetNamespaceStats},
    // Indexes
    {kMilvus, "CreateIndex", RpcKind::kDdl, kReplyIsStatus, "Collection", "CreateIndex", handle::CreateIndex},
    {kMilvus, "AlterIndex", RpcKind::kDdl, kReplyIsStatus, "Collection", "CreateIndex", handle::AlterIndex},
    {kMilvus, "DescribeIndex", RpcKind::kDdl, 1, "Collection", "IndexDetail", handle::DescribeIndex},
    {kMilvus, "DropIndex", RpcKind::kDdl, kReplyIsStatus, "Collection", "DropIndex", handle::DropIndex},
    {kMilvus, "GetIndexStatistics", RpcKind::kDdl, 1, "Collection", "IndexDetail", handle::GetIndexStatistics},
    {kMilvus, "GetIndexState", RpcKind::kDdl, 1, "Collection", "IndexDetail", handle::GetIndexState},
    {kMilvus, "GetIndexBuildProgress", RpcKind::kDdl, 1, "Collection", "IndexDetail", handle::GetIndexBuildProgress},
    {kMilvus, "ListIndexedSegment", RpcKind::kDdl, 1, "", "", nullptr},
    {kMilvus, "DescribeSegmentIndexData", RpcKind::kDdl, 1, "", "", nullptr},
    // Writes
    {kMilvus, "Insert", RpcKind::kDml, 1, "Collection", "Insert", handle::Insert},
    {kMilvus, "Upsert", RpcKind::kDml, 1, "Collection", "Upsert", handle::Upsert},
    {kMilvus, "Delete", RpcKind::kDml, 1, "Collection", "Delete", handle::Delete},
    // Reads
    {kMilvus, "Search", RpcKind::kDql, 1, "Collection", "Search", handle::Search},
    {kMilvus, "HybridSearch", RpcKind::kDql, 1, "Collection", "Search",
     handle::HybridSearch},
    {kMilvus, "Query", RpcKind::kDql, 1, "Collection", "Query", handle::Query},
    {kMilvus, "CalcDistance", RpcKind::kAdmin, 1, "", "", nullptr},
    {kMilvus, "RunAnalyzer", RpcKind::kAdmin, 1, "", "", nullptr},
    {kMilvus, "ComputePhraseMatchSlop", RpcKind::kAdmin, 1, "", "", nullptr},
    // Flush, segments and compaction
    {kMilvus, "Flush", RpcKind::kDdl, 1, "Collection", "Flush", handle::Flush},
    {kMilvus, "FlushAll", RpcKind::kDdl, 1, "Global", "FlushAll", nullptr},
    {kMilvus, "GetFlushState", RpcKind::kAdmin, 1, "Collection", "GetFlushState", handle::GetFlushState},
    {kMilvus, "GetFlushAllState", RpcKind::kAdmin, 1, "", "", nullptr},
    {kMilvus, "GetPersistentSegmentInfo", RpcKind::kAdmin, 1, "", "", handle::GetPersistentSegmentInfo},
    {kMilvus, "GetQuerySegmentInfo", RpcKind::kAdmin, 1, "", "", handle::GetQuerySegmentInfo},
    {kMilvus, "LoadBalance", RpcKind::kAdmin, kReplyIsStatus, "Collection", "LoadBalance", nullptr},
    {kMilvus, "ManualCompaction", RpcKind::kAdmin, 1, "Collection", "Compaction", handle::ManualCompaction},
    {kMilvus, "GetCompactionState", RpcKind::kAdmin, 1, "", "", handle::GetCompactionState},
    {kMilvus, "GetCompactionStateWithPlans", RpcKind::kAdmin, 1, "", "", handle::GetCompactionStateWithPlans},
    // Import
    {kMilvus, "Import", RpcKind::kAdmin, 1, "Collection", "Import", nullptr},
    {kMilvus, "GetImportState", RpcKind::kAdmin, 1, "", "", nullptr},
    {kMilvus, "ListImportTasks", RpcKind::kAdmin, 1, "", "", nullptr},
    // Resource groups
    {kMilvus, "CreateResourceGroup", RpcKind::kAdmin, kReplyIsStatus, "Global", "CreateResourceGroup", nullptr},
    {kMilvus, "DropResourceGroup", RpcKind::kAdmin, kReplyIsStatus, "Global", "DropResourceGroup", nullptr},
    {kMilvus, "UpdateResourceGroups", RpcKind::kAdmin, kReplyIsStatus, "Global", "UpdateResourceGroups", nullptr},
    {kMilvus, "TransferNode", RpcKind::kAdmin, kReplyIsStatus, "Global", "TransferNode", nullptr},
    {kMilvus, "TransferReplica", RpcKind::kAdmin, kReplyIsStatus, "Global", "TransferReplica", nullptr},
    {kMilvus, "ListResourceGroups", RpcKind::kAdmin, 1, "Global", "ListResourceGroups", nullptr},
    {kMilvus, "DescribeResourceGroup", RpcKind::kAdmin, 1, "Global", "DescribeResourceGroup", nullptr},
    // File resources
    {kMilvus, "AddFileResource", RpcKind::kAdmin, kReplyIsStatus, "Global", "AddFileResource", nullptr},
    {kMilvus, "RemoveFileResource", RpcKind::kAdmin, kReplyIsStatus, "Global", "RemoveFileResource", nullptr},
    {kMilvus, "ListFileResources", RpcKind::kAdmin, 1, "Global", "ListFileResources", nullptr},
    // Users, roles and privileges
    {kMilvus, "CreateCredential", RpcKind::kAdmin, kReplyIsStatus, "Global", "CreateOwnership", nullptr},
    {kMilvus, "UpdateCredential", RpcKind::kAdmin, kReplyIsStatus, "User", "UpdateUser", nullptr},
    {kMilvus, "DeleteCredential", RpcKind::kAdmin, kReplyIsStatus, "Global", "DropOwnership", nullptr},
    {kMilvus, "ListCredUsers", RpcKind::kAdmin, 1, "Global", "SelectOwnership", nullptr},
    {kMilvus, "CreateRole", RpcKind::kAdmin, kReplyIsStatus, "Global", "CreateOwnership", nullptr},
    {kMilvus, "AlterRole", RpcKind::kAdmin, kReplyIsStatus, "Global", "CreateOwnership", nullptr},
    {kMilvus, "DropRole", RpcKind::kAdmin, kReplyIsStatus, "Global", "DropOwnership", nullptr},
    {kMilvus, "OperateUserRole", RpcKind::kAdmin, kReplyIsStatus, "Global", "ManageOwnership", nullptr},
    {kMilvus, "SelectRole", RpcKind::kAdmin, 1, "Global", "SelectOwnership", nullptr},
    {kMilvus, "SelectUser", RpcKind::kAdmin, 1, "User", "SelectUser", nullptr},
    {kMilvus, "OperatePrivilege", RpcKind::kAdmin, kReplyIsStatus, "Global", "ManageOwnership", nullptr},
    {kMilvus, "OperatePrivilegeV2", RpcKind::kAdmin, kReplyIsStatus, "Global", "ManageOwnership", nullptr},
    {kMilvus, "SelectGrant", RpcKind::kAdmin, 1, "Global", "SelectOwnership", nullptr},
    {kMilvus, "BackupRBAC", RpcKind::kAdmin, 1, "Global", "BackupRBAC", nullptr},
    {kMilvus, "RestoreRBAC", RpcKind::kAdmin, kReplyIsStatus, "Global", "RestoreRBAC", nullptr},
    {kMilvus, "CreatePrivilegeGroup", RpcKind::kAdmin, kReplyIsStatus, "Global", "CreatePrivilegeGroup", nullptr},
    {kMilvus, "DropPrivilegeGroup", RpcKind::kAdmin, kReplyIsStatus, "Global", "DropPrivilegeGroup", nullptr},
    {kMilvus, "ListPrivilegeGroups", RpcKind::kAdmin, 1, "Global", "ListPrivilegeGroups", nullptr},
    {kMilvus, "OperatePrivilegeGroup", RpcKind::kAdmin, kReplyIsStatus, "Global", "OperatePrivilegeGroup", nullptr},
    // Row level security
    {kMilvus, "AddUserTags", RpcKind::kAdmin, kReplyIsStatus, "User", "UpdateUser", nullptr},
    {kMilvus, "DeleteUserTags", RpcKind::kAdmin, kReplyIsStatus, "User", "UpdateUser", nullptr},
    {kMilvus, "GetUserTags", RpcKind::kAdmin, 1, "User", "SelectUser", nullptr},
    {kMilvus, "ListUsersWithTag", RpcKind::kAdmin, 1, "User", "SelectUser", nullptr},
    {kMilvus, "CreateRowPolicy", RpcKind::kAdmin, kReplyIsStatus, "Collection", "ManageRLS", nullptr},
    {kMilvus, "DropRowPolicy", RpcKind::kAdmin, kReplyIsStatus, "Collection", "ManageRLS", nullptr},
    {kMilvus, "ListRowPolicies", RpcKind::kAdmin, 1, "Collection", "ViewRLS", nullptr},
    {kMilvus, "UpdateRowPolicy", RpcKind::kAdmin, kReplyIsStatus, "Collection", "ManageRLS", nullptr},
    {kMilvus, "SetRLSPrincipalTags", RpcKind::kAdmin, kReplyIsStatus, "Collection", "ManageRLS", nullptr},
    {kMilvus, "GetRLSPrincipalTags", RpcKind::kAdmin, 1, "Collection", "ViewRLS", nullptr},
    {kMilvus, "ListRLSPrincipals", RpcKind::kAdmin, 1, "Collection", "ViewRLS", nullptr},
    {kMilvus, "DeleteRLSPrincipalTags", RpcKind::kAdmin, kReplyIsStatus, "Collection", "ManageRLS", nullptr},
    // Snapshots
    {kMilvus, "CreateSnapshot", RpcKind::kAdmin, kReplyIsStatus, "Collection", "CreateSnapshot", nullptr},
    {kMilvus, "DropSnapshot", RpcKind::kAdmin, kReplyIsStatus, "Collection", "DropSnapshot", nullptr},
    {kMilvus, "ListSnapshots", RpcKind::kAdmin, 1, "Collection", "ListSnapshots", nullptr},
    {kMilvus, "DescribeSnapshot", RpcKind::kAdmin, 1, "Collection", "DescribeSnapshot", nullptr},
    {kMilvus, "RestoreSnapshot", RpcKind::kAdmin, 1, "Collection", "RestoreSnapshot", nullptr},
    {kMilvus, "RestoreExternalSnapshot", RpcKind::kAdmin, 1, "Global", "RestoreExternalSnapshot", nullptr},
    {kMilvus, "ExportSnapshot", RpcKind::kAdmin, 1, "Global", "ExportSnapshot", nullptr},
    {kMilvus, "GetExportSnapshotState", RpcKind::kAdmin, 1, "Global", "ExportSnapshot", nullptr},
    {kMilvus, "GetRestoreSnapshotState", RpcKind::kAdmin, 1, "", "", nullptr},
    {kMilvus, "ListRestoreSnapshotJobs", RpcKind::kAdmin, 1, "Collection", "RestoreSnapshot", nullptr},
    {kMilvus, "PinSnapshotData", RpcKind::kAdmin, 1, "Global", "PinSnapshotData", nullptr},
    {kMilvus, "UnpinSnapshotData", RpcKind::kAdmin, kReplyIsStatus, "Global", "UnpinSnapshotData", nullptr},
    // External collections
    {kMilvus, "BatchUpdateManifest", RpcKind::kAdmin, kReplyIsStatus, "Collection", "Insert", nullptr},
    {kMilvus, "RefreshExternalCollection", RpcKind::kAdmin, 1, "Collection", "RefreshExternalCollection", nullptr},
    {kMilvus, "GetRefreshExternalCollectionProgress", RpcKind::kAdmin, 1, "", "", nullptr},
    {kMilvus, "ListRefreshExternalCollectionJobs", RpcKind::kAdmin, 1, "", "", nullptr},
    // Replication between clusters
    {kMilvus, "ReplicateMessage", RpcKind::kAdmin, 1, "", "", nullptr},
    {kMilvus, "UpdateReplicateConfiguration", RpcKind::kAdmin, kReplyIsStatus, "Global", "UpdateReplicateConfiguration", nullptr},
    {kMilvus, "GetReplicateConfiguration", RpcKind::kAdmin, 1, "Global", "GetReplicateConfiguration", nullptr},
    {kMilvus, "GetReplicateInfo", RpcKind::kAdmin, kNoStatus, "", "", nullptr},
    {kMilvus, "CreateReplicateStream", RpcKind::kAdmin, kNoStatus, "", "", nullptr},
    {kMilvus, "DumpMessages", RpcKind::kAdmin, 1, "", "", nullptr},
    // Client telemetry
    {kTelemetry, "ClientHeartbeat", RpcKind::kAdmin, 1, "", "", nullptr},
    {kTelemetry, "GetClientTelemetry", RpcKind::kAdmin, 1, "", "", nullptr},
    {kTelemetry, "PushClientCommand", RpcKind::kAdmin, 1, "", "", nullptr},
    {kTelemetry, "DeleteClientCommand", RpcKind::kAdmin, 1, "", "", nullptr},
    // Other services
    {kProxy, "RegisterLink", RpcKind::kAdmin, 2, "", "", nullptr},
    {kTokenizer, "Tokenize", RpcKind::kAdmin, kNoStatus, "", "", nullptr},
    {kHealth, "Check", RpcKind::kAdmin, kNoStatus, "", "", handle::HealthCheck},
};
// clang-format on

std::unordered_map<std::string, const RpcInfo*> MakePaths() {
  std::unordered_map<std::string, const RpcInfo*> paths;
  for (const RpcInfo& rpc : kTable) {
    std::string path = "/";
    path.append(rpc.service).append("/").append(rpc.name);
    ELANUS_CHECK(paths.emplace(std::move(path), &rpc).second);
  }
  return paths;
}

}  // namespace

std::string_view RpcKindName(RpcKind kind) {
  switch (kind) {
    case RpcKind::kAdmin: return "admin";
    case RpcKind::kDdl: return "ddl";
    case RpcKind::kDml: return "dml";
    case RpcKind::kDql: return "dql";
  }
  return "";
}

std::span<const RpcInfo> RpcTable() { return kTable; }

const RpcInfo* FindRpc(std::string_view path) {
  static const auto* paths = new auto(MakePaths());
  auto it = paths->find(std::string(path));
  return it == paths->end() ? nullptr : it->second;
}

const RpcInfo& MilvusRpc(std::string_view name) {
  for (const RpcInfo& rpc : kTable) {
    if (rpc.service == kMilvus && rpc.name == name) return rpc;
  }
  CheckFailed(__FILE__, __LINE__, "MilvusService has this method");
}

}  // namespace elanus::gateway
