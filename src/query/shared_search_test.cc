// A search that a crew shares gives what one thread gives: growing segments, a sealed one with an
// index and one without, filters, one query and many.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "expr/filter.h"
#include "query/search.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"

namespace elanus::query {
namespace {

using model::DataType;

constexpr FieldId kKey{100};
constexpr FieldId kPart{101};
constexpr FieldId kVector{102};
constexpr int64_t kDim = 24;
constexpr int64_t kRows = 9000;  // of a segment: scans of 12 queries are worth a piece

class SharedSearch : public testing::Test {
 protected:
  SharedSearch() {
    schema_.fields = {{.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary = true},
                      {.id = kPart, .name = "part", .type = DataType::kInt64},
                      {.id = kVector,
                       .name = "v",
                       .type = DataType::kFloatVector,
                       .type_params = {{"dim", std::to_string(kDim)}}}};
    for (int64_t s = 0; s < 4; ++s) {
      const auto growing = Grow(SegmentId{s + 1});
      if (s % 2 == 0) {
        segments_.push_back(growing);
      } else {
        segments_.push_back(Seal(growing, s == 1));
      }
    }
  }

  std::shared_ptr<segment::GrowingSegment> Grow(SegmentId id) {
    auto growing = std::make_shared<segment::GrowingSegment>(id, PartitionId{1}, schema_);
    model::RowBatch batch{.rows = kRows};
    batch.columns = {model::MakeColumn(kKey, DataType::kInt64),
                     model::MakeColumn(kPart, DataType::kInt64), Vectors(kRows)};
    for (int64_t row = 0; row < kRows; ++row) {
      batch.columns[0].Append(next_key_++);
      batch.columns[1].Append(row % 10);
    }
    growing->Append(batch, 10);
    return growing;
  }

  std::shared_ptr<segment::SealedSegment> Seal(
      const std::shared_ptr<segment::GrowingSegment>& growing, bool indexed) {
    std::string bytes;
    const auto build =
        segment::BuildSealedFile({{growing, kRows, {}}}, {.id = growing->id(), .schema = &schema_},
                                 [&](std::string_view piece) {
                                   bytes.append(piece);
                                   return Status::Ok();
                                 });
    auto file =
        std::make_shared<index::Buffer>(index::Buffer::Copy(std::as_bytes(std::span(bytes))));
    auto sealed = segment::SealedSegment::Open(
                      {.id = growing->id(), .partition = PartitionId{1}, .rows = build->rows},
                      {"file", file->span(), file}, {})
                      .value();
    EXPECT_TRUE(sealed->LoadVectors(kVector).ok());
    if (!indexed) return sealed;
    const auto [vectors, owner] = sealed->Vectors(*schema_.FindField(kVector));
    const index::BuildParams params{
        .kind = index::Kind::kHnsw, .metric = model::Metric::kL2, .m = 8, .ef_construction = 40};
    const std::string index = index::BuildIndexFile(vectors, params).value().Join();
    sealed->SetIndex(kVector, IndexId{1},
                     index::OpenIndex(owner, std::as_bytes(std::span(index)), vectors,
                                      index::OpenMode::kResident)
                         .value());
    return sealed;
  }

  model::Column Vectors(int64_t rows) {
    model::Column column = model::MakeColumn(kVector, DataType::kFloatVector, kDim);
    std::vector<float> vector(kDim);
    for (int64_t row = 0; row < rows; ++row) {
      for (float& x : vector) x = std::normal_distribution<float>()(random_);
      column.AppendValue({reinterpret_cast<const char*>(vector.data()), sizeof(float) * kDim});
    }
    return column;
  }

  Result<std::vector<std::vector<SearchHit>>> Run(const model::Column& queries, Crew* crew,
                                                  const Cancel& cancel,
                                                  const expr::BoundFilter& filter) {
    const ReadView view{.schema = &schema_,
                        .at = model::kTimestampMax,
                        .filter = &filter,
                        .cancel = &cancel,
                        .crew = crew};
    return Search(segments_, view,
                  {.field = kVector, .queries = segment::ViewOf(queries), .top_k = 7});
  }

  std::mt19937 random_{7};
  int64_t next_key_ = 0;
  model::CollectionSchema schema_{.name = "c"};
  std::vector<segment::SegmentPtr> segments_;
};

TEST_F(SharedSearch, GivesWhatOneThreadGives) {
  Crew crew(3);
  const Crew::Turn turn(crew);
  for (const char* text : {"", "part < 3"}) {
    const expr::BoundFilter filter = expr::ParseFilter(text, schema_, {}).value();
    for (int64_t nq : {1, 2, 13, 200}) {
      const model::Column queries = Vectors(nq);
      const auto alone = Run(queries, nullptr, {}, filter).value();
      const auto shared = Run(queries, &crew, {}, filter).value();
      ASSERT_EQ(alone.size(), static_cast<size_t>(nq));
      ASSERT_EQ(shared.size(), alone.size());
      for (size_t q = 0; q < alone.size(); ++q) {
        ASSERT_EQ(alone[q].size(), 7u);
        ASSERT_EQ(shared[q].size(), 7u);
        for (size_t i = 0; i < 7; ++i) {
          EXPECT_EQ(shared[q][i].ref.segment, alone[q][i].ref.segment) << text << q;
          EXPECT_EQ(shared[q][i].ref.row, alone[q][i].ref.row) << text << q;
          EXPECT_NEAR(shared[q][i].distance, alone[q][i].distance, 1e-4);
        }
      }
    }
  }
}

TEST_F(SharedSearch, EndsWhenTheCallIsCanceled) {
  Crew crew(3);
  const Crew::Turn turn(crew);
  std::stop_source stop;
  stop.request_stop();
  const auto found = Run(Vectors(500), &crew, {.stop = stop.get_token()}, expr::BoundFilter{});
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), Code::kCanceled);
}

}  // namespace
}  // namespace elanus::query
