#include "index/vector/coded_lists.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/thread.h"
#include "index/vector/coded_rows.h"
#include "index/vector/flat_index.h"
#include "index/vector/ivf_pq_index.h"
#include "index/vector/list_index.h"
#include "index/vector/rabitq.h"
#include "index/vector/self_test.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kScanRows = 256;  // codes between two looks at the bound
constexpr size_t kScanBlocks = 16;
constexpr size_t kBlockRows = Pq4::kBlockRows;

std::unexpected<Status> Corrupt(const char* what) {
  return Error(Code::kDataIntegrity, std::string("index file: ") + what);
}

// For L2 a row's distance less the query's own square is |x|^2 - 2 q.x, cut into the list's part
// |c|^2 - 2 q.c, a term the row keeps and its code's product. Queries are taken less the mean of
// the rows, since the error of a product grows with the query's length: the term makes up for it.
struct Terms {
  std::span<const float> mean;    // L2, else empty
  std::span<const float> values;  // L2, a place

  static Result<Terms> Read(const IndexFileReader& file, size_t places) {
    const IndexHeader& h = file.header();
    Terms terms;
    if (h.metric != Metric::kL2) return terms;
    ASSIGN_OR_RETURN(terms.mean, file.Values<float>(SectionId::kMean, h.dim, "mean"));
    ASSIGN_OR_RETURN(terms.values, file.Values<float>(SectionId::kRowTerms, places, "row terms"));
    const auto finite = [](float x) { return std::isfinite(x); };
    if (!std::ranges::all_of(terms.mean, finite) || !std::ranges::all_of(terms.values, finite))
      return Corrupt("a row term is not finite");
    return terms;
  }

  // What a product counts in a distance, negative.
  float weight() const { return mean.empty() ? -1.0f : -2.0f; }
  const float* Centred(const float* query, std::vector<float>& out) const {
    if (mean.empty()) return query;
    out.resize(mean.size());
    for (size_t d = 0; d < mean.size(); ++d) out[d] = query[d] - mean[d];
    return out.data();
  }
};

Result<std::unique_ptr<Codec>> ReadOwnCodec(const IndexFileReader& file) {
  const auto bytes = file.Section(SectionId::kCodecNumbers);
  ASSIGN_OR_RETURN(auto numbers, file.Values<float>(SectionId::kCodecNumbers,
                                                    bytes.size() / sizeof(float), "codec"));
  return ReadCodec(file.header().codec, file.header().dim, numbers);
}

// The first block of each list, in blocks of so many rows, and the number of all.
std::vector<uint32_t> BlocksOf(std::span<const uint32_t> starts, size_t rows) {
  std::vector<uint32_t> blocks(starts.size(), 0);
  for (size_t i = 1; i < starts.size(); ++i)
    blocks[i] =
        blocks[i - 1] + static_cast<uint32_t>((starts[i] - starts[i - 1] + rows - 1) / rows);
  return blocks;
}

// A code a row, by place.
struct CodeScan {
  RowLists lists;
  Terms terms;
  std::unique_ptr<Codec> codec;
  const uint8_t* codes = nullptr;

  struct Scratch {
    CodecQuery query;
    std::vector<float> centred;
  };

  static Result<CodeScan> Read(const IndexFileReader& file) {
    const IndexHeader& h = file.header();
    CodeScan scan;
    ASSIGN_OR_RETURN(scan.lists, RowLists::Read(file, 1));
    ASSIGN_OR_RETURN(scan.terms, Terms::Read(file, h.rows));
    ASSIGN_OR_RETURN(scan.codec, ReadOwnCodec(file));
    ASSIGN_OR_RETURN(auto codes,
                     file.Values<uint8_t>(SectionId::kCodes,
                                          uint64_t{h.rows} * scan.codec->code_bytes(), "codes"));
    scan.codes = codes.data();
    return scan;
  }

  size_t Reorder(size_t top_k) const {
    const bool coarse = codec->params().kind == CodecKind::kProduct || codec->params().bits < 6;
    return coarse ? 4 * top_k + 40 : std::max(top_k + 10, top_k * 3 / 2);
  }
  double RowNs() const {
    const auto bytes = static_cast<double>(codec->code_bytes());
    return codec->params().kind == CodecKind::kProduct ? 2.0 + bytes * 0.4 : 2.0 + bytes * 0.04;
  }

