#include "model/schema.h"

#include <charconv>

namespace elanus::model {

const std::string* FindValue(const KeyValues& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs) {
    if (name == key) return &value;
  }
  return nullptr;
}

int64_t FieldSchema::NumberParam(std::string_view key) const {
  const std::string* text = FindValue(type_params, key);
  if (text == nullptr) return 0;
  int64_t number = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc() && end == text->data() + text->size() ? number : 0;
}

const FieldSchema* CollectionSchema::FindField(std::string_view field_name) const {
  for (const FieldSchema& field : fields) {
    if (field.name == field_name) return &field;
  }
  return nullptr;
}

const FieldSchema* CollectionSchema::FindField(FieldId id) const {
  for (const FieldSchema& field : fields) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const FieldSchema* CollectionSchema::primary() const {
  for (const FieldSchema& field : fields) {
    if (field.is_primary) return &field;
  }
  return nullptr;
}

const FieldSchema* CollectionSchema::dynamic() const {
  for (const FieldSchema& field : fields) {
    if (field.is_dynamic) return &field;
  }
  return nullptr;
}

}  // namespace elanus::model
