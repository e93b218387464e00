#include "proxy/shard_calls.h"

#include <numeric>
#include <span>
#include <vector>

#include "base/crew.h"
#include "proxy/router.h"

namespace elanus::proxy {
namespace {

/// Look-ups of fewer keys are done before a helper wakes.
constexpr size_t kKeysShared = 256;

template <class Request, class Reply>
using Method = Result<Reply> (service::ShardService::*)(const Request&, const Cancel&);

template <class Request, class Reply>
Result<std::vector<Reply>> Ask(const Asked& asked, std::span<const Request> requests, Crew* crew,
                               Method<Request, Reply> ask) {
  std::vector<Reply> replies(requests.size());
  const auto piece = [&](size_t i) -> Status {
    ASSIGN_OR_RETURN(replies[i], (asked.backends.shards.*ask)(requests[i], asked.cancel));
    return Status::Ok();
  };
  if (crew == nullptr) {
    RETURN_IF_ERROR(Crew::InTurn(requests.size(), piece));
  } else {
    const Crew::Turn turn(*crew);
    RETURN_IF_ERROR(crew->ForEach(requests.size(), piece));
  }
  return replies;
}

template <class Request, class Reply>
Result<std::vector<Reply>> AskEach(const Asked& asked, Request& request,
                                   Method<Request, Reply> ask) {
  const std::vector<size_t> places = PlacesOf(asked);
  Crew* crew = asked.backends.crew;
  if (places.size() == 1) {  // no copy of its vectors
    request.shard = asked.collection.shards[places[0]];
    return Ask(asked, std::span<const Request>(&request, 1), crew, ask);
  }
  std::vector<Request> requests(places.size(), request);
  for (size_t i = 0; i < places.size(); ++i) requests[i].shard = asked.collection.shards[places[i]];
  return Ask(asked, std::span<const Request>(requests), crew, ask);
}

}  // namespace

std::vector<size_t> PlacesOf(const Asked& asked) {
  if (asked.only) return {*asked.only};
  std::vector<size_t> places(asked.collection.shards.size());
  std::iota(places.begin(), places.end(), size_t{0});
  return places;
}

Result<std::vector<service::SearchReply>> SearchAll(const Asked& asked,
                                                    service::SearchRequest& request) {
  return AskEach(asked, request, &service::ShardService::Search);
}

Result<std::vector<service::QueryReply>> QueryAll(const Asked& asked,
                                                  service::QueryRequest& request) {
  return AskEach(asked, request, &service::ShardService::Query);
}

Result<std::vector<service::QueryReply>> QueryKeys(const Asked& asked,
                                                   service::QueryRequest& request) {
  if (asked.only) return QueryAll(asked, request);
  std::vector<service::QueryRequest> requests;
  const auto split = SplitByShard(*request.keys, asked.collection.shards.size());
  for (size_t i = 0; i < split.size(); ++i) {
    // One shard is asked even for no key at all: its reply says when it was read.
    if (split[i].empty() && !(request.keys->empty() && i == 0)) continue;
    requests.push_back(request);
    requests.back().shard = asked.collection.shards[i];
    requests.back().keys = TakeKeys(*request.keys, split[i]);
  }
  Crew* crew = request.keys->size() < kKeysShared ? nullptr : asked.backends.crew;
  return Ask(asked, std::span<const service::QueryRequest>(requests), crew,
             &service::ShardService::Query);
}

}  // namespace elanus::proxy
