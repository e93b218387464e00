// Searches of lists through an index of their vectors, against scans of the same rows.
#include "query/list_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "model/array_value.h"
#include "model/vector_values.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"

namespace elanus::query {
namespace {

using model::DataType;
using model::Metric;

constexpr FieldId kScore{102};
constexpr FieldId kEmb{103};
constexpr size_t kDim = 16;

struct Shape {
  uint32_t rows = 20'000;
  DataType type = DataType::kFloatVector;
  size_t centres = 0;  ///< vectors lie around so many points; 0: anywhere
};

/// A sealed segment of lists of 0 to 6 vectors, some null, with an index of the vectors.
class SealedLists {
 public:
  SealedLists(const Shape& shape, Metric metric) : shape_(shape), metric_(metric) {
    schema_.fields = {{.id = {100}, .name = "id", .type = DataType::kInt64, .is_primary = true}};
    AddMember(kScore, "score", DataType::kArray, DataType::kInt32);
    AddMember(kEmb, "emb", DataType::kArrayOfVector, shape.type);
    schema_.structs = {{.id = {101}, .name = "clips", .nullable = true}};
    for (size_t c = 0; c < shape.centres; ++c) centres_.push_back(Anywhere());
    Seal();
    const auto [vectors, owner] = segment_->Vectors(*schema_.FindField(kEmb));
    index::BuildParams params{.kind = index::Kind::kHnsw,
                              .metric = model::ElementMetric(metric),
                              .m = 12,
                              .ef_construction = 60};
    const std::string file = index::BuildIndexFile(vectors, params).value().Join();
    segment_->SetIndex(
        kEmb, IndexId{1},
        index::OpenIndex(owner, std::as_bytes(std::span(file)), vectors, index::OpenMode::kResident)
            .value());
  }

  const model::FieldSchema& field() const { return *schema_.FindField(kEmb); }
  const model::CollectionSchema& schema() const { return schema_; }
  const segment::SealedSegment& segment() const { return *segment_; }
  HiddenRows AllRows() const { return {.rows = shape_.rows}; }
  size_t vectors() const { return segment_->IndexedRows(field()); }

  /// A vector as the rows have them.
  std::string Vector() {
    std::vector<float> vector = Anywhere();
    if (!centres_.empty()) {
      const std::vector<float>& centre = centres_[random_() % centres_.size()];
      for (size_t d = 0; d < kDim; ++d) vector[d] = centre[d] + vector[d] / 8;
    }
    std::string bytes(model::ValueBytes(shape_.type, kDim), '\0');
    if (shape_.type == DataType::kInt8Vector) {
      for (size_t d = 0; d < kDim; ++d)
        bytes[d] = static_cast<char>(std::clamp(vector[d] * 40, -128.0f, 127.0f));
    } else {
      model::FloatsToDense(shape_.type, vector.data(), kDim, bytes.data());
    }
    return bytes;
  }
  /// Queries of a MAX_SIM search, each of several vectors, or of a search by element.
  model::Column Queries(size_t count, size_t vectors) {
    model::Column queries = model::IsMaxSim(metric_)
                                ? model::MakeColumn(kEmb, DataType::kArrayOfVector, kDim)
                                : model::MakeColumn(kEmb, shape_.type, static_cast<int64_t>(kDim));
    for (size_t q = 0; q < count; ++q) {
      std::string bytes;
      for (size_t v = 0; v < vectors; ++v) bytes += Vector();
      queries.AppendValue(bytes);
    }
    return queries;
  }

 private:
  void AddMember(FieldId id, const std::string& name, DataType type, DataType element) {
    schema_.fields.push_back({.id = id,
                              .name = "clips[" + name + "]",
                              .type = type,
                              .element_type = element,
                              .struct_name = "clips",
                              .nullable = true,
                              .type_params = {{"max_capacity", "8"}, {"dim", "16"}}});
  }

  std::vector<float> Anywhere() {
    std::vector<float> vector(kDim);
    for (float& x : vector) x = std::normal_distribution<float>()(random_);
    return vector;
  }

