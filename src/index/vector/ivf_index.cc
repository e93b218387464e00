#include "index/vector/ivf_index.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "index/vector/brute_force.h"
#include "index/vector/flat_index.h"
#include "index/vector/self_test.h"
#include "index/vector/sq8.h"

namespace elanus::index {
namespace {

constexpr size_t kScanRows = 256;       // codes between two looks at the bound
constexpr size_t kCancelEvery = 16384;  // codes between two looks at `cancel`

struct Lists {
  Sq8 codec;
  CodeView codes;  // by place; row of a place: rows[place]
  std::span<const float> centroids;
  std::span<const uint32_t> starts;
  std::span<const uint32_t> rows;

  size_t count() const { return starts.size() - 1; }
};

std::unexpected<Status> Corrupt(const char* what) {
  return Error(Code::kDataIntegrity, fmt::format("index file: {}", what));
}

Result<Lists> ReadLists(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  if (h.nlist == 0) return Corrupt("no lists");
  Lists lists;
  ASSIGN_OR_RETURN(auto mean, file.Values<float>(SectionId::kMean, h.dim, "mean"));
  if (!std::all_of(mean.begin(), mean.end(), [](float x) { return std::isfinite(x); }))
    return Corrupt("mean is not finite");
  lists.codec = Sq8(h.metric, h.dim, h.scale, {mean.begin(), mean.end()});
  ASSIGN_OR_RETURN(
      auto codes,
      file.Values<uint8_t>(SectionId::kCodes, uint64_t{h.rows} * lists.codec.stride(), "codes"));
  const int32_t* terms = nullptr;
  if (h.metric == Metric::kL2 && !lists.codec.term_in_row()) {
    ASSIGN_OR_RETURN(auto values, file.Values<int32_t>(SectionId::kTerms, h.rows, "terms"));
    terms = values.data();
  }
  lists.codes = CodeView(lists.codec, codes.data(), terms);
  ASSIGN_OR_RETURN(lists.centroids, file.Values<float>(SectionId::kCentroids,
                                                       uint64_t{h.nlist} * h.dim, "centroids"));
  ASSIGN_OR_RETURN(lists.starts, file.Values<uint32_t>(SectionId::kListStarts,
                                                       uint64_t{h.nlist} + 1, "list starts"));
  ASSIGN_OR_RETURN(lists.rows, file.Values<uint32_t>(SectionId::kListRows, h.rows, "list rows"));
  if (lists.starts.front() != 0 || lists.starts.back() != h.rows ||
      !std::is_sorted(lists.starts.begin(), lists.starts.end())) {
    return Corrupt("list starts out of order");
  }
  // Each row in one list exactly: a row twice would be a hit twice.
  std::vector<bool> met(h.rows, false);
  for (uint32_t row : lists.rows) {
    if (row >= h.rows || met[row]) return Corrupt("list row out of range");
    met[row] = true;
  }
  return lists;
}

class IvfIndex final : public VectorIndex {
 public:
  IvfIndex(const IndexHeader& header, VectorView raw, const float* norms, Lists lists,
           std::vector<Buffer> copies, std::shared_ptr<const void> owner)
      : VectorIndex(header, raw, norms),
        lists_(std::move(lists)),
        copies_(std::move(copies)),
        owner_(std::move(owner)) {}

  Result<std::vector<Hit>> Search(const void* query, const SearchParams& params,
                                  const HiddenBits& hidden, const Cancel& cancel) const override {
    if (params.top_k == 0) return Error(InvalidParameter("top_k must be at least 1"));
    const size_t visible = hidden.CountVisible(raw_.rows);
    const size_t wanted = std::min(params.top_k, visible);
    if (wanted == 0) return std::vector<Hit>{};
    const double pass = static_cast<double>(visible) / static_cast<double>(raw_.rows);
    size_t nprobe = static_cast<size_t>(std::max(params.nprobe, 0));
    if (nprobe == 0)
      nprobe =
          static_cast<size_t>(std::ceil(static_cast<double>(DefaultNprobe(params.top_k)) / pass));
    nprobe = std::min(nprobe, lists_.count());
    if (BruteForceIsCheaper(visible, nprobe) || wanted * 2 > visible)
      return SearchAll(query, wanted, hidden, cancel);
    ASSIGN_OR_RETURN(auto rows, Candidates(static_cast<const float*>(query), wanted, nprobe, hidden,
                                           kNoRow, cancel));
    if (rows.size() < wanted) return SearchAll(query, wanted, hidden, cancel);
    return Rerank(query, rows, wanted);
  }

  std::vector<Hit> SearchWithout(uint32_t row, size_t top_k, uint32_t nprobe) const {
    FloatRows row_at(raw_);
    const float* query = row_at(row);
    auto rows = Candidates(query, top_k, nprobe, {}, row, {});
    return Rerank(query, *rows, top_k);  // a Cancel that never stops
  }

  IndexMemory Memory() const override {
    IndexMemory memory;
    for (const Buffer& copy : copies_) memory.resident_bytes += copy.size();
    if (copies_.empty()) {
      memory.mapped_bytes = EstimateIndexBytes(
          raw_.rows, raw_.dim,
          {.kind = Kind::kIvfFlat, .metric = metric(), .nlist = static_cast<int>(header_.nlist)});
    }
    return memory;
  }

