// Recall against queries a CPU second of one index over vectors from a file, in process.
//   ann_bench BASE QUERIES [--kind hnsw|ivf|ivfpq|scann|coded|nsg|forest|flat|auto]
//             [--metric l2|ip|cosine]
//             [--m N] [--efc N] [--nlist N]
//             [--codec packed|fp16|bf16|pq|rabitq] [--bits N] [--parts N] [--rounds N]
//             [--threads N] [--rows N] [--k N] [--index FILE] [--filter PERCENT] [--widths 0,20,40]
//             [--mapped 1] [--batch N] [--search-threads N] [--limits 1] [--serve 1]
//   ann_bench BASE QUERIES --kmeans CLUSTERS
// A vector file is: uint32 rows, uint32 dim, float[rows][dim]. With --index the built index is kept
// in FILE and reused. Width 0 is the index's own choice; "nprobe/reorder_k" where a kind has both.
// Times are of the thread's CPU clock: the best of five rounds. --mapped leaves the rows in their
// file, as a server that is short of memory does. --batch asks that many queries at
// once. --search-threads lets each of N threads ask all queries at the same time; what they take is
// put beside one alone. --limits measures what the machine can do (machine_limits.h) and says how
// much of it the searches use. --kmeans learns centroids and prints CPU seconds and the mean
// squared distance of a row to its nearest. With --serve it prints one line of JSON and then
// answers lines "first count k width" by "recall seconds" for compare.py.
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/ann/machine_limits.h"
#include "index/vector/brute_force.h"
#include "index/vector/buffer.h"
#include "index/vector/hnsw_index.h"
#include "index/vector/index_file.h"
#include "index/vector/kmeans.h"
#include "index/vector/vector_index.h"