  void Prepare(const float* query, Scratch& s) const {
    codec->Prepare(terms.Centred(query, s.centred), s.query);
  }
  void Prefetch(uint32_t list) const {
    constexpr size_t kBytes = 2048;
    const uint8_t* at = codes + lists.starts[list] * codec->code_bytes();
    const size_t bytes = std::min(kBytes, lists.SizeOf(list) * codec->code_bytes());
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + i);
  }

  void ScanList(const NearList& near, ListSink& sink, Scratch& s) const {
    float distances[kScanRows];
    uint32_t kept[kScanRows];
    const float weight = terms.weight();
    const uint32_t end = lists.starts[near.list + 1];
    for (uint32_t first = lists.starts[near.list]; first < end; first += kScanRows) {
      const size_t count = std::min<size_t>(kScanRows, end - first);
      codec->Products(s.query, codes + first * codec->code_bytes(), nullptr, count, distances);
      for (size_t i = 0; i < count; ++i) distances[i] = near.distance + weight * distances[i];
      if (!terms.values.empty()) {
        for (size_t i = 0; i < count; ++i) distances[i] += terms.values[first + i];
      }
      const size_t n = simd::Active().select_le(distances, count, sink.bound(), kept);
      for (size_t j = 0; j < n; ++j) sink.Push(distances[kept[j]], lists.rows[first + kept[j]]);
    }
  }
};

// 8-bit words in blocks of 64 rows, a byte a row for each table.
struct ByteWordScan {
  static constexpr size_t kRows = 64;         // of a block
  static constexpr size_t kBlocksAtOnce = 8;  // between two looks at the bound

  RowLists lists;
  Terms terms;
  std::unique_ptr<Codec> codec;
  std::vector<uint32_t> block_starts;
  const uint8_t* blocks = nullptr;

  struct Scratch {
    CodecQuery query;
    std::vector<float> centred;
    std::vector<uint8_t> tables;
    float scale = 0, base = 0;
    uint16_t sums[kBlocksAtOnce * kRows];
    uint32_t places[kBlocksAtOnce * kRows];
    float values[kBlocksAtOnce * kRows];
  };

  static bool Takes(const CodecParams& params) {
    return params.kind == CodecKind::kProduct && params.bits == 8;
  }
  static Result<ByteWordScan> Read(const IndexFileReader& file) {
    const IndexHeader& h = file.header();
    ByteWordScan scan;
    ASSIGN_OR_RETURN(scan.lists, RowLists::Read(file, 1));
    ASSIGN_OR_RETURN(scan.terms, Terms::Read(file, h.rows));
    ASSIGN_OR_RETURN(scan.codec, ReadOwnCodec(file));
    scan.block_starts = BlocksOf(scan.lists.starts, kRows);
    ASSIGN_OR_RETURN(
        auto blocks,
        file.Values<uint8_t>(SectionId::kBlocks,
                             uint64_t{scan.block_starts.back()} * scan.block_bytes(), "blocks"));
    scan.blocks = blocks.data();
    return scan;
  }

  size_t tables() const {
    return static_cast<size_t>(codec->params().parts) * static_cast<size_t>(codec->params().rounds);
  }
  size_t block_bytes() const { return tables() * kRows; }
  size_t Reorder(size_t top_k) const { return 4 * top_k + 40; }
  double RowNs() const { return 0.6 + static_cast<double>(tables()) * 0.05; }

