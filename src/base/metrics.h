// Metrics: counters, gauges and histograms with fixed label sets, printed as Prometheus text.
// Whoever counts asks the registry once, at start, and keeps the reference: counting itself is one
// relaxed add on a shard of its own, never a lookup.
// Holds: a metric lives as long as its registry; the same name and labels give the same metric;
// a name has one help text and one kind.
// Called by every room. Threads: all.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace elanus {

/// Which of the shards of a counter this thread adds to.
inline constexpr size_t kMetricShards = 8;
size_t MetricShard();

/// Only grows.
class Counter {
 public:
  void Add(uint64_t n = 1) { shards_[MetricShard()].value.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const;

 private:
  struct alignas(64) Shard {
    std::atomic<uint64_t> value{0};
  };
  std::array<Shard, kMetricShards> shards_;
};

/// Goes up and down.
class Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

/// Durations, in microseconds; printed in seconds.
class Histogram {
 public:
  /// Upper bounds of the buckets in microseconds; one more bucket takes the rest.
  static constexpr std::array<uint64_t, 16> kBoundsUs = {
      100,    250,     500,     1'000,   2'500,     5'000,     10'000,     25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000, 30'000'000};
  using Counts = std::array<uint64_t, kBoundsUs.size() + 1>;

  void Observe(uint64_t us);
  Counts counts() const;  ///< of each bucket, not cumulative
  uint64_t sum_us() const;

 private:
  static constexpr size_t kShards = 4;
  struct alignas(64) Shard {
    std::array<std::atomic<uint64_t>, kBoundsUs.size() + 1> counts{};
    std::atomic<uint64_t> sum_us{0};
  };
  std::array<Shard, kShards> shards_;
};

class MetricRegistry {
 public:
  /// Pairs of label name and value, in print order.
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Counter& AddCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& AddGauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& AddHistogram(std::string_view name, std::string_view help, const Labels& labels = {});
  /// A gauge that is asked when the text is printed. `read` must stay callable as long as the
  /// registry lives, or until RemoveGauge of the same name and labels.
  void AddGaugeFunction(std::string_view name, std::string_view help, const Labels& labels,
                        std::function<double()> read);
  void RemoveGauge(std::string_view name, const Labels& labels);

  /// All metrics in Prometheus' text form 0.0.4, by name, then in order of registration.
  std::string Text() const;

 private:
  enum class Kind { kCounter, kGauge, kHistogram };
  struct Series {
    std::string labels;  ///< `a="x",b="y"`, escaped
    Counter* counter = nullptr;
    Gauge* gauge = nullptr;
    Histogram* histogram = nullptr;
    std::function<double()> read;
  };
  struct Family {
    std::string help;
    Kind kind;
    std::vector<Series> series;
  };

  Series& Find(std::string_view name, std::string_view help, Kind kind, const Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
  std::deque<Counter> counters_;
  std::deque<Gauge> gauges_;
  std::deque<Histogram> histograms_;
};

/// The registry that the server prints at /metrics. Tests make their own.
MetricRegistry& ProcessMetrics();

}  // namespace elanus
