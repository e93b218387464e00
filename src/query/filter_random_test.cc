// Random filters over random schemas, every operator on every type with and without nulls, against
// the plain evaluator of filter_reference.h; the same rows with indexes, as growing, sealed and
// merged segments, and by each instruction set that the machine has. Long: the operators of all
// types are one table.
//   ELANUS_RANDOM_FILTERS  how many filters (default 20,000)
//   ELANUS_RANDOM_SEED     where chance begins (default fixed: the run repeats)
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include "expr/members_build.h"
#include "query/filter.h"
#include "query/filter_reference.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"
#include "simd/dispatch.h"

namespace elanus::query {
namespace {

constexpr size_t kRows = 70;
constexpr int kFiltersASchema = 400;
constexpr int64_t kCasesMin = 100;

uint64_t Setting(const char* name, uint64_t absent) {
  const char* text = std::getenv(name);
  return text == nullptr ? absent : std::strtoull(text, nullptr, 10);
}

class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t n) { return random_() % n; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  template <class T>
  const T& Of(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }
  std::mt19937_64& engine() { return random_; }

 private:
  std::mt19937_64 random_;
};

/// A kind of column: a type, for arrays also that of the elements, for JSON where it is looked
/// into.
struct Kind {
  std::string name;
  DataType type;
  DataType element = DataType::kNone;
  bool nullable = false;
  bool dynamic = false;