  // Byte tables of distances, small where a word is near: minus the product of a row is about base
  // + scale * the sum of its entries.
  void Prepare(const float* query, Scratch& s) const {
    codec->Prepare(terms.Centred(query, s.centred), s.query);
    const size_t count = tables();
    float range = 0;
    s.base = 0;
    for (size_t table = 0; table < count; ++table) {
      const auto own = std::span(s.query.floats).subspan(table * 256, 256);
      const auto [low, high] = std::ranges::minmax(own);
      range = std::max(range, high - low);
      s.base -= high;
    }
    const auto most = static_cast<float>(count > 257 ? 65535 / count : 255);
    const float factor = range > 0 ? most / range : 0.0f;
    s.scale = range / most;
    s.tables.resize(count * 256);
    for (size_t table = 0; table < count; ++table) {
      const float* own = &s.query.floats[table * 256];
      const float high = *std::max_element(own, own + 256);
      for (size_t j = 0; j < 256; ++j)
        s.tables[table * 256 + j] =
            static_cast<uint8_t>(std::min(std::max((high - own[j]) * factor + 0.5f, 0.0f), most));
    }
  }
  void Prefetch(uint32_t list) const {
    constexpr size_t kBytes = 4096;
    const uint8_t* at = blocks + block_starts[list] * block_bytes();
    const size_t bytes =
        std::min(kBytes, (block_starts[list + 1] - block_starts[list]) * block_bytes());
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + i);
  }

  void ScanList(const NearList& near, ListSink& sink, Scratch& s) const {
    const simd::Kernels& kernels = simd::Active();
    const float weight = -terms.weight();
    const size_t rows = lists.SizeOf(near.list);
    const uint8_t* at = blocks + block_starts[near.list] * block_bytes();
    constexpr size_t kAtOnce = kBlocksAtOnce * kRows;
    for (size_t first = 0; first < rows; first += kAtOnce) {
      const size_t count = std::min(kAtOnce, rows - first);
      const size_t start = lists.starts[near.list] + first;
      kernels.sums8(at + first / kRows * block_bytes(), count, tables(), s.tables.data(), s.sums);
      const simd::ScaledSums scaled{.scale = weight * s.scale,
                                    .offset = weight * s.base,
                                    .base = near.distance,
                                    .bound = sink.bound()};
      const float* own = terms.values.empty() ? nullptr : terms.values.data() + start;
      const size_t n = kernels.scaled_le(s.sums, nullptr, own, count, scaled, s.places, s.values);
      for (size_t i = 0; i < n; ++i) sink.Push(s.values[i], lists.rows[start + s.places[i]]);
    }
  }
};

// Signs in blocks, the other bits by place.
struct SignScan {
  RowLists lists;
  Terms terms;
  Rabitq codec;
  std::vector<uint32_t> block_starts;
  const uint8_t* blocks = nullptr;
  const uint8_t* rests = nullptr;  // when there is more than one bit
  std::span<const float> factors;  // of the signs, by place

  struct Scratch {
    Rabitq::Query query;
    std::vector<float> centred;
    uint16_t sums[kScanBlocks * kBlockRows];
    uint32_t places[kScanBlocks * kBlockRows];
    float values[kScanBlocks * kBlockRows];
  };

  static Result<SignScan> Read(const IndexFileReader& file) {
    const IndexHeader& h = file.header();
    if (h.codec.bits < 1 || h.codec.bits > 9) return Corrupt("codec out of range");
    SignScan scan;
    ASSIGN_OR_RETURN(scan.lists, RowLists::Read(file, 1));
    ASSIGN_OR_RETURN(scan.terms, Terms::Read(file, h.rows));
    scan.codec = Rabitq(h.dim, h.codec.bits, h.seed);
    scan.block_starts = BlockStarts(scan.lists.starts);
    ASSIGN_OR_RETURN(auto blocks, file.Values<uint8_t>(SectionId::kBlocks,
                                                       uint64_t{scan.block_starts.back()} *
                                                           scan.codec.signs().block_bytes(),
                                                       "blocks"));
    scan.blocks = blocks.data();
    ASSIGN_OR_RETURN(auto rests,
                     file.Values<uint8_t>(SectionId::kCodes,
                                          uint64_t{h.rows} * scan.codec.rest_bytes(), "codes"));
    scan.rests = rests.data();
    ASSIGN_OR_RETURN(scan.factors,
                     file.Values<float>(SectionId::kRowFactors, h.rows, "row factors"));
    return scan;
  }

  size_t Reorder(size_t top_k) const {
    const int bits = codec.rest_bits() + 1;
    if (bits == 1) return 40 * top_k + 100;
    if (bits < 4) return 4 * top_k + 30;
    return std::max(top_k + 10, top_k * 3 / 2);
  }
  double RowNs() const {
    return 1.0 + static_cast<double>(codec.signs().block_bytes()) / kBlockRows * 0.05;
  }