  void Seal() {
    auto growing = std::make_shared<segment::GrowingSegment>(SegmentId{1}, PartitionId{1}, schema_);
    model::RowBatch batch{.rows = shape_.rows};
    batch.columns = {model::MakeColumn({100}, DataType::kInt64),
                     model::MakeColumn(kScore, DataType::kArray),
                     model::MakeColumn(kEmb, DataType::kArrayOfVector, static_cast<int64_t>(kDim))};
    for (int64_t key = 0; key < shape_.rows; ++key) {
      batch.columns[0].Append(key);
      if (key % 11 == 0) {
        batch.columns[1].AppendNull();
        batch.columns[2].AppendNull();
        continue;
      }
      model::ArrayBuilder scores(DataType::kInt32);
      std::string list;
      for (int32_t n = static_cast<int32_t>(random_() % 7); n > 0; --n) {
        const auto score = static_cast<int32_t>(random_() % 10);
        scores.Append({reinterpret_cast<const char*>(&score), sizeof(score)});
        list += Vector();
      }
      batch.columns[1].AppendValue(scores.Take());
      batch.columns[2].AppendValue(list);
    }
    growing->Append(batch, 10);
    std::string bytes;
    const auto build = segment::BuildSealedFile(
        {{growing, shape_.rows, {}}}, {.id = {1}, .schema = &schema_}, [&](std::string_view piece) {
          bytes.append(piece);
          return Status::Ok();
        });
    auto file =
        std::make_shared<index::Buffer>(index::Buffer::Copy(std::as_bytes(std::span(bytes))));
    segment_ =
        segment::SealedSegment::Open({.id = {1}, .partition = PartitionId{1}, .rows = build->rows},
                                     {"file", file->span(), file}, {})
            .value();
    ASSERT_TRUE(segment_->LoadVectors(kEmb).ok());
    ASSERT_TRUE(segment_->VectorsLoaded(kEmb));
  }

