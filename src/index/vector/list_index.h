// An opened IVF over any codes: ranks the lists, lets a scan read the nearest, measures the best
// rows exactly. How rows are coded is the scan's affair:
//   Scan:     RowLists lists;  struct Scratch
//             size_t Reorder(size_t top_k) const     rows worth an exact look
//             double RowNs() const                   what reading a code costs, roughly
//             void Prepare(const float* query, Scratch&) const;  void Prefetch(uint32_t list) const
//             void ScanList(const NearList&, ListSink&, Scratch&) const
// Holds: distances between a scan's rows are comparable over all lists of one search.
#pragma once

#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "index/vector/row_lists.h"
#include "index/vector/search_cost.h"
#include "index/vector/shortlist.h"
#include "index/vector/top_k.h"
#include "index/vector/vector_index.h"
#include "index/vector/visited_set.h"

namespace elanus::index {

template <class Scan>
class ListIndex final : public VectorIndex {
 public:
  struct Parts {
    Scan scan;
    std::vector<Buffer> copies;  // the memory `file` reads from when it is resident, else empty
    std::shared_ptr<const void> owner;
  };

  ListIndex(const IndexFileReader& file, VectorView raw, const float* norms, Parts parts)
      : VectorIndex(file.header(), raw, norms),
        parts_(std::move(parts)),
        file_bytes_(file.SectionBytes()) {}

  Result<std::vector<Hit>> Search(const void* query, const SearchParams& params,
                                  const HiddenBits& hidden, const Cancel& cancel) const override {
    if (params.top_k == 0) return Error(InvalidParameter("top_k must be at least 1"));
    if (params.reorder_k != 0 && static_cast<size_t>(params.reorder_k) < params.top_k) {
      return Error(InvalidParameter(fmt::format("reorder_k({}) should be larger than k({})",
                                                params.reorder_k, params.top_k)));
    }
    const size_t visible = hidden.CountVisible(raw_.rows);
    const size_t wanted = std::min(params.top_k, visible);
    if (wanted == 0) return std::vector<Hit>{};
    // Where every other row is hidden the tenth visible one is the twentieth of all.
    const size_t rank = params.top_k * raw_.rows / visible;
    const bool own_width = params.nprobe <= 0;
    const bool filtered = visible != raw_.rows;
    Want want{.rows = wanted,
              .reorder = params.reorder_k != 0 ? static_cast<size_t>(params.reorder_k)
                                               : ReorderFor(wanted, visible),
              .nprobe = std::min(own_width ? header_.tuning.WidthFor(params.top_k)
                                           : static_cast<size_t>(params.nprobe),
                                 lists().count()),
              .visible = visible};
    if (own_width && filtered) {
      want.wide = WidthFor(rank);
      want.nprobe = RandomWidth(want.wide, PassOf(want.visible));
    }
    if (BruteForceIsCheaper(visible, want.nprobe) || wanted * 2 > visible)
      return SearchAll(query, wanted, hidden, cancel);
    Scratch& s = ThreadScratch();
    ASSIGN_OR_RETURN(const bool found,
                     Candidates(static_cast<const float*>(query), want, hidden, cancel, s));
    if (!found || s.rows.size() < wanted) return SearchAll(query, wanted, hidden, cancel);
    return Rerank(query, s.rows, wanted);
  }

  /// The rows near `row`, without it: for the self-test.
  std::vector<Hit> SearchWithout(uint32_t row, size_t top_k, uint32_t nprobe) const {
    FloatRows row_at(raw_);
    const float* query = row_at(row);
    const Want want{.rows = top_k,
                    .reorder = scan().Reorder(top_k),
                    .nprobe = nprobe,
                    .visible = raw_.rows,
                    .without = row};
    Scratch& s = ThreadScratch();
    (void)Candidates(query, want, {}, {}, s).has_value();  // a Cancel that never stops
    return Rerank(query, s.rows, top_k);
  }

