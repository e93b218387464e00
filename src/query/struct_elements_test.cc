// Filters over the elements of struct arrays and searches over their vectors, against plain loops.
#include "query/struct_elements.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>

#include "base/codec.h"
#include "model/array_value.h"
#include "query/filter.h"
#include "query/search.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"

namespace elanus::query {
namespace {

using model::DataType;
using model::Metric;

constexpr int64_t kDim = 4;

model::CollectionSchema ClipSchema() {
  model::CollectionSchema schema{.name = "c"};
  schema.fields.push_back(
      {.id = {100}, .name = "id", .type = DataType::kInt64, .is_primary = true});
  auto member = [&](int64_t id, std::string name, DataType type, DataType element) {
    schema.fields.push_back({.id = FieldId{id},
                             .name = "clips[" + name + "]",
                             .type = type,
                             .element_type = element,
                             .struct_name = "clips",
                             .nullable = true,
                             .type_params = {{"max_capacity", "8"}, {"dim", "4"}}});
  };
  member(102, "score", DataType::kArray, DataType::kInt32);
  member(103, "name", DataType::kArray, DataType::kVarChar);
  member(104, "emb", DataType::kArrayOfVector, DataType::kFloatVector);
  schema.structs.push_back({.id = {101}, .name = "clips", .nullable = true});
  return schema;
}

struct Clip {
  int32_t score = 0;
  std::string name;
  std::vector<float> emb;
};
struct PlainRow {
  bool null = false;
  std::vector<Clip> clips;
};

struct Structs : ::testing::Test {
  model::CollectionSchema schema = ClipSchema();
  segment::GrowingSegment segment{SegmentId{1}, PartitionId{1}, schema};
  std::vector<segment::SegmentPtr> segments = {
      segment::SegmentPtr(&segment, [](const segment::Segment*) {})};
  std::vector<PlainRow> plain;
  Cancel cancel;

  void SetUp() override {
    std::mt19937 random(3);
    for (int64_t key = 0; key < 300; ++key) {
      PlainRow row{.null = random() % 9 == 0};
      for (size_t n = random() % 5; n > 0 && !row.null; --n) {
        Clip clip{.score = static_cast<int32_t>(random() % 10),
                  .name = std::string(1, static_cast<char>('a' + random() % 3))};
        for (int64_t d = 0; d < kDim; ++d) {
          clip.emb.push_back(static_cast<float>(random() % 200) / 100 - 1);
        }
        row.clips.push_back(std::move(clip));
      }
      plain.push_back(row);
      segment.Append(Batch(key, row), 10);
    }
  }
  static model::RowBatch Batch(int64_t key, const PlainRow& row) {
    model::RowBatch batch{.rows = 1};
    batch.columns = {model::MakeColumn({100}, DataType::kInt64),
                     model::MakeColumn({102}, DataType::kArray),
                     model::MakeColumn({103}, DataType::kArray),
                     model::MakeColumn({104}, DataType::kArrayOfVector, kDim)};
    batch.columns[0].Append(key);
    if (row.null) {
      for (size_t c = 1; c < 4; ++c) batch.columns[c].AppendNull();
      return batch;
    }
    model::ArrayBuilder scores(DataType::kInt32);
    model::ArrayBuilder names(DataType::kVarChar);
    std::string vectors;
    for (const Clip& clip : row.clips) {
      scores.Append({reinterpret_cast<const char*>(&clip.score), sizeof(clip.score)});
      names.Append(clip.name);
      vectors.append(reinterpret_cast<const char*>(clip.emb.data()), kDim * sizeof(float));
    }
    batch.columns[1].AppendValue(scores.Take());
    batch.columns[2].AppendValue(names.Take());
    batch.columns[3].AppendValue(vectors);
    return batch;
  }

  /// The rows of the growing segment as a file; keys ascend, so they keep their places.
  segment::SegmentPtr Seal() {
    std::string bytes;
    const auto build = segment::BuildSealedFile(
        {{segments[0], segment.RowsAt(model::kTimestampMax), {}}},
        {.id = SegmentId{2}, .schema = &schema}, [&](std::string_view piece) {
          bytes.append(piece);
          return Status::Ok();
        });
    auto file =
        std::make_shared<index::Buffer>(index::Buffer::Copy(std::as_bytes(std::span(bytes))));
    return segment::SealedSegment::Open(
               {.id = SegmentId{2}, .partition = PartitionId{1}, .rows = build->rows},
               {"file", file->span(), file}, {})
        .value();
  }

