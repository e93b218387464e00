// Exact distances between a query and a list of vectors: what scans and the index of lists measure
// by. Threads: an object belongs to one search.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector/top_k.h"
#include "model/metric.h"
#include "model/schema.h"
#include "segment/column_view.h"

namespace elanus::query {

/// What is sought in the lists of a field.
struct ListSearch {
  const model::FieldSchema* field = nullptr;  ///< of type kArrayOfVector
  model::Metric metric = model::Metric::kMaxSimCosine;
  /// A list a row for a MAX_SIM metric, else a vector a row.
  segment::ColumnView queries;
  size_t top_k = 10;
  index::Window window;
};

class ListDistance {
 public:
  /// \param search  outlives the object
  explicit ListDistance(const ListSearch& search);
  /// Call it first. Errors: kInvalidParameter when the field is not compared by the metric.
  Status Prepare();

  size_t queries() const { return queries_.size(); }
  size_t CountOf(std::string_view list) const { return list.size() / width_; }
  size_t vector_bytes() const { return width_; }
  /// How many vectors a query has.
  size_t VectorsOf(size_t query) const { return queries_[query].vectors; }

  /// Distances of a query's vector to all of a list's, valid until the next call.
  /// \param norms  1 / length of each of the list's vectors when they are known (COSINE)
  const std::vector<float>& Measure(size_t query, size_t vector, std::string_view list,
                                    const float* norms = nullptr);
  /// The sum, over the query's vectors, of the distance to the nearest of a list that has some.
  float SumOfNearest(size_t query, std::string_view list, const float* norms = nullptr);
  /// Bytes multiplied to compare a list with every query.
  size_t Work(std::string_view list) const;

 private:
  /// The vectors of one query, as the kernels want them.
  struct Query {
    std::string bytes;
    size_t vectors = 0;
    const void* At(size_t i, size_t width) const { return bytes.data() + i * width; }
  };

  const ListSearch& search_;
  const model::Metric metric_;
  const model::DataType type_;
  const size_t dim_;
  const size_t width_;
  size_t query_width_ = 0;
  std::vector<Query> queries_;
  std::vector<float> distances_;
  std::vector<float> aligned_;
  const char* aligned_from_ = nullptr;
};

/// Looks at `cancel` every few milliseconds of work.
class Patience {
 public:
  explicit Patience(const Cancel& cancel) : cancel_(cancel) {}
  Status Spend(size_t work) {
    constexpr size_t kEvery = 16 << 20;
    if ((spent_ += work) < kEvery) return Status::Ok();
    spent_ = 0;
    return cancel_.Check();
  }

 private:
  const Cancel& cancel_;
  size_t spent_ = 16 << 20;  // the first look comes before anything
};

}  // namespace elanus::query