namespace elanus::index {
namespace {

struct Vectors {
  Buffer bytes;
  const float* mapped = nullptr;
  size_t rows = 0, dim = 0;
  VectorView view() const { return {mapped != nullptr ? mapped : bytes.As<float>(), rows, dim}; }
};

// The rows of a file where they lie; the mapping stays for good.
const float* MapRows(const std::string& path, size_t bytes) {
  const int file = ::open(path.c_str(), O_RDONLY);
  constexpr size_t kShape = 2 * sizeof(uint32_t);
  void* start = ::mmap(nullptr, kShape + bytes, PROT_READ, MAP_SHARED, file, 0);
  if (start == MAP_FAILED) {
    std::perror(path.c_str());
    std::exit(1);
  }
  ::madvise(start, kShape + bytes, MADV_RANDOM);
  return reinterpret_cast<const float*>(static_cast<const char*>(start) + kShape);
}

Vectors ReadVectors(const std::string& path, size_t rows_max, bool mapped = false) {
  std::ifstream in(path, std::ios::binary);
  uint32_t shape[2] = {};
  in.read(reinterpret_cast<char*>(shape), sizeof(shape));
  Vectors v;
  v.rows = std::min<size_t>(shape[0], rows_max);
  v.dim = shape[1];
  if (mapped) {
    v.mapped = MapRows(path, v.rows * v.dim * sizeof(float));
    return v;
  }
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

class Bench {
 public:
  Bench(int argc, char** argv) {
    for (int i = 3; i + 1 < argc; i += 2) options_[argv[i] + 2] = argv[i + 1];
    base_ = ReadVectors(argv[1], static_cast<size_t>(Number("rows", 0x7FFFFFFE)),
                        options_.contains("mapped"));
    queries_ = ReadVectors(argv[2], static_cast<size_t>(Number("queries", 2000)));
    const std::string kind = Text("kind", "hnsw"), metric = Text("metric", "cosine");
    params_.kind = kind == "flat"     ? Kind::kFlat
                   : kind == "ivf"    ? Kind::kIvfFlat
                   : kind == "ivfpq"  ? Kind::kIvfPq
                   : kind == "scann"  ? Kind::kScann
                   : kind == "coded"  ? Kind::kIvfCoded
                   : kind == "nsg"    ? Kind::kNsg
                   : kind == "forest" ? Kind::kForest
                                      : Kind::kHnsw;
    params_.choose = kind == "auto";
    const std::string codec = Text("codec", "");
    params_.codec = {.kind = codec == "packed"   ? CodecKind::kPacked
                             : codec == "fp16"   ? CodecKind::kFloat16
                             : codec == "bf16"   ? CodecKind::kBfloat16
                             : codec == "pq"     ? CodecKind::kProduct
                             : codec == "rabitq" ? CodecKind::kRabitq
                                                 : CodecKind::kOwn,
                     .bits = Number("bits", 8),
                     .parts = Number("parts", 1),
                     .rounds = Number("rounds", 1)};
    params_.part_dim = Number("part-dim", 2);
    params_.metric = metric == "l2" ? Metric::kL2 : metric == "ip" ? Metric::kIp : Metric::kCosine;
    params_.m = Number("m", 16);
    params_.ef_construction = Number("efc", 200);
    params_.nlist = Number("nlist", 1024);
    params_.trees = Number("trees", 8);
    params_.threads = Number("threads", 1);
  }

  int Run() {
    if (options_.contains("kmeans")) return LearnCentroids();
    if (!Open()) return 1;
    Filter();
    FindTruth();
    return options_.contains("serve") ? Serve() : Sweep();
  }

 private:
  int Number(const char* name, int other) {
    return options_.contains(name) ? std::atoi(options_[name].c_str()) : other;
  }
  std::string Text(const char* name, const char* other) {
    return options_.contains(name) ? options_[name] : other;
  }

  bool Open() {
    if (options_.contains("index")) {
      std::ifstream in(options_["index"], std::ios::binary);
      file_.assign(std::istreambuf_iterator<char>(in), {});
    }
    if (file_.empty()) {
      const double start = Seconds(CLOCK_PROCESS_CPUTIME_ID);
      auto built = BuildIndexFile(base_.view(), params_);
      if (!built.has_value()) return Failed(built.error());
      build_seconds_ = Seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
      file_ = built->Join();
      if (options_.contains("index")) std::ofstream(options_["index"], std::ios::binary) << file_;
    }
    auto opened =
        OpenIndex(nullptr, std::as_bytes(std::span(file_)), base_.view(), OpenMode::kResident);
    if (!opened.has_value()) return Failed(opened.error());
    index_ = std::move(*opened);
    return true;
  }

  static bool Failed(const Status& status) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return false;
  }

  // Percent of rows that stay visible: at random, or with --regions N those of some of N regions,
  // each the rows nearest to one row, so that most queries lie far from or amid visible rows.
  void Filter() {
    if (!options_.contains("filter")) return;
    std::mt19937_64 random(3);
    words_.assign((base_.rows + 63) / 64, 0);
    const double visible = std::atof(options_["filter"].c_str()) / 100;
    const std::vector<bool> shown = options_.contains("regions") ? ShownByRegion(visible, random)
                                                                 : ShownAtRandom(visible, random);
    size_t count = 0;
    for (size_t i = 0; i < base_.rows; ++i) {
      if (shown[i]) continue;
      words_[i / 64] |= uint64_t{1} << (i % 64);
      ++count;
    }
    hidden_ = HiddenBits(words_.data(), base_.rows, count);
  }

  std::vector<bool> ShownAtRandom(double visible, std::mt19937_64& random) const {
    std::vector<bool> shown(base_.rows);
    for (size_t i = 0; i < base_.rows; ++i)
      shown[i] = static_cast<double>(random() >> 11) * 0x1.0p-53 < visible;
    return shown;
  }

  std::vector<bool> ShownByRegion(double visible, std::mt19937_64& random) {
    const auto regions = static_cast<size_t>(Number("regions", 200));
    std::vector<uint32_t> middles(regions);
    for (uint32_t& row : middles) row = static_cast<uint32_t>(random() % base_.rows);
    std::vector<uint32_t> region_of(base_.rows), sizes(regions, 0);
    std::vector<float> distances(regions);
    for (size_t i = 0; i < base_.rows; ++i) {
      ExactDistance(params_.metric, base_.view(), nullptr, base_.view().Row(i))
          .Rows(middles.data(), regions, distances.data());
      region_of[i] = static_cast<uint32_t>(std::ranges::min_element(distances) - distances.begin());
      ++sizes[region_of[i]];
    }
    std::vector<bool> region_shown(regions), shown(base_.rows);
    const double wanted = visible * static_cast<double>(base_.rows);
    double count = 0;
    for (size_t r = 0; r < regions;
         ++r) {  // in the order they were drawn, if that does not overshoot
      if (count + sizes[r] > wanted * 1.05) continue;
      region_shown[r] = true;
      count += sizes[r];
    }
    for (size_t i = 0; i < base_.rows; ++i) shown[i] = region_shown[region_of[i]];
    std::printf("%.2f %% visible\n", 100 * count / static_cast<double>(base_.rows));
    return shown;
  }

  void FindTruth() {
    std::vector<TopK> tops(queries_.rows, TopK(100));
    const VectorChunk chunk{
        .vectors = base_.view(), .row_offset = 0, .inverse_norms = index_->inverse_norms()};
    if (!BruteForceMany(params_.metric, queries_.bytes.As<float>(), chunk, hidden_, {}, tops).ok())
      std::exit(1);
    for (TopK& top : tops) truth_.push_back(top.Take());
  }

  SearchParams At(const std::string& width, size_t top_k) const {
    SearchParams search{.top_k = top_k};
    const Kind kind = index_->kind();
    const bool rows = kind == Kind::kHnsw || kind == Kind::kNsg || kind == Kind::kForest;
    (rows ? search.ef : search.nprobe) = std::atoi(width.c_str());
    const size_t slash = width.find('/');
    if (slash != std::string::npos) search.reorder_k = std::atoi(width.c_str() + slash + 1);
    return search;
  }

  int LearnCentroids() {
    const KMeansParams params{.clusters = static_cast<size_t>(Number("kmeans", 1024)),
                              .sample = 256,
                              .threads = params_.threads};
    const double start = Seconds(CLOCK_PROCESS_CPUTIME_ID);
    const auto centroids = TrainCentroids(base_.view(), params, {});
    const double took = Seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    if (!centroids.has_value()) return Failed(centroids.error());
    std::vector<uint32_t> nearest(base_.rows);
    CentroidTiles(*centroids, base_.dim).Assign(base_.view(), 0, false, nearest);
    double sum = 0;
    for (size_t i = 0; i < base_.rows; ++i)
      sum += simd::Active().l2(reinterpret_cast<const float*>(base_.view().Row(i)),
                               centroids->data() + nearest[i] * base_.dim, base_.dim);
    std::printf("%.3f %.6f\n", took, sum / static_cast<double>(base_.rows));
    return 0;
  }

  struct Round {
    double recall = 0, seconds = 0;
  };
  // Recall by distance: of several rows equally far away any is right.
  Round Ask(size_t first, size_t count, const SearchParams& search, std::vector<double>* times) {
    std::vector<std::vector<Hit>> found(count);
    const auto batch = static_cast<size_t>(std::max(Number("batch", 1), 1));
    const double start = Seconds(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < count; i += batch) {
      const size_t asked = std::min(batch, count - i);
      const double before = times == nullptr ? 0 : Seconds(CLOCK_THREAD_CPUTIME_ID);
      AskBatch(first, i, asked, search, found);
      if (times == nullptr) continue;
      const double took = Seconds(CLOCK_THREAD_CPUTIME_ID) - before;
      for (size_t j = i; j < i + asked; ++j)
        (*times)[j] = std::min((*times)[j], took / static_cast<double>(asked));
    }
    Round round{.seconds = Seconds(CLOCK_THREAD_CPUTIME_ID) - start};
    double wanted = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto& truth = truth_[first + i];
      const size_t k = std::min(search.top_k, truth.size());
      wanted += static_cast<double>(k);
      if (k == 0) continue;
      const float limit = truth[k - 1].distance + 1e-6f * std::fabs(truth[k - 1].distance);
      for (const Hit& hit : found[i]) round.recall += hit.distance <= limit ? 1 : 0;
    }
    round.recall /= std::max(wanted, 1.0);
    return round;
  }