  IndexMemory Memory() const override {
    IndexMemory memory;
    for (const Buffer& copy : parts_.copies) memory.resident_bytes += copy.size();
    if (parts_.copies.empty()) memory.mapped_bytes = file_bytes_;
    return memory;
  }

 private:
  static constexpr size_t kLeastTimes = 30, kLeast = 200;  // visible rows read, of those wanted
  // Of the visible rows that lists would show at random; with fewer they are taken to be hidden
  // more.
  static constexpr double kAtRandom = 0.9;
  static constexpr size_t kCancelEvery = 32768;  // codes between two looks at `cancel`

  struct Want {
    size_t rows;
    size_t reorder;  // rows measured exactly
    size_t nprobe;
    size_t visible;
    size_t wide = 0;  // own width where rows near the query may be hidden more than others, else 0
    uint32_t without = kNoRow;
  };

  struct Scratch {
    ListScratch lists;
    typename Scan::Scratch scan;
    VisitedSet hidden;  // the filter, of all rows
    Shortlist nearest;
    TopK exact{0};
    std::vector<uint64_t> met;  // one bit a row; all zero between searches
    std::vector<uint32_t> rows;
    std::vector<uint32_t> shown;   // visible rows of a list
    std::vector<float> distances;  // of these, exactly
  };
  static Scratch& ThreadScratch() {
    static thread_local Scratch scratch;
    return scratch;
  }

  const Scan& scan() const { return parts_.scan; }
  const RowLists& lists() const { return parts_.scan.lists; }

  // For the row that is the `rank`-th of all. Beyond the hundredth, the last one measured, wanted
  // rows lie in lists that few others share: the width grows with the root, but so many rows fill
  // some lists in any case.
  size_t WidthFor(size_t rank) const {
    constexpr double kSpread = 3.0;  // lists that as many rows lie in, when they could fill one
    rank = std::max<size_t>(rank, 1);
    const size_t known = std::min<size_t>(rank, 100);
    const auto nth = static_cast<double>(rank);
    const double width = static_cast<double>(header_.tuning.WidthFor(known)) *
                         std::sqrt(nth / static_cast<double>(known));
    const double filled =
        kSpread * nth * static_cast<double>(lists().count()) / static_cast<double>(raw_.rows);
    const auto wanted = static_cast<size_t>(std::max(width, rank > known ? filled : 0.0));
    return std::clamp<size_t>(wanted, 1, lists().count());
  }

  // The fewer rows are visible the farther apart they lie, and the fewer of them codes take for one
  // another.
  size_t ReorderFor(size_t wanted, size_t visible) const {
    const auto all = static_cast<double>(scan().Reorder(wanted));
    return std::max(std::min(scan().Reorder(wanted), 2 * wanted + 20),
                    static_cast<size_t>(all * std::sqrt(PassOf(visible))));
  }

  // The visible rows of a list, into `shown`.
  size_t FindVisible(uint32_t list, const uint64_t* hidden, std::vector<uint32_t>& shown) const {
    constexpr size_t kRoom = 16;  // past the end, for the kernel
    const auto rows = lists().rows.subspan(lists().starts[list], lists().SizeOf(list));
    if (shown.size() < rows.size() + kRoom) shown.resize(rows.size() + kRoom);
    return simd::Active().unmarked(rows.data(), rows.size(), hidden, shown.data());
  }

  // A code costs little beside a raw row, but all of a list's are read, those of hidden rows too.
  double RawRowNs() const { return 3.0 + static_cast<double>(raw_.row_bytes()) * 0.02; }
  static constexpr double kScattered = 1.7;  // times what rows of a pass over all visible ones take
  bool FewShown(size_t shown, uint32_t list) const {
    return static_cast<double>(shown) * RawRowNs() * kScattered <
           static_cast<double>(lists().SizeOf(list)) * scan().RowNs();
  }

