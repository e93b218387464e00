#include "query/filter_index.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bitset.h"
#include "expr/number.h"
#include "expr/regex.h"
#include "index/scalar/scalar_build.h"
#include "query/filter_like.h"
#include "query/geometry_window.h"

namespace elanus::query {
namespace {

using expr::CompareOp;
using expr::Value;
using index::KeyRange;
using index::KeyType;
using index::KeyUse;
using index::ScalarIndex;
using model::DataType;

constexpr double kSearchNs = 150;     // one key among a million
constexpr double kListedNs = 1.2;     // a listed row's bit
constexpr double kWordNs = 0.3;       // a word of a bitset that passes through
constexpr size_t kBoxesASearch = 18;  // of a tree of a million, 8 ns each
/// Texts are tried key by key when there are this many times fewer keys than rows.
constexpr uint32_t kRowsPerKey = 4;
constexpr uint32_t kKeysPerCheck = 4096;
/// The rarest grams of a pattern narrow it well enough.
constexpr size_t kGramsMax = 3;
/// More rows than that are put in order by a bit for each row there is.
constexpr size_t kSortedMax = 1024;

using Match = std::optional<IndexMatch>;

class Matcher {
 public:
  Matcher(const segment::RowSource& source, const Cancel* cancel)
      : source_(source), cancel_(cancel) {}

  Result<Match> operator()(const expr::Compare& form) {
    if (!Use(form.column, KeyUse::kValues) || !IsKey(form.value)) return Match();
    const uint32_t first = Below(form.value, false);
    const uint32_t end = Below(form.value, true);
    switch (form.op) {
      case CompareOp::kEq: return One({first, end});
      case CompareOp::kNe: return One({first, end}, true);
      case CompareOp::kLt: return One({0, first});
      case CompareOp::kLe: return One({0, end});
      case CompareOp::kGt: return One({end, index_->keys()});
      case CompareOp::kGe: return One({first, index_->keys()});
    }
    return Match();
  }

  Result<Match> operator()(const expr::Range& form) {
    if (!Use(form.column, KeyUse::kValues) || !IsKey(form.lower) || !IsKey(form.upper))
      return Match();
    return One({Below(form.lower, !form.lower_inclusive), Below(form.upper, form.upper_inclusive)});
  }

  Result<Match> operator()(const expr::In& form) {
    if (!Use(form.column, KeyUse::kValues) || !IsOfKeys(form.values)) return Match();
    KeySet set;
    size_t searches = 0;
    auto add = [&](const Value& value) {
      ++searches;
      AddRange(set, Equal(value));
    };
    const auto& values = form.values;
    if (LooksAlone(values.ints.size() + values.doubles.size() + values.strings.size()))
      return Match();
    for (const int64_t v : values.ints) add(Value{v});
    for (const double v : values.doubles) add(Value{v});
    for (const std::string& v : values.strings) add(Value{v});
    if (values.has_false) add(Value{false});
    if (values.has_true) add(Value{true});
    Tidy(set);
    return Finish({std::move(set)}, searches);
  }

  Result<Match> operator()(const expr::Contains& form) {
    if (!Use(form.column, KeyUse::kElements) || form.values.empty()) return Match();
    const bool of_array = form.column.type == DataType::kArray;
    std::vector<KeySet> sets(1);
    for (const Value& value : form.values) {
      // An ARRAY has elements of one type, a JSON array may have others, which are no keys.
      if (!IsKey(value) && !of_array) return Match();
      const KeyRange range = IsKey(value) ? Equal(value) : KeyRange{};
      if (form.all) {
        KeySet& set = sets.front().ranges.empty() ? sets.front() : sets.emplace_back();
        AddRange(set, range);
        if (range.empty()) return Finish(std::vector<KeySet>(1), form.values.size());
      } else {
        AddRange(sets.front(), range);
      }
    }
    Tidy(sets.front());
    return Finish(std::move(sets), form.values.size());
  }

  Result<Match> operator()(const expr::Like& form) {
    if (!Use(form.column, std::nullopt) || index_->header().type != KeyType::kText) return Match();
    const LikeMatcher matcher(form.pattern);
    if (index_->header().use == KeyUse::kGrams) return ByGrams(matcher);
    if (index_->header().use != KeyUse::kValues) return Match();
    if (matcher.IsLiteral()) return (*this)(EqualTo(form.column, matcher.Prefix()));
    const KeyRange range = StartingWith(matcher.Prefix());
    if (matcher.IsPrefix()) return One(range);
    return ByTrying(range, [&](uint32_t key) { return matcher.Matches(index_->TextAt(key)); });
  }

