#include "query/list_distance.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "index/vector/vectors.h"
#include "model/vector_values.h"

namespace elanus::query {

using model::DataType;

ListDistance::ListDistance(const ListSearch& search)
    : search_(search),
      metric_(model::ElementMetric(search.metric)),
      type_(search.field->element_type),
      dim_(static_cast<size_t>(search.field->dim())),
      width_(model::ValueBytes(type_, search.field->dim())) {}

Status ListDistance::Prepare() {
  if (!model::CanCompare(search_.field->type, type_, search_.metric) || width_ == 0) {
    return InvalidParameter(fmt::format("lists of {} are not compared by {}",
                                        model::DataTypeName(type_),
                                        model::MetricName(search_.metric)));
  }
  for (size_t q = 0; q < search_.queries.rows; ++q) {
    const std::string_view given = search_.queries.ValueAt(q);
    Query query{.vectors = given.size() / width_};
    if (type_ == DataType::kFloatVector || type_ == DataType::kBinaryVector) {
      query.bytes = given;
      query_width_ = width_;
    } else {
      std::vector<float> floats(query.vectors * dim_);
      model::DenseToFloats(type_, given.data(), floats.size(), floats.data());
      query.bytes.assign(reinterpret_cast<const char*>(floats.data()), floats.size() * 4);
      query_width_ = dim_ * sizeof(float);
    }
    queries_.push_back(std::move(query));
  }
  return Status::Ok();
}

const std::vector<float>& ListDistance::Measure(size_t query, size_t vector, std::string_view list,
                                                const float* norms) {
  const size_t count = CountOf(list);
  distances_.resize(count);
  // Rows of growing segments lie anywhere; kernels read whole numbers.
  const char* data = list.data();
  if (reinterpret_cast<uintptr_t>(data) % alignof(float) != 0) {
    if (aligned_from_ != data) {
      aligned_.resize(list.size() / sizeof(float) + 1);
      std::memcpy(aligned_.data(), data, list.size());
      aligned_from_ = data;
    }
    data = reinterpret_cast<const char*>(aligned_.data());
  }
  const index::VectorView view{
      .data = data, .rows = count, .dim = dim_, .element = index::ElementOf(type_)};
  const index::ExactDistance exact(metric_, view, norms, queries_[query].At(vector, query_width_));
  exact.Block(0, count, distances_.data());
  return distances_;
}

float ListDistance::SumOfNearest(size_t query, std::string_view list, const float* norms) {
  float sum = 0;
  for (size_t v = 0; v < queries_[query].vectors; ++v) {
    sum += *std::ranges::min_element(Measure(query, v, list, norms));
  }
  return sum;
}

size_t ListDistance::Work(std::string_view list) const {
  size_t vectors = 0;
  for (const Query& query : queries_) vectors += query.vectors;
  return vectors * list.size();
}

}  // namespace elanus::query
