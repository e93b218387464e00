#include "base/metrics.h"

#include <gtest/gtest.h>

#include <thread>

namespace elanus {
namespace {

TEST(Metrics, PrintCountersGaugesAndHistogramsAsPrometheusText) {
  MetricRegistry registry;
  Counter& counter = registry.AddCounter("requests_total", "Requests.", {{"rpc", "Insert"}});
  counter.Add();
  counter.Add(2);
  registry.AddGauge("rows", "Rows.").Set(-4);
  registry.AddGaugeFunction("memory_bytes", "Memory.", {{"part", "log"}}, [] { return 1.5; });
  Histogram& histogram = registry.AddHistogram("latency_seconds", "Latency.");
  histogram.Observe(100);
  histogram.Observe(101);
  histogram.Observe(40'000'000);
  std::string text = registry.Text();
  for (std::string_view line : {
           "# HELP requests_total Requests.\n# TYPE requests_total counter\n",
           "requests_total{rpc=\"Insert\"} 3\n",
           "# TYPE rows gauge\nrows -4\n",
           "memory_bytes{part=\"log\"} 1.5\n",
           "latency_seconds_bucket{le=\"0.0001\"} 1\n",
           "latency_seconds_bucket{le=\"0.00025\"} 2\n",
           "latency_seconds_bucket{le=\"30\"} 2\n",
           "latency_seconds_bucket{le=\"+Inf\"} 3\n",
           "latency_seconds_sum 40.000201\n",
           "latency_seconds_count 3\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

TEST(Metrics, GiveTheSameCounterForTheSameLabels) {
  MetricRegistry registry;
  Counter& a = registry.AddCounter("n", "N.", {{"x", "1"}});
  Counter& b = registry.AddCounter("n", "N.", {{"x", "2"}});
  EXPECT_EQ(&a, &registry.AddCounter("n", "N.", {{"x", "1"}}));
  EXPECT_NE(&a, &b);
}

TEST(Metrics, LoseNoCountBetweenThreads) {
  MetricRegistry registry;
  Counter& counter = registry.AddCounter("n", "N.");
  Histogram& histogram = registry.AddHistogram("h", "H.");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10'000; ++i) {
          counter.Add();
          histogram.Observe(i);
        }
      });
    }
  }
  EXPECT_EQ(counter.value(), 40'000u);
  uint64_t observed = 0;
  for (uint64_t n : histogram.counts()) observed += n;
  EXPECT_EQ(observed, 40'000u);
}

TEST(Metrics, EscapeLabelValues) {
  MetricRegistry registry;
  registry.AddCounter("n", "N.", {{"x", "a\"b\\c\nd"}});
  EXPECT_NE(registry.Text().find("n{x=\"a\\\"b\\\\c\\nd\"} 0"), std::string::npos);
}

TEST(Metrics, ForgetRemovedGauges) {
  MetricRegistry registry;
  registry.AddGaugeFunction("g", "G.", {{"x", "1"}}, [] { return 7.0; });
  registry.RemoveGauge("g", {{"x", "1"}});
  EXPECT_EQ(registry.Text().find("g{"), std::string::npos);
}

}  // namespace
}  // namespace elanus
