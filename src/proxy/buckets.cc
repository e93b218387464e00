#include "proxy/buckets.h"

#include <algorithm>
#include <cmath>
#include <compare>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

#include "rank/group.h"
#include "rank/order.h"
#include "rank/score.h"

namespace elanus::proxy {

namespace {

using model::DataType;
using rank::AggregateOp;
using service::BucketValue;

/// A value of a column as the answer carries it; null is monostate.
BucketValue ValueAt(const model::Column& column, size_t row) {
  if (column.IsNull(row)) return {};
  switch (column.type) {
    case DataType::kBool: return column.Values<uint8_t>()[row] != 0;
    case DataType::kInt8: return int64_t{column.Values<int8_t>()[row]};
    case DataType::kInt16: return int64_t{column.Values<int16_t>()[row]};
    case DataType::kInt32: return int64_t{column.Values<int32_t>()[row]};
    case DataType::kInt64:
    case DataType::kTimestamptz: return column.Values<int64_t>()[row];
    case DataType::kFloat: return column.Values<float>()[row];
    case DataType::kDouble: return column.Values<double>()[row];
    case DataType::kJson:
    case DataType::kArray: return service::BucketBytes{std::string(column.ValueAt(row))};
    default: return std::string(column.ValueAt(row));
  }
}

/// Values of one kind; null before all others.
std::weak_ordering Compare(const BucketValue& a, const BucketValue& b) {
  if (a.index() != b.index()) return a.index() <=> b.index();
  return std::visit(
      [&](const auto& x) -> std::weak_ordering {
        using T = std::decay_t<decltype(x)>;
        const T& y = std::get<T>(b);
        if constexpr (std::is_floating_point_v<T>) {
          return std::strong_order(x, y);
        } else {
          return x <=> y;
        }
      },
      a);
}

/// One metric of one bucket while hits come in.
class MetricState {
 public:
  void Add(AggregateOp op, const BucketValue& value) {
    if (value.index() == 0) return;
    ++count_;
    if (op == AggregateOp::kMin || op == AggregateOp::kMax) {
      const auto order = best_.index() == 0 ? std::weak_ordering::less : Compare(value, best_);
      const bool better = op == AggregateOp::kMin ? order < 0 : order > 0;
      if (best_.index() == 0 || better) best_ = value;
      return;
    }
    if (const auto* i = std::get_if<int64_t>(&value)) {
      whole_ += static_cast<uint64_t>(*i);
      real_ += static_cast<double>(*i);
    } else if (const auto* f = std::get_if<float>(&value)) {
      real_ += static_cast<double>(*f);
      is_real_ = true;
    } else if (const auto* d = std::get_if<double>(&value)) {
      real_ += *d;
      is_real_ = true;
    }
  }
  /// Null for anything but a count when no value came.
  BucketValue Finish(AggregateOp op) const {
    if (op == AggregateOp::kCount) return count_;
    if (count_ == 0) return {};
    switch (op) {
      case AggregateOp::kSum:
        if (is_real_) return real_;
        return static_cast<int64_t>(whole_);
      case AggregateOp::kAverage: return real_ / static_cast<double>(count_);
      default:
        if (const auto* f = std::get_if<float>(&best_)) return static_cast<double>(*f);
        return best_;
    }
  }

 private:
  int64_t count_ = 0;
  uint64_t whole_ = 0;
  double real_ = 0;
  bool is_real_ = false;
  BucketValue best_;
};

class BucketMaker {
 public:
  BucketMaker(const AggregationPlan& plan, const AnnResult& found, model::Metric metric,
              const std::vector<service::OutputColumn>& output)
      : plan_(plan), found_(found), metric_(metric), output_(output) {}

  std::vector<service::Bucket> Make(size_t depth, const std::vector<size_t>& hits) const {
    const BucketLevel& level = plan_.levels[depth];
    std::vector<std::vector<size_t>> members = Split(level, hits);
    std::vector<service::Bucket> buckets;
    for (const auto& rows : members) buckets.push_back(Skeleton(level, rows));
    std::vector<size_t> order = rank::StableOrder(
        buckets.size(), [&](size_t a, size_t b) { return Before(level, buckets[a], buckets[b]); });
    order.resize(std::min(order.size(), static_cast<size_t>(level.size)));
    std::vector<service::Bucket> kept;
    for (size_t at : order) {
      service::Bucket& bucket = kept.emplace_back(std::move(buckets[at]));
      if (level.hits != 0) bucket.hits = TopHits(level, members[at]);
      if (depth + 1 < plan_.levels.size()) bucket.buckets = Make(depth + 1, members[at]);
    }
    return kept;
  }