  void AskBatch(size_t first, size_t at, size_t count, const SearchParams& search,
                std::vector<std::vector<Hit>>& found) const {
    const auto* query = queries_.view().Row(first + at);
    if (count == 1) {
      auto hits = index_->Search(query, search, hidden_, {});
      if (hits.has_value()) found[at] = std::move(*hits);
      return;
    }
    auto hits = index_->SearchMany(query, count, search, hidden_, {});
    if (hits.has_value()) std::ranges::move(*hits, found.begin() + static_cast<ptrdiff_t>(at));
  }

  size_t Threads() { return static_cast<size_t>(Number("search-threads", 1)); }

  // Some of the queries.
  struct Part {
    size_t first = 0, count = 0;
  };
  // Each part asked on a thread of its own, all at the same time.
  std::vector<Round> AskAtOnce(const std::vector<Part>& parts, const SearchParams& search) {
    std::vector<Round> rounds(parts.size());
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < parts.size(); ++t) {
      threads.emplace_back(
          [&, t] { rounds[t] = Ask(parts[t].first, parts[t].count, search, nullptr); });
    }
    for (std::jthread& thread : threads) thread.join();
    return rounds;
  }

  // The queries shared out among threads; the time that passes.
  Round Share(size_t first, size_t count, const SearchParams& search) {
    std::vector<Part> parts(Threads());
    for (size_t t = 0; t < parts.size(); ++t) {
      const size_t from = count * t / parts.size(), to = count * (t + 1) / parts.size();
      parts[t] = {first + from, to - from};
    }
    const double start = Seconds(CLOCK_MONOTONIC);
    const std::vector<Round> rounds = AskAtOnce(parts, search);
    Round all{.seconds = Seconds(CLOCK_MONOTONIC) - start};
    for (size_t t = 0; t < parts.size(); ++t)
      all.recall +=
          rounds[t].recall * static_cast<double>(parts[t].count) / static_cast<double>(count);
    return all;
  }