  Result<Match> operator()(const expr::Regex& form) {
    if (!Use(form.column, KeyUse::kValues) || index_->header().type != KeyType::kText)
      return Match();
    const auto regex = expr::CompileRegex(form.pattern);
    if (!regex->ok()) return Match();
    return ByTrying({0, index_->keys()}, [&](uint32_t key) {
      const std::string_view text = index_->TextAt(key);
      return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
    });
  }

  // Not of JSON: rows whose values are of other types than the keys would be unknown here.
  Result<Match> operator()(const expr::BloomMatch& form) {
    const expr::BloomMembers* set = form.members.get();
    if (set == nullptr || !set->ok() || form.column.type == DataType::kJson ||
        !Use(form.column, KeyUse::kValues))
      return Match();
    const KeyRange all{0, index_->keys()};
    if (index_->header().type == KeyType::kText)
      return ByTrying(all, [&](uint32_t key) { return set->Has(index_->TextAt(key)); });
    if (index_->header().type != KeyType::kInt) return Match();
    return ByTrying(all, [&](uint32_t key) { return set->Has(index_->IntAt(key)); });
  }
  Result<Match> operator()(const expr::RoaringMatch& form) {
    const expr::RoaringMembers* set = form.members.get();
    if (set == nullptr || !set->ok() || !Use(form.column, KeyUse::kValues) ||
        index_->header().type != KeyType::kInt)
      return Match();
    return ByTrying({0, index_->keys()},
                    [&](uint32_t key) { return set->Has(index_->IntAt(key)); });
  }

  /// Shapes whose boxes do not rule the predicate out.
  Result<Match> operator()(const expr::GeometryCompare& form) {
    if (!Use(form.column, KeyUse::kBoxes)) return Match();
    const auto window = WindowOf(form);
    if (!window || !window->Reaches(index_->bounds())) return Match();
    KeySet set;
    size_t boxes = 0;
    for (const model::GeometryBox& place : window->places)
      boxes += index_->Boxes().Find(window->relation, index::Around(place), set.ranges);
    Tidy(set);
    Match match = Finish({std::move(set)}, boxes / kBoxesASearch + 1);
    match->exact = false;
    return match;
  }

  template <class Form>
  Result<Match> operator()(const Form&) {
    return Match();
  }

 private:
  static expr::Compare EqualTo(const expr::ColumnRef& column, std::string_view text) {
    return {.column = column, .op = CompareOp::kEq, .value = Value{std::string(text)}};
  }

  /// Finds the index of a column; false when there is none that fits.
  bool Use(const expr::ColumnRef& column, std::optional<KeyUse> use) {
    index_ = source_.ScalarIndexOn(column.field, column.path);
    if (index_ == nullptr || index_->rows() != source_.rows() || !source_.Column(column.field))
      return false;
    if (use && index_->header().use != *use) return false;
    is_float_ = column.type == DataType::kFloat;
    return index_->header().exact;
  }

  /// Whether a literal is of the keys' type.
  bool IsKey(const Value& value) const {
    switch (index_->header().type) {
      case KeyType::kBool: return std::holds_alternative<bool>(value.data);
      case KeyType::kText: return std::holds_alternative<std::string>(value.data);
      default:
        return std::holds_alternative<int64_t>(value.data) ||
               std::holds_alternative<double>(value.data);
    }
  }
  /// Whether all values of a list are; of a JSON column only then, for the others' rows would be
  /// unknown in the index and are not.
  bool IsOfKeys(const expr::ValueSet& set) const {
    const bool bools = set.has_true || set.has_false;
    const bool numbers = !set.ints.empty() || !set.doubles.empty();
    const bool texts = !set.strings.empty();
    if (!set.arrays.empty()) return false;
    switch (index_->header().type) {
      case KeyType::kBool: return bools && !numbers && !texts;
      case KeyType::kText: return texts && !bools && !numbers;
      default: return numbers && !bools && !texts;
    }
  }

