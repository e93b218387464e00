#include "index/vector/code_clusters.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>

#include "base/thread.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kBlock = 64;  // centres
constexpr size_t kGroup = 4;   // dimensions
constexpr size_t kRowsAtOnce = 96;

size_t Blocks(size_t clusters) { return (clusters + kBlock - 1) / kBlock; }
size_t Groups(size_t dim) { return (dim + kGroup - 1) / kGroup; }

// The centres as the kernel wants them.
class Centres {
 public:
  Centres(const Sq8& codec, size_t count)
      : codec_(codec),
        groups_(Groups(codec.dim())),
        codes_(Blocks(count) * groups_ * kBlock * kGroup, 0),
        starts_(Blocks(count) * kBlock, simd::CentreBlocks::kNoCentre) {}

  void Set(size_t centre, const uint8_t* code) {
    int32_t sum = 0, square = 0;
    for (size_t d = 0; d < codec_.dim(); ++d) {
      const int32_t value = int32_t{code[d]} - 128;
      sum += value;
      square += value * value;
      const size_t group = centre / kBlock * groups_ + d / kGroup;
      codes_[(group * kBlock + centre % kBlock) * kGroup + d % kGroup] = static_cast<int8_t>(value);
    }
    // Bytes of rows are 128 more than their codes; |row - centre|^2 falls as row.centre -
    // |centre|^2 / 2 rises.
    starts_[centre] = -128 * sum - square / 2;
  }

  void Nearest(const uint8_t* rows, size_t count, uint32_t* nearest) const {
    simd::Active().nearest_s8u8(rows, codec_.stride(), count,
                                {codes_.data(), starts_.data(), starts_.size() / kBlock, groups_},
                                nearest);
  }

 private:
  const Sq8& codec_;
  size_t groups_;
  std::vector<int8_t> codes_;
  std::vector<int32_t> starts_;
};

Status Assign(const uint8_t* rows, size_t stride, const Centres& centres, int threads,
              const std::stop_token& stop, std::vector<uint32_t>& nearest) {
  std::atomic<size_t> next{0};
  RunWorkers(threads, [&](int) {
    for (size_t first; (first = next.fetch_add(kRowsAtOnce)) < nearest.size();) {
      if (stop.stop_requested()) return;
      OfferCore();
      const size_t count = std::min(kRowsAtOnce, nearest.size() - first);
      centres.Nearest(rows + first * stride, count, &nearest[first]);
    }
  });
  return stop.stop_requested() ? Status(Code::kCanceled, "index build canceled") : Status::Ok();
}

Buffer TakeSample(const CodeView& codes, size_t rows, size_t count, uint64_t seed) {
  std::vector<uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0u);
  std::mt19937_64 random(seed);
  Buffer sample(count * codes.stride());
  for (size_t i = 0; i < count; ++i) {
    std::swap(order[i], order[i + random() % (rows - i)]);
    std::copy_n(codes.Row(order[i]), codes.stride(), sample.As<uint8_t>() + i * codes.stride());
  }
  return sample;
}

// Means of the assigned rows; an empty cluster takes the code of a random one.
void MoveCentres(const Sq8& codec, const Buffer& sample, const std::vector<uint32_t>& nearest,
                 std::mt19937_64& random, Buffer& codes) {
  const size_t dim = codec.dim(), stride = codec.stride(), clusters = codes.size() / stride;
  std::vector<int64_t> sums(clusters * dim, 0);
  std::vector<int64_t> counts(clusters, 0);
  for (size_t i = 0; i < nearest.size(); ++i) {
    ++counts[nearest[i]];
    const uint8_t* row = sample.As<uint8_t>() + i * stride;
    int64_t* sum = &sums[nearest[i] * dim];
    for (size_t d = 0; d < dim; ++d) sum[d] += int64_t{row[d]} - 128;
  }
  std::vector<float> mean(dim);
  for (size_t c = 0; c < clusters; ++c) {
    uint8_t* code = codes.As<uint8_t>() + c * stride;
    if (counts[c] == 0) {
      std::copy_n(sample.As<uint8_t>() + random() % nearest.size() * stride, stride, code);
      continue;
    }
    const float scale = codec.scale() / static_cast<float>(counts[c]);
    for (size_t d = 0; d < dim; ++d)
      mean[d] = codec.mean()[d] + scale * static_cast<float>(sums[c * dim + d]);
    codec.EncodeRow(mean.data(), code);
  }
}

}  // namespace

Result<CodeClusters> ClusterCodes(const Sq8& codec, const CodeView& codes, size_t rows,
                                  const CodeClusterParams& params, const std::stop_token& stop) {
  const size_t count = std::min(rows, params.clusters * params.sample), stride = codec.stride();
  const Buffer sample = TakeSample(codes, rows, count, params.seed);
  CodeClusters made;
  made.centres = Buffer(params.clusters * stride);
  std::copy_n(sample.data(), made.centres.size(), made.centres.data());
  Centres centres(codec, params.clusters);
  const auto set_all = [&] {
    for (size_t c = 0; c < params.clusters; ++c)
      centres.Set(c, made.centres.As<uint8_t>() + c * stride);
  };
  set_all();
  std::mt19937_64 random(params.seed + 1);
  std::vector<uint32_t> nearest(count);
  for (int round = 0; round < params.rounds; ++round) {
    RETURN_IF_ERROR(Assign(sample.As<uint8_t>(), stride, centres, params.threads, stop, nearest));
    MoveCentres(codec, sample, nearest, random, made.centres);
    set_all();
  }
  made.nearest.resize(rows);
  RETURN_IF_ERROR(Assign(codes.Row(0), stride, centres, params.threads, stop, made.nearest));
  return made;
}

uint64_t ClusterCodesBytes(size_t rows, const CodeClusterParams& params, size_t dim) {
  const uint64_t stride = (dim + 63) / 64 * 64, clusters = params.clusters;
  return rows * sizeof(uint32_t) + clusters * params.sample * (stride + sizeof(uint32_t)) +
         clusters * dim * sizeof(int64_t) +
         Blocks(clusters) * kBlock * (Groups(dim) * kGroup + sizeof(int32_t));
}

}  // namespace elanus::index
