#include "model/schema.h"

#include <algorithm>
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

std::string_view FieldSchema::member_name() const {
  std::string_view member = name;
  if (struct_name.empty() || member.size() < struct_name.size() + 2) return member;
  return member.substr(struct_name.size() + 1, member.size() - struct_name.size() - 2);
}

const StructSchema* CollectionSchema::FindStruct(std::string_view struct_name) const {
  for (const StructSchema& one : structs) {
    if (one.name == struct_name) return &one;
  }
  return nullptr;
}

FieldId CollectionSchema::LastFieldId() const {
  FieldId last = last_field;
  for (const FieldSchema& field : fields) last = std::max(last, field.id);
  for (const StructSchema& one : structs) last = std::max(last, one.id);
  return last;
}

std::vector<const FieldSchema*> CollectionSchema::MembersOf(std::string_view struct_name) const {
  std::vector<const FieldSchema*> members;
  for (const FieldSchema& field : fields) {
    if (!field.struct_name.empty() && field.struct_name == struct_name) members.push_back(&field);
  }
  return members;
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
