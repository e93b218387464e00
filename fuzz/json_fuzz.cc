// JSON documents as rows hold them, and paths into them as filters write them: `path newline
// document`. What the check of an insert lets pass must be readable at every key; what it does not
// must do no harm.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "expr/filter.h"
#include "proxy/json.h"
#include "query/filter.h"
#include "query/filter_json_text.h"
#include "segment/column_view.h"

namespace elanus {
namespace {

using query::JsonKind;
using query::JsonValue;

constexpr FieldId kField{100};

class Document final : public segment::RowSource {
 public:
  explicit Document(std::string_view text)
      : column_(model::MakeColumn(kField, model::DataType::kJson)) {
    column_.AppendValue(text);
  }
  size_t rows() const override { return 1; }
  std::optional<segment::ColumnView> Column(FieldId) const override {
    return segment::ViewOf(column_);
  }

 private:
  model::Column column_;
};

const model::CollectionSchema& Schema() {
  static const model::CollectionSchema schema{
      .name = "c", .fields = {{.id = kField, .name = "j", .type = model::DataType::kJson}}};
  return schema;
}

void Filter(const std::string& text, const Document& document) {
  const auto filter = expr::ParseFilter(text, Schema(), {});
  if (!filter) return;
  const auto truth = query::Evaluate(*filter, document, Schema());
  ELANUS_CHECK(truth.has_value() && (truth->is_true[0] & truth->is_unknown[0]) == 0);
}

/// Everything that an operator asks of a value.
void Look(const JsonValue& value) {
  std::string buffer;
  if (value.kind == JsonKind::kString) (void)query::Unescaped(value, buffer);
  (void)query::IsEmptyJson(value);
  if (value.kind != JsonKind::kArray) return;
  size_t count = 0;
  query::ForEachElement(value.text, [&](const JsonValue& element) {
    if (element.kind == JsonKind::kString) (void)query::Unescaped(element, buffer);
    return ++count < 1000;
  });
}

void Feed(std::string_view path, std::string_view text) {
  const Document document(text);
  const std::string column = "j" + std::string(path);
  const auto bound = expr::ParseColumn(column, Schema());
  if (bound) Look(query::FindJson(text, bound->path));
  for (const char* rest : {" == 1", " != 'a'", " in [1, 'b', true, 2.5]", " like '%a_'", " > 0.5"})
    Filter(column + rest, document);
  Filter("exists " + column, document);
  Filter("json_contains(" + column + ", 1)", document);
  Filter("array_length(" + column + ") > 1", document);

  proxy::JsonReader reader;
  const bool whole = reader.Check(text).ok();
  const JsonValue root = query::FindJson(text, {});
  Look(root);
  if (!whole) return;
  ELANUS_CHECK(root.kind != JsonKind::kMissing);
  const auto keys = reader.Keys(text);
  if (!keys) return;
  ELANUS_CHECK(root.kind == JsonKind::kObject);
  for (const std::string& key : *keys)
    ELANUS_CHECK(query::FindJson(text, {key}).kind != JsonKind::kMissing);
}

}  // namespace
}  // namespace elanus

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t cut = bytes.find('\n');
  if (cut == std::string_view::npos) {
    elanus::Feed("", bytes);
  } else {
    elanus::Feed(bytes.substr(0, cut), bytes.substr(cut + 1));
  }
  return 0;
}
