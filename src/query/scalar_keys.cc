#include "query/scalar_keys.h"

#include <bit>
#include <cmath>
#include <deque>
#include <type_traits>
#include <utility>

#include "expr/number.h"
#include "index/scalar/scalar_build.h"
#include "model/geometry.h"
#include "query/filter_array.h"
#include "query/filter_json_text.h"

namespace elanus::query {
namespace {

using index::KeyType;
using index::KeyUse;
using model::DataType;

/// Rows between two looks at the stop token.
constexpr size_t kStopRows = 4096;

/// Puts the keys of one row after another into a builder; remembers which rows have a value.
class Collector {
 public:
  Collector(const segment::RowSource& source, const ScalarSpec& spec)
      : rows_(source.rows()),
        spec_(spec),
        known_(rows_),
        grams_(spec.gram_min, spec.gram_max),
        header_{.type = spec.type,
                .use = spec.use,
                .rows = static_cast<uint32_t>(rows_),
                .gram_min = spec.gram_min,
                .gram_max = spec.gram_max} {}

  Result<std::vector<index::Buffer>> Run(const std::optional<segment::ColumnView>& column,
                                         const std::stop_token& stop) {
    for (size_t row = 0; column && row < rows_; ++row) {
      if (row % kStopRows == 0 && stop.stop_requested())
        return Error(Code::kCanceled, "index build stopped: canceled");
      if (!column->IsNull(row)) Take(*column, static_cast<uint32_t>(row));
    }
    index::ScalarWriter writer(header_);
    if (spec_.use == KeyUse::kGrams) {
      grams_.WriteTo(writer);
    } else if (spec_.use == KeyUse::kBoxes) {
      boxes_.WriteTo(writer);
    } else if (spec_.type == KeyType::kText) {
      texts_.WriteTo(writer);
    } else if (spec_.type == KeyType::kReal) {
      reals_.WriteTo(writer);
    } else {
      ints_.WriteTo(writer);
    }
    return writer.Finish(known_);
  }

 private:
  void Take(const segment::ColumnView& column, uint32_t row) {
    switch (column.type) {
      case DataType::kBool: return TakeInt(row, column.Values<uint8_t>()[row]);
      case DataType::kInt8: return TakeInt(row, column.Values<int8_t>()[row]);
      case DataType::kInt16: return TakeInt(row, column.Values<int16_t>()[row]);
      case DataType::kInt32: return TakeInt(row, column.Values<int32_t>()[row]);
      case DataType::kInt64:
      case DataType::kTimestamptz: return TakeInt(row, column.Values<int64_t>()[row]);
      case DataType::kFloat: return TakeReal(row, double{column.Values<float>()[row]});
      case DataType::kDouble: return TakeReal(row, column.Values<double>()[row]);
      case DataType::kGeometry: return TakeBox(row, column.StringAt(row));
      case DataType::kArray: return TakeElements(row, FindInArray(column.StringAt(row), {}));
      case DataType::kJson: {
        const JsonValue value = FindJson(column.StringAt(row), spec_.path);
        return spec_.use == KeyUse::kElements ? TakeElements(row, value) : TakeJson(row, value);
      }
      default: return TakeText(row, column.StringAt(row));
    }
  }

  void TakeInt(uint32_t row, int64_t value) {
    known_.Set(row);
    ints_.Add(value, row);
  }
  void TakeReal(uint32_t row, double value) {
    known_.Set(row);
    if (!std::isnan(value)) reals_.Add(value + 0.0, row);  // -0 becomes 0
  }
  /// \param text  outlives the collector
  void TakeText(uint32_t row, std::string_view text) {
    known_.Set(row);
    if (spec_.use == KeyUse::kGrams) {
      grams_.Add(text, row);
    } else {
      texts_.Add(text, row);
    }
  }

  void TakeBox(uint32_t row, std::string_view wkb) {
    known_.Set(row);
    const auto box = model::BoxOfWkb(wkb);
    boxes_.Add(box ? index::Around(*box) : index::Box::Everywhere(), row);
  }

