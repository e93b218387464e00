// The byte form of plain values: every argument of service/ and every small record in the
// MetaStore. A struct names its members once:
//     template <class V> void Visit(V& v) { v(name); v(fields); }          (const and non-const
//     alike)
// and gets Encode and Decode. Integers are varints (zigzag), floats fixed, strings and vectors
// length-prefixed. A record that is stored outlives the program: a member that came later is named
// as  v.Since(2, member);  and is left as it is when the bytes are of an older form.
// Holds: Decode never allocates more than the input could describe; unknown trailing bytes are a
// fault.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace elanus {

inline constexpr uint64_t kNewestForm = ~uint64_t{0};

class Encoder {
 public:
  explicit Encoder(ByteWriter& out) : out_(out) {}

  /// Always written: what is written is of the newest form.
  template <class T>
  void Since(uint64_t, const T& value) {
    (*this)(value);
  }

  template <class T>
  void operator()(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      out_.Fixed<uint8_t>(value ? 1 : 0);
    } else if constexpr (std::is_enum_v<T>) {
      out_.Zigzag(static_cast<int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      out_.Fixed(value);
    } else if constexpr (std::is_unsigned_v<T>) {
      out_.Varint(value);
    } else if constexpr (std::is_integral_v<T>) {
      out_.Zigzag(value);
    } else {
      Composite(value);
    }
  }

 private:
  void Composite(const std::string& s) { out_.String(s); }
  void Composite(const Status& s) {
    (*this)(s.code());
    (*this)(s.message());
  }
  template <class Tag>
  void Composite(const Id<Tag>& id) {
    out_.Zigzag(id.value);
  }
  template <class T>
  void Composite(const std::vector<T>& v) {
    out_.Varint(v.size());
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      out_.Raw(v.data(), v.size() * sizeof(T));
    } else {
      for (const auto& x : v) (*this)(static_cast<const T&>(x));
    }
  }
  template <class T>
  void Composite(const std::optional<T>& v) {
    (*this)(v.has_value());
    if (v) (*this)(*v);
  }
  template <class T>
  void Composite(const std::unique_ptr<T>& v) {
    (*this)(v != nullptr);
    if (v) (*this)(*v);
  }
  template <class T>
  void Composite(const std::shared_ptr<T>& v) {
    (*this)(v != nullptr);
    if (v) (*this)(*v);
  }
  template <class A, class B>
  void Composite(const std::pair<A, B>& v) {
    (*this)(v.first);
    (*this)(v.second);
  }
  template <class K, class T>
  void Composite(const std::map<K, T>& v) {
    out_.Varint(v.size());
    for (const auto& [k, x] : v) {
      (*this)(k);
      (*this)(x);
    }
  }
  template <class... T>
  void Composite(const std::variant<T...>& v) {
    out_.Varint(v.index());
    std::visit([&](const auto& x) { (*this)(x); }, v);
  }
  void Composite(const std::monostate&) {}
  template <class T>
    requires requires(T& t, Encoder& e) { t.Visit(e); }
  void Composite(const T& value) {
    const_cast<T&>(value).Visit(*this);  // an Encoder only reads its members
  }

  ByteWriter& out_;
};

class Decoder {
 public:
  /// Nesting deeper than this is refused: malformed bytes must not overflow the stack.
  static constexpr int kDepthMax = 256;

  /// \param form  of the bytes, counted by whoever stores them
  explicit Decoder(ByteReader& in, uint64_t form = kNewestForm) : in_(in), form_(form) {}

  template <class T>
  void Since(uint64_t form, T& value) {
    if (form_ >= form) (*this)(value);
  }