  /// One character a row: T, F or ?.
  std::string Ask(const std::string& text) {
    auto filter = expr::ParseFilter(text, schema, {});
    if (!filter) return filter.error().message();
    std::string answers;
    for (const segment::Run& run : segment.Runs(300)) {
      auto truth = Evaluate(*filter, *run.source, schema);
      EXPECT_TRUE(truth) << text;
      for (size_t row = 0; truth && row < run.source->rows(); ++row) {
        const bool is_true = (truth->is_true[row / 64] >> (row % 64) & 1) != 0;
        const bool is_unknown = (truth->is_unknown[row / 64] >> (row % 64) & 1) != 0;
        answers += is_true ? 'T' : is_unknown ? '?' : 'F';
      }
    }
    return answers;
  }
  template <class Holds>
  std::string Plain(Holds holds) const {
    std::string answers;
    for (const PlainRow& row : plain) answers += row.null ? '?' : holds(row.clips) ? 'T' : 'F';
    return answers;
  }
};

TEST_F(Structs, MatchesCountTheElementsThatPass) {
  auto high = [](const Clip& clip) { return clip.score > 5 && clip.name != "b"; };
  const std::string predicate = "$[score] > 5 and not ($[name] == 'b')";
  using Clips = std::vector<Clip>;
  auto count = [&](const Clips& clips) { return std::ranges::count_if(clips, high); };
  EXPECT_EQ(Ask("match_any(clips, " + predicate + ")"),
            Plain([&](const Clips& c) { return count(c) > 0; }));
  EXPECT_EQ(Ask("MATCH_ALL(clips, " + predicate + ")"),
            Plain([&](const Clips& c) { return count(c) == std::ssize(c); }));
  EXPECT_EQ(Ask("match_least(clips, " + predicate + ", threshold=2)"),
            Plain([&](const Clips& c) { return count(c) >= 2; }));
  EXPECT_EQ(Ask("match_most(clips, " + predicate + ", threshold=1)"),
            Plain([&](const Clips& c) { return count(c) <= 1; }));
  EXPECT_EQ(Ask("match_exact(clips, " + predicate + ", threshold=0)"),
            Plain([&](const Clips& c) { return count(c) == 0; }));
  EXPECT_EQ(Ask("not match_any(clips, " + predicate + ")"),
            Plain([&](const Clips& c) { return count(c) == 0; }));
  EXPECT_EQ(Ask("match_any(clips, true)"), Plain([&](const Clips& c) { return !c.empty(); }));
  EXPECT_EQ(Ask("match_any(clips, $[score] in [1, 2] or $[score] % 4 == 3)"),
            Plain([&](const Clips& c) {
              return std::ranges::any_of(c, [](const Clip& clip) {
                return clip.score == 1 || clip.score == 2 || clip.score % 4 == 3;
              });
            }));
}

TEST_F(Structs, MembersAreArraysAndTheWholeHasTheirLength) {
  using Clips = std::vector<Clip>;
  EXPECT_EQ(Ask("array_length(clips) == 2"), Plain([](const Clips& c) { return c.size() == 2; }));
  EXPECT_EQ(Ask("array_length(clips[emb]) > 2"),
            Plain([](const Clips& c) { return c.size() > 2; }));
  EXPECT_EQ(Ask("array_contains(clips[score], 7)"), Plain([](const Clips& c) {
              return std::ranges::any_of(c, [](const Clip& clip) { return clip.score == 7; });
            }));
  std::string second;
  for (const PlainRow& row : plain) {
    second += row.clips.size() < 2 ? '?' : row.clips[1].name == "c" ? 'T' : 'F';
  }
  EXPECT_EQ(Ask("clips[1][name] == 'c'"), second);
  std::string null = Ask("clips is null");
  for (size_t row = 0; row < plain.size(); ++row) EXPECT_EQ(null[row] == 'T', plain[row].null);
}

TEST_F(Structs, RefusesWhatIsNoPredicateOfElements) {
  auto refused = [&](const std::string& filter, const std::string& text) {
    EXPECT_NE(Ask(filter).find(text), std::string::npos) << Ask(filter);
  };
  refused("match_any(clips, id == 1)",
          "predicate expression in MATCH_ANY must use element-level fields");
  refused("match_any(clips, match_all(clips, $[score] == 1))",
          "nested MATCH_ALL is not supported, already inside match expression for field: clips");
  refused("match_any(clips, $[emb] == 1)", "cannot read the vectors of clips[emb]");
  refused("match_any(clips, $[score] + 1)", "not a boolean expression");
  refused("match_least(clips, $[score] == 1)", "requires exactly 3 arguments, got 2");
  refused("match_exact(clips, $[score] == 1, threshold=1.5)",
          "mismatched input '1.5' expecting IntegerConstant");
  refused("clips[\"a\"][score] == 1", "can only access array field with integer index");
  refused("element_filter(clips, $[score] > 1) and id == 1", "can only be the last expression");
}

TEST_F(Structs, KeptElementsAreThoseThatPass) {
  auto filter = expr::ParseFilter("element_filter(clips, $[score] > 5)", schema, {});
  ASSERT_TRUE(filter);
  ASSERT_NE(filter->elements, nullptr);
  // In memory and in a file, rows of both in one answer, last ones first.
  segments.push_back(Seal());
  std::vector<RowRef> rows;
  for (uint32_t row = 300; row-- > 0;) {
    rows.push_back({1, row});
    rows.push_back({0, row});
  }
  const auto kept = KeptElements(segments, {.schema = &schema, .at = 20, .cancel = &cancel},
                                 *filter->elements, rows);
  ASSERT_TRUE(kept) << kept.error().message();
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::vector<Clip>& clips = plain[rows[i].row].clips;
    std::vector<int64_t> expected;
    for (size_t e = 0; e < clips.size(); ++e) {
      if (clips[e].score > 5) expected.push_back(static_cast<int64_t>(e));
    }
    EXPECT_EQ((*kept)[i], expected) << rows[i].segment << " " << rows[i].row;
  }
}

TEST_F(Structs, RunsOrRefusesWhateverDamagedBytesDecodeTo) {
  const auto filter = expr::ParseFilter(
      "id > 1 and element_filter(clips, $[score] > 5 and $[name] like 'a%')", schema, {});
  ASSERT_TRUE(filter);
  const std::string bytes = EncodeBytes(*filter);
  const auto runs = segment.Runs(64);
  for (size_t n = 0; n < bytes.size(); ++n) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[n] = static_cast<char>(damaged[n] ^ (1 << bit));
      auto decoded = DecodeBytes<expr::BoundFilter>(damaged, "filter");
      if (decoded) (void)Evaluate(*decoded, *runs[0].source, schema);
    }
  }
}

