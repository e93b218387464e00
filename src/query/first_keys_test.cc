// The rows with the smallest keys, which looks at few blocks, against a sort of all rows: keys in
// several segments and several times in one, deletes, rows that outlived their time, helpers.
#include "query/first_keys.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "expr/filter.h"
#include "query/retrieve.h"

namespace elanus::query {
namespace {

constexpr FieldId kKey{100};
constexpr FieldId kPart{101};

struct Row {
  int64_t key = 0;
  model::Timestamp timestamp = 0;
  int64_t part = 0;
  bool deleted = false;
};

/// Rows by key when it is ordered, otherwise as they came.
class TestSegment final : public segment::Segment, public segment::RowSource {
 public:
  TestSegment(int64_t id, bool ordered, std::vector<Row> rows)
      : Segment(SegmentId{id}, PartitionId{1}), ordered_(ordered), rows_(std::move(rows)) {
    if (ordered) std::ranges::sort(rows_, {}, &Row::key);
    for (const Row& row : rows_) {
      keys_.push_back(row.key);
      parts_.push_back(row.part);
    }
  }
  bool sealed() const override { return ordered_; }
  uint32_t RowsAt(model::Timestamp) const override { return static_cast<uint32_t>(rows_.size()); }
  std::vector<segment::Run> Runs(uint32_t) const override {
    const segment::RowSource* source = this;
    return {{0, std::shared_ptr<const segment::RowSource>(source, [](const auto*) {})}};
  }
  std::shared_ptr<const Bitset> HiddenAt(model::Timestamp, uint32_t rows) const override {
    auto bits = std::make_shared<Bitset>(rows);
    for (uint32_t row = 0; row < rows; ++row) {
      if (rows_[row].deleted) bits->Set(row);
    }
    return bits;
  }
  std::shared_ptr<Bitset> InsertedBy(model::Timestamp t, uint32_t rows) const override {
    auto bits = std::make_shared<Bitset>(rows);
    for (uint32_t row = 0; row < rows; ++row) {
      if (rows_[row].timestamp <= t) bits->Set(row);
    }
    return bits;
  }
  model::PrimaryKey KeyAt(uint32_t row) const override { return keys_[row]; }
  model::Timestamp TimestampAt(uint32_t row) const override { return rows_[row].timestamp; }
  const segment::DeleteLog& deletes() const override { return no_deletes_; }
  std::vector<uint32_t> FindKey(const model::PrimaryKey&, uint32_t) const override { return {}; }
  bool OrderedByKey() const override { return ordered_; }
  uint32_t LowerBound(const model::PrimaryKey& key, bool strictly) const override {
    const int64_t from = std::get<int64_t>(key) + (strictly ? 1 : 0);
    return static_cast<uint32_t>(std::ranges::lower_bound(keys_, from) - keys_.begin());
  }
  size_t rows() const override { return rows_.size(); }
  std::optional<segment::ColumnView> Column(FieldId field) const override {
    const std::vector<int64_t>& values = field == kKey ? keys_ : parts_;
    return segment::ColumnView{.type = model::DataType::kInt64,
                               .rows = values.size(),
                               .fixed = reinterpret_cast<const char*>(values.data())};
  }

 private:
  const segment::DeleteLog no_deletes_{};  // what HiddenAt says is all that is asked
  const bool ordered_;
  std::vector<Row> rows_;
  std::vector<int64_t> keys_;
  std::vector<int64_t> parts_;
};

struct World {
  model::CollectionSchema schema{
      .name = "c",
      .fields = {{.id = kKey, .name = "id", .type = model::DataType::kInt64, .is_primary = true},
                 {.id = kPart, .name = "part", .type = model::DataType::kInt64}}};
  std::vector<segment::SegmentPtr> segments;
  std::vector<Row> rows;

  void Add(bool ordered, std::vector<Row> some) {
    rows.insert(rows.end(), some.begin(), some.end());
    segments.push_back(std::make_shared<TestSegment>(static_cast<int64_t>(segments.size()) + 1,
                                                     ordered, std::move(some)));
  }

