#include "base/bytes.h"

namespace elanus {

void ByteWriter::Varint(uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<char>(value));
}

uint64_t ByteReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const char* p = Take(1);
    if (p == nullptr) return 0;
    auto byte = static_cast<uint8_t>(*p);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  ok_ = false;
  return 0;
}

std::string_view ByteReader::Raw(uint64_t size) {
  if (!ok_ || size > bytes_.size()) {
    ok_ = false;
    return {};
  }
  std::string_view view = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return view;
}

size_t ByteReader::Count(size_t bytes_each) {
  uint64_t count = Varint();
  if (!ok_ || (bytes_each != 0 && count > bytes_.size() / bytes_each)) {
    ok_ = false;
    return 0;
  }
  return count;
}

const char* ByteReader::Take(size_t size) {
  if (!ok_ || size > bytes_.size()) {
    ok_ = false;
    return nullptr;
  }
  const char* p = bytes_.data();
  bytes_.remove_prefix(size);
  return p;
}

Status ByteReader::Check(std::string_view what) const {
  if (ok_) return Status::Ok();
  return {Code::kDataIntegrity,
          std::string(what) + " is malformed or cut short: data integrity check failed"};
}

}  // namespace elanus
