// IVF over codecs of their own: rows are coded less the centroid of their list.
//   IVF_SQ8 with SQ4 and SQ6, IVF_PQ with other than 4 bits   codec.h, a code a row
//   IVF_RABITQ                                                rabitq.h, signs in blocks of 32 rows
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

Result<IndexFile> BuildCodedLists(const VectorView& vectors, const BuildParams& params,
                                  const BuildControl& control);

/// Errors: kDataIntegrity.
Result<std::unique_ptr<VectorIndex>> OpenCodedLists(const IndexFileReader& file, VectorView raw,
                                                    std::vector<Buffer> copies,
                                                    std::shared_ptr<const void> owner);

/// Bytes of codes, terms and factors of `rows` rows in `nlist` lists.
uint64_t CodedListsBytes(size_t rows, size_t dim, size_t nlist, const BuildParams& params);

}  // namespace elanus::index
