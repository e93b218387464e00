// The bytes of one ARRAY value: the element type (one byte), the number of elements (uint32, little
// endian), then the elements without gaps; of strings first the end of each (uint32), then their
// bytes. So an array says what it holds, wherever its bytes travel.
// Called by the gateway (to and from the wire), the proxy (checks) and query (filters).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/data_type.h"

namespace elanus::model {

/// A borrowed look at an array's bytes, whatever they are: it never reads outside them.
class ArrayView {
 public:
  /// nullopt when the bytes are no array. Cost: O(1); ends of strings are looked at when read.
  static std::optional<ArrayView> Open(std::string_view bytes);

  DataType element_type() const { return type_; }
  size_t size() const { return size_; }
  /// The bytes of an element, as a column of its type keeps them; empty when a string's end lies
  /// outside. \pre i < size()
  std::string_view At(size_t i) const;
  /// True when every string lies inside the bytes, in order, to their end.
  bool StringsAreWhole() const;

 private:
  uint32_t EndOf(size_t i) const;

  DataType type_ = DataType::kNone;
  uint32_t size_ = 0;
  size_t width_ = 0;  // 0: strings
  std::string_view elements_;
};

/// Collects elements into an array's bytes.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(DataType element_type) : type_(element_type) {}
  /// \param element  ValueBytes bytes of a fixed-width type, any length of a string
  void Append(std::string_view element);
  size_t size() const { return size_; }
  /// The array's bytes; the builder is empty again.
  std::string Take();

 private:
  DataType type_;
  uint32_t size_ = 0;
  std::string ends_;
  std::string elements_;
};

}  // namespace elanus::model