  bool is_array() const { return type == DataType::kArray; }
  bool is_json() const { return type == DataType::kJson; }
  /// Of the values that operators see.
  DataType value() const { return is_array() ? element : type; }
};

const std::vector<DataType> kScalars = {DataType::kBool,   DataType::kInt8,   DataType::kInt16,
                                        DataType::kInt32,  DataType::kInt64,  DataType::kFloat,
                                        DataType::kDouble, DataType::kVarChar};

std::vector<Kind> Kinds() {
  std::vector<Kind> kinds;
  for (bool nullable : {false, true}) {
    auto add = [&](std::string name, DataType type, DataType element = DataType::kNone) {
      kinds.push_back({std::move(name), type, element, nullable});
    };
    for (DataType type : kScalars) add(std::string(model::DataTypeName(type)), type);
    add("Timestamptz", DataType::kTimestamptz);
    add("JSON", DataType::kJson);
    for (DataType type : kScalars) {
      add(fmt::format("Array[{}]", model::DataTypeName(type)), DataType::kArray, type);
    }
  }
  kinds.push_back({"dynamic", DataType::kJson, DataType::kNone, false, true});
  return kinds;
}

// ---- rows ----

template <class T>
std::string Bytes(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

/// The bytes of a value of a scalar type, often one that literals have too.
std::string RandomValue(Chance& chance, DataType type) {
  constexpr int64_t kBig = int64_t{1} << 53;
  switch (type) {
    case DataType::kBool: return Bytes(static_cast<uint8_t>(chance.Below(2)));
    case DataType::kInt8: return Bytes(chance.Of<int8_t>({-128, -1, 0, 1, 2, 3, 127}));
    case DataType::kInt16: return Bytes(chance.Of<int16_t>({-32768, -7, 0, 1, 5, 300, 32767}));
    case DataType::kInt32: return Bytes(chance.Of<int32_t>({INT32_MIN, -5, 0, 1, 7, INT32_MAX}));
    case DataType::kInt64:
      return Bytes(chance.Of<int64_t>({INT64_MIN, -1, 0, 1, 2, kBig, kBig + 1, INT64_MAX}));
    case DataType::kFloat: return Bytes(chance.Of<float>({-1.5F, 0.0F, 0.1F, 1, 2, 9e15F}));
    case DataType::kDouble: return Bytes(chance.Of<double>({-1.5, -0.0, 0.1, 1, 2, 9e15, 1e300}));
    case DataType::kTimestamptz:
      // Days around 2024-02-29, in microseconds.
      return Bytes(int64_t{1'709'164'800'000'000} +
                   static_cast<int64_t>(chance.Below(9) * 43'200'000'000));
    default: return chance.Of(kWords);
  }
}

std::string RandomCell(Chance& chance, const model::FieldSchema& field) {
  if (field.type == DataType::kJson) return chance.Of(kDocuments);
  if (field.type != DataType::kArray) return RandomValue(chance, field.type);
  model::ArrayBuilder builder(field.element_type);
  for (uint64_t n = chance.Below(5); n > 0; --n) {
    builder.Append(RandomValue(chance, field.element_type));
  }
  return builder.Take();
}

/// A schema with a column of every kind, in any order, some of them younger than the rows.
struct World {
  model::CollectionSchema schema{.name = "c", .enable_dynamic_field = true};
  model::CollectionSchema old_schema;  // without the young columns
  std::vector<std::string> names;      // by kind
  Rows rows;
  std::vector<std::shared_ptr<segment::GrowingSegment>> growing;
  std::vector<std::shared_ptr<segment::SealedSegment>> sealed;
  std::shared_ptr<segment::SealedSegment> merged;

  World(Chance& chance, const std::vector<Kind>& kinds) {
    MakeSchema(chance, kinds);
    MakeRows(chance);
    MakeSegments(chance);
    MakeIndexes(chance);
  }

 private:
  /// Over every column, and over JSON paths by a type and use that chance chooses.
  void MakeIndexes(Chance& chance) {
    for (const model::FieldSchema& field : old_schema.fields) {
      const bool is_array = field.type == DataType::kArray;
      ScalarSpec spec{.field = field.id};
      if (const auto type = KeyTypeOf(is_array ? field.element_type : field.type)) {
        spec.type = *type;
        if (is_array) spec.use = index::KeyUse::kElements;
        if (field.type == DataType::kVarChar && chance.OneIn(3)) {
          spec.use = index::KeyUse::kGrams;
          spec.gram_min = static_cast<uint16_t>(1 + chance.Below(2));
          spec.gram_max = static_cast<uint16_t>(spec.gram_min + chance.Below(2));
        }
        rows.Index(spec);
      } else if (field.type == DataType::kJson) {
        for (const std::vector<std::string>& path : std::vector<std::vector<std::string>>{
                 {}, {"a"}, {"b"}, {"c"}, {"c", "0"}, {"c", "1"}, {"d", "e"}}) {
          spec.path = path;
          spec.type = chance.Of<index::KeyType>(
              {index::KeyType::kBool, index::KeyType::kReal, index::KeyType::kText});
          spec.use = chance.OneIn(3) ? index::KeyUse::kElements : index::KeyUse::kValues;
          rows.Index(spec);
        }
      }
    }
  }

  static void SetDefault(Chance& chance, model::FieldSchema& field) {
    switch (field.type) {
      case DataType::kBool: field.default_value = model::Scalar(true); break;
      case DataType::kFloat:
      case DataType::kDouble: field.default_value = model::Scalar(1.0); break;
      case DataType::kVarChar: field.default_value = model::Scalar(chance.Of(kWords)); break;
      case DataType::kTimestamptz:
        field.default_value = model::Scalar(int64_t{1'709'208'000'000'000});
        break;
      case DataType::kJson:
      case DataType::kArray: break;
      default: field.default_value = model::Scalar(static_cast<int64_t>(chance.Below(3)));
    }
  }

  void MakeSchema(Chance& chance, const std::vector<Kind>& kinds) {
    schema.fields.push_back(
        {.id = {100}, .name = "pk", .type = DataType::kInt64, .is_primary = true});
    names.resize(kinds.size());
    std::vector<size_t> order(kinds.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::shuffle(order, chance.engine());
    int64_t id = 101;
    for (size_t k : order) {
      const Kind& kind = kinds[k];
      if (kind.dynamic) continue;
      names[k] = fmt::format("{}{}", chance.Of<std::string>({"a", "Col", "_x"}), id);
      model::FieldSchema field{.id = FieldId{id++},
                               .name = names[k],
                               .type = kind.type,
                               .element_type = kind.element,
                               .nullable = kind.nullable};
      if (chance.OneIn(4)) SetDefault(chance, field);
      schema.fields.push_back(field);
    }
    schema.fields.push_back({.id = FieldId{id}, .name = "$meta", .type = DataType::kJson});
    schema.fields.back().is_dynamic = true;
    old_schema = schema;
    std::erase_if(old_schema.fields, [&](const model::FieldSchema& field) {
      return !field.is_primary && !field.is_dynamic && (field.nullable || field.default_value) &&
             chance.OneIn(10);
    });
  }

  void MakeRows(Chance& chance) {
    rows.schema = &schema;
    rows.count = kRows;
    for (const model::FieldSchema& field : old_schema.fields) {
      model::Column& column = rows.Add(field.name);
      const uint64_t nulls = chance.Below(4);  // of four rows
      for (size_t row = 0; row < kRows; ++row) {
        if (field.is_primary) {
          column.Append(static_cast<int64_t>(row));
        } else if (field.nullable && chance.Below(4) < nulls) {
          column.AppendNull();
        } else {
          column.AppendValue(RandomCell(chance, field));
        }
      }
    }
  }

  std::shared_ptr<segment::SealedSegment> Seal(const std::vector<segment::SegmentPtr>& inputs) {
    auto bytes = std::make_shared<std::string>();
    std::vector<segment::SealedInput> sources;
    for (const auto& input : inputs) {
      sources.push_back({input, input->RowsAt(model::kTimestampMax), {}});
    }
    auto build = segment::BuildSealedFile(sources, {.id = {9}, .schema = &old_schema},
                                          [&](std::string_view piece) {
                                            bytes->append(piece);
                                            return Status::Ok();
                                          });
    EXPECT_TRUE(build.has_value());
    auto opened =
        segment::SealedSegment::Open({.id = {9}, .partition = {1}, .rows = build->rows},
                                     {"file", std::as_bytes(std::span(*bytes)), bytes}, {});
    EXPECT_TRUE(opened.has_value()) << opened.error().message();
    return *opened;
  }

  void MakeSegments(Chance& chance) {
    model::RowBatch batch{.rows = kRows};
    for (auto& [id, column] : rows.columns) batch.columns.push_back(column);
    std::vector<uint32_t> order(kRows);
    for (uint32_t i = 0; i < kRows; ++i) order[i] = i;
    std::ranges::shuffle(order, chance.engine());
    const size_t cut = 1 + chance.Below(kRows - 1);
    for (auto part : {std::span(order).first(cut), std::span(order).subspan(cut)}) {
      growing.push_back(
          std::make_shared<segment::GrowingSegment>(SegmentId{1}, PartitionId{1}, old_schema));
      growing.back()->Append(batch.Take(part), 10);
      sealed.push_back(Seal({growing.back()}));
    }
    merged = Seal({sealed[0], sealed[1]});
  }
};

// ---- filters ----

/// One case of the table that the test prints: an operator on a kind of column.
struct Case {
  std::string op;
  size_t kind = 0;
  int64_t made = 0;
};

/// Sets as clients send them: of numbers, of texts, of both; small, so that false hits are
/// frequent.
const expr::Templates& Sets() {
  static const expr::Templates sets = [] {
    const std::vector<int64_t> ints = {INT64_MIN, -5, -1, 0, 2, 127, INT32_MAX, int64_t{1} << 53};
    const std::vector<std::string> texts = {"", "ab", "b%", "x"};
    expr::Templates made;
    auto add = [&](const char* name, std::string blob) {
      made.blobs[name] = std::make_shared<const std::string>(std::move(blob));
    };
    add("ints", expr::BloomBlob(ints, {}, 1));
    add("texts", expr::BloomBlob({}, texts, 1));
    add("both", expr::BloomBlob(ints, texts, 1));
    add("nothing", expr::BloomBlob({}, {}, 1));
    add("exact", expr::RoaringBlob(ints));
    return made;
  }();
  return sets;
}

std::vector<std::string> OpsOf(const Kind& kind) {
  const DataType type = kind.value();
  const bool number = model::IsNumeric(type);
  const bool text = model::IsString(type);
  std::vector<std::string> ops = {"==", "!=", "<", "<=", ">", ">="};
  auto add = [&](std::vector<std::string> more) {
    ops.insert(ops.end(), more.begin(), more.end());
  };
  if (type == DataType::kTimestamptz) {
    add({"is null", "interval"});
    return ops;
  }
  add({"in", "not in"});
  if (number || text || kind.is_json()) add({"range up", "range down"});
  if (text || kind.is_json()) add({"like", "=~", "!~"});
  if (number || kind.is_json()) add({"+", "-", "*", "/"});
  if (!kind.is_array() && (model::IsInteger(type) || text || kind.is_json())) add({"bloom_match"});
  if (!kind.is_array() && model::IsInteger(type)) add({"roaring_match"});
  if (model::IsInteger(type) || kind.is_json()) add({"%", "&", "|", "^", "<<", ">>", "~"});
  if (kind.is_json()) {
    add({"exists", "is null", "array_length", "== list", "contains", "contains_all",
         "contains_any"});
  } else if (kind.is_array()) {
    add({"is null", "array_length", "== list", "contains", "contains_all", "contains_any"});
  } else {
    add({"is null", "column"});
  }
  return ops;
}

class FilterText {
 public:
  FilterText(Chance& chance, const World& world, const std::vector<Kind>& kinds)
      : chance_(chance), world_(world), kinds_(kinds) {}

  std::string Of(const Case& one) {
    const Kind& kind = kinds_[one.kind];
    const std::string& op = one.op;
    if (op == "is null") return Whole(one.kind) + (chance_.OneIn(2) ? " is null" : " is not null");
    if (op == "exists") return fmt::format("exists {}", Path(one.kind));
    if (op == "interval") {
      return fmt::format(
          "{} {} interval '{}' {} {}", Whole(one.kind), chance_.Of<std::string>({"+", "-"}),
          chance_.Of<std::string>({"P1D", "P1M", "PT12H", "P1Y1DT30M"}), Compare(), Time());
    }
    if (kind.type == DataType::kTimestamptz) {
      return fmt::format("{} {} {}", Whole(one.kind), op, Time());
    }
    if (op == "array_length") {
      return fmt::format("array_length({}) {} {}", Set(one.kind), Compare(), chance_.Below(4));
    }
    if (op == "== list") {
      return fmt::format("{} {} {}", Set(one.kind),
                         chance_.OneIn(2) ? "==" : "!=", List(kind, kind.is_array() ? 3 : 2));
    }
    if (op.starts_with("contains")) {
      const std::string what = op == "contains" ? Literal(kind) : List(kind, 3);
      return fmt::format("{}_{}({}, {})", kind.is_json() ? "json" : "array", op, Set(one.kind),
                         what);
    }
    if (op == "column") return Columns(one.kind);
    if (op == "roaring_match") return fmt::format("roaring_match({}, {{exact}})", Whole(one.kind));
    if (op == "bloom_match") {
      const std::string fitting = model::IsString(kind.type) ? "texts" : "ints";
      const std::string set =
          chance_.Of<std::string>({kind.is_json() ? "texts" : "both", fitting, "both", "nothing"});
      return fmt::format("bloom_match({}, {{{}}})", Value(one.kind), set);
    }
    const std::string value = Value(one.kind);
    if (op == "in" || op == "not in") {
      return fmt::format("{} {} {}", value, op, List(kind, chance_.OneIn(4) ? 14 : 4));
    }
    if (op.starts_with("range")) return Range(kind, value, op == "range up");
    if (op == "like") return fmt::format("{} like {}", value, Pattern());
    if (op == "=~" || op == "!~") {
      return fmt::format("{} {} {}", value, op,
                         chance_.Of<std::string>({"'a.b'", "'^a'", "'b$'", "'%'", "'[0-9]+'"}));
    }
    if (op == "~") return fmt::format("~{} {} {}", value, Compare(), Int());
    if (std::string_view("+-*/%&|^").find(op) != std::string_view::npos || op == "<<" ||
        op == ">>") {
      const bool shift = op == "<<" || op == ">>";
      const std::string operand = shift ? std::to_string(chance_.Below(64))
                                        : chance_.Of<std::string>({"1", "2", "3", "-1", "-5"});
      return fmt::format("({} {} {}) {} {}", value, op, operand, Compare(), Int());
    }
    return fmt::format("{} {} {}", value, op, Literal(kind));
  }

 private:
  std::string Compare() { return chance_.Of<std::string>({"==", "!=", "<", "<=", ">", ">="}); }
  std::string Int() {
    return chance_.Of<std::string>({"0", "1", "2", "-1", "5", "127", "40000", "9007199254740993",
                                    "9223372036854775807", "-9223372036854775808"});
  }
  std::string Real() {
    return chance_.Of<std::string>({"0.1", "1.0", "2", "-1.5", "9e15", "9007199254740992.0"});
  }
  std::string Word() {
    return chance_.Of<std::string>({"'a'", "'ab'", "''", "'b%'", "'\xE4\xB8\xAD\x61'", "'x'"});
  }
  std::string Pattern() {
    return chance_.Of<std::string>({"'a%'", "'%a'", "'%b%'", "'a_c'", "'_'", "'%\\\\%'", "'ab'"});
  }
  std::string Time() {
    return chance_.Of<std::string>({"iso '2024-02-29T00:00:00Z'", "iso '2024-03-01T12:00:00Z'",
                                    "iso '2024-03-29T00:00:00+08:00'"});
  }
  std::string Literal(const Kind& kind) {
    const DataType type = kind.value();
    if (type == DataType::kBool) return chance_.OneIn(2) ? "true" : "false";
    if (model::IsInteger(type)) return Int();
    if (model::IsFloating(type)) return Real();
    if (model::IsString(type)) return Word();
    return chance_.Of<std::string>({Int(), Real(), Word(), "true", "18446744073709549568.0"});
  }
  std::string List(const Kind& kind, uint64_t size_max) {
    std::string list = "[";
    for (uint64_t n = chance_.Below(size_max); n > 0; --n) list += Literal(kind) + ",";
    return list + "]";
  }
  /// The column itself, `$meta` for the dynamic field.
  std::string Whole(size_t kind) const {
    return kinds_[kind].dynamic ? "color" : world_.names[kind];
  }
  std::string Path(size_t kind) {
    const std::string step = chance_.Of<std::string>(
        {"['a']", "['b']", "['c'][0]", "['c']", "['d']['e']", "['c'][0][1]", "['zz']"});
    if (!kinds_[kind].dynamic) return world_.names[kind] + step;
    if (chance_.OneIn(2)) return "$meta" + step;
    return chance_.Of<std::string>({"a", "b", "c[1]", "d['e']", "zz"});
  }
  /// Something with values to compare: the column, an element, a place in a document.
  std::string Value(size_t kind) {
    if (kinds_[kind].is_json()) return Path(kind);
    if (kinds_[kind].is_array()) return fmt::format("{}[{}]", Whole(kind), chance_.Below(4));
    return Whole(kind);
  }
  /// Something with elements.
  std::string Set(size_t kind) { return kinds_[kind].is_json() ? Path(kind) : Whole(kind); }
  std::string Range(const Kind& kind, const std::string& value, bool up) {
    std::string low = "'a'";
    std::string high = "'b'";
    const bool text = model::IsString(kind.value()) || (kind.is_json() && chance_.OneIn(2));
    if (!text) {
      low = std::to_string(static_cast<int64_t>(chance_.Below(5)) - 3);
      high = chance_.Of<std::string>({"3", "7", "40000"});
    }
    const std::string less = chance_.OneIn(2) ? "<" : "<=";
    const std::string more = chance_.OneIn(2) ? ">" : ">=";
    if (up) return fmt::format("{} {} {} {} {}", low, less, value, less, high);
    return fmt::format("{} {} {} {} {}", high, more, value, more, low);
  }
  /// Two columns of types that compare.
  std::string Columns(size_t left) {
    const DataType type = kinds_[left].type;
    std::vector<size_t> fitting;
    for (size_t k = 0; k < kinds_.size(); ++k) {
      const DataType other = kinds_[k].type;
      const bool fits = model::IsNumeric(type) ? model::IsNumeric(other) : other == type;
      if (fits && !kinds_[k].is_json() && !kinds_[k].is_array()) fitting.push_back(k);
    }
    return fmt::format("{} {} {}", world_.names[left], Compare(),
                       world_.names[chance_.Of(fitting)]);
  }

  Chance& chance_;
  const World& world_;
  const std::vector<Kind>& kinds_;
};

/// Joins leaves by and, or, not in any shape.
std::string Joined(Chance& chance, std::vector<std::string> leaves) {
  while (leaves.size() > 1) {
    const size_t at = chance.Below(leaves.size() - 1);
    std::string joined =
        fmt::format("({} {} {})", leaves[at], chance.OneIn(2) ? "and" : "or", leaves[at + 1]);
    leaves[at] = chance.OneIn(4) ? fmt::format("(not {})", joined) : joined;
    leaves.erase(leaves.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  return leaves[0];
}

/// One character a key: T true, F false, ? unknown.
class Answers {
 public:
  Answers() : of_(kRows, ' ') {}
  void Take(const expr::BoundFilter& filter, const segment::Segment& segment,
            const model::CollectionSchema& schema) {
    for (const segment::Run& run : segment.Runs(segment.RowsAt(model::kTimestampMax))) {
      const auto truth = Evaluate(filter, *run.source, schema);
      ASSERT_TRUE(truth) << truth.error().message();
      for (size_t row = 0; row < run.source->rows(); ++row) {
        const auto key = std::get<int64_t>(segment.KeyAt(run.first + static_cast<uint32_t>(row)));
        of_[static_cast<size_t>(key)] = At(*truth, row);
      }
    }
  }
  static char At(const Truth& truth, size_t row) {
    if ((truth.is_true[row / 64] >> (row % 64) & 1) != 0) return 'T';
    return (truth.is_unknown[row / 64] >> (row % 64) & 1) != 0 ? '?' : 'F';
  }
  const std::string& text() const { return of_; }

 private:
  std::string of_;
};

class RandomFilters : public ::testing::Test {
 protected:
  std::vector<Kind> kinds_ = Kinds();
  std::vector<Case> cases_;
  size_t next_case_ = 0;
  size_t proposed_ = 0;  // filters of which indexes proposed rows

  void SetUp() override {
    for (size_t kind = 0; kind < kinds_.size(); ++kind) {
      for (std::string& op : OpsOf(kinds_[kind])) cases_.push_back({std::move(op), kind});
    }
  }

  void TearDown() override { simd::ForceLevel(simd::BestLevel()); }

  /// One of this machine's instruction sets after the other.
  static void UseLevel(uint64_t turn) {
    const auto levels = static_cast<uint64_t>(simd::BestLevel()) + 1;
    ASSERT_TRUE(simd::ForceLevel(static_cast<simd::Level>(turn % levels)));
  }

  std::string NextFilter(Chance& chance, const World& world) {
    FilterText text(chance, world, kinds_);
    std::vector<std::string> leaves;
    for (uint64_t n = 1 + chance.Below(9); n > 0; --n) {
      if (next_case_ == 0) std::ranges::shuffle(cases_, chance.engine());
      Case& one = cases_[next_case_];
      next_case_ = (next_case_ + 1) % cases_.size();
      ++one.made;
      leaves.push_back(text.Of(one));
      if (chance.OneIn(5)) leaves.back() = fmt::format("(not ({}))", leaves.back());
    }
    return Joined(chance, std::move(leaves));
  }

  void Check(const std::string& text, const World& world) {
    const auto filter = expr::ParseFilter(text, world.schema, Sets());
    ASSERT_TRUE(filter) << text << ": " << filter.error().message();
    Reference reference(world.rows);
    std::string expected;
    for (size_t row = 0; row < kRows; ++row) {
      const Answer one = filter->root == nullptr ? true : reference.Eval(*filter->root, row);
      expected += !one ? '?' : *one ? 'T' : 'F';
    }
    for (const IndexUse use : {IndexUse::kNever, IndexUse::kWheneverPossible}) {
      const auto truth = Evaluate(*filter, world.rows, world.schema, {.index_use = use});
      ASSERT_TRUE(truth) << text << ": " << truth.error().message();
      std::string got;
      for (size_t row = 0; row < kRows; ++row) got += Answers::At(*truth, row);
      ASSERT_EQ(got, expected) << text << (use == IndexUse::kNever ? "" : ", by indexes");
    }
    const auto few = FewRowsByIndex(*filter, world.rows, world.schema, 8 * kRows,
                                    {.index_use = IndexUse::kWheneverPossible});
    ASSERT_TRUE(few) << text << ": " << few.error().message();
    if (*few) {
      std::string got = expected;
      std::ranges::replace(got, 'T', '-');
      for (const uint32_t row : **few) got[row] = got[row] == '-' ? 'T' : '+';
      ASSERT_EQ(got, expected) << text << ", of the rows that indexes propose";
      ++proposed_;
    }
    Answers growing;
    Answers sealed;
    Answers merged;
    for (const auto& segment : world.growing) growing.Take(*filter, *segment, world.schema);
    for (const auto& segment : world.sealed) sealed.Take(*filter, *segment, world.schema);
    merged.Take(*filter, *world.merged, world.schema);
    ASSERT_EQ(growing.text(), expected) << "growing: " << text;
    ASSERT_EQ(sealed.text(), expected) << "sealed: " << text;
    ASSERT_EQ(merged.text(), expected) << "merged: " << text;
    CheckNegation(text, expected, world);
  }

  /// p, not p and p unknown part the rows.
  static void CheckNegation(const std::string& text, const std::string& expected,
                            const World& world) {
    const auto negated = expr::ParseFilter(fmt::format("not ({})", text), world.schema, Sets());
    ASSERT_TRUE(negated) << text;
    Answers answers;
    answers.Take(*negated, *world.merged, world.schema);
    for (size_t row = 0; row < kRows; ++row) {
      const char wanted = expected[row] == 'T' ? 'F' : expected[row] == 'F' ? 'T' : '?';
      ASSERT_EQ(answers.text()[row], wanted) << "not (" << text << ") row " << row;
    }
  }

  /// A line a type: how often each operator was made, without and with nulls.
  void Print() const {
    std::map<std::string, std::map<std::string, std::string>> table;
    for (const Case& one : cases_) {
      const Kind& kind = kinds_[one.kind];
      std::string& cell = table[kind.name][one.op];
      cell += fmt::format("{}{}", cell.empty() ? "" : "/", one.made);
    }
    for (const auto& [type, ops] : table) {
      std::string line = fmt::format("  {:<16}", type);
      for (const auto& [op, counts] : ops) line += fmt::format(" {}: {}", op, counts);
      fmt::print("{}\n", line);
    }
  }
};

TEST_F(RandomFilters, EqualThePlainEvaluatorOnGrowingSealedAndMergedRows) {
  const uint64_t seed = Setting("ELANUS_RANDOM_SEED", 20261128);
  const uint64_t filters = Setting("ELANUS_RANDOM_FILTERS", 20'000);
  fmt::print("{} filters, seed {}\n", filters, seed);
  Chance chance(seed);
  std::unique_ptr<World> world;
  for (uint64_t i = 0; i < filters; ++i) {
    if (i % kFiltersASchema == 0) {
      UseLevel(i / kFiltersASchema);
      world = std::make_unique<World>(chance, kinds_);
    }
    const std::string text = NextFilter(chance, *world);
    Check(text, *world);
    if (HasFatalFailure()) {
      FAIL() << "filter " << i << " of seed " << seed;
    }
  }
  Print();
  if (filters < 20'000) return;  // a part of the run, to look closer
  EXPECT_GE(proposed_, kCasesMin);
  for (const Case& one : cases_) {
    EXPECT_GE(one.made, kCasesMin) << one.op << " on " << kinds_[one.kind].name;
  }
}

}  // namespace
}  // namespace elanus::query
