// Hidden rows of a segment with and without kept answers, against a row by row look.
#include "query/visible_rows.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "query/filter_cache.h"

namespace elanus::query {
namespace {

constexpr uint32_t kRows = 1000;
constexpr FieldId kPart{101};

model::CollectionSchema Schema() {
  model::CollectionSchema schema;
  schema.fields.push_back(
      {.id = {100}, .name = "id", .type = model::DataType::kInt64, .is_primary = true});
  schema.fields.push_back({.id = kPart, .name = "part", .type = model::DataType::kInt64});
  return schema;
}

// Row r has part r % 10 and is deleted at the timestamp that `deleted` says; 0 = never.
class TestSegment final : public segment::Segment, public segment::RowSource {
 public:
  TestSegment(int64_t id, bool sealed)
      : Segment(SegmentId{id}, PartitionId{1}), sealed_(sealed), part_(kRows), deleted_(kRows) {
    for (uint32_t row = 0; row < kRows; ++row) part_[row] = row % 10;
  }
  void Delete(uint32_t row, model::Timestamp at) { deleted_[row] = at; }
  void SetPart(uint32_t row, int64_t part) { part_[row] = part; }
  bool Visible(uint32_t row, model::Timestamp at, int64_t part) const {
    return part_[row] == part && (deleted_[row] == 0 || deleted_[row] > at);
  }

  bool sealed() const override { return sealed_; }
  uint32_t RowsAt(model::Timestamp) const override { return kRows; }
  std::vector<segment::Run> Runs(uint32_t) const override {
    const segment::RowSource* source = this;
    return {{0, std::shared_ptr<const segment::RowSource>(source, [](const auto*) {})}};
  }
  std::shared_ptr<const Bitset> HiddenAt(model::Timestamp at, uint32_t rows) const override {
    std::shared_ptr<Bitset> bits;
    for (uint32_t row = 0; row < rows; ++row) {
      if (deleted_[row] == 0 || deleted_[row] > at) continue;
      if (bits == nullptr) bits = std::make_shared<Bitset>(rows);
      bits->Set(row);
    }
    return bits;
  }
  std::shared_ptr<Bitset> InsertedBy(model::Timestamp t, uint32_t rows) const override {
    if (t < TimestampAt(0)) return nullptr;
    auto bits = std::make_shared<Bitset>(rows);
    bits->SetRange(0, rows);
    return bits;
  }
  model::PrimaryKey KeyAt(uint32_t row) const override { return int64_t{row}; }
  model::Timestamp TimestampAt(uint32_t) const override { return 1; }
  const segment::DeleteLog& deletes() const override { return no_deletes_; }
  std::vector<uint32_t> FindKey(const model::PrimaryKey&, uint32_t) const override { return {}; }

  size_t rows() const override { return kRows; }
  std::optional<segment::ColumnView> Column(FieldId field) const override {
    if (field != kPart) return std::nullopt;
    return segment::ColumnView{.type = model::DataType::kInt64,
                               .rows = kRows,
                               .fixed = reinterpret_cast<const char*>(part_.data())};
  }

 private:
  const bool sealed_;
  const segment::DeleteLog no_deletes_{};  // what HiddenAt says is all that is asked
  std::vector<int64_t> part_;
  std::vector<model::Timestamp> deleted_;
};

class VisibleRows : public testing::Test {
 protected:
  HiddenRows Read(const segment::Segment& segment, const std::string& text, model::Timestamp at) {
    auto filter = expr::ParseFilter(text, schema_, {});
    EXPECT_TRUE(filter.has_value());
    const Cancel cancel;
    auto hidden = HiddenRowsOf(segment, {.schema = &schema_,
                                         .at = at,
                                         .filter = &*filter,
                                         .cancel = &cancel,
                                         .filters = &filters_});
    EXPECT_TRUE(hidden.has_value());
    return std::move(*hidden);
  }
  void ExpectRight(const TestSegment& segment, int64_t part, model::Timestamp at) {
    const HiddenRows hidden = Read(segment, "part == " + std::to_string(part), at);
    ASSERT_EQ(hidden.rows, kRows);
    for (uint32_t row = 0; row < kRows; ++row) {
      ASSERT_EQ(hidden.Hidden(row), !segment.Visible(row, at, part)) << "row " << row;
    }
  }

