#include "format/log_record.h"

#include <gtest/gtest.h>

namespace elanus::format {
namespace {

LogRecord Example() {
  model::Column keys = model::MakeColumn({100}, model::DataType::kInt64);
  model::Column words = model::MakeColumn({101}, model::DataType::kVarChar);
  for (int64_t i = 0; i < 3; ++i) {
    keys.Append(i);
    words.AppendValue(std::string(i, 'w'));
  }
  LogRecord record{.timestamp = 5, .collection = {9}, .schema_version = 2, .partition = {4}};
  record.deletes.ints = {7, 8};
  record.rows = {.rows = 3, .columns = {keys, words}};
  return record;
}

TEST(LogRecord, ReadsBackWithTheStampedTimestamp) {
  std::string bytes = EncodeLogRecord(Example());
  StampLogRecord(bytes, 77);
  auto record = DecodeLogRecord(bytes);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->timestamp, 77u);
  EXPECT_EQ(record->partition, PartitionId{4});
  EXPECT_EQ(record->deletes, Example().deletes);
  EXPECT_EQ(record->rows, Example().rows);
}

TEST(LogRecord, RefusesEveryPrefix) {
  std::string bytes = EncodeLogRecord(Example());
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    auto record = DecodeLogRecord(std::string_view(bytes).substr(0, cut));
    ASSERT_FALSE(record.has_value()) << cut;
    EXPECT_EQ(record.error().code(), Code::kDataIntegrity);
  }
}

TEST(LogRecord, SurvivesEveryFlippedBit) {
  // The log's checksums catch these; the decoder must still neither crash nor read astray.
  const std::string bytes = EncodeLogRecord(Example());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    auto record = DecodeLogRecord(damaged);
    if (record.has_value()) {
      EXPECT_TRUE(record->rows.Validate().ok());
    }
  }
}

}  // namespace
}  // namespace elanus::format