 private:
  std::vector<std::vector<size_t>> Split(const BucketLevel& level,
                                         const std::vector<size_t>& hits) const {
    std::vector<std::vector<size_t>> members;
    std::unordered_map<std::string, size_t> index;
    for (size_t hit : hits) {
      std::string key;
      for (size_t column : level.columns) {
        rank::AppendGroupKey(found_.values.columns[column], hit, key);
      }
      auto [at, first] = index.try_emplace(std::move(key), members.size());
      if (first) members.emplace_back();
      members[at->second].push_back(hit);
    }
    return members;
  }

  service::Bucket Skeleton(const BucketLevel& level, const std::vector<size_t>& rows) const {
    service::Bucket bucket{.count = static_cast<int64_t>(rows.size())};
    for (size_t i = 0; i < level.columns.size(); ++i) {
      bucket.key.push_back({.field = level.fields[i],
                            .name = level.names[i],
                            .value = Value({level.columns[i]}, rows.front())});
    }
    for (const BucketMetric& metric : level.metrics) {
      MetricState state;
      for (size_t row : rows) {
        state.Add(metric.op, metric.counts_rows ? BucketValue(true) : Value(metric.value, row));
      }
      bucket.metrics.emplace_back(metric.alias, state.Finish(metric.op));
    }
    return bucket;
  }

  BucketValue Value(HitValue value, size_t row) const {
    if (value.column == HitValue::kScore) return found_.scores[row];
    return ValueAt(found_.values.columns[value.column], row);
  }

  static bool Before(const BucketLevel& level, const service::Bucket& a, const service::Bucket& b) {
    for (const BucketOrder& order : level.order) {
      std::weak_ordering found = std::weak_ordering::equivalent;
      switch (order.by) {
        case BucketOrder::By::kCount: found = a.count <=> b.count; break;
        case BucketOrder::By::kMetric:
          found = Compare(a.metrics[order.metric].second, b.metrics[order.metric].second);
          break;
        case BucketOrder::By::kKey:
          for (size_t i = 0; i < a.key.size() && found == 0; ++i) {
            found = Compare(a.key[i].value, b.key[i].value);
          }
      }
      if (found != 0) return order.descending ? found > 0 : found < 0;
    }
    return false;
  }

  std::vector<service::BucketHit> TopHits(const BucketLevel& level,
                                          const std::vector<size_t>& rows) const {
    std::vector<size_t> order = rows;
    std::ranges::sort(order, [&](size_t a, size_t b) { return HitBefore(level, a, b); });
    order.resize(std::min(order.size(), static_cast<size_t>(level.hits)));
    std::vector<service::BucketHit> hits;
    for (size_t row : order) {
      service::BucketHit& hit =
          hits.emplace_back(service::BucketHit{found_.keys.At(row), found_.scores[row], {}});
      for (const service::OutputColumn& column : output_) {
        if (model::IsVector(column.column.type)) continue;
        hit.fields.push_back({column.column.field, column.name, ValueAt(column.column, row)});
      }
    }
    return hits;
  }

  bool HitBefore(const BucketLevel& level, size_t a, size_t b) const {
    for (const HitOrder& order : level.hit_order) {
      const BucketValue x = Value(order.value, a);
      const BucketValue y = Value(order.value, b);
      const bool x_null = x.index() == 0;
      if (x_null != (y.index() == 0)) return x_null == order.nulls_first;
      const auto found = Compare(x, y);
      if (found != 0) return order.descending ? found > 0 : found < 0;
    }
    const float x = rank::DistanceOf(metric_, found_.scores[a]);
    const float y = rank::DistanceOf(metric_, found_.scores[b]);
    if (x != y) return x < y;
    if (auto found = found_.keys.At(a) <=> found_.keys.At(b); found != 0) return found < 0;
    return a < b;
  }

  const AggregationPlan& plan_;
  const AnnResult& found_;
  const model::Metric metric_;
  const std::vector<service::OutputColumn>& output_;
};

}  // namespace

void FillBuckets(const AggregationPlan& plan, const AnnResult& found, model::Metric metric,
                 const std::vector<service::OutputColumn>& output, service::SearchResult& result) {
  const BucketMaker maker(plan, found, metric, output);
  size_t first = 0;
  for (const int64_t count : found.counts) {
    std::vector<size_t> hits(static_cast<size_t>(count));
    std::iota(hits.begin(), hits.end(), first);
    first += hits.size();
    auto buckets = maker.Make(0, hits);
    result.bucket_counts.push_back(static_cast<int64_t>(buckets.size()));
    std::ranges::move(buckets, std::back_inserter(result.buckets));
  }
}

}  // namespace elanus::proxy
