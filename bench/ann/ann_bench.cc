// Recall against queries a CPU second of one index over vectors from a file, in process, one
// thread.
//   ann_bench BASE QUERIES [--kind hnsw|ivf|flat] [--metric l2|ip|cosine] [--m N] [--efc N]
//   [--nlist N]
//             [--threads N] [--rows N] [--k N] [--index FILE] [--filter PERCENT] [--widths 0,20,40]
// A vector file is: uint32 rows, uint32 dim, float[rows][dim]. With --index the built index is kept
// in FILE and reused. Width 0 is the index's own choice. Times are of the thread's CPU clock: the
// best of five rounds.
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "index/vector/brute_force.h"
#include "index/vector/buffer.h"
#include "index/vector/hnsw_index.h"
#include "index/vector/vector_index.h"

namespace elanus::index {
namespace {

struct Vectors {
  Buffer bytes;
  size_t rows = 0, dim = 0;
  VectorView view() const { return {bytes.As<float>(), rows, dim}; }
};

Vectors ReadVectors(const std::string& path, size_t rows_max) {
  std::ifstream in(path, std::ios::binary);
  uint32_t shape[2] = {};
  in.read(reinterpret_cast<char*>(shape), sizeof(shape));
  Vectors v;
  v.rows = std::min<size_t>(shape[0], rows_max);
  v.dim = shape[1];
  v.bytes = Buffer(v.rows * v.dim * sizeof(float));
  in.read(reinterpret_cast<char*>(v.bytes.data()), static_cast<std::streamsize>(v.bytes.size()));
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(1);
  }
  return v;
}

double Seconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

int64_t ProcessKb(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::atoll(line.c_str() + std::strlen(key) + 1);
  }
  return 0;
}

std::map<std::string, std::string> Options(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 3; i + 1 < argc; i += 2) options[argv[i] + 2] = argv[i + 1];
  return options;
}