  int Serve() {
    std::printf("{\"build_cpu_s\": %.1f, \"bytes_a_row\": %.0f, \"simd\": \"%s\", ", build_seconds_,
                static_cast<double>(file_.size()) / static_cast<double>(base_.rows),
                simd::LevelName(simd::Active().level));
    std::printf("\"own_width_10\": %u}\n", index_->header().tuning.width_10);
    std::fflush(stdout);
    size_t first, count, top_k;
    for (std::string width; std::cin >> first >> count >> top_k >> width;) {
      const Round round = Threads() > 1 ? Share(first, count, At(width, top_k))
                                        : Ask(first, count, At(width, top_k), nullptr);
      std::printf("%.5f %.9f\n", round.recall, round.seconds);
      std::fflush(stdout);
    }
    return 0;
  }

  int Sweep() {
    std::printf("build %.1f CPU-s, %.0f bytes a row; simd %s, %zu x %zu; own width %u, k 100: %u\n",
                build_seconds_, static_cast<double>(file_.size()) / static_cast<double>(base_.rows),
                simd::LevelName(simd::Active().level), base_.rows, base_.dim,
                index_->header().tuning.width_10, index_->header().tuning.width_100);
    if (options_.contains("limits")) MeasureLimits();
    std::printf("%8s %8s %9s %9s %9s %7s %9s%s%s\n", "width", "recall", "QPS", "p50 us", "p99 us",
                "hops", "distances", bound_.empty() ? "" : "  of limit",
                Threads() > 1 ? "  threads : one" : "");
    std::istringstream widths(Text("widths", "0,20,40,60,80,100,120,160,200,300,400,800"));
    for (std::string width; std::getline(widths, width, ',');) SweepAt(width);
    std::printf("resident %lld MB\n", static_cast<long long>(ProcessKb("VmRSS:") / 1024));
    return 0;
  }

  void SweepAt(const std::string& width) {
    const SearchParams search = At(width, static_cast<size_t>(Number("k", 10)));
    const Work before = ThreadWork();
    constexpr int kRounds = 5;
    double best = 1e9, recall = 0, shared = 1e9;
    std::vector<double> times(queries_.rows, 1e9);
    for (int i = 0; i < kRounds; ++i) {
      const Round round = Ask(0, queries_.rows, search, &times);
      best = std::min(best, round.seconds);
      recall = round.recall;
      if (Threads() > 1) shared = std::min(shared, AskTogether(search));
    }
    std::sort(times.begin(), times.end());
    const Work work = (ThreadWork() - before) / (kRounds * static_cast<double>(queries_.rows));
    std::printf("%8s %8.4f %9.0f %9.1f %9.1f %7.0f %9.0f", width.c_str(), recall,
                static_cast<double>(queries_.rows) / best, 1e6 * times[times.size() / 2],
                1e6 * times[times.size() * 99 / 100], work.hops, work.codes);
    if (!bound_.empty())
      std::printf(" %9.2f", BoundSeconds(work) * static_cast<double>(queries_.rows) / best);
    if (Threads() > 1) std::printf(" %14.3f", shared / best);
    std::printf("\n");
  }

