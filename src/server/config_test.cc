#include "server/config.h"

#include <gtest/gtest.h>

namespace elanus {
namespace {

TEST(Config, ReadsNestedAndDottedKeys) {
  auto config =
      Config::FromYaml("segment:\n  growing_bytes: 8192\nbuild.threads: 1\n", "test.yaml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->Number("segment.growing_bytes"), 8192);
  EXPECT_EQ(config->Number("build.threads"), 1);
  EXPECT_EQ(config->Number("history.retention_ms"), 3'600'000);
}

TEST(Config, NamesTheNearestKnobOfAnUnknownKey) {
  auto config = Config::FromYaml("segment.growing_byte: 1\n", "test.yaml");
  ASSERT_TRUE(config.has_value());
  ASSERT_EQ(config->warnings().size(), 1u);
  EXPECT_NE(config->warnings()[0].find("did you mean segment.growing_bytes?"), std::string::npos);
}

TEST(Config, RefusesWhatIsNoNumberOrOutOfBounds) {
  for (const char* text : {"build.threads: many", "build.threads: -1", "build: [1", "- 1"}) {
    auto config = Config::FromYaml(text, "test.yaml");
    ASSERT_FALSE(config.has_value()) << text;
    EXPECT_NE(config.error().message().find("test.yaml"), std::string::npos);
  }
}

TEST(Config, EveryDefaultIsWithinItsBounds) {
  for (const Knob& knob : Knobs()) {
    EXPECT_LE(knob.min, knob.fallback) << knob.name;
    EXPECT_GE(knob.max, knob.fallback) << knob.name;
  }
}

}  // namespace
}  // namespace elanus
