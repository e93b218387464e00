#include "worker/stream/graph_grower.h"

#include "worker/build/index_spec.h"

namespace elanus::worker {
namespace {

// Rows. Searches read what the graph lacks, each of them all of it: 500 rows of 768 numbers cost
// them more than the graph does, to wake up for so few costs nothing beside their linking.
constexpr uint64_t kBehind = 64;

bool IsBehind(const model::CollectionInfo& collection, const segment::GrowingSegment& segment) {
  return collection.IsLoaded(segment.partition()) && segment.RowsOutsideGraphs() >= kBehind;
}

}  // namespace

void GraphGrower::Start() {
  // Below searches it would starve beside them, and the less it links the more they read.
  thread_ = Thread("grow", [this] { Run(); });
}

void GraphGrower::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.request_stop();
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.Join();
}

void GraphGrower::Kick() {
  {
    MutexLock lock(mutex_);
    if (kicked_) return;
    kicked_ = true;
  }
  changed_.NotifyAll();
}

void GraphGrower::GrowWanted(const std::stop_token& stop) {
  for (const auto& shard : shards_()) {
    const service::CollectionPtr collection = shard->collection();
    for (const GrowingPtr& segment : shard->growing()) {
      const bool behind = IsBehind(*collection, *segment);
      if (!segment->TakeScanned() && !behind) continue;
      segment->OfferRows();
      GrowGraphs(*collection, *segment, stop);
    }
  }
}

void GraphGrower::KickIfBehind() {
  for (const auto& shard : shards_()) {
    const service::CollectionPtr collection = shard->collection();
    for (const GrowingPtr& segment : shard->growing()) {
      if (IsBehind(*collection, *segment)) return Kick();
    }
  }
}

void GraphGrower::Run() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !kicked_) changed_.Wait(mutex_);
      if (stopping_) return;
      kicked_ = false;
    }
    GrowWanted(stop_.get_token());
  }
}

void GrowGraphs(const model::CollectionInfo& collection, segment::GrowingSegment& segment,
                const std::stop_token& stop) {
  for (const model::IndexInfo& info : collection.indexes) {
    const model::FieldSchema* field = collection.schema.FindField(info.field);
    // Rows without a vector would lie in the graph as zeros, all in one place.
    // Lists of vectors are read.
    if (field == nullptr || field->nullable || !model::IsDenseVector(field->type)) continue;
    const auto params = BuildParamsOf(info, *field, segment.RowCount());
    if (params) segment.GrowGraph(field->id, params->metric, stop);
  }
}

}  // namespace elanus::worker
