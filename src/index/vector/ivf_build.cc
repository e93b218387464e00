#include "index/vector/ivf_build.h"

#include <algorithm>
#include <atomic>

#include "index/vector/flat_index.h"
#include "index/vector/ivf_index.h"
#include "index/vector/kmeans.h"
#include "index/vector/sq8.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsAtOnce = 1024;

// Nearest list of every row.
Result<std::vector<uint32_t>> AssignAll(const VectorView& vectors, std::span<const float> centroids,
                                        const BuildParams& params, const BuildControl& control) {
  std::vector<uint32_t> nearest(vectors.rows);
  std::atomic<size_t> next{0};
  RunWorkers(params.threads, [&](int id) {
    for (size_t first;
         (first = next.fetch_add(kRowsAtOnce)) < vectors.rows && !control.stop.stop_requested();) {
      const size_t count = std::min(kRowsAtOnce, vectors.rows - first);
      AssignToCentroids(vectors, first, centroids, params.metric == Metric::kCosine,
                        std::span(nearest).subspan(first, count));
      if (id == 0 && control.progress) {
        control.progress(0.5 +
                         0.3 * static_cast<double>(first) / static_cast<double>(vectors.rows));
      }
    }
  });
  if (control.stop.stop_requested()) return Error(Code::kCanceled, "index build canceled");
  return nearest;
}

}  // namespace

Result<IndexFile> BuildIvf(const VectorView& vectors, const BuildParams& params,
                           const BuildControl& control) {
  const size_t nlist =
      std::clamp<size_t>(vectors.rows / kListRowsMin, 1, static_cast<size_t>(params.nlist));
  const KMeansParams kmeans{.clusters = nlist,
                            .seed = params.seed,
                            .threads = params.threads,
                            .unit_length = params.metric == Metric::kCosine};
  ASSIGN_OR_RETURN(auto centroids, TrainCentroids(vectors, kmeans, control.stop));
  if (control.progress) control.progress(0.5);
  ASSIGN_OR_RETURN(auto nearest, AssignAll(vectors, centroids, params, control));

  std::vector<uint32_t> starts(nlist + 1, 0), rows(vectors.rows);
  for (uint32_t list : nearest) ++starts[list + 1];
  for (size_t i = 0; i < nlist; ++i) starts[i + 1] += starts[i];
  std::vector<uint32_t> at(starts.begin(), starts.end() - 1);
  for (size_t row = 0; row < vectors.rows; ++row)
    rows[at[nearest[row]]++] = static_cast<uint32_t>(row);

  const Sq8 codec = Sq8::Train(params.metric, vectors);
  Buffer codes(vectors.rows * codec.stride());
  const bool side_terms = params.metric == Metric::kL2 && !codec.term_in_row();
  Buffer terms(side_terms ? vectors.rows * sizeof(int32_t) : 0);
  FloatRows row_at(vectors);
  for (size_t place = 0; place < vectors.rows; ++place) {
    const int32_t term =
        codec.EncodeRow(row_at(rows[place]), codes.As<uint8_t>() + place * codec.stride());
    if (side_terms) terms.As<int32_t>()[place] = term;
  }
  if (control.progress) control.progress(0.9);

  IndexHeader header{.kind = Kind::kIvfFlat,
                     .metric = params.metric,
                     .element = vectors.element,
                     .rows = static_cast<uint32_t>(vectors.rows),
                     .dim = static_cast<uint32_t>(vectors.dim),
                     .scale = codec.scale(),
                     .nlist = static_cast<uint32_t>(nlist),
                     .seed = params.seed};
  IndexFileWriter writer;
  AddInverseNorms(vectors, params.metric, writer);
  writer.Add(SectionId::kMean, codec.mean());
  writer.Add(SectionId::kCodes, std::move(codes));
  if (side_terms) writer.Add(SectionId::kTerms, std::move(terms));
  writer.Add(SectionId::kCentroids, std::span<const float>(centroids));
  writer.Add(SectionId::kListStarts, std::span<const uint32_t>(starts));
  writer.Add(SectionId::kListRows, std::span<const uint32_t>(rows));
  ASSIGN_OR_RETURN(header.tuning, TuneIvf(writer.Peek(header), vectors));
  if (control.progress) control.progress(1.0);
  return writer.Finish(header);
}

}  // namespace elanus::index
