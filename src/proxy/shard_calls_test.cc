// Shards are asked at once while cores are idle, with the answers of one after another; namespaces
// that have a shard of their own are looked for there alone.
#include "proxy/shard_calls.h"

#include <latch>
#include <set>
#include <thread>

#include "base/busy_reader.h"
#include "base/crew.h"
#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

struct ShardCalls : FrontendTest {
  Crew crew{2};
  RowFrontend shared{Backends{coordinator, shards, clock, 3'600'000, &crew}};
  const service::QueryCall all{.collection = "c", .filter = "n >= 0"};
};

TEST_F(ShardCalls, AskShardsAtOnce) {
  InsertLine(100);
  const auto alone = frontend.Search(call, SearchFrom({10, 0}, "7"));
  ASSERT_TRUE(alone) << alone.error().message();
  std::latch both(2);  // a second shard that waited for the first would wait for ever
  shards.begun = [&] { both.arrive_and_wait(); };
  const auto together = shared.Search(call, SearchFrom({10, 0}, "7"));
  ASSERT_TRUE(together) << together.error().message();
  EXPECT_EQ(together->keys.ints, alone->keys.ints);
  EXPECT_EQ(together->scores, alone->scores);
  EXPECT_EQ(together->keys.size(), 7U);
  EXPECT_EQ(shards.searches.size(), 4U);
}

TEST_F(ShardCalls, AskShardsAtOnceForRows) {
  InsertLine(100);
  std::latch both(2);
  shards.begun = [&] { both.arrive_and_wait(); };
  const auto rows = shared.Query(call, all);
  ASSERT_TRUE(rows) << rows.error().message();
  ASSERT_FALSE(rows->columns.empty());
  EXPECT_EQ(rows->columns[0].column.rows, 100U);
}

TEST_F(ShardCalls, AskOneAfterAnotherWhenAllAreBusy) {
  InsertLine(10);
  const BusyReader other(crew);
  std::set<std::thread::id> threads;
  shards.begun = [&] { threads.insert(std::this_thread::get_id()); };
  EXPECT_TRUE(shared.Query(call, all));
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
  EXPECT_EQ(shards.queries.size(), 2U);
}

struct NamespaceShards : ShardCalls {
  void SetUp() override {
    auto info = SampleCollection();
    info.schema.fields.push_back(
        Field(105, "$namespace_id", model::DataType::kVarChar, {{"max_length", "65535"}}));
    info.schema.fields.back().is_partition_key = true;
    info.properties = {{"namespace.sharding.enabled", "true"}};
    Use(info);
  }
  void InsertAs(const std::string& name_space, int64_t first) {
    service::MutationCall mutation{.kind = service::MutationKind::kInsert,
                                   .collection = "c",
                                   .name_space = name_space,
                                   .num_rows = 4};
    mutation.columns = {Ints("id", {first, first + 1, first + 2, first + 3}),
                        Vectors("v", {1, 2, 3, 4, 5, 6, 7, 8})};
    const auto reply = Mutate(mutation);
    ASSERT_TRUE(reply) << reply.error().message();
  }
  static ShardId ShardOfName(std::string_view name) {
    return ShardId{21 + static_cast<int64_t>(ShardOf(name, 2))};
  }
  std::vector<ShardId> Queried() {
    std::vector<ShardId> asked;
    for (const auto& query : shards.queries) asked.push_back(query.shard);
    shards.queries.clear();
    return asked;
  }
};

TEST_F(NamespaceShards, HaveAllTheirRows) {
  std::set<ShardId> used;
  for (const std::string name : {"anna", "ben", "carl", "dora"}) {
    shards.rows.clear();
    InsertAs(name, 10);
    ASSERT_EQ(shards.rows.size(), 1U) << name;
    EXPECT_EQ(shards.rows.begin()->first, ShardOfName(name));
    EXPECT_EQ(RowCount(), 4U);
    used.insert(ShardOfName(name));
  }
  EXPECT_EQ(used.size(), 2U) << "names that lie in one shard test little";
}

TEST_F(NamespaceShards, AreReadWhereTheyAre) {
  InsertAs("anna", 10);
  auto query = all;
  query.name_space = "anna";
  ASSERT_TRUE(shared.Query(call, query));
  EXPECT_EQ(Queried(), std::vector{ShardOfName("anna")});
  auto search = SearchFrom({1, 2});
  search.name_space = "anna";
  const auto found = shared.Search(call, search);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->keys.size(), 3U);
  ASSERT_EQ(shards.searches.size(), 1U);
  EXPECT_EQ(shards.searches[0].shard, ShardOfName("anna"));
}

TEST_F(NamespaceShards, AreDeletedFromWhereTheyAre) {
  InsertAs("anna", 10);
  const auto erase = [&](std::optional<std::string> name_space) {
    std::optional<Result<service::MutationReply>> reply;
    shared.Delete(call,
                  {.collection = "c", .name_space = std::move(name_space), .filter = "id in [11]"},
                  [&](auto result) { reply = std::move(result); });
    return *reply;
  };
  shards.filter = [](const FakeRow& row) { return row.key == model::PrimaryKey(int64_t{11}); };
  ASSERT_TRUE(erase("anna"));
  EXPECT_EQ(Queried(), std::vector{ShardOfName("anna")});
  EXPECT_EQ(RowCount(), 3U);
  InsertAs("anna", 11);
  // Whose key it is nobody says: all shards are asked.
  ASSERT_TRUE(erase(std::nullopt));
  EXPECT_EQ(Queried().size(), 2U);
}

}  // namespace
}  // namespace elanus::proxy