int Main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: ann_bench BASE QUERIES [--option value]...\n");
    return 2;
  }
  auto options = Options(argc, argv);
  auto number = [&](const char* name, int other) {
    return options.contains(name) ? std::atoi(options[name].c_str()) : other;
  };
  const Vectors base = ReadVectors(argv[1], static_cast<size_t>(number("rows", 0x7FFFFFFE)));
  const Vectors queries = ReadVectors(argv[2], 1000);
  const std::string kind = options.contains("kind") ? options["kind"] : "hnsw";
  const std::string metric = options.contains("metric") ? options["metric"] : "cosine";
  BuildParams params;
  params.kind = kind == "flat" ? Kind::kFlat : kind == "ivf" ? Kind::kIvfFlat : Kind::kHnsw;
  params.metric = metric == "l2" ? Metric::kL2 : metric == "ip" ? Metric::kIp : Metric::kCosine;
  params.m = number("m", 16);
  params.ef_construction = number("efc", 200);
  params.nlist = number("nlist", 1024);
  params.threads = number("threads", 1);
  const auto top_k = static_cast<size_t>(number("k", 10));

  std::string file;
  if (options.contains("index")) {
    std::ifstream in(options["index"], std::ios::binary);
    file.assign(std::istreambuf_iterator<char>(in), {});
  }
  if (file.empty()) {
    const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID), wall = Seconds(CLOCK_MONOTONIC);
    auto built = BuildIndexFile(base.view(), params);
    if (!built.has_value()) {
      std::fprintf(stderr, "%s\n", built.error().message().c_str());
      return 1;
    }
    std::printf("build: %.1f CPU-s, %.1f s, %.1f MB, %.0f bytes a row, peak %lld MB\n",
                Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, Seconds(CLOCK_MONOTONIC) - wall,
                static_cast<double>(built->size()) / 1e6,
                static_cast<double>(built->size()) / static_cast<double>(base.rows),
                static_cast<long long>(ProcessKb("VmHWM:") / 1024));
    file = built->Join();
    if (options.contains("index")) std::ofstream(options["index"], std::ios::binary) << file;
  }
  auto opened =
      OpenIndex(nullptr, std::as_bytes(std::span(file)), base.view(), OpenMode::kResident);
  if (!opened.has_value()) {
    std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    return 1;
  }
  const VectorIndex& index = **opened;
  std::printf("%s %s, simd %s, %zu rows x %zu; own width: %u for k 10, %u for k 100\n",
              kind.c_str(), metric.c_str(), simd::LevelName(simd::Active().level), base.rows,
              base.dim, index.header().tuning.width_10, index.header().tuning.width_100);

  std::vector<uint64_t> words;
  HiddenBits hidden;
  if (options.contains("filter")) {  // percent of rows that stay visible, at random
    std::mt19937_64 random(3);
    words.assign((base.rows + 63) / 64, 0);
    const double visible = std::atof(options["filter"].c_str()) / 100;
    size_t count = 0;
    for (size_t i = 0; i < base.rows; ++i) {
      if (static_cast<double>(random() >> 11) * 0x1.0p-53 < visible) continue;
      words[i / 64] |= uint64_t{1} << (i % 64);
      ++count;
    }
    hidden = HiddenBits(words.data(), base.rows, count);
  }
  std::vector<TopK> tops(queries.rows, TopK(top_k));
  const VectorChunk chunk{
      .vectors = base.view(), .row_offset = 0, .inverse_norms = index.inverse_norms()};
  if (!BruteForceMany(params.metric, queries.bytes.As<float>(), chunk, hidden, {}, tops).ok())
    return 1;
  std::vector<std::vector<Hit>> truth;
  for (TopK& top : tops) truth.push_back(top.Take());

  std::string widths =
      options.contains("widths") ? options["widths"] : "0,20,40,60,80,100,120,160,200,300,400,800";
  std::printf("%8s %8s %9s %9s %9s %7s %9s\n", "width", "recall", "QPS", "p50 us", "p99 us", "hops",
              "distances");
  for (size_t at = 0; at < widths.size();) {
    const int width = std::atoi(widths.c_str() + at);
    at = std::min(widths.find(',', at), widths.size() - 1) + 1;
    SearchParams search{.top_k = top_k};
    (params.kind == Kind::kHnsw ? search.ef : search.nprobe) = width;
    const GraphCost before = ThreadGraphCost();
    double best = 1e9, recall = 0;
    std::vector<double> times(queries.rows, 1e9);
    for (int round = 0; round < 5; ++round) {
      double total = 0;
      for (size_t q = 0; q < queries.rows; ++q) {
        const double start = Seconds(CLOCK_THREAD_CPUTIME_ID);
        auto hits = index.Search(queries.view().Row(q), search, hidden, {});
        const double took = Seconds(CLOCK_THREAD_CPUTIME_ID) - start;
        times[q] = std::min(times[q], took);
        total += took;
        if (round > 0 || !hits.has_value()) continue;
        const float limit = truth[q].empty() ? 0
                                             : truth[q].back().distance +
                                                   1e-6f * std::fabs(truth[q].back().distance);
        for (const Hit& hit : *hits) recall += hit.distance <= limit ? 1 : 0;
      }
      best = std::min(best, total);
    }
    std::sort(times.begin(), times.end());
    const GraphCost after = ThreadGraphCost();
    const double searches = 5.0 * static_cast<double>(queries.rows);
    std::printf("%8d %8.4f %9.0f %9.1f %9.1f %7.0f %9.0f\n", width,
                recall / static_cast<double>(queries.rows * std::min(top_k, truth[0].size())),
                static_cast<double>(queries.rows) / best, 1e6 * times[times.size() / 2],
                1e6 * times[times.size() * 99 / 100],
                static_cast<double>(after.hops - before.hops) / searches,
                static_cast<double>(after.distances - before.distances) / searches);
  }
  std::printf("resident %lld MB\n", static_cast<long long>(ProcessKb("VmRSS:") / 1024));
  return 0;
}

}  // namespace
}  // namespace elanus::index

int main(int argc, char** argv) { return elanus::index::Main(argc, argv); }
