#include "index/vector/ivf_build.h"

#include "index/vector/flat_index.h"
#include "index/vector/ivf_index.h"
#include "index/vector/row_lists.h"
#include "index/vector/sq8.h"

namespace elanus::index {

Result<IndexFile> BuildIvf(const VectorView& vectors, const BuildParams& params,
                           const BuildControl& control) {
  ASSIGN_OR_RETURN(const MadeLists lists, MakeLists(vectors, params, true, control, 0.8));

  const Sq8 codec = Sq8::Train(params.metric, vectors);
  Buffer codes(vectors.rows * codec.stride());
  const bool side_terms = params.metric == Metric::kL2 && !codec.term_in_row();
  Buffer terms(side_terms ? vectors.rows * sizeof(int32_t) : 0);
  FloatRows row_at(vectors);
  for (size_t place = 0; place < vectors.rows; ++place) {
    const int32_t term =
        codec.EncodeRow(row_at(lists.rows[place]), codes.As<uint8_t>() + place * codec.stride());
    if (side_terms) terms.As<int32_t>()[place] = term;
  }
  if (control.progress) control.progress(0.9);

  IndexHeader header = HeaderOfLists(vectors, params, lists);
  header.scale = codec.scale();
  IndexFileWriter writer;
  AddInverseNorms(vectors, params.metric, writer);
  writer.Add(SectionId::kMean, codec.mean());
  writer.Add(SectionId::kCodes, std::move(codes));
  if (side_terms) writer.Add(SectionId::kTerms, std::move(terms));
  AddLists(lists, writer);
  ASSIGN_OR_RETURN(header.tuning, TuneIvf(writer.Peek(header), vectors, params.threads));
  if (control.progress) control.progress(1.0);
  return writer.Finish(header);
}

}  // namespace elanus::index