  /// The number of keys below the literal, or not above it. \pre IsKey(value)
  uint32_t Below(const Value& value, bool or_equal) const {
    auto point = [&](auto order_of) {
      return index_->PartitionPoint([&](uint32_t key) {
        const std::partial_ordering order = order_of(key);
        return order < 0 || (or_equal && order == 0);
      });
    };
    if (const auto* flag = std::get_if<bool>(&value.data)) {
      return point([&, v = int64_t{*flag}](uint32_t key) { return index_->IntAt(key) <=> v; });
    }
    if (const auto* text = std::get_if<std::string>(&value.data)) {
      const std::string_view v = *text;
      return point([&](uint32_t key) { return index_->TextAt(key) <=> v; });
    }
    const bool ints = index_->header().type == KeyType::kInt;
    if (const auto* whole = std::get_if<int64_t>(&value.data)) {
      const int64_t v = *whole;
      if (ints) return point([&](uint32_t key) { return index_->IntAt(key) <=> v; });
      return point([&](uint32_t key) { return 0 <=> expr::CompareExact(v, index_->RealAt(key)); });
    }
    const double given = std::get<double>(value.data);
    const double v = is_float_ ? double{ToFloat(given)} : given;
    if (ints) return point([&](uint32_t key) { return expr::CompareExact(index_->IntAt(key), v); });
    return point([&](uint32_t key) { return index_->RealAt(key) <=> v; });
  }

  /// The one key that equals the literal, or none. \pre IsKey(value)
  KeyRange Equal(const Value& value) const {
    const uint32_t first = Below(value, false);
    if (first == index_->keys()) return {first, first};
    bool equal = false;
    if (const auto* text = std::get_if<std::string>(&value.data)) {
      equal = index_->TextAt(first) == *text;
    } else if (const auto* whole = std::get_if<int64_t>(&value.data);
               whole != nullptr && index_->header().type == KeyType::kInt) {
      equal = index_->IntAt(first) == *whole;
    } else {
      return {first, Below(value, true)};
    }
    return {first, first + (equal ? 1 : 0)};
  }

  KeyRange StartingWith(std::string_view prefix) const {
    auto point = [&](bool or_equal) {
      return index_->PartitionPoint([&](uint32_t key) {
        const auto order = index_->TextAt(key).substr(0, prefix.size()) <=> prefix;
        return order < 0 || (or_equal && order == 0);
      });
    };
    return {point(false), point(true)};
  }

  /// Keys of a range, each tried once: pays when many rows share few.
  template <class Test>
  Result<Match> ByTrying(KeyRange range, Test test) {
    const uint64_t rows = index_->Entries(range);
    if (uint64_t{range.end - range.first} * kRowsPerKey > rows && rows > 64) return Match();
    KeySet set;
    for (uint32_t key = range.first; key < range.end; ++key) {
      if (cancel_ != nullptr && key % kKeysPerCheck == 0) RETURN_IF_ERROR(cancel_->Check());
      if (test(key)) AddRange(set, {key, key + 1});
    }
    return Finish({std::move(set)}, 2);
  }

  Result<Match> ByGrams(const LikeMatcher& matcher) {
    const index::ScalarHeader& header = index_->header();
    std::vector<std::pair<uint64_t, KeyRange>> grams;
    bool missing = false;
    for (const std::string_view literal : matcher.Literals()) {
      if (literal.size() < header.gram_min) continue;
      const size_t length = std::min<size_t>(literal.size(), header.gram_max);
      index::ForEachGram(literal, length, [&](std::string_view gram) {
        const KeyRange range = Equal(Value{std::string(gram)});
        missing |= range.empty();
        grams.emplace_back(index_->Entries(range), range);
      });
    }
    if (missing) return Finish(std::vector<KeySet>(1), grams.size());
    if (grams.empty()) return Match();
    std::ranges::sort(grams, {}, [](const auto& gram) { return gram.first; });
    const size_t searches = grams.size();
    grams.resize(std::min(grams.size(), kGramsMax));
    std::vector<KeySet> sets;
    for (const auto& [entries, range] : grams) AddRange(sets.emplace_back(), range);
    const std::string_view needle = matcher.SoughtAnywhere();
    Match match = Finish(std::move(sets), searches);
    match->exact = !needle.empty() && needle.size() <= header.gram_max;
    return match;
  }