  /// A value of the spec's type is a key; any other is not.
  void TakeJson(uint32_t row, const JsonValue& value) {
    switch (spec_.type) {
      case KeyType::kBool:
        if (value.kind == JsonKind::kTrue || value.kind == JsonKind::kFalse)
          TakeInt(row, value.kind == JsonKind::kTrue ? 1 : 0);
        return;
      case KeyType::kInt:
        if (value.kind == JsonKind::kInt) TakeInt(row, value.number);
        return;
      case KeyType::kReal:
        if (value.IsNumber()) TakeReal(row, RealOf(value));
        return;
      case KeyType::kText:
        if (value.kind == JsonKind::kString) TakeText(row, Kept(value));
        return;
    }
  }

  void TakeElements(uint32_t row, const JsonValue& array) {
    if (array.kind != JsonKind::kArray) return;
    known_.Set(row);
    ForEachElement(array, [&](const JsonValue& element) {
      TakeJson(row, element);
      return true;
    });
  }

  double RealOf(const JsonValue& value) {
    if (value.kind == JsonKind::kDouble) return value.fraction;
    if (value.kind == JsonKind::kInt) {
      const auto real = static_cast<double>(value.number);
      header_.exact &= expr::CompareExact(value.number, real) == 0;
      return real;
    }
    const auto whole = static_cast<uint64_t>(value.number);
    const auto real = static_cast<double>(whole);
    header_.exact &= real < 18446744073709551616.0 && static_cast<uint64_t>(real) == whole;
    return real;
  }

  std::string_view Kept(const JsonValue& value) {
    if (!value.escaped) return value.text;
    std::string buffer;
    unescaped_.emplace_back(Unescaped(value, buffer));
    return unescaped_.back();
  }

  size_t rows_;
  const ScalarSpec& spec_;
  Bitset known_;
  std::deque<std::string> unescaped_;
  index::PairBuilder<int64_t> ints_;
  index::PairBuilder<double> reals_;
  index::PairBuilder<std::string_view> texts_;
  index::GramBuilder grams_;
  index::BoxBuilder boxes_;
  index::ScalarHeader header_;
};

bool Fits(const segment::ColumnView& column, const ScalarSpec& spec) {
  if ((column.type == DataType::kGeometry) != (spec.use == KeyUse::kBoxes)) return false;
  if (column.type == DataType::kJson || column.type == DataType::kGeometry) return true;
  if (column.type == DataType::kArray) return spec.use == KeyUse::kElements;
  return KeyTypeOf(column.type) == spec.type && spec.use != KeyUse::kElements;
}

}  // namespace

std::optional<KeyType> KeyTypeOf(DataType type) {
  if (type == DataType::kBool) return KeyType::kBool;
  if (model::IsInteger(type) || type == DataType::kTimestamptz) return KeyType::kInt;
  if (model::IsFloating(type)) return KeyType::kReal;
  if (model::IsString(type)) return KeyType::kText;
  return std::nullopt;
}

Result<std::vector<index::Buffer>> BuildScalarFile(const segment::RowSource& source,
                                                   const ScalarSpec& spec,
                                                   const std::stop_token& stop) {
  const auto column = source.Column(spec.field);
  if (column && !Fits(*column, spec))
    return Error(Code::kInternal, "a scalar index does not fit its column");
  return Collector(source, spec).Run(column, stop);
}

uint64_t EstimateScalarBuildBytes(uint64_t rows, const ScalarSpec& spec) {
  // A pair while it is sorted, then its key and row in the writer and once more in the file.
  constexpr uint64_t kPairBytes = 64;
  // A box twice (collected, sorted), in the writer and in the file.
  constexpr uint64_t kBoxBytes = 128;
  // How many elements or grams a row has is not known; texts of a hundred bytes are taken.
  const uint64_t lengths = spec.use == KeyUse::kGrams ? spec.gram_max - spec.gram_min + 1U : 1;
  const uint64_t each = spec.use == KeyUse::kValues     ? kPairBytes
                        : spec.use == KeyUse::kElements ? 8 * kPairBytes
                        : spec.use == KeyUse::kBoxes    ? kBoxBytes
                                                        : 100 * lengths * 12;
  return rows * each;
}

}  // namespace elanus::query
