// Flush, and the segments of a collection as tools look at them.
#include <algorithm>

#include "gateway/handlers.h"
#include "gateway/services.h"
#include "gateway/unary.h"
#include "milvus.pb.h"

namespace elanus::gateway::handle {
namespace {

/// Some requests call it dbName.
template <class Request>
void UseDatabaseOf(const Request& request, Call& call) {
  call.UseDatabase(request.dbname());
}

}  // namespace

void Flush(const Services& services, CallPtr call) {
  Unary<pb::milvus::FlushRequest, pb::milvus::FlushResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        const std::vector<std::string> names(request.collection_names().begin(),
                                             request.collection_names().end());
        ASSIGN_OR_RETURN(auto flushed, services.data->Flush(current.context(), names));
        reply.set_db_name(current.context().database);
        const int64_t now_s = SystemClock().WallMs() / 1000;
        // Clients look these up by the name they asked with, so every name has an entry.
        for (const std::string& name : names) {
          auto& segments = *(*reply.mutable_coll_segids())[name].mutable_data();
          for (SegmentId id : flushed.segments[name]) segments.Add(id.value);
          (*reply.mutable_flush_coll_segids())[name] = (*reply.mutable_coll_segids())[name];
          (*reply.mutable_coll_seal_times())[name] = now_s;
          (*reply.mutable_coll_flush_ts())[name] = flushed.flushed_to;
        }
        return Status::Ok();
      });
}

void GetFlushState(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetFlushStateRequest, pb::milvus::GetFlushStateResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        if (!request.collection_name().empty()) {
          RETURN_IF_ERROR(
              StatusOf(services.catalog->Describe(current.context(), request.collection_name())));
        }
        // Flush answers only when everything is in segment files.
        reply.set_flushed(true);
        return Status::Ok();
      });
}

void GetPersistentSegmentInfo(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetPersistentSegmentInfoRequest, pb::milvus::GetPersistentSegmentInfoResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        UseDatabaseOf(request, current);
        ASSIGN_OR_RETURN(auto info,
                         services.catalog->Describe(current.context(), request.collectionname()));
        ASSIGN_OR_RETURN(auto segments,
                         services.catalog->Segments(current.context(), request.collectionname()));
        for (const auto& segment : segments) {
          if (segment.state != service::SegmentState::kSealed) continue;
          auto& out = *reply.add_infos();
          out.set_segmentid(segment.id.value);
          out.set_collectionid(info->id.value);
          out.set_partitionid(segment.partition.value);
          out.set_num_rows(segment.rows);
          out.set_state(pb::common::SegmentState::Flushed);
          out.set_level(pb::common::SegmentLevel::L1);
          out.set_is_sorted(true);
        }
        return Status::Ok();
      });
}

void GetQuerySegmentInfo(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetQuerySegmentInfoRequest, pb::milvus::GetQuerySegmentInfoResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        UseDatabaseOf(request, current);
        ASSIGN_OR_RETURN(auto info,
                         services.catalog->Describe(current.context(), request.collectionname()));
        if (!info->loaded) {
          return {Code::kCollectionNotLoaded,
                  "collection not loaded[collection=" + request.collectionname() + "]"};
        }
        ASSIGN_OR_RETURN(auto segments,
                         services.catalog->Segments(current.context(), request.collectionname()));
        for (const auto& segment : segments) {
          auto& out = *reply.add_infos();
          out.set_segmentid(segment.id.value);
          out.set_collectionid(info->id.value);
          out.set_partitionid(segment.partition.value);
          out.set_mem_size(segment.bytes);
          out.set_num_rows(segment.rows);
          out.set_state(segment.state == service::SegmentState::kSealed
                            ? pb::common::SegmentState::Sealed
                            : pb::common::SegmentState::Growing);
          out.set_level(pb::common::SegmentLevel::L1);
          out.add_nodeids(1);
          if (segment.built_indexes.empty()) continue;
          const auto index = std::ranges::find(info->indexes, segment.built_indexes.front(),
                                               &model::IndexInfo::id);
          if (index == info->indexes.end()) continue;
          out.set_index_name(index->name);
          out.set_indexid(index->id.value);
        }
        return Status::Ok();
      });
}

}  // namespace elanus::gateway::handle