float Distance(Metric metric, const float* a, const std::vector<float>& b) {
  double square = 0;
  double product = 0;
  double aa = 0;
  double bb = 0;
  for (size_t d = 0; d < b.size(); ++d) {
    square += (a[d] - b[d]) * (a[d] - b[d]);
    product += a[d] * b[d];
    aa += a[d] * a[d];
    bb += b[d] * b[d];
  }
  if (metric == Metric::kL2) return static_cast<float>(square);
  if (metric == Metric::kIp) return static_cast<float>(-product);
  return aa == 0 || bb == 0 ? 0 : static_cast<float>(-product / std::sqrt(aa * bb));
}

struct StructSearch : Structs {
  std::vector<SearchHit> Find(SearchRequest request, const std::string& text = "") {
    auto filter = expr::ParseFilter(text, schema, {});
    EXPECT_TRUE(filter);
    request.field = FieldId{104};
    auto results = Search(
        segments, {.schema = &schema, .at = 20, .filter = &*filter, .cancel = &cancel}, request);
    EXPECT_TRUE(results) << results.error().message();
    return results ? results->at(0) : std::vector<SearchHit>();
  }
};

TEST_F(StructSearch, ListsAreComparedByTheSumOfTheNearest) {
  const std::vector<float> query = {0.5F, -0.2F, 0.1F, 1, -1, 0.3F, 0.2F, 0.1F};  // two vectors
  model::Column queries = model::MakeColumn({104}, DataType::kArrayOfVector, kDim);
  queries.AppendValue({reinterpret_cast<const char*>(query.data()), query.size() * 4});
  for (Metric metric : {Metric::kMaxSimL2, Metric::kMaxSimIp, Metric::kMaxSimCosine}) {
    std::vector<std::pair<float, uint32_t>> expected;
    for (uint32_t row = 0; row < plain.size(); ++row) {
      if (plain[row].clips.empty()) continue;
      float sum = 0;
      for (size_t q = 0; q < 2; ++q) {
        float nearest = std::numeric_limits<float>::infinity();
        for (const Clip& clip : plain[row].clips) {
          nearest = std::min(
              nearest, Distance(model::ElementMetric(metric), query.data() + q * kDim, clip.emb));
        }
        sum += nearest;
      }
      expected.emplace_back(sum, row);
    }
    std::ranges::sort(expected);
    const auto hits = Find({.metric = metric, .queries = segment::ViewOf(queries), .top_k = 20});
    ASSERT_EQ(hits.size(), 20u);
    for (size_t i = 0; i < hits.size(); ++i) {
      EXPECT_EQ(hits[i].element, -1);
      EXPECT_NEAR(hits[i].distance, expected[i].first, 1e-5) << i;
    }
  }
}

