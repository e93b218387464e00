// The handlers of all RPCs that are served, by the name of the RPC. Each decodes its request, calls
// the proxy and replies, on the calling thread or later; none throws through the gateway.
// Called by gateway.h through rpc_table.h.
#pragma once

#include "gateway/rpc_table.h"

namespace elanus::gateway::handle {

void Connect(const Services& services, CallPtr call);
void GetVersion(const Services& services, CallPtr call);
void CheckHealth(const Services& services, CallPtr call);
void AllocTimestamp(const Services& services, CallPtr call);
void GetComponentStates(const Services& services, CallPtr call);
void CreateDatabase(const Services& services, CallPtr call);
void DropDatabase(const Services& services, CallPtr call);
void ListDatabases(const Services& services, CallPtr call);
void AlterDatabase(const Services& services, CallPtr call);
void DescribeDatabase(const Services& services, CallPtr call);
void CreateCollection(const Services& services, CallPtr call);
void DropCollection(const Services& services, CallPtr call);
void HasCollection(const Services& services, CallPtr call);
void DescribeCollection(const Services& services, CallPtr call);
void BatchDescribeCollection(const Services& services, CallPtr call);
void ShowCollections(const Services& services, CallPtr call);
void RenameCollection(const Services& services, CallPtr call);
void TruncateCollection(const Services& services, CallPtr call);
void AlterCollection(const Services& services, CallPtr call);
void AlterCollectionField(const Services& services, CallPtr call);
void AddCollectionField(const Services& services, CallPtr call);
void AddCollectionStructField(const Services& services, CallPtr call);
void AlterCollectionSchema(const Services& services, CallPtr call);
void GetCollectionStatistics(const Services& services, CallPtr call);
void LoadCollection(const Services& services, CallPtr call);
void ReleaseCollection(const Services& services, CallPtr call);
void LoadPartitions(const Services& services, CallPtr call);
void ReleasePartitions(const Services& services, CallPtr call);
void GetLoadingProgress(const Services& services, CallPtr call);
void GetLoadState(const Services& services, CallPtr call);
void GetReplicas(const Services& services, CallPtr call);
void CreateAlias(const Services& services, CallPtr call);
void DropAlias(const Services& services, CallPtr call);
void AlterAlias(const Services& services, CallPtr call);
void DescribeAlias(const Services& services, CallPtr call);
void ListAliases(const Services& services, CallPtr call);
void CreatePartition(const Services& services, CallPtr call);
void DropPartition(const Services& services, CallPtr call);
void HasPartition(const Services& services, CallPtr call);
void ShowPartitions(const Services& services, CallPtr call);
void GetPartitionStatistics(const Services& services, CallPtr call);
void CreateNamespace(const Services& services, CallPtr call);
void DescribeNamespace(const Services& services, CallPtr call);
void ListNamespaces(const Services& services, CallPtr call);
void DropNamespace(const Services& services, CallPtr call);
void HasNamespace(const Services& services, CallPtr call);
void GetNamespaceStats(const Services& services, CallPtr call);
void CreateIndex(const Services& services, CallPtr call);
void AlterIndex(const Services& services, CallPtr call);
void DescribeIndex(const Services& services, CallPtr call);
void DropIndex(const Services& services, CallPtr call);
void GetIndexStatistics(const Services& services, CallPtr call);
void GetIndexState(const Services& services, CallPtr call);
void GetIndexBuildProgress(const Services& services, CallPtr call);
void Insert(const Services& services, CallPtr call);
void Upsert(const Services& services, CallPtr call);
void Delete(const Services& services, CallPtr call);
void Search(const Services& services, CallPtr call);
void HybridSearch(const Services& services, CallPtr call);
void Query(const Services& services, CallPtr call);
void Flush(const Services& services, CallPtr call);
void GetFlushState(const Services& services, CallPtr call);
void ManualCompaction(const Services& services, CallPtr call);
void GetCompactionState(const Services& services, CallPtr call);
void GetCompactionStateWithPlans(const Services& services, CallPtr call);
void GetPersistentSegmentInfo(const Services& services, CallPtr call);
void GetQuerySegmentInfo(const Services& services, CallPtr call);
void HealthCheck(const Services& services, CallPtr call);

}  // namespace elanus::gateway::handle