  Result<Retrieved> First(int64_t limit, const std::string& text, ReadView view,
                          const Cancel& cancel = {}) const {
    const expr::BoundFilter filter = expr::ParseFilter(text, schema, {}).value();
    view.schema = &schema;
    view.at = model::kTimestampMax;
    view.filter = &filter;
    view.cancel = &cancel;
    return Retrieve(segments, view, {.limit = limit});
  }
};

/// Keys [first, first + span), some several times, parts of 0 to 999.
std::vector<Row> RandomRows(std::mt19937& random, size_t count, int64_t first, int64_t span) {
  std::vector<Row> rows(count);
  for (Row& row : rows) {
    row = {.key = first + static_cast<int64_t>(random() % static_cast<uint64_t>(span)),
           .timestamp = 10 + random() % 1'000'000'000,
           .part = static_cast<int64_t>(random() % 1000),
           .deleted = random() % 10 == 0};
  }
  return rows;
}

TEST(FirstKeys, AreThoseOfASortOfAllRows) {
  std::mt19937 random(5);
  World world;
  world.Add(true, RandomRows(random, 60'000, 0, 90'000));
  world.Add(true, RandomRows(random, 100'000, 40'000, 60'000));
  world.Add(false, RandomRows(random, 3'000, 0, 90'000));
  world.Add(true, RandomRows(random, 20'000, 200'000, 1'000));
  world.Add(true, {});
  world.Add(true, RandomRows(random, 10, 0, 5));
  Crew crew(3);
  const Crew::Turn turn(crew);
  const model::Expiry expiries[] = {{}, {.inserted = 300'000'000}};
  for (const int64_t below : {1'000, 300, 5, 1, 0}) {
    for (const int64_t from : {-1, 70'000}) {
      for (const model::Expiry& expiry : expiries) {
        std::map<int64_t, model::Timestamp> newest;
        for (const Row& row : world.rows) {
          if (row.deleted || row.timestamp <= expiry.inserted || row.part >= below) continue;
          if (row.key > from) newest[row.key] = std::max(newest[row.key], row.timestamp);
        }
        const std::string text =
            "part < " + std::to_string(below) + " and id > " + std::to_string(from);
        for (const int64_t limit : {0, 1, 7, 400, 16'384, 1'000'000, -1}) {
          for (Crew* helpers : {static_cast<Crew*>(nullptr), &crew}) {
            const auto found = world.First(limit, text, {.expiry = expiry, .crew = helpers});
            ASSERT_TRUE(found.has_value());
            const size_t wanted =
                limit < 0 ? newest.size() : std::min(newest.size(), static_cast<size_t>(limit));
            ASSERT_EQ(found->keys.size(), wanted) << text << ", limit " << limit;
            auto next = newest.begin();
            for (size_t i = 0; i < wanted; ++i, ++next) {
              ASSERT_EQ(found->keys.ints[i], next->first) << text << ", limit " << limit;
              ASSERT_EQ(found->timestamps[i], next->second);
            }
          }
        }
      }
    }
  }
}

/// What a full read of the segments leaves behind.
void Keep(const World& world, const std::string& text, FilterCache& filters) {
  for (int read = 0; read < 2; ++read)  // kept from the second on
    ASSERT_TRUE(world.First(-1, text, {.filters = &filters}).has_value());
}

TEST(FirstKeys, ComeFromAnAnswerThatIsKept) {
  std::mt19937 random(9);
  World world;
  world.Add(true, RandomRows(random, 60'001, 0, 90'000));
  world.Add(true, RandomRows(random, 20'000, 30'000, 10'000));
  for (const std::string text :
       {"part < 40", "part < 300 and id > 41234", "part < 300 and id >= 7"}) {
    FilterCache filters(1 << 20);
    Keep(world, text, filters);
    ASSERT_GT(filters.bytes(), 80'000u / 8);
    for (const int64_t limit : {1, 60, 3000, 1'000'000}) {
      const auto looked = world.First(limit, text, {});
      const auto taken = world.First(limit, text, {.filters = &filters});
      ASSERT_EQ(taken->keys.ints, looked->keys.ints) << text << ", limit " << limit;
      ASSERT_EQ(taken->timestamps, looked->timestamps) << text << ", limit " << limit;
    }
  }
}

TEST(FirstKeys, AskNoFilterWhoseAnswerIsKept) {
  std::mt19937 random(10);
  World world;
  world.Add(true, RandomRows(random, 20'000, 0, 1'000'000));
  const std::string text = "part < 400 and id > 1000";
  const expr::BoundFilter filter = expr::ParseFilter(text, world.schema, {}).value();
  auto odd = std::make_shared<Bitset>(20'000);  // not the truth: it shows who was asked
  for (size_t row = 0; row < 20'000; row += 2) odd->Set(row);
  FilterCache filters(1 << 20);
  filters.Put(SegmentId{1}, FilterCache::KeyOf(filter), odd);
  const auto found = world.First(100, text, {.filters = &filters});
  ASSERT_EQ(found->keys.size(), 100u);
  for (const RowRef& ref : found->rows) EXPECT_EQ(ref.row % 2, 1u);
  EXPECT_EQ(FilterCache(1 << 20).Kept(SegmentId{1}, "x"), nullptr);
}

TEST(FirstKeys, LooksAtNoMoreThanItMust) {
  std::mt19937 random(6);
  World world;
  for (int64_t s = 0; s < 4; ++s)
    world.Add(true, RandomRows(random, 200'000, s * 200'000, 200'000));
  const auto looked_at = [&](int64_t limit, const std::string& text) {
    ReadTrace trace;
    EXPECT_EQ(world.First(limit, text, {.trace = &trace})->keys.size(), static_cast<size_t>(limit));
    std::vector<uint32_t> rows;
    for (const segment::SegmentPtr& segment : world.segments)
      rows.push_back(trace.Of(segment->id()).rows);
    return rows;
  };
  EXPECT_EQ(looked_at(10, "part < 500"), (std::vector<uint32_t>{8192, 0, 0, 0}));
  const std::vector<uint32_t> more = looked_at(100, "part < 2");  // one of 500
  EXPECT_GT(more[0], 40'000u);
  EXPECT_LT(more[0], 130'000u);
  EXPECT_EQ(more[1] + more[2] + more[3], 0u);
}

TEST(FirstKeys, SegmentsOfTheSameKeysAreReadSideBySide) {
  std::mt19937 random(7);
  World world;
  for (int64_t s = 0; s < 4; ++s) world.Add(true, RandomRows(random, 200'000, 0, 800'000));
  ReadTrace trace;
  ASSERT_EQ(world.First(200, "part < 10", {.trace = &trace})->keys.size(), 200u);
  uint32_t rows = 0;
  for (const segment::SegmentPtr& segment : world.segments) rows += trace.Of(segment->id()).rows;
  EXPECT_LE(rows, 8u * 8192) << "20,000 rows or so hold them";
}

TEST(FirstKeys, EndsWhenTheCallIsCanceled) {
  std::mt19937 random(8);
  World world;
  world.Add(true, RandomRows(random, 100'000, 0, 100'000));
  std::stop_source stop;
  stop.request_stop();
  const auto found = world.First(10, "part < 5", {}, {.stop = stop.get_token()});
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), Code::kCanceled);
}

}  // namespace
}  // namespace elanus::query
