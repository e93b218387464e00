// Writes the rows of one or more segments into one segment file, in primary-key order: flush and
// merge are the same. Holds: a row whose delete is not later than `horizon` is left out for good;
// later deletes go along, as do insert timestamps. Deletes that arrive while it works are mapped by
// `row_maps` at the commit. Threads: none of its own.
#pragma once

#include <stop_token>
#include <vector>

#include "base/status.h"
#include "format/manifest.h"
#include "format/segment_file.h"
#include "model/expiry.h"
#include "model/schema.h"
#include "segment/segment.h"

namespace elanus::segment {

struct SealedInput {
  SegmentPtr segment;
  uint32_t rows = 0;                       ///< rows below this are taken
  std::vector<format::RowDelete> deletes;  ///< those known now, sorted by row
};

struct SealedBuildOptions {
  SegmentId id;
  const model::CollectionSchema* schema = nullptr;
  model::Timestamp horizon = 0;  ///< history before this is not kept
  model::Expiry expiry;          ///< rows whose time was over at the horizon are left out too
  std::stop_token stop;
};

struct SealedBuild {
  static constexpr uint32_t kGone = ~uint32_t{0};

  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint32_t digest = 0;
  model::Timestamp first_timestamp = 0;
  model::Timestamp last_timestamp = 0;
  std::vector<format::RowDelete> deletes;       ///< of the new rows, sorted by row
  std::vector<std::vector<uint32_t>> row_maps;  ///< of each input: old row -> new row or kGone
};

/// Errors: those of `sink`, kCanceled. Cost: a sort of the rows' keys, one pass per column; memory
/// about 24 bytes a row beside the inputs.
Result<SealedBuild> BuildSealedFile(const std::vector<SealedInput>& inputs,
                                    const SealedBuildOptions& options,
                                    const format::ByteSink& sink);

}  // namespace elanus::segment
