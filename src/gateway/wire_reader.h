// Reads protobuf bytes that lie in pieces (gRPC's buffers), without message objects and without
// putting the pieces together: what is large is copied once, to where it stays.
// Holds: never reads outside the message, never allocates more than the bytes it was given; after
// the first fault every read gives zero or nothing and ok() is false. Sub-readers share their
// root's fault flag, so one check at the end of a request is enough.
// Called by request_wire and column_wire. Threads: one at a time; the pieces outlive the reader.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace elanus::gateway {

class WireReader {
 public:
  enum class Type : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  /// An empty message.
  WireReader() = default;
  /// \param ok  set to false by the first fault; true before
  WireReader(std::span<const std::string_view> pieces, bool* ok);

  /// Moves to the next field; false at the end of the message or after a fault.
  bool Next();
  int field() const { return field_; }
  Type type() const { return type_; }

  // Values of the field that Next found; a fault when its type is another one.
  uint64_t Varint();
  int64_t Int() { return static_cast<int64_t>(Varint()); }
  bool Bool() { return Varint() != 0; }
  float Float() { return std::bit_cast<float>(Fixed32()); }
  double Double() { return std::bit_cast<double>(Fixed64()); }
  std::string String();
  WireReader Message();
  void Skip();

  /// Appends the bytes of a bytes field to `out`; the number appended.
  size_t AppendBytes(std::string& out);
  /// Appends the values of a packed (or single) float or double field.
  void AppendFixed(std::string& out, Type single);
  /// Calls value(uint64_t) for each varint of a packed (or single) field.
  template <class Value>
  void EachVarint(Value&& value) {
    if (type_ == Type::kVarint) return value(Varint());
    WireReader packed = Message();
    while (packed.left_ != 0 && packed.ok()) value(packed.RawVarint());
  }

  bool ok() const { return ok_ == nullptr || *ok_; }
  void Fail();
  /// Bytes of this message not read yet.
  size_t left() const { return left_; }

 private:
  uint64_t RawVarint();
  uint64_t SlowVarint();
  uint32_t Fixed32();
  uint64_t Fixed64();
  void CopyRaw(char* out, size_t size);
  void AppendRaw(std::string& out, size_t size);
  void SkipRaw(size_t size);
  size_t InPiece() const {
    const auto here = static_cast<size_t>(end_ - at_);
    return here < left_ ? here : left_;
  }
  /// Moves to the next piece that has bytes.
  void NextPiece();
  bool Expect(Type type);

  std::span<const std::string_view> rest_;  ///< pieces after the current one
  const char* at_ = nullptr;
  const char* end_ = nullptr;  ///< of the current piece
  size_t left_ = 0;
  bool* ok_ = nullptr;
  int field_ = 0;
  Type type_ = Type::kVarint;
};

inline uint64_t WireReader::RawVarint() {
  // Ten bytes at hand: no check a byte is needed.
  if (InPiece() < 10) return SlowVarint();
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at_++);
    --left_;
    value |= static_cast<uint64_t>(byte & 0x7F) << (shift & 63);
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

}  // namespace elanus::gateway
