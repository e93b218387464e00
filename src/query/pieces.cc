#include "query/pieces.h"

namespace elanus::query {
namespace {

constexpr double kFilterRowsPerUs = 2'000;  // a rule of thumb

}  // namespace

Status ForEachPiece(const ReadView& view, size_t count, double us,
                    const std::function<Status(size_t)>& piece) {
  const bool helped = view.crew != nullptr && view.trace == nullptr && us >= 2 * kPieceUs;
  return helped ? view.crew->ForEach(count, piece) : Crew::InTurn(count, piece);
}

double FilterUs(const std::vector<segment::SegmentPtr>& segments, const ReadView& view) {
  if (view.filter == nullptr || view.filter->keeps_all()) return 0;
  double rows = 0;
  for (const segment::SegmentPtr& segment : segments) rows += segment->RowsAt(view.at);
  return rows / kFilterRowsPerUs;
}

Result<std::vector<HiddenRows>> HiddenRowsOfAll(const std::vector<segment::SegmentPtr>& segments,
                                                const ReadView& view) {
  std::vector<HiddenRows> hidden(segments.size());
  RETURN_IF_ERROR(
      ForEachPiece(view, segments.size(), FilterUs(segments, view), [&](size_t s) -> Status {
        ASSIGN_OR_RETURN(hidden[s], HiddenRowsOf(*segments[s], view));
        return Status::Ok();
      }));
  return hidden;
}

}  // namespace elanus::query
