// Filters, aggregates and orders over sealed segments, as a worker runs them, for compare.py and
// shapes.py: loads columns that they wrote, then answers lines on stdin.
//
//     query_bench DIR ROWS INDEXES [CORES]
//
// DIR has one file a column, raw values (texts: one a line; places: two doubles). A segment holds a
// million rows. INDEXES is 0 or 1: scalar indexes on k, s and p. A line is `REPEAT KIND TEXT`, KIND
// one of count; group, words, pairs (groups by g, by s, by both g and a) and total (one group);
// order, most (the first 10 or 10,000 by c) and text (by s); the answer: a check value and the
// seconds of all repeats, of CPU on one core, elapsed on CORES.
#include <ctime>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/crew.h"
#include "expr/filter.h"
#include "fmt/format.h"
#include "model/geometry.h"
#include "query/filter.h"
#include "query/retrieve.h"
#include "query/scalar_keys.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"
#include "simd/dispatch.h"

namespace elanus {
namespace {

using model::DataType;

constexpr size_t kSegmentRows = 1'000'000;

struct ColumnPlan {
  const char* name;
  DataType type;
};
constexpr ColumnPlan kColumns[] = {{"id", DataType::kInt64}, {"a", DataType::kInt64},
                                   {"b", DataType::kInt32},  {"c", DataType::kDouble},
                                   {"k", DataType::kInt64},  {"s", DataType::kVarChar},
                                   {"g", DataType::kInt32},  {"p", DataType::kGeometry}};

model::CollectionSchema Schema() {
  model::CollectionSchema schema{.name = "t"};
  for (const ColumnPlan& plan : kColumns) {
    schema.fields.push_back({.id = FieldId{100 + static_cast<int64_t>(schema.fields.size())},
                             .name = plan.name,
                             .type = plan.type,
                             .is_primary = schema.fields.empty()});
  }
  return schema;
}

std::string Slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  ELANUS_CHECK(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The columns' files, taken a segment at a time.
class Table {
 public:
  Table(const std::string& dir, size_t rows) : rows_(rows) {
    for (const ColumnPlan& plan : kColumns) bytes_.push_back(Slurp(dir + "/" + plan.name));
    at_.resize(bytes_.size());
  }

  model::RowBatch Take(const model::CollectionSchema& schema, size_t count) {
    model::RowBatch batch{.rows = count};
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      const model::FieldSchema& field = schema.fields[i];
      model::Column column = model::MakeColumn(field.id, field.type);
      for (size_t row = 0; row < count; ++row) column.AppendValue(Next(i, field.type));
      batch.columns.push_back(std::move(column));
    }
    return batch;
  }
  size_t rows() const { return rows_; }

 private:
  std::string_view Next(size_t column, DataType type) {
    const std::string_view all = bytes_[column];
    size_t& at = at_[column];
    if (type == DataType::kGeometry) {
      at += kPlaceBytes;
      wkb_.replace(wkb_.size() - kPlaceBytes, kPlaceBytes,
                   all.substr(at - kPlaceBytes, kPlaceBytes));
      return wkb_;
    }
    const size_t width = model::ValueBytes(type, 0);
    const size_t end = width == 0 ? all.find('\n', at) : at + width;
    ELANUS_CHECK(end <= all.size());
    const std::string_view value = all.substr(at, end - at);
    at = width == 0 ? end + 1 : end;
    return value;
  }

  static constexpr size_t kPlaceBytes = 2 * sizeof(double);

  size_t rows_;
  std::vector<std::string> bytes_;
  std::vector<size_t> at_;
  std::string wkb_ = model::WkbFromWkt("POINT (0 0)").value();
};

std::shared_ptr<segment::SealedSegment> Seal(const model::CollectionSchema& schema, int64_t id,
                                             model::RowBatch rows) {
  auto growing = std::make_shared<segment::GrowingSegment>(SegmentId{id}, PartitionId{1}, schema);
  const auto count = static_cast<uint32_t>(rows.rows);
  growing->Append(std::move(rows), 1);
  auto bytes = std::make_shared<std::string>();
  const auto build =
      segment::BuildSealedFile({{growing, count, {}}}, {.id = SegmentId{id}, .schema = &schema},
                               [&](std::string_view piece) {
                                 bytes->append(piece);
                                 return Status::Ok();
                               });
  ELANUS_CHECK(build.has_value());
  auto aligned =
      std::make_shared<index::Buffer>(index::Buffer::Copy(std::as_bytes(std::span(*bytes))));
  auto sealed = segment::SealedSegment::Open(
      {.id = SegmentId{id}, .partition = PartitionId{1}, .rows = build->rows},
      {"segment", aligned->span(), aligned}, {});
  ELANUS_CHECK(sealed.has_value());
  return *sealed;
}

void Index(segment::SealedSegment& segment, const model::FieldSchema& field) {
  const auto run = segment.Runs(segment.rows()).at(0);
  const bool boxes = field.type == DataType::kGeometry;
  const query::ScalarSpec spec{
      .field = field.id,
      .type = boxes ? index::KeyType::kReal : *query::KeyTypeOf(field.type),
      .use = boxes ? index::KeyUse::kBoxes : index::KeyUse::kValues};
  std::string bytes;
  const auto file = query::BuildScalarFile(*run.source, spec);
  for (const index::Buffer& piece : file.value())
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  auto aligned =
      std::make_shared<index::Buffer>(index::Buffer::Copy(std::as_bytes(std::span(bytes))));
  segment.SetScalarIndex({field.id, {}}, IndexId{field.id.value},
                         index::ScalarIndex::Open(aligned, aligned->span()).value());
}

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Bench {
 public:
  Bench(model::CollectionSchema schema, std::vector<segment::SegmentPtr> segments, size_t cores)
      : schema_(std::move(schema)), segments_(std::move(segments)), crew_(cores) {}

  /// Parses, runs, and gives a number to compare with the other system's.
  double Once(const std::string& kind, const std::string& text) {
    const Crew::Turn turn(crew_);
    const auto filter = expr::ParseFilter(text == "-" ? "" : text, schema_, {});
    ELANUS_CHECK(filter.has_value());
    const Cancel cancel;
    const query::ReadView view{.schema = &schema_,
                               .at = model::kTimestampMax,
                               .filter = &*filter,
                               .cancel = &cancel,
                               .crew = &crew_};
    if (kind == "count") return static_cast<double>(query::CountRows(segments_, view).value());
    if (kind == "group") return Groups(view, {Id("g")});
    if (kind == "words") return Groups(view, {Id("s")});
    if (kind == "pairs") return Groups(view, {Id("g"), Id("a")});
    if (kind == "total") return Total(view);
    if (kind == "order") return Ordered(view, Id("c"), 10);
    if (kind == "most") return Ordered(view, Id("c"), 10'000);
    if (kind == "text") return Ordered(view, Id("s"), 10);
    ELANUS_CHECK(false);
    return 0;
  }

 private:
  FieldId Id(std::string_view name) const { return schema_.FindField(name)->id; }

  double Groups(const query::ReadView& view, std::vector<FieldId> by) const {
    rank::Aggregator aggregator({std::move(by),
                                 {{.op = rank::AggregateOp::kCount},
                                  {.op = rank::AggregateOp::kSum, .field = Id("a")},
                                  {.op = rank::AggregateOp::kMax, .field = Id("b")}}},
                                schema_);
    ELANUS_CHECK(query::AggregateRows(segments_, view, aggregator).ok());
    return static_cast<double>(aggregator.groups());
  }

  double Total(const query::ReadView& view) const {
    rank::Aggregator aggregator({{},
                                 {{.op = rank::AggregateOp::kCount},
                                  {.op = rank::AggregateOp::kSum, .field = Id("a")},
                                  {.op = rank::AggregateOp::kMin, .field = Id("c")},
                                  {.op = rank::AggregateOp::kMax, .field = Id("b")},
                                  {.op = rank::AggregateOp::kAverage, .field = Id("c")}}},
                                schema_);
    ELANUS_CHECK(query::AggregateRows(segments_, view, aggregator).ok());
    return static_cast<double>(aggregator.Finish().columns[0].Values<int64_t>()[0]);
  }

  double Ordered(const query::ReadView& view, FieldId by, int64_t limit) const {
    const model::RowValue value{.field = by};
    const rank::Direction direction{};
    const auto found = query::Retrieve(
        segments_, view,
        {.limit = limit, .order = std::span(&value, 1), .directions = std::span(&direction, 1)});
    ELANUS_CHECK(found.has_value());
    return static_cast<double>(found->keys.ints.empty() ? -1 : found->keys.ints[0]);
  }

  model::CollectionSchema schema_;
  std::vector<segment::SegmentPtr> segments_;
  Crew crew_;
};

int Run(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fmt::print(stderr, "query_bench DIR ROWS INDEXES [CORES]\n");
    return 1;
  }
  const model::CollectionSchema schema = Schema();
  Table table(argv[1], static_cast<size_t>(std::atoll(argv[2])));
  const bool indexed = std::string_view(argv[3]) == "1";
  std::vector<segment::SegmentPtr> segments;
  for (size_t first = 0; first < table.rows(); first += kSegmentRows) {
    auto segment = Seal(schema, static_cast<int64_t>(segments.size() + 1),
                        table.Take(schema, std::min(kSegmentRows, table.rows() - first)));
    if (indexed) {
      Index(*segment, *schema.FindField("k"));
      Index(*segment, *schema.FindField("s"));
      Index(*segment, *schema.FindField("p"));
    }
    segments.push_back(std::move(segment));
  }
  const size_t cores = argc == 5 ? static_cast<size_t>(std::atoll(argv[4])) : 1;
  const clockid_t clock = cores > 1 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
  Bench bench(schema, std::move(segments), cores);
  fmt::print("ready {}\n", simd::LevelName(simd::Active().level));
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
    const size_t first = line.find(' ');
    const size_t second = line.find(' ', first + 1);
    ELANUS_CHECK(second != std::string::npos);
    const int repeat = std::atoi(line.c_str());
    double check = 0;
    const double start = Seconds(clock);
    for (int i = 0; i < repeat; ++i)
      check = bench.Once(line.substr(first + 1, second - first - 1), line.substr(second + 1));
    fmt::print("{} {}\n", check, Seconds(clock) - start);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace elanus

int main(int argc, char** argv) { return elanus::Run(argc, argv); }