  double PassOf(size_t visible) const {
    return static_cast<double>(visible) / static_cast<double>(raw_.rows);
  }
  // The width was measured for the row of that rank; rows up to it are wanted, and at random most
  // of them are nearer. Measured on word vectors: recall .95 to .96 from 50 to 5 %.
  static size_t RandomWidth(size_t width, double pass) {
    return std::max<size_t>(1,
                            static_cast<size_t>((0.87 + 0.06 * pass) * static_cast<double>(width)));
  }

  // Visible entries to read in any case: the nearest rows of a filter that follows the data are far
  // from each other.
  size_t EntriesMin(const Want& want) const { return (want.rows * kLeastTimes + kLeast) * Times(); }
  // Where the nearest lists, which hold `held`, hide more than others: as many as these hold at
  // random, and no more than the average.
  size_t EntriesFor(const Want& want, size_t held) const {
    const double share = static_cast<double>(want.wide) / static_cast<double>(lists().count());
    const double average = share * static_cast<double>(lists().rows.size());
    return static_cast<size_t>(PassOf(want.visible) * std::min(average, static_cast<double>(held)));
  }
  // Lists a row is in.
  size_t Times() const { return lists().rows.size() > raw_.rows ? 2 : 1; }

  // What so many visible entries take in lists that show as many as the average does.
  double FurtherNs(const Want& want, double visible) const {
    constexpr double kMarkNs = 0.5;  // an entry looked for in the filter's bits
    const double read = std::min(scan().RowNs(), PassOf(want.visible) * RawRowNs() * kScattered);
    return visible / PassOf(want.visible) * (kMarkNs + read);
  }

  // In nanoseconds, roughly.
  bool BruteForceIsCheaper(size_t visible, size_t nprobe) const {
    const double share = static_cast<double>(nprobe) / static_cast<double>(lists().count());
    const double scanned = static_cast<double>(lists().rows.size()) * share;
    return static_cast<double>(visible) * RawRowNs() < scanned * scan().RowNs();
  }

  // Rows worth an exact look, each once, in s.rows. False when reading all visible rows is cheaper
  // than going on.
  Result<bool> Candidates(const float* query, const Want& want, const HiddenBits& hidden,
                          const Cancel& cancel, Scratch& s) const {
    scan().Prepare(query, s.scan);
    const bool twice = lists().rows.size() > raw_.rows;
    // A row in two lists may come twice: room for some of these, and more when it was not enough.
    for (size_t room = want.reorder + (twice ? want.reorder / 4 + 8 : 0);; room *= 2) {
      s.nearest.Start(room);
      s.exact.Start(want.rows * Times());
      ListSink sink(hidden, want.without, s.nearest);
      ASSIGN_OR_RETURN(const bool found, ScanLists(query, want, hidden, cancel, sink, s));
      if (!found) return false;
      KeepOnce(s.nearest.Rows(), s.exact.TakeUnordered(), s);
      if (s.rows.size() >= want.rows || s.nearest.complete()) return true;
    }
  }

