#include "format/segment_file.h"

#include <gtest/gtest.h>

namespace elanus::format {
namespace {

std::string WriteExample(uint64_t rows) {
  std::string bytes;
  SegmentFileWriter writer([&](std::string_view piece) {
    bytes.append(piece);
    return Status::Ok();
  });
  EXPECT_TRUE(writer.Begin().ok());
  EXPECT_TRUE(writer.StartSection(SectionKind::kFixed, {100}, model::DataType::kInt64, 0).ok());
  for (uint64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE(writer.Append({reinterpret_cast<const char*>(&i), sizeof(i)}).ok());
  }
  EXPECT_TRUE(writer.StartSection(SectionKind::kBytes, {101}, model::DataType::kVarChar, 0).ok());
  EXPECT_TRUE(writer.Append("some text").ok());
  EXPECT_TRUE(writer.Finish({.segment = {5}, .rows = rows, .key_field = {100}}).ok());
  EXPECT_EQ(writer.bytes_written(), bytes.size());
  return bytes;
}

TEST(SegmentFile, FindsItsSectionsAligned) {
  const std::string bytes = WriteExample(20'000);
  auto file = SegmentFile::Open(bytes, "seg");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->footer().rows, 20'000u);
  const SectionInfo* keys = file->Find(SectionKind::kFixed, {100});
  ASSERT_NE(keys, nullptr);
  EXPECT_EQ(keys->offset % 64, 0u);
  EXPECT_EQ(keys->checksums.size(), 3u);
  EXPECT_TRUE(file->VerifySection(*keys).ok());
  EXPECT_EQ(file->Bytes(*file->Find(SectionKind::kBytes, {101})), "some text");
  EXPECT_EQ(file->Find(SectionKind::kValid, {100}), nullptr);
}

TEST(SegmentFile, NamesDamageAtEveryByte) {
  const std::string bytes = WriteExample(20);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    auto file = SegmentFile::Open(damaged, "the-segment");
    bool found = !file.has_value();
    if (file.has_value()) {
      for (const SectionInfo& section : file->footer().sections)
        found |= !file->VerifySection(section).ok();
    }
    // Padding between sections is the only place that no checksum covers, and nobody reads it.
    const bool padding = (i >= 8 && i < 64) || (i >= 64 + 160 && i < 256);
    EXPECT_TRUE(found || padding) << i;
  }
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(SegmentFile::Open(std::string_view(bytes).substr(0, cut), "s").has_value());
  }
}

// Else offsets could be checked against one section and read from the other.
TEST(SegmentFile, RefusesTwoSectionsOfOneKindAndField) {
  std::string bytes;
  SegmentFileWriter writer([&](std::string_view piece) {
    bytes.append(piece);
    return Status::Ok();
  });
  ASSERT_TRUE(writer.Begin().ok());
  for (std::string_view text : {"a longer text", "short"}) {
    ASSERT_TRUE(writer.StartSection(SectionKind::kBytes, {101}, model::DataType::kVarChar, 0).ok());
    ASSERT_TRUE(writer.Append(text).ok());
  }
  ASSERT_TRUE(writer.Finish({.segment = {5}, .rows = 0, .key_field = {100}}).ok());
  auto file = SegmentFile::Open(bytes, "the-segment");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code(), Code::kDataIntegrity);
}

}  // namespace
}  // namespace elanus::format
