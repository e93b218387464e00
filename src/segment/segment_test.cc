// Growing and sealed segments hold the same truth: what a plain list of rows says at every
// timestamp.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "segment/field_reader.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"

namespace elanus::segment {
namespace {

model::CollectionSchema Schema(bool string_keys) {
  model::CollectionSchema schema{.name = "c"};
  schema.fields.push_back(
      {.id = {100},
       .name = "id",
       .type = string_keys ? model::DataType::kVarChar : model::DataType::kInt64,
       .is_primary = true});
  schema.fields.push_back({.id = {101},
                           .name = "v",
                           .type = model::DataType::kFloatVector,
                           .type_params = {{"dim", "2"}}});
  schema.fields.push_back(
      {.id = {102}, .name = "word", .type = model::DataType::kVarChar, .nullable = true});
  return schema;
}

model::PrimaryKey Key(bool string_keys, int64_t n) {
  if (string_keys) return "key" + std::to_string(n);
  return n;
}

struct PlainRow {
  model::PrimaryKey key;
  std::string word;
  bool null_word;
  model::Timestamp inserted;
  model::Timestamp deleted = model::kTimestampMax;
};

model::RowBatch Batch(const model::CollectionSchema& schema, const std::vector<PlainRow>& rows) {
  model::RowBatch batch{.rows = rows.size()};
  model::Column keys = model::MakeColumn({100}, schema.fields[0].type);
  model::Column vectors = model::MakeColumn({101}, model::DataType::kFloatVector, 2);
  model::Column words = model::MakeColumn({102}, model::DataType::kVarChar);
  for (const PlainRow& row : rows) {
    if (const auto* text = std::get_if<std::string>(&row.key)) {
      keys.AppendValue(*text);
    } else {
      keys.Append(std::get<int64_t>(row.key));
    }
    const float v[2] = {static_cast<float>(row.word.size()), 1};
    vectors.AppendValue({reinterpret_cast<const char*>(v), sizeof(v)});
    if (row.null_word) {
      words.AppendNull();
    } else {
      words.AppendValue(row.word);
    }
  }
  batch.columns = {keys, vectors, words};
  return batch;
}

/// (key, inserted) -> word of the rows visible at T.
using Visible = std::multimap<std::pair<model::PrimaryKey, model::Timestamp>, std::string>;

Visible VisibleAt(const Segment& segment, const model::CollectionSchema& schema,
                  model::Timestamp t) {
  Visible visible;
  const uint32_t rows = segment.RowsAt(t);
  const auto hidden = segment.HiddenAt(t, rows);
  FieldReader words(segment, rows, schema.fields[2]);
  for (uint32_t row = 0; row < rows; ++row) {
    if (hidden != nullptr && hidden->Test(row)) continue;
    visible.emplace(std::pair(segment.KeyAt(row), segment.TimestampAt(row)),
                    words.IsNull(row) ? "<null>" : std::string(words.ValueAt(row)));
  }
  return visible;
}

Visible VisibleAt(const std::vector<PlainRow>& rows, model::Timestamp t) {
  Visible visible;
  for (const PlainRow& row : rows) {
    if (row.inserted > t || row.deleted <= t) continue;
    visible.emplace(std::pair(row.key, row.inserted), row.null_word ? "<null>" : row.word);
  }
  return visible;
}

/// Random inserts and deletes, to a growing segment and to a plain list alike.
struct Script {
  explicit Script(bool string_keys, uint32_t seed)
      : schema(Schema(string_keys)),
        growing(std::make_shared<GrowingSegment>(SegmentId{1}, PartitionId{1}, schema)) {
    std::mt19937 random(seed);
    for (ts = 10; ts < 400; ++ts) {
      if (random() % 4 == 0) {
        Delete(Key(string_keys, random() % 60));
        continue;
      }
      std::vector<PlainRow> batch;
      for (size_t i = 0; i <= random() % 30; ++i) {
        const auto n = static_cast<int64_t>(random() % 60);
        batch.push_back(
            {Key(string_keys, n), std::string(random() % 9, 'w'), random() % 5 == 0, ts});
      }
      growing->Append(Batch(schema, batch), ts);
      plain.insert(plain.end(), batch.begin(), batch.end());
    }
  }
  void Delete(const model::PrimaryKey& key) {
    growing->Delete(key, ts);
    for (PlainRow& row : plain) {
      if (row.key == key && row.inserted < ts && row.deleted == model::kTimestampMax)
        row.deleted = ts;
    }
  }