  const model::CollectionSchema schema_ = Schema();
  FilterCache filters_{1 << 20};
};

TEST_F(VisibleRows, AFilterGivesTheSameRowsOnEveryRead) {
  const TestSegment segment(1, true);
  for (int read = 0; read < 4; ++read) {
    for (int64_t part : {3, 7, 11}) ExpectRight(segment, part, 5);
  }
  EXPECT_GT(filters_.bytes(), 0U);
}

TEST_F(VisibleRows, AKeptAnswerFollowsDeletesAndReadsOfThePast) {
  TestSegment segment(1, true);
  segment.Delete(13, 10);
  for (int read = 0; read < 3; ++read) ExpectRight(segment, 3, 20);
  EXPECT_GT(filters_.bytes(), 0U);
  ExpectRight(segment, 3, 9);
  segment.Delete(23, 30);
  ExpectRight(segment, 3, 30);
  ExpectRight(segment, 3, 29);
}

TEST_F(VisibleRows, AnswersOfOneSegmentAreNotThoseOfAnother) {
  const TestSegment first(1, true);
  TestSegment second(2, true);
  second.SetPart(3, 4);
  for (int read = 0; read < 3; ++read) {
    ExpectRight(first, 3, 5);
    ExpectRight(second, 3, 5);
  }
}

TEST_F(VisibleRows, NothingIsKeptOfAGrowingSegment) {
  TestSegment segment(1, false);
  for (int read = 0; read < 3; ++read) ExpectRight(segment, 3, 5);
  EXPECT_EQ(filters_.bytes(), 0U);
  segment.SetPart(3, 4);
  ExpectRight(segment, 3, 5);
}

TEST_F(VisibleRows, AFilterThatComesOnceIsNotKept) {
  const TestSegment segment(1, true);
  for (int64_t part = 0; part < 10; ++part) ExpectRight(segment, part, 5);
  EXPECT_EQ(filters_.bytes(), 0U);
}

TEST_F(VisibleRows, NothingIsKeptWhereMostRowsAreHiddenAnyway) {
  TestSegment segment(1, true);
  for (uint32_t row = 0; row < kRows / 2; ++row) segment.Delete(row, 2);
  for (int read = 0; read < 3; ++read) ExpectRight(segment, 3, 5);
  EXPECT_EQ(filters_.bytes(), 0U);
}

TEST(FilterCache, KeepsToItsBudgetAndDropsWhatWasNotAskedForLongest) {
  const auto answer = std::make_shared<const Bitset>(6400);  // 800 bytes
  FilterCache cache(3500);
  for (int i = 0; i < 3; ++i) cache.Put(SegmentId{i}, "f", answer);
  EXPECT_LE(cache.bytes(), 3500U);
  EXPECT_NE(cache.Find(SegmentId{0}, "f").answer, nullptr);
  cache.Put(SegmentId{3}, "f", answer);
  EXPECT_LE(cache.bytes(), 3500U);
  EXPECT_NE(cache.Find(SegmentId{0}, "f").answer, nullptr);
  EXPECT_EQ(cache.Find(SegmentId{1}, "f").answer, nullptr);
  EXPECT_NE(cache.Find(SegmentId{3}, "f").answer, nullptr);
}

TEST(FilterCache, TakesNothingThatIsLargerThanItsBudget) {
  FilterCache cache(500);
  cache.Put(SegmentId{1}, "f", std::make_shared<const Bitset>(6400));
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.Find(SegmentId{1}, "f").answer, nullptr);
}

}  // namespace
}  // namespace elanus::query