 private:
  static constexpr uint32_t kNoRow = 0xFFFFFFFF;

  size_t DefaultNprobe(size_t top_k) const {
    const size_t low = std::max<size_t>(header_.tuning.width_10, 1),
                 high = std::max(low, size_t{header_.tuning.width_100});
    if (top_k <= 10) return low;
    if (top_k <= 100) return low + (high - low) * (top_k - 10) / 90;
    return high * top_k / 100;
  }

  bool BruteForceIsCheaper(size_t visible, size_t nprobe) const {
    const double row_bytes = static_cast<double>(raw_.dim * sizeof(float));
    const double scanned = static_cast<double>(raw_.rows) * static_cast<double>(nprobe) /
                           static_cast<double>(lists_.count());
    return static_cast<double>(visible) * (12.0 + row_bytes * 0.06) <
           scanned * (2.0 + static_cast<double>(lists_.codec.stride()) * 0.03);
  }

  // Lists by distance of their centroids, the first `nprobe` of them sorted.
  std::vector<std::pair<float, uint32_t>> NearestLists(const float* query, size_t nprobe) const {
    const simd::Kernels& kernels = simd::Active();
    const size_t count = lists_.count(), dim = raw_.dim;
    std::vector<float> distances(count);
    auto* block = metric() == Metric::kL2 ? kernels.l2_block : kernels.ip_block;
    block(query, lists_.centroids.data(), dim, count, dim, distances.data());
    std::vector<std::pair<float, uint32_t>> order(count);
    for (uint32_t i = 0; i < count; ++i)
      order[i] = {metric() == Metric::kL2 ? distances[i] : -distances[i], i};
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(nprobe), order.end());
    return order;
  }

  // Rows worth an exact look: from the nprobe nearest lists, and from further ones while too few
  // are visible.
  Result<std::vector<uint32_t>> Candidates(const float* query, size_t wanted, size_t nprobe,
                                           const HiddenBits& hidden, uint32_t without,
                                           const Cancel& cancel) const {
    auto order = NearestLists(query, nprobe);
    std::vector<int8_t> code(lists_.codec.stride());
    const int32_t bias = lists_.codec.EncodeQuery(query, code.data());
    TopK top(std::max(wanted + 10, wanted * 3 / 2));
    size_t work = 0;
    for (size_t i = 0; i < order.size() && (i < nprobe || top.size() < wanted); ++i) {
      if (i == nprobe) std::sort(order.begin() + static_cast<ptrdiff_t>(nprobe), order.end());
      const uint32_t list = order[i].second;
      for (uint32_t first = lists_.starts[list]; first < lists_.starts[list + 1];
           first += kScanRows) {
        const size_t count = std::min<size_t>(kScanRows, lists_.starts[list + 1] - first);
        ScanCodes(code.data(), bias, first, count, hidden, without, top);
        if ((work += count) >= kCancelEvery) {
          RETURN_IF_ERROR(cancel.Check());
          work = 0;
        }
      }
    }
    std::vector<uint32_t> rows;
    for (const Hit& hit : top.Take()) rows.push_back(hit.row);
    return rows;
  }

  void ScanCodes(const int8_t* code, int32_t bias, size_t first, size_t count,
                 const HiddenBits& hidden, uint32_t without, TopK& top) const {
    int32_t distances[kScanRows];
    uint32_t kept[kScanRows];
    lists_.codes.BlockDistances(code, bias, first, count, distances);
    constexpr float kIntMax = 2147483520.0f;  // the largest float below 2^31
    const auto bound = static_cast<int32_t>(std::min(std::ceil(top.bound()), kIntMax));
    const size_t n = simd::Active().select_le_s32(distances, count, bound, kept);
    for (size_t j = 0; j < n; ++j) {
      const uint32_t row = lists_.rows[first + kept[j]];
      if (row != without && !hidden.Hidden(row))
        top.Push(static_cast<float>(distances[kept[j]]), row);
    }
  }

  Lists lists_;
  std::vector<Buffer> copies_;
  std::shared_ptr<const void> owner_;
};

Result<std::unique_ptr<IvfIndex>> Open(const IndexFileReader& file, VectorView raw,
                                       std::vector<Buffer> copies,
                                       std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(Lists lists, ReadLists(file));
  ASSIGN_OR_RETURN(const float* norms, ReadInverseNorms(file));
  return std::make_unique<IvfIndex>(file.header(), raw, norms, std::move(lists), std::move(copies),
                                    std::move(owner));
}

}  // namespace

Result<std::unique_ptr<VectorIndex>> OpenIvf(const IndexFileReader& file, VectorView raw,
                                             std::vector<Buffer> copies,
                                             std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(std::unique_ptr<VectorIndex> index,
                   Open(file, raw, std::move(copies), std::move(owner)));
  return index;
}

Result<Tuning> TuneIvf(const IndexFileReader& file, const VectorView& raw) {
  ASSIGN_OR_RETURN(auto index, Open(file, raw, {}, nullptr));
  const SelfTest test{
      .search = [&](uint32_t row, size_t top_k,
                    uint32_t nprobe) { return index->SearchWithout(row, top_k, nprobe); },
      .width_max = file.header().nlist,
      .at_least_top_k = false};
  return FindTuning(raw, file.header().metric, index->inverse_norms(), test);
}

}  // namespace elanus::index
