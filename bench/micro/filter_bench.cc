// What a filter costs: ns a row over a million rows, the best of several runs, and microseconds to
// parse. Run it alone on a quiet machine: filter_bench
#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "expr/filter.h"
#include "fmt/format.h"
#include "query/filter.h"

namespace elanus {
namespace {

using model::DataType;

constexpr size_t kRows = 1'000'000;
constexpr int kRuns = 7;

class Rows final : public segment::RowSource {
 public:
  size_t rows() const override { return kRows; }
  std::optional<segment::ColumnView> Column(FieldId field) const override {
    auto found = columns_.find(field);
    if (found == columns_.end()) return std::nullopt;
    return segment::ViewOf(found->second);
  }
  template <class Append>
  void Add(std::string name, DataType type, Append append) {
    const FieldId id{100 + static_cast<int64_t>(schema.fields.size())};
    schema.fields.push_back({.id = id, .name = std::move(name), .type = type, .nullable = true});
    model::Column column = model::MakeColumn(id, type);
    for (size_t r = 0; r < kRows; ++r) append(column, r);
    columns_.emplace(id, std::move(column));
  }

  model::CollectionSchema schema;

 private:
  std::map<FieldId, model::Column> columns_;
};

template <class F>
double BestNs(F work) {
  double best = 1e18;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  return best;
}

Rows MakeRows() {
  Rows rows;
  std::mt19937_64 random(1);
  rows.Add("i8", DataType::kInt8, [&](auto& c, size_t) { c.Append(int8_t(random() % 100)); });
  rows.Add("i64", DataType::kInt64, [&](auto& c, size_t) { c.Append(int64_t(random() % 1000)); });
  rows.Add("some", DataType::kInt64, [&](auto& c, size_t r) {
    r % 7 == 0 ? c.AppendNull() : c.Append(int64_t(random() % 1000));
  });
  rows.Add("wide", DataType::kInt64,
           [&](auto& c, size_t) { c.Append(int64_t(random() % 1000000) * 1000003); });
  rows.Add("f", DataType::kFloat, [&](auto& c, size_t) { c.Append(float(random() % 1000)); });
  rows.Add("s", DataType::kVarChar,
           [&](auto& c, size_t) { c.AppendValue(fmt::format("word{:06}", random() % 1000000)); });
  rows.Add("j", DataType::kJson, [&](auto& c, size_t r) {
    c.AppendValue(
        fmt::format(R"({{"color": "red", "price": {}, "tags": ["a", "b"], "n": {{"x": {}}}}})",
                    random() % 1000, r));
  });
  return rows;
}

std::string ListOf(std::string_view format, int count, int64_t step) {
  std::string list = "[";
  for (int i = 0; i < count; ++i) list += fmt::format(fmt::runtime(format), i * step) + ",";
  return list + "]";
}

void Run() {
  const Rows rows = MakeRows();
  const std::vector<std::string> filters = {
      "i8 < 50",
      "i64 < 500",
      "some < 500",
      "f < 500",
      "10 < i64 < 20",
      "i64 % 10 == 3",
      "i64 < 500 and f < 500 or i8 > 90",
      "i64 in [1, 2, 3]",
      "wide in " + ListOf("{}", 1000, 7000021),
      "s == 'word000123'",
      "s in " + ListOf("'word{:06}'", 1000, 7),
      "s like 'word12%'",
      "s like '%123%'",
      "s =~ '12.4'",
      "j['price'] < 500",
      "j['n']['x'] < 500",
      "i64 == 5 and j['price'] < 500",
  };
  for (const std::string& text : filters) {
    const auto filter = expr::ParseFilter(text, rows.schema, {});
    size_t kept = 0;
    const double ns = BestNs([&] {
      const auto truth = query::Evaluate(filter.value(), rows, rows.schema);
      kept = 0;
      for (uint64_t word : truth.value().is_true) kept += static_cast<size_t>(std::popcount(word));
    });
    fmt::print("{:44} {:8.2f} ns/row {:9} rows\n", text.substr(0, 44), ns / kRows, kept);
  }
  for (const std::string& text : {"i64 in " + ListOf("{}", 16384, 977), filters[6]}) {
    const double ns = BestNs([&] { (void)expr::ParseFilter(text, rows.schema, {}).value(); });
    fmt::print("parse {:38} {:8.1f} us\n", text.substr(0, 38), ns / 1000);
  }
}

}  // namespace
}  // namespace elanus

int main() { elanus::Run(); }
