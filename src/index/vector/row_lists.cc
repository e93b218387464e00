#include "index/vector/row_lists.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "index/vector/kmeans.h"
#include "index/vector/vector_index.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsAtOnce = 1024;

std::unexpected<Status> Corrupt(const char* what) {
  return Error(Code::kDataIntegrity, std::string("index file: ") + what);
}

Status CheckRows(const ListRows& lists, size_t rows, uint32_t times) {
  std::vector<uint8_t> met(rows, 0);
  for (uint32_t list = 0; list + 1 < lists.starts.size(); ++list) {
    int64_t last = -1;
    for (uint32_t place = lists.starts[list]; place < lists.starts[list + 1]; ++place) {
      const uint32_t row = lists.rows[place];
      if (row >= rows || row <= last || ++met[row] > times)
        return Corrupt("list row out of range").error();
      last = row;
    }
  }
  if (std::ranges::count(met, 0) != 0) return Corrupt("a row is in no list").error();
  return Status::Ok();
}

}  // namespace

Result<ListRows> ListRows::Read(const IndexFileReader& file, uint32_t times) {
  const IndexHeader& h = file.header();
  ListRows lists;
  ASSIGN_OR_RETURN(lists.starts, file.Values<uint32_t>(SectionId::kListStarts,
                                                       uint64_t{h.nlist} + 1, "list starts"));
  if (lists.starts.front() != 0 || !std::ranges::is_sorted(lists.starts) ||
      lists.starts.back() > uint64_t{h.rows} * times) {
    return Corrupt("list starts out of order");
  }
  ASSIGN_OR_RETURN(lists.rows,
                   file.Values<uint32_t>(SectionId::kListRows, lists.starts.back(), "list rows"));
  RETURN_IF_ERROR(CheckRows(lists, h.rows, times));
  return lists;
}

Result<RowLists> RowLists::Read(const IndexFileReader& file, uint32_t times) {
  const IndexHeader& h = file.header();
  if (h.nlist == 0) return Corrupt("no lists");
  if (h.element == simd::Element::kBit) return Corrupt("codes of bits");
  RowLists lists;
  ASSIGN_OR_RETURN(auto centroids, file.Values<float>(SectionId::kCentroids,
                                                      uint64_t{h.nlist} * h.dim, "centroids"));
  if (!std::ranges::all_of(centroids, [](float x) { return std::isfinite(x); }))
    return Corrupt("a centroid is not finite");
  ASSIGN_OR_RETURN(static_cast<ListRows&>(lists), ListRows::Read(file, times));
  lists.near = IvfLists(h.metric, h.dim, centroids);
  return lists;
}

void ArrangeRows(std::span<const uint32_t> lists, size_t times, size_t nlist, MadeLists& made) {
  made.starts.assign(nlist + 1, 0);
  for (uint32_t list : lists) {
    if (list != kNoRow) ++made.starts[list + 1];
  }
  for (size_t i = 0; i < nlist; ++i) made.starts[i + 1] += made.starts[i];
  made.rows.resize(made.starts.back());
  std::vector<uint32_t> at(made.starts.begin(), made.starts.end() - 1);
  for (size_t i = 0; i < lists.size(); ++i) {
    if (lists[i] != kNoRow) made.rows[at[lists[i]]++] = static_cast<uint32_t>(i / times);
  }
}

Result<MadeLists> MakeLists(const VectorView& vectors, const BuildParams& params,
                            bool unit_centroids, const BuildControl& control, double until) {
  const size_t nlist =
      std::clamp<size_t>(vectors.rows / kListRowsMin, 1, static_cast<size_t>(params.nlist));
  const KMeansParams kmeans{.clusters = nlist,
                            .seed = params.seed,
                            .threads = params.threads,
                            .unit_length = params.metric == Metric::kCosine,
                            .unit_centroids = unit_centroids};
  MadeLists made;
  ASSIGN_OR_RETURN(made.centroids, TrainCentroids(vectors, kmeans, control.stop));
  if (control.progress) control.progress(until * 0.6);
  const CentroidTiles tiles(made.centroids, vectors.dim);
  std::vector<uint32_t> nearest(vectors.rows);
  std::atomic<size_t> next{0};
  RunWorkers(kmeans.threads, [&](int id) {
    for (size_t first;
         (first = next.fetch_add(kRowsAtOnce)) < vectors.rows && !control.stop.stop_requested();) {
      const size_t count = std::min(kRowsAtOnce, vectors.rows - first);
      tiles.Assign(vectors, first, kmeans.unit_length, std::span(nearest).subspan(first, count));
      if (id == 0 && control.progress)
        control.progress(
            until * (0.6 + 0.4 * static_cast<double>(first) / static_cast<double>(vectors.rows)));
    }
  });
  if (control.stop.stop_requested()) return Error(Code::kCanceled, "index build canceled");
  ArrangeRows(nearest, 1, kmeans.clusters, made);
  return made;
}

IndexHeader HeaderOfLists(const VectorView& vectors, const BuildParams& params,
                          const MadeLists& made) {
  return {.kind = params.kind,
          .metric = params.metric,
          .element = vectors.element,
          .rows = static_cast<uint32_t>(vectors.rows),
          .dim = static_cast<uint32_t>(vectors.dim),
          .nlist = static_cast<uint32_t>(made.count()),
          .seed = params.seed};
}

void AddLists(const MadeLists& made, IndexFileWriter& writer) {
  writer.Add(SectionId::kCentroids, std::span<const float>(made.centroids));
  writer.Add(SectionId::kListStarts, std::span<const uint32_t>(made.starts));
  writer.Add(SectionId::kListRows, std::span<const uint32_t>(made.rows));
}

}  // namespace elanus::index
