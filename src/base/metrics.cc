#include "base/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace elanus {
namespace {

std::string LabelText(const MetricRegistry::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name;
    text += "=\"";
    for (char c : value) {
      if (c == '\n') {
        text += "\\n";
        continue;
      }
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text;
}

void PrintLine(std::string& out, std::string_view name, std::string_view suffix,
               std::string_view labels, std::string_view more, std::string_view value) {
  out += name;
  out += suffix;
  if (!labels.empty() || !more.empty()) {
    out += '{';
    out += labels;
    if (!labels.empty() && !more.empty()) out += ',';
    out += more;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

void PrintHistogram(std::string& out, std::string_view name, std::string_view labels,
                    const Histogram& histogram) {
  Histogram::Counts counts = histogram.counts();
  uint64_t total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    std::string bound = i < Histogram::kBoundsUs.size()
                            ? fmt::format("{}", static_cast<double>(Histogram::kBoundsUs[i]) / 1e6)
                            : "+Inf";
    PrintLine(out, name, "_bucket", labels, "le=\"" + bound + "\"", std::to_string(total));
  }
  PrintLine(out, name, "_sum", labels, "",
            fmt::format("{}", static_cast<double>(histogram.sum_us()) / 1e6));
  PrintLine(out, name, "_count", labels, "", std::to_string(total));
}

}  // namespace

size_t MetricShard() {
  static std::atomic<size_t> next{0};
  thread_local const size_t shard = next.fetch_add(1, std::memory_order_relaxed) % kMetricShards;
  return shard;
}

uint64_t Counter::value() const {
  uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.value.load(std::memory_order_relaxed);
  return sum;
}

void Histogram::Observe(uint64_t us) {
  size_t bucket = std::lower_bound(kBoundsUs.begin(), kBoundsUs.end(), us) - kBoundsUs.begin();
  Shard& shard = shards_[MetricShard() % kShards];
  shard.counts[bucket].fetch_add(1, std::memory_order_relaxed);
  shard.sum_us.fetch_add(us, std::memory_order_relaxed);
}

Histogram::Counts Histogram::counts() const {
  Counts sums{};
  for (const Shard& shard : shards_) {
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] += shard.counts[i].load(std::memory_order_relaxed);
    }
  }
  return sums;
}

uint64_t Histogram::sum_us() const {
  uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.sum_us.load(std::memory_order_relaxed);
  return sum;
}

MetricRegistry::Series& MetricRegistry::Find(std::string_view name, std::string_view help,
                                             Kind kind, const Labels& labels) {
  auto it = families_.find(name);
  if (it == families_.end()) {
    it = families_.emplace(std::string(name), Family{std::string(help), kind, {}}).first;
  }
  Family& family = it->second;
  ELANUS_CHECK(family.kind == kind);
  std::string text = LabelText(labels);
  for (Series& series : family.series) {
    if (series.labels == text) return series;
  }
  return family.series.emplace_back(Series{.labels = std::move(text)});
}

Counter& MetricRegistry::AddCounter(std::string_view name, std::string_view help,
                                    const Labels& labels) {
  std::lock_guard lock(mutex_);
  Series& series = Find(name, help, Kind::kCounter, labels);
  if (series.counter == nullptr) series.counter = &counters_.emplace_back();
  return *series.counter;
}

Gauge& MetricRegistry::AddGauge(std::string_view name, std::string_view help,
                                const Labels& labels) {
  std::lock_guard lock(mutex_);
  Series& series = Find(name, help, Kind::kGauge, labels);
  if (series.gauge == nullptr) series.gauge = &gauges_.emplace_back();
  return *series.gauge;
}

Histogram& MetricRegistry::AddHistogram(std::string_view name, std::string_view help,
                                        const Labels& labels) {
  std::lock_guard lock(mutex_);
  Series& series = Find(name, help, Kind::kHistogram, labels);
  if (series.histogram == nullptr) series.histogram = &histograms_.emplace_back();
  return *series.histogram;
}

void MetricRegistry::AddGaugeFunction(std::string_view name, std::string_view help,
                                      const Labels& labels, std::function<double()> read) {
  std::lock_guard lock(mutex_);
  Find(name, help, Kind::kGauge, labels).read = std::move(read);
}

void MetricRegistry::RemoveGauge(std::string_view name, const Labels& labels) {
  std::lock_guard lock(mutex_);
  auto it = families_.find(name);
  if (it == families_.end()) return;
  std::string text = LabelText(labels);
  std::erase_if(it->second.series, [&](const Series& series) { return series.labels == text; });
}

std::string MetricRegistry::Text() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    static constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, family.help, name,
                   kKinds[static_cast<size_t>(family.kind)]);
    for (const Series& series : family.series) {
      if (series.counter != nullptr) {
        PrintLine(out, name, "", series.labels, "", std::to_string(series.counter->value()));
      } else if (series.histogram != nullptr) {
        PrintHistogram(out, name, series.labels, *series.histogram);
      } else if (series.read) {
        PrintLine(out, name, "", series.labels, "", fmt::format("{}", series.read()));
      } else if (series.gauge != nullptr) {
        PrintLine(out, name, "", series.labels, "", std::to_string(series.gauge->value()));
      }
    }
  }
  return out;
}

MetricRegistry& ProcessMetrics() {
  // Never destroyed: threads may count until the process ends.
  static auto* registry = new MetricRegistry;
  return *registry;
}

}  // namespace elanus
