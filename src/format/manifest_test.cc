#include "format/manifest.h"

#include <gtest/gtest.h>

namespace elanus::format {
namespace {

Manifest Example() {
  Manifest manifest{.shard = {3},
                    .collection = {2},
                    .version = 5,
                    .parent = "shard/3/manifest/4-x",
                    .checkpoint = 17};
  manifest.segments.push_back({.id = {11},
                               .partition = {1},
                               .file = {"shard/3/segment/a", 100, 0xdeadbeef},
                               .rows = 10,
                               .deletes = {"shard/3/deletes/b", 20, 1},
                               .indexes = {{{1}, {101}, {"shard/3/index/c", 30, 2}}}});
  return manifest;
}

TEST(Manifest, ReadsBackWhatWasWritten) {
  auto manifest = DecodeManifest(EncodeManifest(Example()), "m");
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(*manifest, Example());
}

TEST(Manifest, NamesTheFileWhenAnyBitIsWrong) {
  const std::string bytes = EncodeManifest(Example());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    auto manifest = DecodeManifest(damaged, "the-manifest");
    ASSERT_FALSE(manifest.has_value()) << bit;
    EXPECT_EQ(manifest.error().code(), Code::kDataIntegrity);
    EXPECT_NE(manifest.error().message().find("the-manifest"), std::string::npos);
  }
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(DecodeManifest(std::string_view(bytes).substr(0, cut), "m").has_value());
  }
}

TEST(DeleteRun, ReadsBackAndChecksItsRows) {
  std::vector<RowDelete> deletes{{0, 100}, {1, 90}, {7, 110}};
  std::string bytes = EncodeDeleteRun(deletes);
  EXPECT_EQ(*DecodeDeleteRun(bytes, 8, "run"), deletes);
  EXPECT_EQ(DecodeDeleteRun(bytes, 7, "run").error().code(), Code::kDataIntegrity);
}

}  // namespace
}  // namespace elanus::format