  template <class T>
  void operator()(T& value) {
    if (!in_.ok()) return;
    if constexpr (std::is_same_v<T, bool>) {
      auto byte = in_.Fixed<uint8_t>();
      if (byte > 1) in_.Fail();
      value = byte == 1;
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(in_.Zigzag());
    } else if constexpr (std::is_floating_point_v<T>) {
      value = in_.Fixed<T>();
    } else if constexpr (std::is_unsigned_v<T>) {
      value = static_cast<T>(in_.Varint());
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(in_.Zigzag());
    } else {
      if (++depth_ > kDepthMax) {
        in_.Fail();
      } else {
        Composite(value);
      }
      --depth_;
    }
  }

 private:
  void Composite(std::string& s) { s = in_.String(); }
  void Composite(Status& s) {
    Code code{};
    std::string message;
    (*this)(code);
    (*this)(message);
    s = Status(code, std::move(message));
  }
  template <class Tag>
  void Composite(Id<Tag>& id) {
    id.value = in_.Zigzag();
  }
  template <class T>
  void Composite(std::vector<T>& v) {
    v.clear();
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      size_t count = in_.Count(sizeof(T));
      std::string_view raw = in_.Raw(count * sizeof(T));
      if (!in_.ok()) return;
      v.resize(count);
      if (count != 0) std::memcpy(v.data(), raw.data(), raw.size());
    } else {
      size_t count = in_.Count(1);
      for (size_t i = 0; i < count && in_.ok(); ++i) {
        T value{};
        (*this)(value);
        v.push_back(std::move(value));
      }
    }
  }
  template <class T>
  void Composite(std::optional<T>& v) {
    bool present = false;
    (*this)(present);
    if (!present) return v.reset();
    v.emplace();
    (*this)(*v);
  }
  template <class T>
  void Composite(std::unique_ptr<T>& v) {
    bool present = false;
    (*this)(present);
    if (!present) return v.reset();
    v = std::make_unique<T>();
    (*this)(*v);
  }
  template <class T>
  void Composite(std::shared_ptr<T>& v) {
    bool present = false;
    (*this)(present);
    if (!present) return v.reset();
    auto value = std::make_shared<std::remove_const_t<T>>();
    (*this)(*value);
    v = std::move(value);
  }
  template <class A, class B>
  void Composite(std::pair<A, B>& v) {
    (*this)(v.first);
    (*this)(v.second);
  }
  template <class K, class T>
  void Composite(std::map<K, T>& v) {
    v.clear();
    size_t count = in_.Count(1);
    for (size_t i = 0; i < count && in_.ok(); ++i) {
      K key{};
      (*this)(key);
      (*this)(v[std::move(key)]);
    }
  }
  template <class... T>
  void Composite(std::variant<T...>& v) {
    uint64_t index = in_.Varint();
    if (index >= sizeof...(T)) return in_.Fail();
    Alternative<0>(v, index);
  }
  template <size_t I, class... T>
  void Alternative(std::variant<T...>& v, uint64_t index) {
    if constexpr (I < sizeof...(T)) {
      if (index != I) return Alternative<I + 1>(v, index);
      (*this)(v.template emplace<I>());
    }
  }
  void Composite(std::monostate&) {}
  template <class T>
    requires requires(T& t, Decoder& d) { t.Visit(d); }
  void Composite(T& value) {
    value.Visit(*this);
  }

  ByteReader& in_;
  const uint64_t form_;
  int depth_ = 0;
};

/// The byte form of a value.
template <class T>
std::string EncodeBytes(const T& value) {
  ByteWriter out;
  Encoder encoder(out);
  encoder(value);
  return out.Take();
}

/// The value of a byte form; kDataIntegrity when the bytes are not exactly one T.
/// \param form  see Decoder
template <class T>
Result<T> DecodeBytes(std::string_view bytes, std::string_view what, uint64_t form = kNewestForm) {
  ByteReader in(bytes);
  Decoder decoder(in, form);
  T value{};
  decoder(value);
  if (in.ok() && in.remaining() != 0) in.Fail();
  RETURN_IF_ERROR(in.Check(what));
  return value;
}

}  // namespace elanus