  /// A list is walked in the scan's time when it has more values than this allows to search.
  bool LooksAlone(size_t values) const {
    return static_cast<double>(values) * kSearchNs * 2 >
           static_cast<double>(source_.rows()) * kScanNs;
  }
  static constexpr double kScanNs = 10;

  static void AddRange(KeySet& set, KeyRange range) {
    if (range.empty()) return;
    if (!set.ranges.empty() && set.ranges.back().end == range.first) {
      set.ranges.back().end = range.end;
    } else {
      set.ranges.push_back(range);
    }
  }
  /// Ranges of values that came in no order, some of them twice.
  static void Tidy(KeySet& set) {
    std::ranges::sort(set.ranges, {}, [](const KeyRange& r) { return std::pair(r.first, r.end); });
    std::vector<KeyRange> tidy;
    for (const KeyRange& range : set.ranges) {
      if (!tidy.empty() && range.first <= tidy.back().end) {
        tidy.back().end = std::max(tidy.back().end, range.end);
      } else {
        tidy.push_back(range);
      }
    }
    set.ranges = std::move(tidy);
  }

  Match One(KeyRange range, bool negated = false) const {
    KeySet set{.negated = negated};
    AddRange(set, range);
    return Finish({std::move(set)}, 2);
  }

  Match Finish(std::vector<KeySet> sets, size_t searches) const;

  const segment::RowSource& source_;
  const Cancel* cancel_;
  std::shared_ptr<const ScalarIndex> index_;
  bool is_float_ = false;
};

uint64_t EntriesOf(const ScalarIndex& index, const KeySet& set) {
  uint64_t entries = 0;
  for (const KeyRange& range : set.ranges) entries += index.Entries(range);
  return entries;
}

/// Whether it is cheaper to take the known rows and clear those of all other keys. Only where every
/// known row has exactly one key.
bool ByComplement(const ScalarIndex& index, uint64_t entries) {
  return index.header().use == KeyUse::kValues && entries > index.known_count() / 2 &&
         index.Entries({0, index.keys()}) == index.known_count();
}

Match Matcher::Finish(std::vector<KeySet> sets, size_t searches) const {
  IndexMatch match{.index = index_, .rows_max = index_->known_count()};
  const uint64_t whole_words = (index_->rows() + 63) / 64;
  const auto words = static_cast<double>(whole_words);
  match.lookup_ns = static_cast<double>(searches) * kSearchNs;
  for (size_t s = 0; s < sets.size(); ++s) {
    const KeySet& set = sets[s];
    const uint64_t entries = EntriesOf(*index_, set);
    if (!set.negated && (!match.rows_of_fewest || entries < *match.rows_of_fewest)) {
      match.fewest = s;
      match.rows_of_fewest = entries;
    }
    const bool complement = !set.negated && ByComplement(*index_, entries);
    const uint64_t listed = complement ? index_->known_count() - entries : entries;
    match.lookup_ns += static_cast<double>(listed) * kListedNs + words * kWordNs;
    match.rows_max = std::min(
        match.rows_max,
        set.negated ? index_->known_count() - std::min(entries, index_->known_count()) : entries);
  }
  match.sets = std::move(sets);
  return match;
}

std::vector<uint64_t> KnownRows(const ScalarIndex& index) {
  const size_t words = (size_t{index.rows()} + 63) / 64;
  if (!index.known().empty()) return {index.known().begin(), index.known().end()};
  std::vector<uint64_t> bits(words, ~uint64_t{0});
  if (index.rows() % 64 != 0) bits.back() = (uint64_t{1} << (index.rows() % 64)) - 1;
  return bits;
}

/// The ranges between those of the set.
std::vector<KeyRange> Others(const ScalarIndex& index, const std::vector<KeyRange>& ranges) {
  std::vector<KeyRange> others;
  uint32_t at = 0;
  for (const KeyRange& range : ranges) {
    if (range.first > at) others.push_back({at, range.first});
    at = range.end;
  }
  if (at < index.keys()) others.push_back({at, index.keys()});
  return others;
}

std::vector<uint64_t> RowsOf(const ScalarIndex& index, const KeySet& set) {
  const bool complement = !set.negated && ByComplement(index, EntriesOf(index, set));
  if (!set.negated && !complement) {
    std::vector<uint64_t> bits((size_t{index.rows()} + 63) / 64);
    for (const KeyRange& range : set.ranges) index.SetRows(range, bits.data());
    return bits;
  }
  std::vector<uint64_t> bits = KnownRows(index);
  const auto cleared = complement ? Others(index, set.ranges) : set.ranges;
  for (const KeyRange& range : cleared) index.ClearRows(range, bits.data());
  return bits;
}

class IndexOperator final : public FilterOperator {
 public:
  IndexOperator(double cost, double part, std::shared_ptr<const ScalarIndex> index,
                std::vector<uint64_t> bits, Operator scan)
      : FilterOperator(cost),
        part_(part),
        index_(std::move(index)),
        bits_(std::move(bits)),
        scan_(std::move(scan)) {}