  // The nprobe nearest lists, and further ones while too few rows are found, or while these hold
  // fewer visible rows than others do.
  Result<bool> ScanLists(const float* query, const Want& want, const HiddenBits& hidden,
                         const Cancel& cancel, ListSink& sink, Scratch& s) const {
    const size_t count = lists().count();
    const size_t enough = want.rows * Times();
    const bool filtered = want.visible != raw_.rows;
    if (filtered) s.hidden.Start(raw_.rows, hidden);
    size_t work = 0, done = 0, held = 0, visible = 0, measured = 0, entries = 0;
    const auto lacks = [&] { return sink.found() + s.exact.size() < enough; };
    const auto short_of = [&] { return visible < entries || lacks(); };
    if (filtered) lists().near.Rank(query, s.lists);
    for (size_t target = want.nprobe;;) {
      if (filtered) {
        lists().near.Extend(query, target, s.lists);
      } else {
        lists().near.Nearest(query, target, s.lists);
      }
      for (; done < target && (done < want.nprobe || short_of()); ++done) {
        const NearList& list = s.lists.lists[done];
        if (done + 1 < target) {
          scan().Prefetch(s.lists.lists[done + 1].list);
          lists().PrefetchRows(s.lists.lists[done + 1].list);
        }
        held += lists().SizeOf(list.list);
        const size_t shown = filtered ? FindVisible(list.list, s.hidden.words(), s.shown) : 1;
        if (shown == 0) continue;
        visible += shown;
        if (filtered && FewShown(shown, list.list)) {
          MeasureShown(query, shown, s);
          measured += shown;
        } else {
          scan().ScanList(list, sink, s.scan);
          ThreadSearchCost().codes += lists().SizeOf(list.list);
        }
        if ((work += lists().SizeOf(list.list)) >= kCancelEvery) {
          RETURN_IF_ERROR(cancel.Check());
          work = 0;
        }
      }
      // The farther from what is visible, the more of that is about equally near. Of two lists a
      // row is in, one is met the sooner; rows that were measured err less than codes.
      if (target == want.nprobe && want.wide != 0) {
        entries = EntriesMin(want);
        if (static_cast<double>(visible) <
            kAtRandom * PassOf(want.visible) * static_cast<double>(held))
          entries = std::max(entries, EntriesFor(want, held * want.wide / want.nprobe));
        const size_t halves = (10 * measured > 9 * visible ? 5 : 10) - Times();
        if (visible < entries) entries += halves * (entries - visible) / 2;
      }
      if (done == count || !short_of()) return true;
      target = std::min(count, done * (lacks() ? 4 : 2));
      // As many lists again, or what shows the entries that are missing.
      const double more = lacks() ? PassOf(want.visible) * static_cast<double>(held)
                                  : static_cast<double>(entries - std::min(visible, entries));
      if (want.wide != 0 && FurtherNs(want, more) > static_cast<double>(want.visible) * RawRowNs())
        return false;
    }
  }

  void MeasureShown(const float* query, size_t shown, Scratch& s) const {
    s.distances.resize(std::max(s.distances.size(), shown));
    ExactDistance(metric(), raw_, inverse_norms_, query)
        .Rows(s.shown.data(), shown, s.distances.data());
    ThreadSearchCost().exact += shown;
    for (size_t i = 0; i < shown; ++i) s.exact.Push(s.distances[i], s.shown[i]);
  }

  void KeepOnce(std::span<const uint32_t> scanned, std::span<const Hit> measured,
                Scratch& s) const {
    const size_t words = (raw_.rows + 63) / 64;
    if (s.met.size() < words) s.met.resize(words, 0);
    s.rows.clear();
    const auto keep = [&](uint32_t row) {
      uint64_t& word = s.met[row / 64];
      const uint64_t bit = uint64_t{1} << (row % 64);
      if ((word & bit) == 0) s.rows.push_back(row);
      word |= bit;
    };
    for (const uint32_t row : scanned) keep(row);
    for (const Hit& hit : measured) keep(hit.row);
    for (uint32_t row : s.rows) s.met[row / 64] = 0;
  }

  Parts parts_;
  uint64_t file_bytes_;
};

/// Opens an index over the lists of `file` whose codes `Scan::Read` understands.
template <class Scan>
Result<std::unique_ptr<ListIndex<Scan>>> OpenLists(const IndexFileReader& file, VectorView raw,
                                                   std::vector<Buffer> copies,
                                                   std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(Scan scan, Scan::Read(file));
  const float* norms = nullptr;
  if (file.header().metric == Metric::kCosine) {
    ASSIGN_OR_RETURN(auto values,
                     file.Values<float>(SectionId::kInverseNorms, file.header().rows, "norms"));
    norms = values.data();
  }
  return std::make_unique<ListIndex<Scan>>(
      file, raw, norms,
      typename ListIndex<Scan>::Parts{std::move(scan), std::move(copies), std::move(owner)});
}

}  // namespace elanus::index
