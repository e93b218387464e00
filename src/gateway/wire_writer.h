// Protobuf bytes written straight from plain values, without message objects. What to write is a
// function run twice over the same values: once to count, once to write into a buffer of exactly
// that size, so that nothing is copied twice and no length is patched.
// Holds: output is canonical proto3: fields in the order written, zero scalars left out by Int,
// Bool and Text. Called by status_wire, result_wire. Threads: any, no shared state.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace elanus::gateway {

constexpr size_t VarintSize(uint64_t value) { return (std::bit_width(value | 1) + 6) / 7; }

/// The fields both passes share; `Pass` counts or writes tags, varints and raw bytes.
template <class Pass>
class WireSink {
 public:
  void Int(int field, uint64_t value) {
    if (value != 0) AlwaysInt(field, value);
  }
  void AlwaysInt(int field, uint64_t value) {
    pass().Tag(field, 0);
    pass().Varint(value);
  }
  void Bool(int field, bool value) { Int(field, value ? 1 : 0); }
  void Float(int field, float value) {
    pass().Tag(field, 5);
    pass().Raw(&value, sizeof(value));
  }
  void Double(int field, double value) {
    pass().Tag(field, 1);
    pass().Raw(&value, sizeof(value));
  }
  void Text(int field, std::string_view value) {
    if (!value.empty()) Bytes(field, value);
  }
  void Bytes(int field, std::string_view value) {
    pass().Tag(field, 2);
    pass().Varint(value.size());
    pass().Raw(value.data(), value.size());
  }
  /// A packed array of fixed-width values (float, double).
  void PackedRaw(int field, const void* data, size_t bytes) {
    if (bytes != 0) Bytes(field, {static_cast<const char*>(data), bytes});
  }
  /// A packed array of `count` varints; value(i) gives each. Negative numbers take ten bytes, as in
  /// any proto3 writer.
  template <class Value>
  void PackedVarints(int field, size_t count, Value&& value) {
    if (count == 0) return;
    Message(field, [&](auto& out) {
      for (size_t i = 0; i < count; ++i) out.Varint(static_cast<uint64_t>(value(i)));
    });
  }

  /// A nested message; `body(out)` writes its fields.
  template <class Body>
  void Message(int field, Body&& body) {
    pass().Nested(field, body);
  }

 private:
  Pass& pass() { return static_cast<Pass&>(*this); }
};

/// First pass: sizes.
class WireCounter : public WireSink<WireCounter> {
 public:
  void Tag(int field, int) { size_ += VarintSize(static_cast<uint64_t>(field) << 3); }
  void Varint(uint64_t value) { size_ += VarintSize(value); }
  void Raw(const void*, size_t bytes) { size_ += bytes; }
  template <class Body>
  void Nested(int field, Body& body) {
    const size_t slot = lengths_.size();
    lengths_.push_back(0);
    const size_t before = size_;
    body(*this);
    lengths_[slot] = size_ - before;
    Tag(field, 2);
    Varint(lengths_[slot]);
  }
  size_t size() const { return size_; }
  const std::vector<size_t>& lengths() const { return lengths_; }

 private:
  size_t size_ = 0;
  std::vector<size_t> lengths_;  ///< of the nested messages, in order of their beginnings
};

/// Second pass: bytes into a buffer of the counted size.
class WireFiller : public WireSink<WireFiller> {
 public:
  WireFiller(char* out, const std::vector<size_t>& lengths) : out_(out), length_(lengths.data()) {}
  void Tag(int field, int type) { Varint(static_cast<uint64_t>(field) << 3 | type); }
  void Varint(uint64_t value) {
    while (value >= 0x80) {
      *out_++ = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    *out_++ = static_cast<char>(value);
  }
  void Raw(const void* data, size_t bytes) {
    if (bytes != 0) std::memcpy(out_, data, bytes);
    out_ += bytes;
  }
  template <class Body>
  void Nested(int field, Body& body) {
    Tag(field, 2);
    Varint(*length_++);
    body(*this);
  }

 private:
  char* out_;
  const size_t* length_;
};

/// The bytes that `write(out)` describes; `write` is called twice and must do the same each time.
template <class Write>
std::string EncodeWire(Write&& write) {
  WireCounter counter;
  write(counter);
  std::string bytes;
  const size_t size = counter.size();
  // libstdc++ 12 passes the grown capacity as the second argument: the size is ours to say.
  bytes.resize_and_overwrite(size, [&](char* out, size_t) {
    WireFiller filler(out, counter.lengths());
    write(filler);
    return size;
  });
  return bytes;
}

}  // namespace elanus::gateway
