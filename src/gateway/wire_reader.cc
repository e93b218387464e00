#include "gateway/wire_reader.h"

#include <algorithm>

namespace elanus::gateway {

WireReader::WireReader(std::span<const std::string_view> pieces, bool* ok)
    : rest_(pieces), ok_(ok) {
  for (std::string_view piece : pieces) left_ += piece.size();
  NextPiece();
}

void WireReader::Fail() {
  if (ok_ != nullptr) *ok_ = false;
  left_ = 0;
}

void WireReader::NextPiece() {
  while (at_ == end_ && !rest_.empty()) {
    at_ = rest_.front().data();
    end_ = at_ + rest_.front().size();
    rest_ = rest_.subspan(1);
  }
}

bool WireReader::Next() {
  if (left_ == 0 || !ok()) return false;
  const uint64_t tag = RawVarint();
  const uint64_t number = tag >> 3;
  const auto type = static_cast<uint8_t>(tag & 7);
  // Groups (3, 4) are not in proto3.
  const bool known = type == 0 || type == 1 || type == 2 || type == 5;
  if (!known || number == 0 || number > (1u << 29) - 1) Fail();
  if (!ok()) return false;
  field_ = static_cast<int>(number);
  type_ = static_cast<Type>(type);
  return true;
}

bool WireReader::Expect(Type type) {
  if (type_ == type && ok()) return true;
  Fail();
  return false;
}

uint64_t WireReader::Varint() { return Expect(Type::kVarint) ? RawVarint() : 0; }

uint64_t WireReader::SlowVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    char c = 0;
    CopyRaw(&c, 1);
    if (!ok()) return 0;
    const auto byte = static_cast<uint8_t>(c);
    value |= static_cast<uint64_t>(byte & 0x7F) << (shift & 63);
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

uint32_t WireReader::Fixed32() {
  uint32_t value = 0;
  if (Expect(Type::kFixed32)) CopyRaw(reinterpret_cast<char*>(&value), sizeof(value));
  return value;
}

uint64_t WireReader::Fixed64() {
  uint64_t value = 0;
  if (Expect(Type::kFixed64)) CopyRaw(reinterpret_cast<char*>(&value), sizeof(value));
  return value;
}

void WireReader::CopyRaw(char* out, size_t size) {
  if (size > left_) return Fail();
  while (size != 0) {
    const size_t here = std::min(InPiece(), size);
    std::memcpy(out, at_, here);
    out += here;
    at_ += here;
    left_ -= here;
    size -= here;
    NextPiece();
  }
}

void WireReader::AppendRaw(std::string& out, size_t size) {
  if (size > left_) return Fail();
  out.reserve(out.size() + size);
  while (size != 0) {
    const size_t here = std::min(InPiece(), size);
    out.append(at_, here);
    at_ += here;
    left_ -= here;
    size -= here;
    NextPiece();
  }
}

void WireReader::SkipRaw(size_t size) {
  if (size > left_) return Fail();
  while (size != 0) {
    const size_t here = std::min(InPiece(), size);
    at_ += here;
    left_ -= here;
    size -= here;
    NextPiece();
  }
}

size_t WireReader::AppendBytes(std::string& out) {
  if (!Expect(Type::kBytes)) return 0;
  const uint64_t size = RawVarint();
  const size_t before = out.size();
  if (ok()) AppendRaw(out, size);
  return out.size() - before;
}

std::string WireReader::String() {
  std::string text;
  AppendBytes(text);
  return text;
}

WireReader WireReader::Message() {
  if (!Expect(Type::kBytes)) return WireReader({}, ok_);
  const uint64_t size = RawVarint();
  if (!ok() || size > left_) {
    Fail();
    return WireReader({}, ok_);
  }
  WireReader inner = *this;
  inner.left_ = size;
  SkipRaw(size);
  return inner;
}

void WireReader::AppendFixed(std::string& out, Type single) {
  const size_t width = single == Type::kFixed32 ? 4 : 8;
  if (type_ == single) {
    if (ok()) AppendRaw(out, width);
    return;
  }
  if (!Expect(Type::kBytes)) return;
  const uint64_t size = RawVarint();
  if (!ok() || size % width != 0) return Fail();
  AppendRaw(out, size);
}

void WireReader::Skip() {
  if (!ok()) return;
  switch (type_) {
    case Type::kVarint: RawVarint(); break;
    case Type::kFixed64: SkipRaw(8); break;
    case Type::kFixed32: SkipRaw(4); break;
    case Type::kBytes: {
      const uint64_t size = RawVarint();
      if (ok()) SkipRaw(size);
      break;
    }
  }
}

}  // namespace elanus::gateway