  const Shape shape_;
  const Metric metric_;
  std::mt19937 random_{7};
  model::CollectionSchema schema_{.name = "c"};
  std::vector<std::vector<float>> centres_;
  std::shared_ptr<segment::SealedSegment> segment_;
};

/// The part of the exact hits that was found; what was found must have its exact distance.
double Recall(const std::vector<std::vector<index::Hit>>& found,
              const std::vector<std::vector<index::Hit>>& exact) {
  size_t hits = 0;
  size_t wanted = 0;
  EXPECT_EQ(found.size(), exact.size());
  for (size_t q = 0; q < exact.size(); ++q) {
    EXPECT_EQ(found[q].size(), exact[q].size());
    std::map<uint32_t, float> distances;
    for (const index::Hit& hit : exact[q]) distances[hit.row] = hit.distance;
    for (const index::Hit& hit : found[q]) {
      const auto at = distances.find(hit.row);
      if (at == distances.end()) continue;
      EXPECT_NEAR(hit.distance, at->second, 1e-4);
      ++hits;
    }
    EXPECT_TRUE(std::ranges::is_sorted(found[q], index::Nearer));
    wanted += exact[q].size();
  }
  return static_cast<double>(hits) / static_cast<double>(wanted);
}

struct Both {
  std::vector<std::vector<index::Hit>> found;
  std::vector<std::vector<index::Hit>> exact;
};

Both SearchBoth(const SealedLists& lists, const ListSearch& search, const HiddenRows& hidden) {
  const SearchRequest request{.field = kEmb, .metric = search.metric};
  const auto index = lists.segment().IndexOn(kEmb);
  const ListIndex through{lists.segment(), *index, hidden, request};
  return {SearchLists(through, search, Cancel()).value(),
          ScanLists(lists.segment(), hidden, search, Cancel()).value()};
}

TEST(ListIndex, FindsWhatAScanOfTwentyThousandListsFinds) {
  for (const size_t centres : {size_t{300}, size_t{0}}) {
    SealedLists lists({.centres = centres}, Metric::kMaxSimCosine);
    ASSERT_GT(lists.vectors(), 40'000u);
    const model::Column queries = lists.Queries(40, 4);
    for (const size_t top_k : {size_t{1}, size_t{10}, size_t{100}}) {
      const ListSearch search{.field = &lists.field(),
                              .metric = Metric::kMaxSimCosine,
                              .queries = segment::ViewOf(queries),
                              .top_k = top_k};
      const Both both = SearchBoth(lists, search, lists.AllRows());
      EXPECT_GE(Recall(both.found, both.exact), 0.95) << centres << " centres, top " << top_k;
    }
  }
}

TEST(ListIndex, ComparesEveryTypeByEveryMetric) {
  for (const DataType type : {DataType::kFloat16Vector, DataType::kBFloat16Vector,
                              DataType::kInt8Vector, DataType::kFloatVector}) {
    for (const Metric metric : {Metric::kMaxSimL2, Metric::kMaxSimIp, Metric::kMaxSimCosine}) {
      SealedLists lists({.rows = 2'000, .type = type, .centres = 50}, metric);
      const model::Column queries = lists.Queries(20, 3);
      const ListSearch search{.field = &lists.field(),
                              .metric = metric,
                              .queries = segment::ViewOf(queries),
                              .top_k = 5};
      const Both both = SearchBoth(lists, search, lists.AllRows());
      EXPECT_GE(Recall(both.found, both.exact), 0.95)
          << model::DataTypeName(type) << " " << model::MetricName(metric);
    }
  }
}

TEST(ListIndex, HiddenRowsAreNoHitsAndEveryOtherRowCanBeAsked) {
  SealedLists lists({.rows = 4'000}, Metric::kMaxSimL2);
  const model::Column queries = lists.Queries(5, 2);
  for (const uint32_t every : {2U, 20U, 500U}) {
    auto bits = std::make_shared<Bitset>(4'000);
    for (uint32_t row = 0; row < 4'000; ++row) {
      if (row % every != 1) bits->Set(row);
    }
    const HiddenRows hidden{.rows = 4'000, .bits = bits};
    for (const size_t top_k : {size_t{3}, size_t{50}, size_t{4'000}}) {
      const ListSearch search{.field = &lists.field(),
                              .metric = Metric::kMaxSimL2,
                              .queries = segment::ViewOf(queries),
                              .top_k = top_k};
      const Both both = SearchBoth(lists, search, hidden);
      EXPECT_GE(Recall(both.found, both.exact), 0.95) << "one of " << every << ", top " << top_k;
      for (const index::Hit& hit : both.found[0]) EXPECT_FALSE(hidden.Hidden(hit.row));
    }
  }
}

TEST(ListIndex, FindsSingleElementsAndOnlyThoseThatAFilterKeeps) {
  SealedLists lists({.centres = 300}, Metric::kCosine);
  const model::Column queries = lists.Queries(30, 1);
  auto bits = std::make_shared<Bitset>(20'000);
  for (uint32_t row = 0; row < 20'000; row += 3) bits->Set(row);
  const HiddenRows hidden{.rows = 20'000, .bits = bits};
  const Cancel cancel;
  for (const char* text :
       {"", "element_filter(clips, $[score] > 5)", "element_filter(clips, $[score] == 7)"}) {
    const auto filter = expr::ParseFilter(text, lists.schema(), {});
    ASSERT_TRUE(filter) << filter.error().message();
    const ReadView view{.schema = &lists.schema(), .at = 20, .cancel = &cancel};
    const ListSearch search{.field = &lists.field(),
                            .metric = Metric::kCosine,
                            .queries = segment::ViewOf(queries),
                            .top_k = 10};
    const SearchRequest request{
        .field = kEmb, .metric = Metric::kCosine, .queries = search.queries, .by_element = true};
    const auto index = lists.segment().IndexOn(kEmb);
    const ListIndex through{lists.segment(), *index, hidden, request};
    const auto found = SearchElements(through, search, filter->elements.get(), view);
    const auto exact = ScanElements(lists.segment(), hidden, search, filter->elements.get(), view);
    ASSERT_TRUE(found && exact);
    size_t hits = 0;
    for (size_t q = 0; q < 30; ++q) {
      ASSERT_EQ((*found)[q].size(), 10u);
      std::set<std::pair<uint32_t, uint32_t>> wanted;
      for (const ElementHit& hit : (*exact)[q]) wanted.emplace(hit.row, hit.element);
      for (const ElementHit& hit : (*found)[q]) {
        EXPECT_NE(hit.row % 3, 0u);
        hits += wanted.count({hit.row, hit.element});
      }
    }
    EXPECT_GE(hits, 285u) << text;  // of 300
  }
}

TEST(ListIndex, AWindowOfElementsIsThatOfAScan) {
  SealedLists lists({.rows = 3'000}, Metric::kL2);
  const model::Column queries = lists.Queries(4, 1);
  const ListSearch search{.field = &lists.field(),
                          .metric = Metric::kL2,
                          .queries = segment::ViewOf(queries),
                          .top_k = 200,
                          .window = {.lower = 10, .upper = 14}};
  const SearchRequest request{.field = kEmb,
                              .metric = Metric::kL2,
                              .queries = search.queries,
                              .by_element = true,
                              .window = search.window};
  const auto index = lists.segment().IndexOn(kEmb);
  const HiddenRows all = lists.AllRows();
  const ListIndex through{lists.segment(), *index, all, request};
  const Cancel cancel;
  const ReadView view{.schema = &lists.schema(), .at = 20, .cancel = &cancel};
  const auto found = SearchElements(through, search, nullptr, view);
  const auto exact = ScanElements(lists.segment(), all, search, nullptr, view);
  ASSERT_TRUE(found && exact);
  for (size_t q = 0; q < 4; ++q) {
    ASSERT_EQ((*found)[q].size(), (*exact)[q].size());
    ASSERT_FALSE((*found)[q].empty());
    for (size_t i = 0; i < (*found)[q].size(); ++i) {
      EXPECT_EQ((*found)[q][i].row, (*exact)[q][i].row);
      EXPECT_EQ((*found)[q][i].element, (*exact)[q][i].element);
    }
  }
}

}  // namespace
}  // namespace elanus::query
