// Milvus' vector index types as a table: which vectors each takes, by which metrics, with which
// integers. Called by index_check. What an index becomes is the worker's to decide.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/data_type.h"

namespace elanus::proxy {

/// An integer parameter and its closed range.
struct IntegerRange {
  std::string_view key;
  int64_t low = 0;
  int64_t high = 0;
};

struct VectorIndexType {
  std::string_view name;  ///< in capitals
  std::span<const model::DataType> vectors;
  model::MetricSet metrics = ~model::MetricSet{0};  ///< of those that the vector's type has
  std::span<const IntegerRange> integers;           ///< build parameters
  std::string_view divisor = {};  ///< a build parameter that must divide the dimension
  int64_t divisor_default = 0;    ///< when it is not given; 0: it must be

  bool Takes(model::DataType type) const;
};

/// The row of a name in capitals; nullptr when it is no vector index.
const VectorIndexType* FindVectorIndexType(std::string_view name);

}  // namespace elanus::proxy