  // The longest CPU time that one of several threads takes for all queries.
  double AskTogether(const SearchParams& search) {
    const std::vector<Part> all(Threads(), Part{0, queries_.rows});
    return std::ranges::max(AskAtOnce(all, search), {}, &Round::seconds).seconds;
  }

  // What one search does, on average.
  struct Work {
    double hops = 0, codes = 0, exact = 0;
    Work operator-(const Work& other) const {
      return {hops - other.hops, codes - other.codes, exact - other.exact};
    }
    Work operator/(double n) const { return {hops / n, codes / n, exact / n}; }
  };
  static Work ThreadWork() {
    const SearchCost cost = ThreadSearchCost();
    return {static_cast<double>(ThreadGraphHops()), static_cast<double>(cost.codes),
            static_cast<double>(cost.exact)};
  }

  // Seconds that one of each costs at best.
  struct Bound {
    double hop = 0, code = 0, exact = 0, query = 0;
    bool empty() const { return exact == 0; }
  };

  // Graphs read blocks at random places, lists read on; rows are measured exactly at random places,
  // or one after another where all of them are.
  void MeasureLimits() {
    const auto file = IndexFileReader::Open(std::as_bytes(std::span(file_)));
    if (!file.has_value()) return;
    const size_t raw = base_.rows * base_.dim * sizeof(float), row = base_.dim * sizeof(float);
    const IndexHeader& header = index_->header();
    const bool graph = header.kind == Kind::kHnsw || header.kind == Kind::kNsg;
    const size_t codes =
        file->Section(SectionId::kCodes).size() + file->Section(SectionId::kBlocks).size();
    const size_t entries = std::max(base_.rows, file->Section(SectionId::kListRows).size() / 4);
    const double macs = FloatMacsPerSecond();
    std::printf("one core: %.1f GB/s of %zu MB in turn, %.1f G float multiply-adds a second\n",
                1e-9 * StreamBytesPerSecond(raw), raw >> 20, 1e-9 * macs);
    const double row_ns = 1e9 * RandomBlockSeconds(row, raw);
    std::printf("a row of %zu bytes at random: %.1f ns", row, row_ns);
    bound_.exact = 1e-9 * row_ns;
    if (graph) {
      const size_t code = codes / base_.rows, links = header.degree * sizeof(uint32_t);
      bound_.code = RandomBlockSeconds(code, codes);
      bound_.hop = RandomBlockSeconds(links, links * base_.rows);
      std::printf("; a code of %zu bytes: %.1f ns; links of %zu bytes: %.1f ns", code,
                  1e9 * bound_.code, links, 1e9 * bound_.hop);
    } else if (codes != 0) {
      bound_.code =
          static_cast<double>(codes) / static_cast<double>(entries) / StreamBytesPerSecond(codes);
      std::printf("; a code of %.0f bytes in turn: %.2f ns",
                  static_cast<double>(codes) / static_cast<double>(entries), 1e9 * bound_.code);
    } else {  // every row in turn, from memory or, for many queries at once, from registers
      bound_.exact = Number("batch", 1) == 1 ? static_cast<double>(row) / StreamBytesPerSecond(raw)
                                             : static_cast<double>(base_.dim) / macs;
    }
    if (header.nlist != 0)  // each list's centre
      bound_.query = static_cast<double>(header.nlist * base_.dim) / macs;
    std::printf("\n");
  }

  double BoundSeconds(const Work& work) const {
    return bound_.query + work.hops * bound_.hop + work.codes * bound_.code +
           work.exact * bound_.exact;
  }

  std::map<std::string, std::string> options_;
  Vectors base_, queries_;
  BuildParams params_;
  std::string file_;
  double build_seconds_ = 0;
  std::unique_ptr<VectorIndex> index_;
  std::vector<uint64_t> words_;
  HiddenBits hidden_;
  std::vector<std::vector<Hit>> truth_;
  Bound bound_;
};

}  // namespace
}  // namespace elanus::index

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: ann_bench BASE QUERIES [--option value]...\n");
    return 2;
  }
  return elanus::index::Bench(argc, argv).Run();
}
