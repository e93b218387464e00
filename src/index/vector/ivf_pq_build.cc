#include "index/vector/ivf_pq_build.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "base/thread.h"
#include "index/vector/flat_index.h"
#include "index/vector/ivf_pq_index.h"
#include "index/vector/kmeans.h"
#include "index/vector/pq4.h"
#include "index/vector/row_lists.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsAtOnce = 1024;
constexpr size_t kTile = 12;  // rows of one many-to-many product
constexpr size_t kTrainRows = 16384;

// A second list for a row should err where the first does not: its residual counts this much more
// along the first one's. Source: Sun et al. 2023 (SOAR).
constexpr float kSpillWeight = 1.5f;

// An error along the row changes its product with queries that matter, one across does not. Source:
// Guo et al. 2020, threshold .2.
float AlongWeight(Metric metric, size_t dim) {
  if (metric == Metric::kL2) return 1.0f;
  constexpr float kSquare = 0.2f * 0.2f;
  return std::max(1.0f, static_cast<float>(dim - 1) * kSquare / (1.0f - kSquare));
}

class Builder {
 public:
  Builder(const VectorView& vectors, const BuildParams& params, const BuildControl& control)
      : vectors_(vectors),
        params_(params),
        control_(control),
        dim_(vectors.dim),
        part_dim_(std::min(dim_, static_cast<size_t>(params.part_dim))),
        unit_(params.metric == Metric::kCosine) {}

  Result<IndexFile> Run() {
    const size_t nlist =
        std::clamp<size_t>(vectors_.rows / kListRowsMin, 1, static_cast<size_t>(params_.nlist));
    spill_ = params_.kind == Kind::kScann && nlist > 1 ? 2 : 1;
    const KMeansParams kmeans{.clusters = nlist,
                              .seed = params_.seed,
                              .threads = params_.threads,
                              .unit_length = unit_,
                              .unit_centroids = false};
    ASSIGN_OR_RETURN(made_.centroids, TrainCentroids(vectors_, kmeans, control_.stop));
    Progress(0.3);
    lists_.assign(vectors_.rows * spill_, kNoRow);
    PackCentroids();
    RETURN_IF_ERROR(ForRows(0.3, 0.6, [&](size_t first, size_t count) { Assign(first, count); }));
    ArrangeRows(lists_, spill_, nlist, made_);
    Train();
    RETURN_IF_ERROR(EncodeAll());
    return Write();
  }

 private:
  void Progress(double done) const {
    if (control_.progress) control_.progress(done);
  }

  Status ForRows(double from, double to, const auto& body) const {
    std::atomic<size_t> next{0};
    RunWorkers(params_.threads, [&](int id) {
      for (size_t first; (first = next.fetch_add(kRowsAtOnce)) < vectors_.rows &&
                         !control_.stop.stop_requested();) {
        body(first, std::min(kRowsAtOnce, vectors_.rows - first));
        if (id == 0) {
          Progress(from +
                   (to - from) * static_cast<double>(first) / static_cast<double>(vectors_.rows));
        }
      }
    });
    if (control_.stop.stop_requested()) return Status(Code::kCanceled, "index build canceled");
    return Status::Ok();
  }

  void PackCentroids() {
    const simd::Kernels& kernels = simd::Active();
    const size_t nlist = made_.centroids.size() / dim_;
    packed_blocks_ = PackedBlocks(nlist);
    packed_ = PackRows(made_.centroids.data(), nlist, dim_);
    for (size_t c = 0; c < nlist; ++c)
      squares_.push_back(kernels.ip(&made_.centroids[c * dim_], &made_.centroids[c * dim_], dim_));
  }

  // A row as it is coded: of unit length for kCosine.
  void Read(FloatRows& row_at, size_t row, float* out) const {
    const float* x = row_at(row);
    const float f = unit_ ? InverseNorm(simd::Active(), x, dim_) : 1.0f;
    for (size_t d = 0; d < dim_; ++d) out[d] = x[d] * f;
  }

  // The lists of `count` rows from `first`.
  void Assign(size_t first, size_t count) {
    const simd::Kernels& kernels = simd::Active();
    const size_t nlist = squares_.size(), wide = packed_blocks_ * kPackedRows;
    FloatRows row_at(vectors_);
    std::vector<float> rows(kTile * dim_), errors(kTile * dim_), nearness(kTile * wide),
        along(kTile * wide);
    for (size_t i = first; i < first + count; i += kTile) {
      const size_t n = std::min(kTile, first + count - i);
      for (size_t j = 0; j < n; ++j) Read(row_at, i + j, &rows[j * dim_]);
      kernels.ip_tile(rows.data(), dim_, n, packed_.data(), packed_blocks_, dim_, nearness.data(),
                      wide);
      for (size_t j = 0; j < n; ++j) {
        float* near = &nearness[j * wide];  // |row|^2 - the squared distance
        for (size_t c = 0; c < nlist; ++c) near[c] = 2 * near[c] - squares_[c];
        const size_t best = kernels.place_of_largest(near, nlist);
        lists_[(i + j) * spill_] = static_cast<uint32_t>(best);
        if (spill_ == 1) continue;
        float* error = &errors[j * dim_];
        for (size_t d = 0; d < dim_; ++d)
          error[d] = rows[j * dim_ + d] - made_.centroids[best * dim_ + d];
        const float f = InverseNorm(kernels, error, dim_);
        for (size_t d = 0; d < dim_; ++d) error[d] *= f;
      }
      if (spill_ == 1) continue;
      kernels.ip_tile(errors.data(), dim_, n, packed_.data(), packed_blocks_, dim_, along.data(),
                      wide);
      for (size_t j = 0; j < n; ++j) {
        const float own = kernels.ip(&rows[j * dim_], &errors[j * dim_], dim_);
        const float* near = &nearness[j * wide];
        float* gain = &along[j * wide];
        for (size_t c = 0; c < nlist; ++c) {
          const float part = own - gain[c];
          gain[c] = near[c] - kSpillWeight * part * part;
        }
        constexpr float kNever = -std::numeric_limits<float>::infinity();
        gain[lists_[(i + j) * 2]] = kNever;
        const size_t second = kernels.place_of_largest(gain, nlist);
        lists_[(i + j) * 2 + 1] = gain[second] > kNever ? static_cast<uint32_t>(second) : kNoRow;
      }
    }
  }

