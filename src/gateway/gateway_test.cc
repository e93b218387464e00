// The chain every call passes, without a network.
#include "gateway/gateway.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <latch>
#include <stdexcept>

#include "gateway/base64.h"
#include "gateway/fake_frontend.h"
#include "gateway/rpc_page.h"
#include "milvus.pb.h"

namespace elanus::gateway {
namespace {

namespace pb = milvus::proto;

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(std::string request) : request_(std::move(request)), piece_(request_) {}
  std::span<const std::string_view> request() const override { return {&piece_, 1}; }
  void Send(std::string reply) override { reply_.set_value(std::move(reply)); }
  std::string Reply() { return reply_.get_future().get(); }

 private:
  std::string request_;
  std::string_view piece_;
  std::promise<std::string> reply_;
};

struct GatewayTest : testing::Test {
  FakeFrontend frontend;
  MetricRegistry metrics;
  std::unique_ptr<Gateway> gateway;

  void Make(GatewayOptions options) {
    gateway = std::make_unique<Gateway>(
        std::move(options),
        Services{.catalog = &frontend, .data = &frontend, .version = "2.6.6-test"}, metrics);
  }
  std::shared_ptr<FakeTransport> Start(std::string_view rpc, const std::string& request,
                                       const CallHeaders& headers = {}, Cancel cancel = {}) {
    auto transport = std::make_shared<FakeTransport>(request);
    gateway->Start(MilvusRpc(rpc), transport, headers, std::move(cancel));
    return transport;
  }
  template <class Reply>
  static Reply Parse(const std::string& bytes) {
    Reply reply;
    EXPECT_TRUE(reply.ParseFromString(bytes));
    return reply;
  }
  static std::string SearchBytes(size_t padding = 0) {
    pb::milvus::SearchRequest request;
    request.set_collection_name("books");
    request.set_dsl(std::string(padding, ' '));
    return request.SerializeAsString();
  }
};

TEST_F(GatewayTest, AnswersTheVersionWithAStatus) {
  Make({});
  auto reply = Parse<pb::milvus::GetVersionResponse>(Start("GetVersion", "")->Reply());
  EXPECT_EQ(reply.version(), "2.6.6-test");
  EXPECT_TRUE(reply.has_status());
}

TEST_F(GatewayTest, RefusesWithCodeFourWhenTheQueueIsFull) {
  Make({.data_threads = 1, .queue_max = 1});
  std::latch running(1);
  std::latch release(1);
  std::atomic<bool> first{true};
  frontend.on_read = [&](const auto&) {
    if (!first.exchange(false)) return;
    running.count_down();
    release.wait();
  };
  auto held = Start("Search", SearchBytes());
  running.wait();
  auto second = Start("Search", SearchBytes());
  auto third = Parse<pb::milvus::SearchResults>(Start("Search", SearchBytes())->Reply());
  EXPECT_EQ(third.status().code(), 4);
  EXPECT_TRUE(third.status().retriable());
  EXPECT_NE(third.status().reason().find("queue is full"), std::string::npos);
  // Another pool serves what is not rows.
  EXPECT_EQ(Parse<pb::milvus::GetVersionResponse>(Start("GetVersion", "")->Reply()).status().code(),
            0);
  release.count_down();
  EXPECT_EQ(Parse<pb::milvus::SearchResults>(held->Reply()).status().code(), 100);
  EXPECT_EQ(Parse<pb::milvus::SearchResults>(second->Reply()).status().code(), 100);
}

TEST_F(GatewayTest, BoundsTheRequestBytesInFlight) {
  Make({.data_threads = 1, .request_bytes_max = 1000});
  std::latch running(1);
  std::latch release(1);
  std::atomic<bool> first{true};
  frontend.on_read = [&](const auto&) {
    if (!first.exchange(false)) return;
    running.count_down();
    release.wait();
  };
  auto large = Start("Search", SearchBytes(2000));  // alone, so it passes
  running.wait();
  auto refused = Parse<pb::milvus::SearchResults>(Start("Search", SearchBytes())->Reply());
  EXPECT_EQ(refused.status().code(), 4);
  release.count_down();
  large->Reply();
  EXPECT_EQ(gateway->request_bytes_in_flight(), 0u);
  EXPECT_EQ(
      Parse<pb::milvus::SearchResults>(Start("Search", SearchBytes())->Reply()).status().code(),
      100);
}

TEST_F(GatewayTest, TurnsAnExceptionIntoAStatus) {
  Make({});
  frontend.on_read = [](const auto&) { throw std::runtime_error("boom"); };
  auto reply = Parse<pb::milvus::SearchResults>(Start("Search", SearchBytes())->Reply());
  EXPECT_EQ(reply.status().code(), 5);
  EXPECT_EQ(reply.status().error_code(), pb::common::ErrorCode::UnexpectedError);
}

TEST_F(GatewayTest, DoesNoWorkForACallThatIsOver) {
  Make({});
  frontend.on_read = [](const auto&) { ADD_FAILURE() << "the call reached the proxy"; };
  auto expired = Parse<pb::milvus::SearchResults>(
      Start("Search", SearchBytes(), {}, Cancel{.deadline_us = 1})->Reply());
  EXPECT_EQ(expired.status().code(), 10001);
  std::stop_source gone;
  gone.request_stop();
  auto canceled = Parse<pb::milvus::SearchResults>(
      Start("Search", SearchBytes(), {}, Cancel{.stop = gone.get_token()})->Reply());
  EXPECT_EQ(canceled.status().code(), 10000);
}

TEST_F(GatewayTest, TakesTheDatabaseFromTheRequestThenTheHeaderThenTheDefault) {
  Make({});
  pb::milvus::HasCollectionRequest request;
  Start("HasCollection", request.SerializeAsString())->Reply();
  EXPECT_EQ(frontend.last_database, "default");
  Start("HasCollection", request.SerializeAsString(), {.database = "from_header"})->Reply();
  EXPECT_EQ(frontend.last_database, "from_header");
  request.set_db_name("from_request");
  Start("HasCollection", request.SerializeAsString(), {.database = "from_header"})->Reply();
  EXPECT_EQ(frontend.last_database, "from_request");
}

TEST_F(GatewayTest, RefusesAConnectionToADatabaseThatDoesNotExist) {
  Make({});
  auto reply =
      Parse<pb::milvus::ConnectResponse>(Start("Connect", "", {.database = "nowhere"})->Reply());
  EXPECT_EQ(reply.status().code(), 800);
  EXPECT_EQ(reply.status().reason(), "database not found[database=nowhere]");
}

TEST_F(GatewayTest, KeepsTheUserOfTheConnection) {
  Make({});
  std::string user;
  frontend.on_read = [&](const service::CallContext& call) { user = call.user; };
  const std::string token = EncodeBase64("bob:secret");
  Start("Search", SearchBytes(), {.authorization = token})->Reply();
  EXPECT_EQ(user, "bob");
  Start("Search", SearchBytes(), {.authorization = "%%%"})->Reply();
  EXPECT_EQ(user, "");
}

TEST_F(GatewayTest, PassesACompactionOnAndCountsItsPlans) {
  Make({});
  ASSERT_TRUE(
      frontend.Ddl({}, service::CreateCollection{.database = "default", .schema = {.name = "c"}})
          .ok());
  const service::CollectionPtr info = *frontend.Describe({}, "c");
  pb::milvus::ManualCompactionRequest request;
  request.set_collectionid(info->id.value);
  request.set_majorcompaction(true);
  request.set_target_size(2048);
  request.set_channel("elanus-dml_0_" + std::to_string(info->id.value) + "v0");
  request.add_segment_ids(5);
  auto started = Parse<pb::milvus::ManualCompactionResponse>(
      Start("ManualCompaction", request.SerializeAsString())->Reply());
  EXPECT_EQ(started.status().code(), 0);
  EXPECT_EQ(started.compactionid(), 77);
  EXPECT_EQ(started.compactionplancount(), 2);
  EXPECT_EQ(frontend.last_compact.id, info->id);
  EXPECT_TRUE(frontend.last_compact.clustering);
  EXPECT_EQ(frontend.last_compact.target_mb, 2048);
  EXPECT_EQ(frontend.last_compact.shard, info->shards[0]);
  EXPECT_EQ(frontend.last_compact.segments, std::vector<SegmentId>{{5}});
  request.set_channel("nowhere");
  EXPECT_EQ(Parse<pb::milvus::ManualCompactionResponse>(
                Start("ManualCompaction", request.SerializeAsString())->Reply())
                .status()
                .reason(),
            "channel not found[channel=nowhere]");
}

TEST_F(GatewayTest, TellsHowFarACompactionIs) {
  Make({});
  using State = service::CompactionState;
  for (State state : {State::kWaiting, State::kRunning, State::kCompleted, State::kFailed}) {
    frontend.plans.push_back({.id = 100 + static_cast<int64_t>(state),
                              .job = 77,
                              .state = state,
                              .failure = state == State::kFailed ? "disk" : "",
                              .sources = {{1}, {2}},
                              .target = {state == State::kCompleted ? 3 : 0}});
  }
  pb::milvus::GetCompactionStateRequest request;
  const auto state = [&](int64_t job) {
    request.set_compactionid(job);
    return Parse<pb::milvus::GetCompactionStateResponse>(
        Start("GetCompactionState", request.SerializeAsString())->Reply());
  };
  EXPECT_EQ(state(77).state(), pb::common::CompactionState::Executing);
  EXPECT_EQ(state(77).executingplanno(), 2);
  EXPECT_EQ(state(77).completedplanno(), 1);
  EXPECT_EQ(state(77).failedplanno(), 1);
  EXPECT_EQ(state(78).state(), pb::common::CompactionState::Completed) << "an unknown one";
  pb::milvus::GetCompactionPlansRequest plans;
  plans.set_compactionid(77);
  auto reply = Parse<pb::milvus::GetCompactionPlansResponse>(
      Start("GetCompactionStateWithPlans", plans.SerializeAsString())->Reply());
  ASSERT_EQ(reply.mergeinfos_size(), 4);
  EXPECT_EQ(reply.mergeinfos(0).target(), -1);
  EXPECT_EQ(reply.mergeinfos(2).target(), 3);
  EXPECT_EQ(reply.mergeinfos(2).targets(0), 3);
  EXPECT_EQ(reply.mergeinfos(3).failure_reason(), "disk");
  EXPECT_EQ(reply.mergeinfos(0).sources_size(), 2);
  EXPECT_EQ(reply.mergeinfos(0).trigger_id(), 77);
}

TEST_F(GatewayTest, TellsHowFarALoadIsAndWhatItFailedBy) {
  Make({});
  ASSERT_TRUE(
      frontend.Ddl({}, service::CreateCollection{.database = "default", .schema = {.name = "c"}})
          .ok());
  const auto progress = [&] {
    pb::milvus::GetLoadingProgressRequest request;
    request.set_collection_name("c");
    return Parse<pb::milvus::GetLoadingProgressResponse>(
        Start("GetLoadingProgress", request.SerializeAsString())->Reply());
  };
  const auto state = [&] {
    pb::milvus::GetLoadStateRequest request;
    request.set_collection_name("c");
    return Parse<pb::milvus::GetLoadStateResponse>(
        Start("GetLoadState", request.SerializeAsString())->Reply());
  };
  EXPECT_EQ(progress().status().code(), 101);
  EXPECT_EQ(state().state(), pb::common::LoadStateNotLoad);
  ASSERT_TRUE(frontend.Ddl({}, service::SetLoad{.collection = "c", .load = true}).ok());
  frontend.load_status = {
      .state = service::LoadState::kLoading, .progress = 40, .refresh_progress = 30};
  EXPECT_EQ(progress().progress(), 40);
  EXPECT_EQ(progress().refresh_progress(), 30);
  EXPECT_EQ(state().state(), pb::common::LoadStateLoading);
  frontend.load_status.fault = {Code::kDataIntegrity, "a file is damaged"};
  EXPECT_EQ(progress().status().code(), 1009);
  EXPECT_EQ(state().status().reason(), "a file is damaged");
  frontend.load_status.state = service::LoadState::kLoaded;  // of what came after a load
  EXPECT_EQ(progress().status().code(), 1009);
  EXPECT_EQ(state().status().code(), 0);
  EXPECT_EQ(state().state(), pb::common::LoadStateLoaded);
}

TEST_F(GatewayTest, AnswersUnreadableBytesWithAStatus) {
  Make({});
  for (std::string_view rpc : {"Insert", "Search", "Query", "CreateCollection", "Flush"}) {
    auto transport = Start(rpc, "\xff\xff\xff\xff");
    const std::string bytes = transport->Reply();
    if (MilvusRpc(rpc).status_field == 0) {
      EXPECT_EQ(Parse<pb::common::Status>(bytes).code(), 1100) << rpc;
    } else {
      EXPECT_EQ(Parse<pb::milvus::BoolResponse>(bytes).status().code(), 1100) << rpc;
    }
  }
}

TEST_F(GatewayTest, CountsRequestsByRpcAndOutcome) {
  size_t logged = 0;
  Make({.access_log = [&](const Call&, const CallRecord& record) {
    ++logged;
    EXPECT_GT(record.reply_bytes, 0u);
  }});
  Start("GetVersion", "")->Reply();
  Start("GetVersion", "\xff")->Reply();
  const std::string text = metrics.Text();
  EXPECT_NE(text.find("elanus_requests_total{rpc=\"GetVersion\",outcome=\"ok\"} 1"),
            std::string::npos);
  EXPECT_NE(text.find("elanus_requests_total{rpc=\"GetVersion\",outcome=\"error\"} 1"),
            std::string::npos);
  EXPECT_NE(text.find("elanus_request_seconds_count{rpc=\"GetVersion\"} 2"), std::string::npos);
  EXPECT_EQ(logged, 2u);
}

TEST_F(GatewayTest, AnswersACallThatItsHandlerDropped) {
  Make({});
  auto transport = std::make_shared<FakeTransport>("");
  gateway->Start(MilvusRpc("GetVersion"), transport, {}, {},
                 [](const Services&, CallPtr) { /* never replies */ });
  EXPECT_EQ(Parse<pb::milvus::GetVersionResponse>(transport->Reply()).status().code(), 5);
}

TEST(RpcTable, ListsEveryMethodOfTheContractOnce) {
  size_t found = 0;
  for (const auto* name :
       {"milvus.proto.milvus.MilvusService", "milvus.proto.milvus.ClientTelemetryService",
        "milvus.proto.milvus.ProxyService"}) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    ASSERT_NE(service, nullptr);
    for (int i = 0; i < service->method_count(); ++i) {
      const auto* method = service->method(i);
      const RpcInfo* rpc = FindRpc("/" + service->full_name() + "/" + method->name());
      ASSERT_NE(rpc, nullptr) << method->full_name();
      ++found;
      // The privilege is the one the request message names as its option.
      const auto& option =
          method->input_type()->options().GetExtension(pb::common::privilege_ext_obj);
      std::string privilege =
          method->input_type()->options().HasExtension(pb::common::privilege_ext_obj)
              ? pb::common::ObjectPrivilege_Name(option.object_privilege())
              : "";
      if (method->name() != "HasCollection") {
        EXPECT_EQ(rpc->privilege.empty() ? "" : "Privilege" + std::string(rpc->privilege),
                  privilege)
            << method->full_name();
      }
      // The status is where the reply's descriptor has it.
      const auto* reply = method->output_type();
      if (rpc->status_field > 0) {
        ASSERT_NE(reply->FindFieldByNumber(rpc->status_field), nullptr) << method->full_name();
        EXPECT_EQ(reply->FindFieldByNumber(rpc->status_field)->message_type()->full_name(),
                  "milvus.proto.common.Status");
      } else if (rpc->status_field == 0) {
        EXPECT_EQ(reply->full_name(), "milvus.proto.common.Status");
      }
    }
  }
  EXPECT_EQ(found, 154u);
  EXPECT_EQ(RpcTable().size(), 156u);  // and Tokenize, and health
}

TEST(RpcPage, NamesWhatIsServedAndCountsTheRest) {
  const std::string page = RpcPage();
  const auto served = std::ranges::count_if(RpcTable(), &RpcInfo::works);
  EXPECT_TRUE(page.starts_with(std::to_string(served) + " of 156 RPCs are served"));
  for (const RpcInfo& rpc : RpcTable()) {
    if (rpc.works()) {
      EXPECT_NE(page.find(rpc.name), std::string::npos) << rpc.name;
    }
  }
  EXPECT_NE(page.find("| databases | CreateDatabase, "), std::string::npos);
}

TEST(Base64, ComesBack) {
  for (std::string_view text : {"", "a", "ab", "abc", "\xff\x00\x10zz"}) {
    EXPECT_EQ(DecodeBase64(EncodeBase64(text)), text);
  }
  EXPECT_EQ(DecodeBase64("YQ"), "a");
  EXPECT_FALSE(DecodeBase64("a?bc").has_value());
  EXPECT_FALSE(DecodeBase64("abcde").has_value());
}

}  // namespace
}  // namespace elanus::gateway