  void Prepare(const float* query, Scratch& s) const {
    codec.Prepare(terms.Centred(query, s.centred), s.query);
  }
  void Prefetch(uint32_t list) const {
    constexpr size_t kLines = 32;
    const size_t bytes = codec.signs().block_bytes();
    const uint8_t* at = blocks + block_starts[list] * bytes;
    const size_t end =
        std::min<size_t>(kLines * 64, (block_starts[list + 1] - block_starts[list]) * bytes);
    for (size_t i = 0; i < end; i += 64) __builtin_prefetch(at + i);
  }

  void ScanList(const NearList& near, ListSink& sink, Scratch& s) const {
    const simd::Kernels& kernels = simd::Active();
    const float weight = terms.weight();
    const bool one_bit = codec.rest_bits() == 0;
    const Pq4Tables& tables = s.query.signs;
    const size_t rows = lists.SizeOf(near.list), bytes = codec.signs().block_bytes();
    const uint8_t* at = blocks + block_starts[near.list] * bytes;
    for (size_t first = 0; first < rows; first += kScanBlocks * kBlockRows) {
      const size_t count = std::min(kScanBlocks * kBlockRows, rows - first);
      const size_t start = lists.starts[near.list] + first;
      kernels.sums4(at + first / kBlockRows * bytes, count, codec.signs().lines(),
                    tables.bytes.data(), s.sums);
      // The tables hold minus the product; with more bits to look at, signs only say how near a
      // row may be at best.
      const simd::ScaledSums scaled{
          .scale = -weight * tables.scale,
          .offset = -weight * (tables.base - (one_bit ? 0.0f : s.query.slack)),
          .base = near.distance,
          .bound = sink.bound()};
      const float* own = terms.values.empty() ? nullptr : terms.values.data() + start;
      size_t n =
          kernels.scaled_le(s.sums, factors.data() + start, own, count, scaled, s.places, s.values);
      // Hidden rows never lower the bound, so most of the nearest lists are below it.
      if (!one_bit) n = sink.KeepVisible(&lists.rows[start], s.places, n);
      if (n == 0) continue;
      if (!one_bit) {
        codec.FineProducts(s.query, rests + start * codec.rest_bytes(), s.sums, {s.places, n},
                           s.values);
        for (size_t i = 0; i < n; ++i) {
          s.values[i] = near.distance + weight * s.values[i];
          if (own != nullptr) s.values[i] += own[s.places[i]];
        }
      }
      for (size_t i = 0; i < n; ++i) {
        if (s.values[i] <= sink.bound()) sink.Push(s.values[i], lists.rows[start + s.places[i]]);
      }
    }
  }
};

class Builder {
 public:
  Builder(const VectorView& vectors, const BuildParams& params, const BuildControl& control)
      : vectors_(vectors),
        params_(params),
        control_(control),
        dim_(vectors.dim),
        codec_params_(EffectiveCodec(params.codec, vectors.rows)) {}

  Result<IndexFile> Run() {
    ASSIGN_OR_RETURN(made_, MakeLists(vectors_, params_, false, control_, 0.5));
    list_of_.resize(vectors_.rows);
    for (uint32_t list = 0; list < made_.count(); ++list) {
      for (uint32_t place = made_.starts[list]; place < made_.starts[list + 1]; ++place)
        list_of_[made_.rows[place]] = list;
    }
    if (params_.metric == Metric::kL2) {
      FindMean();
      terms_ = Buffer(vectors_.rows * sizeof(float));
    }
    if (codec_params_.kind == CodecKind::kRabitq)
      RETURN_IF_ERROR(EncodeSigns());
    else
      RETURN_IF_ERROR(EncodeRows());
    return Write();
  }

 private:
  // A row less its centroid; its term goes to `term`.
  void Residual(const float* x, uint32_t list, float* out, float* term) const {
    const simd::Kernels& kernels = simd::Active();
    const float f = params_.metric == Metric::kCosine ? InverseNorm(kernels, x, dim_) : 1.0f;
    const float* centroid = &made_.centroids[list * dim_];
    for (size_t d = 0; d < dim_; ++d) out[d] = x[d] * f - centroid[d];
    if (term == nullptr || mean_.empty()) return;
    *term = kernels.ip(x, x, dim_) - kernels.ip(centroid, centroid, dim_) -
            2 * kernels.ip(mean_.data(), out, dim_);
  }