  void Run(const Block& block) override {
    const uint64_t* bits = bits_.data() + block.first / 64;
    const uint64_t* known =
        index_->known().empty() ? nullptr : index_->known().data() + block.first / 64;
    if (scan_ != nullptr) {
      RunScan(block, bits);
    } else {
      std::copy_n(bits, block.words(), block.is_true);
      std::fill_n(block.is_unknown, block.words(), 0);
    }
    for (size_t w = 0; known != nullptr && w < block.words(); ++w) {
      block.is_unknown[w] |= ~known[w];
      block.is_true[w] &= ~block.is_unknown[w];
    }
  }

  std::optional<double> KeptPart() const override { return part_; }

 private:
  void RunScan(const Block& block, const uint64_t* bits) {
    uint64_t wanted[kBlockWords];
    uint64_t any = 0;
    for (size_t w = 0; w < block.words(); ++w) {
      wanted[w] = block.wanted[w] & bits[w];
      any |= wanted[w];
    }
    if (any == 0) {
      Clear(block);
      return;
    }
    Block inner = block;
    inner.wanted = wanted;
    scan_->Run(inner);
    for (size_t w = 0; w < block.words(); ++w) {
      block.is_true[w] &= wanted[w];
      block.is_unknown[w] &= wanted[w];
    }
  }

  double part_;
  std::shared_ptr<const ScalarIndex> index_;
  std::vector<uint64_t> bits_;
  Operator scan_;
};

}  // namespace

Result<std::optional<IndexMatch>> MatchIndex(const expr::Node& leaf,
                                             const segment::RowSource& source,
                                             const Cancel* cancel) {
  return std::visit(Matcher(source, cancel), leaf.form);
}

Operator MakeIndexOperator(const IndexMatch& match, Operator scan) {
  std::vector<uint64_t> bits = RowsOf(*match.index, match.sets.front());
  for (size_t s = 1; s < match.sets.size(); ++s) {
    const std::vector<uint64_t> more = RowsOf(*match.index, match.sets[s]);
    for (size_t w = 0; w < bits.size(); ++w) bits[w] &= more[w];
  }
  // The fewer rows it keeps, the earlier it runs.
  const double part =
      match.index->rows() == 0 ? 0 : static_cast<double>(match.rows_max) / match.index->rows();
  const double cost = match.exact ? 0.04 * part : part * scan->cost();
  return std::make_unique<IndexOperator>(cost, part, match.index, std::move(bits),
                                         match.exact ? nullptr : std::move(scan));
}

void CollectFewest(const IndexMatch& match, std::vector<uint32_t>& rows) {
  for (const KeyRange& range : match.sets[match.fewest].ranges)
    match.index->AppendRows(range, rows);
  SortRows(match.index->rows(), rows);  // of elements: a row may have several of the keys
}

void SortRows(size_t below, std::vector<uint32_t>& rows) {
  if (std::ranges::is_sorted(rows, std::less_equal<>())) return;
  if (rows.size() < kSortedMax) {
    std::ranges::sort(rows);
    const auto tail = std::ranges::unique(rows);
    rows.erase(tail.begin(), tail.end());
    return;
  }
  Bitset bits(below);
  for (const uint32_t row : rows) bits.Set(row);
  rows.clear();
  for (size_t w = 0; w < bits.word_count(); ++w) {
    for (uint64_t word = bits.words()[w]; word != 0; word &= word - 1)
      rows.push_back(static_cast<uint32_t>(w * 64) + static_cast<uint32_t>(std::countr_zero(word)));
  }
}

}  // namespace elanus::query
