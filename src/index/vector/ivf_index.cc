#include "index/vector/ivf_index.h"

#include <algorithm>
#include <cmath>

#include "index/vector/list_index.h"
#include "index/vector/self_test.h"
#include "index/vector/sq8.h"

namespace elanus::index {
namespace {

constexpr size_t kScanRows = 256;  // codes between two looks at the bound

// Rows by int8 codes, in the order of the lists.
struct ByteScan {
  RowLists lists;
  Sq8 codec;
  CodeView codes;

  struct Scratch {
    std::vector<int8_t> code;
    int32_t bias = 0;
  };

  static Result<ByteScan> Read(const IndexFileReader& file);

  size_t Reorder(size_t top_k) const { return std::max(top_k + 10, top_k * 3 / 2); }
  double RowNs() const { return 2.0 + static_cast<double>(codec.stride()) * 0.03; }

  void Prepare(const float* query, Scratch& s) const {
    s.code.resize(codec.stride());
    s.bias = codec.EncodeQuery(query, s.code.data());
  }
  void Prefetch(uint32_t list) const {
    for (uint32_t i = 0; i < 8; ++i) codes.Prefetch(lists.starts[list] + i);
  }

  void ScanList(const NearList& near, ListSink& sink, Scratch& s) const {
    int32_t distances[kScanRows];
    uint32_t kept[kScanRows];
    constexpr float kIntMax = 2147483520.0f;  // the largest float below 2^31
    const uint32_t end = lists.starts[near.list + 1];
    for (uint32_t first = lists.starts[near.list]; first < end; first += kScanRows) {
      const size_t count = std::min<size_t>(kScanRows, end - first);
      codes.BlockDistances(s.code.data(), s.bias, first, count, distances);
      const auto bound = static_cast<int32_t>(std::min(std::ceil(sink.bound()), kIntMax));
      const size_t n = simd::Active().select_le_s32(distances, count, bound, kept);
      for (size_t j = 0; j < n; ++j)
        sink.Push(static_cast<float>(distances[kept[j]]), lists.rows[first + kept[j]]);
    }
  }
};

Result<ByteScan> ByteScan::Read(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  ByteScan scan;
  ASSIGN_OR_RETURN(scan.lists, RowLists::Read(file, 1));
  ASSIGN_OR_RETURN(auto mean, file.Values<float>(SectionId::kMean, h.dim, "mean"));
  if (!std::ranges::all_of(mean, [](float x) { return std::isfinite(x); }))
    return Error(Code::kDataIntegrity, "index file: mean is not finite");
  scan.codec = Sq8(h.metric, h.dim, h.scale, {mean.begin(), mean.end()});
  ASSIGN_OR_RETURN(
      auto codes,
      file.Values<uint8_t>(SectionId::kCodes, uint64_t{h.rows} * scan.codec.stride(), "codes"));
  const int32_t* terms = nullptr;
  if (h.metric == Metric::kL2 && !scan.codec.term_in_row()) {
    ASSIGN_OR_RETURN(auto values, file.Values<int32_t>(SectionId::kTerms, h.rows, "terms"));
    terms = values.data();
  }
  scan.codes = CodeView(scan.codec, codes.data(), terms);
  return scan;
}

}  // namespace

Result<std::unique_ptr<VectorIndex>> OpenIvf(const IndexFileReader& file, VectorView raw,
                                             std::vector<Buffer> copies,
                                             std::shared_ptr<const void> owner) {
  return OpenLists<ByteScan>(file, raw, std::move(copies), std::move(owner));
}

Result<Tuning> TuneIvf(const IndexFileReader& file, const VectorView& raw, int threads) {
  ASSIGN_OR_RETURN(auto index, OpenLists<ByteScan>(file, raw, {}, nullptr));
  return TuneLists(*index, threads);
}

}  // namespace elanus::index