  void Train() {
    FloatRows row_at(vectors_);
    const size_t count = std::min(vectors_.rows, kTrainRows);
    std::vector<float> residuals(count * dim_);
    for (size_t i = 0; i < count; ++i) {
      const size_t row = i * vectors_.rows / count;
      Read(row_at, row, &residuals[i * dim_]);
      const float* centroid = &made_.centroids[lists_[row * spill_] * dim_];
      for (size_t d = 0; d < dim_; ++d) residuals[i * dim_ + d] -= centroid[d];
    }
    codec_ = Pq4::Train(residuals, dim_, part_dim_, params_.seed);
    Progress(0.65);
  }

  Status EncodeAll() {
    const size_t nlist = made_.count();
    block_starts_ = BlockStarts(made_.starts);
    blocks_ = Buffer(block_starts_.back() * codec_.block_bytes());
    if (params_.metric == Metric::kL2) terms_ = Buffer(made_.rows.size() * sizeof(float));
    std::atomic<uint32_t> next{0};
    RunWorkers(params_.threads, [&](int id) {
      FloatRows row_at(vectors_);
      std::vector<float> row(dim_), along(dim_);
      std::vector<uint8_t> words(codec_.parts());
      for (uint32_t list; (list = next.fetch_add(1)) < nlist && !control_.stop.stop_requested();) {
        for (uint32_t place = made_.starts[list]; place < made_.starts[list + 1]; ++place) {
          Read(row_at, made_.rows[place], row.data());
          EncodeOne(list, place, row, along, words);
          OfferCore();
        }
        if (id == 0) Progress(0.65 + 0.3 * list / static_cast<double>(nlist));
      }
    });
    if (control_.stop.stop_requested()) return Status(Code::kCanceled, "index build canceled");
    return Status::Ok();
  }

  void EncodeOne(uint32_t list, uint32_t place, std::vector<float>& row, std::vector<float>& along,
                 std::vector<uint8_t>& words) {
    const simd::Kernels& kernels = simd::Active();
    const float* centroid = &made_.centroids[list * dim_];
    if (params_.metric == Metric::kL2) {
      terms_.As<float>()[place] =
          kernels.ip(row.data(), row.data(), dim_) - kernels.ip(centroid, centroid, dim_);
    }
    const float f = InverseNorm(kernels, row.data(), dim_);
    for (size_t d = 0; d < dim_; ++d) {
      along[d] = row[d] * f;
      row[d] -= centroid[d];
    }
    codec_.Encode(row.data(), along.data(), AlongWeight(params_.metric, dim_), words.data());
    codec_.Store(words.data(), place - made_.starts[list],
                 blocks_.As<uint8_t>() + block_starts_[list] * codec_.block_bytes());
  }

  Result<IndexFile> Write() {
    IndexHeader header = HeaderOfLists(vectors_, params_, made_);
    header.part_dim = static_cast<uint32_t>(part_dim_);
    IndexFileWriter writer;
    AddInverseNorms(vectors_, params_.metric, writer);
    AddLists(made_, writer);
    writer.Add(SectionId::kCodebooks, std::span<const float>(codec_.codebooks()));
    writer.Add(SectionId::kBlocks, std::move(blocks_));
    if (params_.metric == Metric::kL2) writer.Add(SectionId::kRowTerms, std::move(terms_));
    ASSIGN_OR_RETURN(header.tuning, TuneIvfPq(writer.Peek(header), vectors_, params_.threads));
    Progress(1.0);
    return writer.Finish(header);
  }

  const VectorView& vectors_;
  const BuildParams& params_;
  const BuildControl& control_;
  size_t dim_;
  size_t part_dim_;
  bool unit_;
  size_t spill_ = 1;
  MadeLists made_;
  std::vector<uint32_t> lists_;  // [row][spill]
  size_t packed_blocks_ = 0;     // of centroids
  std::vector<float> packed_, squares_;
  std::vector<uint32_t> block_starts_;
  Pq4 codec_;
  Buffer blocks_;
  Buffer terms_;
};

}  // namespace

Result<IndexFile> BuildIvfPq(const VectorView& vectors, const BuildParams& params,
                             const BuildControl& control) {
  return Builder(vectors, params, control).Run();
}

}  // namespace elanus::index