  void FindMean() {
    std::vector<double> sums(dim_, 0.0);
    for (uint32_t list = 0; list < made_.count(); ++list) {
      const double rows = made_.starts[list + 1] - made_.starts[list];
      for (size_t d = 0; d < dim_; ++d) sums[d] += rows * made_.centroids[list * dim_ + d];
    }
    mean_.resize(dim_);
    for (size_t d = 0; d < dim_; ++d)
      mean_[d] = static_cast<float>(sums[d] / static_cast<double>(vectors_.rows));
  }

  // Calls encode(list, place, residual) for every place, list by list.
  template <class Encode>
  Status ForPlaces(const Encode& encode) {
    std::atomic<uint32_t> next{0};
    RunWorkers(params_.threads, [&](int id) {
      FloatRows row_at(vectors_);
      std::vector<float> residual(dim_);
      const auto lists = static_cast<uint32_t>(made_.count());
      for (uint32_t list; (list = next.fetch_add(1)) < lists && !control_.stop.stop_requested();) {
        for (uint32_t place = made_.starts[list]; place < made_.starts[list + 1]; ++place) {
          float* term = terms_.size() == 0 ? nullptr : terms_.As<float>() + place;
          Residual(row_at(made_.rows[place]), list, residual.data(), term);
          encode(list, place, residual.data());
          OfferCore();
        }
        if (id == 0 && control_.progress) control_.progress(0.6 + 0.3 * list / lists);
      }
    });
    if (control_.stop.stop_requested()) return Status(Code::kCanceled, "index build canceled");
    return Status::Ok();
  }

  Status EncodeRows() {
    const size_t count = CodecSampleRows(codec_params_, vectors_.rows);
    std::vector<float> sample(count * dim_);
    FloatRows row_at(vectors_);
    for (size_t i = 0; i < count; ++i) {
      const size_t row = i * vectors_.rows / count;
      Residual(row_at(row), list_of_[row], &sample[i * dim_], nullptr);
    }
    ASSIGN_OR_RETURN(codec_, TrainCodec(codec_params_, sample, dim_, params_.seed, control_.stop));
    if (control_.progress) control_.progress(0.6);
    if (ByteWordScan::Takes(codec_params_)) return EncodeWords();
    codes_ = Buffer(vectors_.rows * codec_->code_bytes());
    return ForPlaces([&](uint32_t, uint32_t place, const float* residual) {
      codec_->Encode(residual, codes_.As<uint8_t>() + place * codec_->code_bytes());
    });
  }

  Status EncodeWords() {
    constexpr size_t kRows = ByteWordScan::kRows;
    const auto tables =
        static_cast<size_t>(codec_params_.parts) * static_cast<size_t>(codec_params_.rounds);
    const auto block_starts = BlocksOf(made_.starts, kRows);
    blocks_ = Buffer(block_starts.back() * tables * kRows);
    return ForPlaces([&](uint32_t list, uint32_t place, const float* residual) {
      static thread_local std::vector<uint8_t> code;
      code.resize(codec_->code_bytes());
      codec_->Encode(residual, code.data());
      const size_t at = place - made_.starts[list];
      uint8_t* block =
          blocks_.As<uint8_t>() + (block_starts[list] + at / kRows) * tables * kRows + at % kRows;
      for (size_t table = 0; table < tables; ++table) block[table * kRows] = code[table];
    });
  }

  Status EncodeSigns() {
    const Rabitq codec(dim_, codec_params_.bits, params_.seed);
    const auto block_starts = BlockStarts(made_.starts);
    blocks_ = Buffer(block_starts.back() * codec.signs().block_bytes());
    codes_ = Buffer(vectors_.rows * codec.rest_bytes());
    factors_ = Buffer(vectors_.rows * sizeof(float));
    return ForPlaces([&](uint32_t list, uint32_t place, const float* residual) {
      static thread_local std::vector<uint8_t> words;
      words.resize(codec.signs().parts());
      factors_.As<float>()[place] =
          codec.Encode(residual, words.data(), codes_.As<uint8_t>() + place * codec.rest_bytes());
      codec.signs().Store(words.data(), place - made_.starts[list],
                          blocks_.As<uint8_t>() + block_starts[list] * codec.signs().block_bytes());
    });
  }

