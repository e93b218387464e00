// The whole server without sockets: what it tells of itself, how it ends when its log fails.
#include "server/standalone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <future>

#include "base/sim_file_system.h"
#include "base/unique.h"
#include "server/gauges.h"
#include "server/health.h"
#include "server/machine.h"

namespace elanus {
namespace {

class StandaloneTest : public testing::Test {
 protected:
  StandaloneTest() : dir_(testing::TempDir() + "elanus-" + UniqueText()) {}
  ~StandaloneTest() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<Standalone> Open() {
    auto server = Standalone::Open(PosixFileSystem(), dir_, Config());
    EXPECT_TRUE(server.has_value()) << server.error().message();
    return std::move(*server);
  }

  const std::string dir_;
};

TEST_F(StandaloneTest, IsHealthyFromTheEndOfRecoveryUntilItStops) {
  Health health;
  EXPECT_EQ(health.Check().message(), "recovering: service not ready");
  const auto server = Open();
  health.Serves(*server);
  EXPECT_TRUE(health.Check().ok());
  health.Stops();
  EXPECT_EQ(health.Check().message(), "stopping: service not ready");
}

TEST_F(StandaloneTest, ShowsItsStateOnMetricsAndTakesItBack) {
  MetricRegistry registry;
  const auto server = Open();
  {
    const Gauges gauges(registry, *server);
    const std::string text = registry.Text();
    for (const char* line :
         {"elanus_segments{state=\"growing\"} 0\n", "elanus_segments{state=\"sealed\"} 0\n",
          "elanus_jobs_running{job=\"merge\"} 0\n", "elanus_jobs_done{job=\"index_build\"} 0\n",
          "elanus_memory_bytes{part=\"indexes\"} 0\n", "elanus_log_pending_bytes 0\n",
          "elanus_log_sync_seconds{quantile=\"0.99\"} 0\n"}) {
      EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
    EXPECT_NE(text.find("elanus_process_anon_huge_pages_bytes "), std::string::npos);
    EXPECT_EQ(text.find("elanus_process_resident_bytes 0\n"), std::string::npos);
  }
  EXPECT_EQ(registry.Text().find("elanus_segments{"), std::string::npos);
}

TEST_F(StandaloneTest, AnAsynchronousLogTellsAFailedSyncAtOnceAndOnce) {
  std::filesystem::create_directories(dir_);
  SimFileSystem files;  // of everything but RocksDB
  ASSERT_TRUE(files.CreateDirs(dir_).ok());
  auto config = Config::FromYaml("log.durability_async: 1\n", "test");
  ASSERT_TRUE(config.has_value());
  std::promise<std::string> told;
  auto server = Standalone::Open(files, dir_, *config,
                                 [&](const Status& why) { told.set_value(why.message()); });
  ASSERT_TRUE(server.has_value()) << server.error().message();
  service::CreateCollection create;
  create.schema.name = "c";
  create.schema.fields.push_back(
      {.name = "id", .type = model::DataType::kInt64, .is_primary = true});
  create.schema.fields.push_back(
      {.name = "v", .type = model::DataType::kFloatVector, .type_params = {{"dim", "4"}}});
  ASSERT_TRUE((*server)->catalog().Ddl({}, create).ok());
  // A record each: the first makes the log's file, with syncs of its own.
  const service::TruncateCollection truncate{.collection = "c"};
  ASSERT_TRUE((*server)->catalog().Ddl({}, truncate).ok());
  files.StopAtSync(dir_ + "/log/0000000000000001.log");
  std::ignore = (*server)->catalog().Ddl({}, truncate);  // acknowledged before it is synced
  auto heard = told.get_future();
  ASSERT_EQ(heard.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_FALSE((*server)->Health().ok());
  EXPECT_EQ(heard.get(), (*server)->Health().message());
  EXPECT_FALSE((*server)->catalog().Ddl({}, truncate).ok());
}

TEST(EndProcess, SaysWhyAndExits) {
  EXPECT_EXIT(EndProcess({Code::kIoFailed, "log/7: sync failed: I/O error"}),
              testing::ExitedWithCode(kExitLogBroken), "the log failed.*log/7: sync failed");
}

TEST(DataThreads, AreAsManyAsTheKnobSaysOrTheCores) {
  EXPECT_EQ(DataThreads(*Config::FromYaml("gateway.data_threads: 1\n", "test.yaml")), 1u);
  EXPECT_EQ(DataThreads(*Config::FromYaml("gateway.data_threads: 7\n", "test.yaml")), 7u);
  EXPECT_EQ(DataThreads(Config()), static_cast<size_t>(std::max(CoresTotal(), 2)));
}

}  // namespace
}  // namespace elanus
