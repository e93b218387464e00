// The gRPC surface over a real connection.
#include "gateway/grpc_server.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "gateway/fake_frontend.h"
#include "milvus.pb.h"

namespace elanus::gateway {
namespace {

namespace pb = milvus::proto;

struct GrpcServerTest : testing::Test {
  FakeFrontend frontend;
  MetricRegistry metrics;
  Gateway gateway{
      {}, Services{.catalog = &frontend, .data = &frontend, .version = "2.6.6-test"}, metrics};
  std::unique_ptr<GrpcServer> server;
  std::shared_ptr<grpc::Channel> channel;

  void SetUp() override {
    auto started =
        GrpcServer::Start({.address = "127.0.0.1:0", .receive_bytes_max = 1 << 20}, gateway);
    ASSERT_TRUE(started.has_value());
    server = std::move(*started);
    channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()),
                                  grpc::InsecureChannelCredentials());
  }
  grpc::Status CallRaw(const std::string& path, const std::string& request, std::string& reply,
                       grpc::ClientContext& context) {
    grpc::GenericStub stub(channel);
    grpc::CompletionQueue queue;
    grpc::Slice slice(request);
    grpc::ByteBuffer out(&slice, 1);
    auto call = stub.PrepareUnaryCall(&context, path, out, &queue);
    call->StartCall();
    grpc::ByteBuffer in;
    grpc::Status status;
    call->Finish(&in, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    std::vector<grpc::Slice> slices;
    if (status.ok() && in.Dump(&slices).ok()) {
      for (const auto& s : slices) {
        reply.append(reinterpret_cast<const char*>(s.begin()), s.size());
      }
    }
    return status;
  }
  grpc::Status Call(const std::string& method, const std::string& request, std::string& reply) {
    grpc::ClientContext context;
    return CallRaw("/milvus.proto.milvus.MilvusService/" + method, request, reply, context);
  }
};

TEST_F(GrpcServerTest, ServesVersionAndHealth) {
  std::string reply;
  ASSERT_TRUE(Call("GetVersion", "", reply).ok());
  pb::milvus::GetVersionResponse version;
  ASSERT_TRUE(version.ParseFromString(reply));
  EXPECT_EQ(version.version(), "2.6.6-test");
  grpc::ClientContext context;
  std::string health;
  ASSERT_TRUE(CallRaw("/grpc.health.v1.Health/Check", "", health, context).ok());
  EXPECT_EQ(health, std::string("\x08\x01", 2));
}

TEST_F(GrpcServerTest, NamesTheMethodItDoesNotServe) {
  std::string reply;
  grpc::Status status = Call("GetReplicateInfo", "", reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_NE(status.error_message().find("GetReplicateInfo"), std::string::npos);
  status = Call("NoSuchThing", "", reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_NE(status.error_message().find("NoSuchThing"), std::string::npos);
}

TEST_F(GrpcServerTest, RefusesAMessageLargerThanItsLimitByName) {
  std::string reply;
  grpc::Status status = Call("Insert", std::string(2 << 20, 'x'), reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(status.error_message().find("message larger than max"), std::string::npos);
}

TEST_F(GrpcServerTest, ReadsHeaders) {
  grpc::ClientContext context;
  context.AddMetadata("dbname", "nowhere");
  std::string reply;
  ASSERT_TRUE(CallRaw("/milvus.proto.milvus.MilvusService/Connect", "", reply, context).ok());
  pb::milvus::ConnectResponse connected;
  ASSERT_TRUE(connected.ParseFromString(reply));
  EXPECT_EQ(connected.status().code(), 800);
}

TEST_F(GrpcServerTest, TellsTheHandlerWhenTheClientGoesAway) {
  pb::milvus::SearchRequest request;
  request.set_collection_name("books");
  grpc::ClientContext context;
  frontend.on_read = [&](const service::CallContext& call) {
    context.TryCancel();
    while (!call.cancel.Stopped()) std::this_thread::yield();
  };
  std::string reply;
  grpc::Status status = CallRaw("/milvus.proto.milvus.MilvusService/Search",
                                request.SerializeAsString(), reply, context);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  server->Shutdown(std::chrono::seconds(5));  // ends, so the handler's loop ended
}

TEST_F(GrpcServerTest, MovesALargeInsertIntoColumns) {
  std::string reply;
  pb::schema::CollectionSchema schema;
  auto& id = *schema.add_fields();
  id.set_name("id");
  id.set_data_type(pb::schema::DataType::Int64);
  id.set_is_primary_key(true);
  auto& vector = *schema.add_fields();
  vector.set_name("vector");
  vector.set_data_type(pb::schema::DataType::FloatVector);
  pb::milvus::CreateCollectionRequest create;
  create.set_collection_name("books");
  create.set_schema(schema.SerializeAsString());
  ASSERT_TRUE(Call("CreateCollection", create.SerializeAsString(), reply).ok());
  ASSERT_EQ(reply, "");

  pb::milvus::InsertRequest insert;
  insert.set_collection_name("books");
  insert.set_num_rows(1000);
  auto& ids = *insert.add_fields_data();
  ids.set_field_name("id");
  ids.set_type(pb::schema::DataType::Int64);
  auto& vectors = *insert.add_fields_data();
  vectors.set_field_name("vector");
  vectors.set_type(pb::schema::DataType::FloatVector);
  vectors.mutable_vectors()->set_dim(128);
  for (int i = 0; i < 1000; ++i) ids.mutable_scalars()->mutable_long_data()->add_data(i);
  for (int i = 0; i < 128'000; ++i) {
    vectors.mutable_vectors()->mutable_float_vector()->add_data(static_cast<float>(i));
  }
  ASSERT_TRUE(Call("Insert", insert.SerializeAsString(), reply).ok());
  pb::milvus::MutationResult inserted;
  ASSERT_TRUE(inserted.ParseFromString(reply));
  EXPECT_EQ(inserted.insert_cnt(), 1000);
  EXPECT_EQ(inserted.ids().int_id().data(999), 999);

  pb::milvus::QueryRequest query;
  query.set_collection_name("books");
  reply.clear();
  ASSERT_TRUE(Call("Query", query.SerializeAsString(), reply).ok());
  pb::milvus::QueryResults rows;
  ASSERT_TRUE(rows.ParseFromString(reply));
  ASSERT_EQ(rows.fields_data_size(), 2);
  EXPECT_EQ(rows.fields_data(1).vectors().float_vector().data(127'999), 127'999.0f);
}

}  // namespace
}  // namespace elanus::gateway
