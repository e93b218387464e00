// The lists of an opened IVF, whatever its codes are: centroids, which rows each list holds, and
// what a scan gives its rows to. Threads: immutable; a sink belongs to one search.
#pragma once

#include "index/vector/hidden_bits.h"
#include "index/vector/index_file.h"
#include "index/vector/ivf_lists.h"
#include "index/vector/shortlist.h"

namespace elanus::index {

/// Which rows each list holds.
struct ListRows {
  std::span<const uint32_t> starts;  // of each list, in places; nlist + 1
  std::span<const uint32_t> rows;    // the row at each place

  size_t SizeOf(uint32_t list) const { return starts[list + 1] - starts[list]; }
  /// Asks for the numbers of its rows; of long lists for the first ones.
  void PrefetchRows(uint32_t list) const {
    constexpr size_t kBytes = 2048;
    const auto* at = reinterpret_cast<const char*>(rows.data() + starts[list]);
    const size_t end = std::min(SizeOf(list) * sizeof(uint32_t), kBytes);
    for (size_t i = 0; i < end; i += 64) __builtin_prefetch(at + i);
  }

  /// Borrows the sections of `file`: every row in one to `times` lists, once in each, ascending.
  /// Errors: kDataIntegrity.
  static Result<ListRows> Read(const IndexFileReader& file, uint32_t times);
};

struct RowLists : ListRows {
  IvfLists near;

  size_t count() const { return near.count(); }

  /// Borrows the sections of `file`, as ListRows::Read does.
  static Result<RowLists> Read(const IndexFileReader& file, uint32_t times);
};

inline constexpr uint32_t kNoRow = 0xFFFFFFFF;

/// Takes the rows that a scan found near enough.
class ListSink {
 public:
  ListSink(const HiddenBits& hidden, uint32_t without, Shortlist& nearest)
      : hidden_(hidden), without_(without), nearest_(nearest) {}

  /// A distance above this is not worth a Push.
  float bound() const { return nearest_.bound(); }
  void Push(float distance, uint32_t row) {
    if (row != without_ && !hidden_.Hidden(row)) nearest_.Push(distance, row);
  }
  size_t found() const { return nearest_.size(); }
  /// Of `count` places in a list whose rows begin at `rows`, those of visible rows move to the
  /// front; returns how many.
  size_t KeepVisible(const uint32_t* rows, uint32_t* places, size_t count) const {
    if (hidden_.empty()) return count;
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      places[kept] = places[i];
      kept += hidden_.Hidden(rows[places[i]]) ? 0 : 1;
    }
    return kept;
  }

 private:
  const HiddenBits& hidden_;
  uint32_t without_;
  Shortlist& nearest_;
};

/// The centroids of a build and the lists its rows are in.
struct MadeLists {
  std::vector<float> centroids;
  std::vector<uint32_t> starts;
  std::vector<uint32_t> rows;

  size_t count() const { return starts.size() - 1; }
};

struct BuildParams;
struct BuildControl;

/// k-means and one list a row; nlist is clamped to rows / 39. Progress goes to `until`.
/// \param unit_centroids  COSINE: centroids of unit length
/// Errors: kCanceled.
Result<MadeLists> MakeLists(const VectorView& vectors, const BuildParams& params,
                            bool unit_centroids, const BuildControl& control, double until);

/// The header of a file of lists, for its builder to complete.
IndexHeader HeaderOfLists(const VectorView& vectors, const BuildParams& params,
                          const MadeLists& made);

/// The sections that RowLists::Read wants.
void AddLists(const MadeLists& made, IndexFileWriter& writer);

/// From the list of each row (or several a row: lists[row * times + i], kNoRow for none), list by
/// list, rows ascending.
void ArrangeRows(std::span<const uint32_t> lists, size_t times, size_t nlist, MadeLists& made);

}  // namespace elanus::index