  model::CollectionSchema schema;
  std::shared_ptr<GrowingSegment> growing;
  std::vector<PlainRow> plain;
  model::Timestamp ts = 0;
};

struct Built {
  std::string bytes;
  SealedBuild build;
  std::shared_ptr<SealedSegment> sealed;
};

Built Seal(const Script& script, const std::vector<SegmentPtr>& inputs,
           model::Timestamp horizon = 0) {
  Built built;
  std::vector<SealedInput> sources;
  for (const SegmentPtr& input : inputs) {
    const DeleteLog& log = input->sealed() ? static_cast<const SealedSegment&>(*input).deletes()
                                           : static_cast<const GrowingSegment&>(*input).deletes();
    sources.push_back({input, input->RowsAt(model::kTimestampMax), log.UpTo(model::kTimestampMax)});
  }
  auto build = BuildSealedFile(sources, {.id = {2}, .schema = &script.schema, .horizon = horizon},
                               [&](std::string_view piece) {
                                 built.bytes.append(piece);
                                 return Status::Ok();
                               });
  EXPECT_TRUE(build.has_value());
  built.build = *build;
  auto owner = std::make_shared<std::string>(built.bytes);
  auto sealed =
      SealedSegment::Open({.id = {2}, .partition = {1}, .rows = built.build.rows},
                          {"file", std::as_bytes(std::span(*owner)), owner}, built.build.deletes);
  EXPECT_TRUE(sealed.has_value()) << sealed.error().message();
  built.sealed = *sealed;
  return built;
}

class SegmentTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Keys, SegmentTest, testing::Bool());

TEST_P(SegmentTest, GrowingShowsWhatAPlainListShowsAtEveryTimestamp) {
  const Script script(GetParam(), 7);
  for (model::Timestamp t = 0; t <= 400; t += 13) {
    EXPECT_EQ(VisibleAt(*script.growing, script.schema, t), VisibleAt(script.plain, t)) << t;
  }
}

TEST_P(SegmentTest, SealedShowsTheSameInKeyOrder) {
  const Script script(GetParam(), 8);
  const Built built = Seal(script, {script.growing});
  ASSERT_TRUE(built.sealed->LoadVectors({101}).ok());
  for (model::Timestamp t = 0; t <= 400; t += 13) {
    EXPECT_EQ(VisibleAt(*built.sealed, script.schema, t), VisibleAt(script.plain, t)) << t;
  }
  for (uint32_t row = 1; row < built.sealed->rows(); ++row) {
    EXPECT_LE(built.sealed->KeyAt(row - 1), built.sealed->KeyAt(row));
  }
}

TEST_P(SegmentTest, VectorsStayInTheMappedFileWhenTheirMemoryIsRefused) {
  const Script script(GetParam(), 8);
  const Built built = Seal(script, {script.growing});
  uint64_t asked = 0;
  ASSERT_TRUE(built.sealed
                  ->LoadVectors({101},
                                [&](uint64_t bytes) {
                                  asked += bytes;
                                  return std::shared_ptr<const void>();
                                })
                  .ok());
  EXPECT_GT(asked, 0u);
  EXPECT_TRUE(built.sealed->VectorsLoaded({101}));
  EXPECT_TRUE(built.sealed->VectorsMapped({101}));
  EXPECT_EQ(built.sealed->resident().vectors, 0u);
  EXPECT_EQ(VisibleAt(*built.sealed, script.schema, 400), VisibleAt(script.plain, 400));
  const auto lease = std::make_shared<int>(1);  // now there is room
  ASSERT_TRUE(built.sealed->LoadVectors({101}, [&](uint64_t) { return lease; }).ok());
  EXPECT_FALSE(built.sealed->VectorsMapped({101}));
  EXPECT_EQ(built.sealed->resident().vectors, asked);
  EXPECT_EQ(lease.use_count(), 2);
  built.sealed->ReleaseVectors();
  EXPECT_EQ(lease.use_count(), 1);
}

TEST_P(SegmentTest, MergeKeepsHistoryAfterTheHorizonAndDropsWhatIsBefore) {
  const Script a(GetParam(), 9);
  Script b(GetParam(), 10);
  const Built sealed_a = Seal(a, {a.growing});
  const Built merged = Seal(a, {sealed_a.sealed, b.growing}, 200);
  std::vector<PlainRow> both = a.plain;
  both.insert(both.end(), b.plain.begin(), b.plain.end());
  for (model::Timestamp t = 200; t <= 400; t += 11) {
    EXPECT_EQ(VisibleAt(*merged.sealed, a.schema, t), VisibleAt(both, t)) << t;
  }
  const auto kept = static_cast<size_t>(
      std::ranges::count_if(both, [](const PlainRow& row) { return row.deleted > 200; }));
  EXPECT_EQ(merged.sealed->rows(), kept);
}

TEST_P(SegmentTest, MergeDropsRowsWhoseTimeWasOverAtTheHorizon) {
  const Script script(GetParam(), 12);
  std::string bytes;
  const std::vector<SealedInput> inputs = {
      {script.growing, script.growing->RowsAt(model::kTimestampMax), {}}};
  const auto build =
      BuildSealedFile(inputs, {.id = {2}, .schema = &script.schema, .expiry = {.inserted = 200}},
                      [&](std::string_view piece) {
                        bytes.append(piece);
                        return Status::Ok();
                      });
  ASSERT_TRUE(build.has_value());
  const auto young =
      std::ranges::count_if(script.plain, [](const PlainRow& row) { return row.inserted > 200; });
  EXPECT_EQ(build->rows, static_cast<uint64_t>(young));
  EXPECT_GT(build->first_timestamp, 200u);
  for (uint32_t row = 0; row < inputs[0].rows; ++row) {
    EXPECT_EQ(build->row_maps[0][row] == SealedBuild::kGone,
              script.growing->TimestampAt(row) <= 200);
  }
}

TEST_P(SegmentTest, KnowsTheRowsInsertedByATime) {
  const Script script(GetParam(), 13);
  const Built built = Seal(script, {script.growing});
  const model::Timestamp first = script.plain.front().inserted;
  for (const Segment* segment : {static_cast<const Segment*>(script.growing.get()),
                                 static_cast<const Segment*>(built.sealed.get())}) {
    const uint32_t rows = segment->RowsAt(model::kTimestampMax);
    EXPECT_EQ(segment->InsertedBy(first - 1, rows), nullptr);
    for (const model::Timestamp t : {first, model::Timestamp{150}, model::Timestamp{500}}) {
      const auto bits = segment->InsertedBy(t, rows);
      ASSERT_NE(bits, nullptr);
      for (uint32_t row = 0; row < rows; ++row)
        ASSERT_EQ(bits->Test(row), segment->TimestampAt(row) <= t) << row;
    }
  }
}

TEST_P(SegmentTest, RowMapsLeadLateDeletesToTheirRows) {
  Script script(GetParam(), 11);
  const Built built = Seal(script, {script.growing});
  const size_t before = script.growing->deletes().count();
  for (int64_t n = 0; n < 60; n += 7) script.Delete(Key(GetParam(), n));
  for (const format::RowDelete& d : script.growing->deletes().Since(before)) {
    const uint32_t row = built.build.row_maps[0][d.row];
    ASSERT_NE(row, SealedBuild::kGone);
    built.sealed->DeleteRow(row, d.timestamp);
  }
  EXPECT_EQ(VisibleAt(*built.sealed, script.schema, 500), VisibleAt(script.plain, 500));
}

TEST_P(SegmentTest, DeletesByKeyHitTheSameRowsInBothForms) {
  Script script(GetParam(), 12);
  const Built built = Seal(script, {script.growing});
  for (int64_t n = 0; n < 70; ++n) {
    const model::PrimaryKey key = Key(GetParam(), n);
    EXPECT_EQ(built.sealed->FindKey(key, built.sealed->rows()).size(),
              script.growing->FindKey(key, script.growing->RowCount()).size());
    EXPECT_EQ(built.sealed->Delete(key, 1000 + n), script.growing->Delete(key, 1000 + n)) << n;
  }
  EXPECT_TRUE(VisibleAt(*built.sealed, script.schema, 2000).empty());
}

TEST_P(SegmentTest, LowerBoundFindsTheFirstKeyNotBefore) {
  const Script script(GetParam(), 13);
  const Built built = Seal(script, {script.growing});
  for (int64_t n = -1; n < 70; ++n) {
    for (bool strictly : {false, true}) {
      const model::PrimaryKey key = Key(GetParam(), n);
      uint32_t expected = 0;
      while (expected < built.sealed->rows() &&
             (built.sealed->KeyAt(expected) < key ||
              (strictly && built.sealed->KeyAt(expected) == key))) {
        ++expected;
      }
      EXPECT_EQ(built.sealed->LowerBound(key, strictly), expected) << n << strictly;
    }
  }
}

TEST_P(SegmentTest, ADamagedFileIsANamedErrorOrReadsTheSame) {
  const Script script(GetParam(), 14);
  const Built built = Seal(script, {script.growing});
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    auto damaged = std::make_shared<std::string>(built.bytes);
    const size_t at = random() % damaged->size();
    (*damaged)[at] = static_cast<char>((*damaged)[at] ^ (1 << random() % 8));
    auto sealed = SealedSegment::Open({.id = {2}, .partition = {1}, .rows = built.build.rows},
                                      {"the-file", std::as_bytes(std::span(*damaged)), damaged},
                                      built.build.deletes);
    if (!sealed.has_value()) {
      EXPECT_EQ(sealed.error().code(), Code::kDataIntegrity);
      EXPECT_NE(sealed.error().message().find("the-file"), std::string::npos);
    } else if ((*sealed)->LoadVectors({101}).ok()) {
      EXPECT_EQ(VisibleAt(**sealed, script.schema, 500), VisibleAt(script.plain, 500));
    }
  }
}

TEST(GrowingSegment, SpansManyChunks) {
  const model::CollectionSchema schema = Schema(false);
  GrowingSegment growing({1}, {1}, schema);
  std::vector<PlainRow> rows;
  for (int64_t i = 0; i < 50'000; ++i) rows.push_back({i, "w", false, 5});
  growing.Append(Batch(schema, rows), 5);
  EXPECT_EQ(growing.RowCount(), 50'000u);
  size_t total = 0;
  for (const segment::Run& run : growing.Runs(growing.RowCount())) {
    EXPECT_EQ(run.first, total);
    EXPECT_EQ(run.first % 64, 0u) << "filters write whole words of the segment's bitset";
    total += run.source->rows();
  }
  EXPECT_EQ(total, 50'000u);
  EXPECT_EQ(std::get<int64_t>(growing.KeyAt(40'000)), 40'000);
  EXPECT_EQ(growing.Delete(int64_t{40'000}, 9), 1u);
  EXPECT_EQ(growing.Delete(int64_t{40'000}, 10), 0u);
}

}  // namespace
}  // namespace elanus::segment
