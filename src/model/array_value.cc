#include "model/array_value.h"

#include <cstring>

#include "base/check.h"

namespace elanus::model {
namespace {

constexpr size_t kHeaderBytes = 1 + sizeof(uint32_t);

std::string_view BytesOf(const uint32_t& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

}  // namespace

std::optional<ArrayView> ArrayView::Open(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  ArrayView view;
  view.type_ = static_cast<DataType>(static_cast<uint8_t>(bytes[0]));
  std::memcpy(&view.size_, bytes.data() + 1, sizeof(view.size_));
  view.elements_ = bytes.substr(kHeaderBytes);
  view.width_ = ValueBytes(view.type_, 0);
  if (!TraitsOf(view.type_).is_array_element) return std::nullopt;
  if (view.width_ != 0) {
    if (view.elements_.size() != view.size_ * view.width_) return std::nullopt;
  } else if (view.elements_.size() / sizeof(uint32_t) < view.size_) {
    return std::nullopt;
  }
  return view;
}

uint32_t ArrayView::EndOf(size_t i) const {
  uint32_t end;
  std::memcpy(&end, elements_.data() + i * sizeof(end), sizeof(end));
  return end;
}

std::string_view ArrayView::At(size_t i) const {
  if (width_ != 0) return elements_.substr(i * width_, width_);
  const std::string_view texts = elements_.substr(size_ * sizeof(uint32_t));
  const uint32_t begin = i == 0 ? 0 : EndOf(i - 1);
  const uint32_t end = EndOf(i);
  if (begin > end || end > texts.size()) return {};
  return texts.substr(begin, end - begin);
}

bool ArrayView::StringsAreWhole() const {
  if (width_ != 0) return true;
  const size_t bytes = elements_.size() - size_ * sizeof(uint32_t);
  uint32_t last = 0;
  for (size_t i = 0; i < size_; ++i) {
    const uint32_t end = EndOf(i);
    if (end < last) return false;
    last = end;
  }
  return last == bytes;
}

void ArrayBuilder::Append(std::string_view element) {
  const size_t width = ValueBytes(type_, 0);
  ELANUS_CHECK(width == 0 || element.size() == width);
  elements_.append(element);
  ++size_;
  if (width == 0) ends_.append(BytesOf(static_cast<uint32_t>(elements_.size())));
}

std::string ArrayBuilder::Take() {
  std::string bytes(1, static_cast<char>(type_));
  bytes.append(BytesOf(size_)).append(ends_).append(elements_);
  ends_.clear();
  elements_.clear();
  size_ = 0;
  return bytes;
}

}  // namespace elanus::model