TEST_F(StructSearch, ElementsAreHitsOfTheirOwnAndAreFilteredOneByOne) {
  const std::vector<float> query = {0.5F, -0.2F, 0.1F, 1};
  model::Column queries = model::MakeColumn({104}, DataType::kFloatVector, kDim);
  queries.AppendValue({reinterpret_cast<const char*>(query.data()), query.size() * 4});
  for (const bool filtered : {false, true}) {
    std::vector<std::tuple<float, uint32_t, int64_t>> expected;
    for (uint32_t row = 0; row < plain.size(); ++row) {
      for (size_t e = 0; e < plain[row].clips.size(); ++e) {
        const Clip& clip = plain[row].clips[e];
        if (filtered && clip.score <= 5) continue;
        expected.emplace_back(Distance(Metric::kL2, query.data(), clip.emb), row, e);
      }
    }
    std::ranges::sort(expected);
    const auto hits = Find({.metric = Metric::kL2,
                            .queries = segment::ViewOf(queries),
                            .by_element = true,
                            .top_k = 50},
                           filtered ? "element_filter(clips, $[score] > 5)" : "");
    ASSERT_EQ(hits.size(), 50u);
    for (size_t i = 0; i < hits.size(); ++i) {
      EXPECT_NEAR(hits[i].distance, std::get<0>(expected[i]), 1e-5);
      EXPECT_EQ(hits[i].ref.row, std::get<1>(expected[i])) << i;
      EXPECT_EQ(hits[i].element, std::get<2>(expected[i])) << i;
    }
  }
}

TEST_F(StructSearch, OfAKeyTheNewestRowsElementsCount) {
  PlainRow row;
  row.clips = {{1, "z", {1, 1, 1, 1}}, {2, "z", {1, 1, 1, 1}}};
  segment.Append(Batch(5, row), 15);
  const std::vector<float> query = {1, 1, 1, 1};
  model::Column queries = model::MakeColumn({104}, DataType::kFloatVector, kDim);
  queries.AppendValue({reinterpret_cast<const char*>(query.data()), query.size() * 4});
  const auto hits = Find({.metric = Metric::kL2,
                          .queries = segment::ViewOf(queries),
                          .by_element = true,
                          .top_k = 1000});
  std::vector<std::pair<uint32_t, int64_t>> of_five;
  for (const SearchHit& hit : hits) {
    if (segment.KeyAt(hit.ref.row) == model::PrimaryKey(int64_t{5})) {
      of_five.emplace_back(hit.ref.row, hit.element);
    }
  }
  EXPECT_EQ(of_five, (std::vector<std::pair<uint32_t, int64_t>>{{300, 0}, {300, 1}}));
}

}  // namespace
}  // namespace elanus::query