  Result<IndexFile> Write() {
    IndexHeader header = HeaderOfLists(vectors_, params_, made_);
    header.codec = codec_params_;
    IndexFileWriter writer;
    AddInverseNorms(vectors_, params_.metric, writer);
    AddLists(made_, writer);
    if (codec_ != nullptr && !codec_->numbers().empty())
      writer.Add(SectionId::kCodecNumbers, codec_->numbers());
    if (codes_.size() != 0) writer.Add(SectionId::kCodes, std::move(codes_));
    if (blocks_.size() != 0) writer.Add(SectionId::kBlocks, std::move(blocks_));
    if (factors_.size() != 0) writer.Add(SectionId::kRowFactors, std::move(factors_));
    if (!mean_.empty()) {
      writer.Add(SectionId::kMean, std::span<const float>(mean_));
      writer.Add(SectionId::kRowTerms, std::move(terms_));
    }
    ASSIGN_OR_RETURN(header.tuning, Tune(writer.Peek(header)));
    if (control_.progress) control_.progress(1.0);
    return writer.Finish(header);
  }

  Result<Tuning> Tune(const IndexFileReader& file) const {
    if (codec_params_.kind == CodecKind::kRabitq) {
      ASSIGN_OR_RETURN(auto index, OpenLists<SignScan>(file, vectors_, {}, nullptr));
      return TuneLists(*index, params_.threads);
    }
    if (ByteWordScan::Takes(codec_params_)) {
      ASSIGN_OR_RETURN(auto index, OpenLists<ByteWordScan>(file, vectors_, {}, nullptr));
      return TuneLists(*index, params_.threads);
    }
    ASSIGN_OR_RETURN(auto index, OpenLists<CodeScan>(file, vectors_, {}, nullptr));
    return TuneLists(*index, params_.threads);
  }

  const VectorView& vectors_;
  const BuildParams& params_;
  const BuildControl& control_;
  const size_t dim_;
  const CodecParams codec_params_;
  MadeLists made_;
  std::vector<uint32_t> list_of_;  // of each row
  std::vector<float> mean_;        // L2
  std::unique_ptr<Codec> codec_;
  Buffer codes_, blocks_, factors_, terms_;
};

}  // namespace

Result<IndexFile> BuildCodedLists(const VectorView& vectors, const BuildParams& params,
                                  const BuildControl& control) {
  return Builder(vectors, params, control).Run();
}

Result<std::unique_ptr<VectorIndex>> OpenCodedLists(const IndexFileReader& file, VectorView raw,
                                                    std::vector<Buffer> copies,
                                                    std::shared_ptr<const void> owner) {
  if (file.header().codec.kind == CodecKind::kRabitq)
    return OpenLists<SignScan>(file, raw, std::move(copies), std::move(owner));
  if (ByteWordScan::Takes(file.header().codec))
    return OpenLists<ByteWordScan>(file, raw, std::move(copies), std::move(owner));
  return OpenLists<CodeScan>(file, raw, std::move(copies), std::move(owner));
}

uint64_t CodedListsBytes(size_t rows, size_t dim, size_t nlist, const BuildParams& params) {
  const CodecParams codec = EffectiveCodec(params.codec, rows);
  uint64_t bytes = params.metric == Metric::kL2 ? (rows + dim) * sizeof(float) : 0;
  if (ByteWordScan::Takes(codec)) {
    // As below: a half full block a list.
    const uint64_t blocks = rows / ByteWordScan::kRows + nlist / 2;
    return bytes + CodecNumbersOf(codec, dim) * sizeof(float) +
           blocks * ByteWordScan::kRows * static_cast<uint64_t>(codec.parts) *
               static_cast<uint64_t>(codec.rounds);
  }
  if (codec.kind != CodecKind::kRabitq)
    return bytes + rows * CodeBytesOf(codec, dim) + CodecNumbersOf(codec, dim) * sizeof(float);
  // A list ends with a block that is half full on average.
  const uint64_t blocks = rows / kBlockRows + nlist / 2;
  return bytes + blocks * Rabitq::SignBlockBytesOf(dim) +
         rows * (Rabitq::RestBytesOf(dim, codec.bits) + sizeof(float));
}

}  // namespace elanus::index
