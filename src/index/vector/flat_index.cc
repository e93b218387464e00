#include "index/vector/flat_index.h"

#include "index/vector/brute_force.h"

namespace elanus::index {
namespace {

class FlatIndex final : public VectorIndex {
 public:
  FlatIndex(const IndexHeader& header, VectorView raw, const float* norms,
            std::vector<Buffer> copies, std::shared_ptr<const void> owner)
      : VectorIndex(header, raw, norms), copies_(std::move(copies)), owner_(std::move(owner)) {}

  Result<std::vector<Hit>> Search(const void* query, const SearchParams& params,
                                  const HiddenBits& hidden, const Cancel& cancel) const override {
    if (params.top_k == 0) return Error(InvalidParameter("top_k must be at least 1"));
    return SearchAll(query, params.top_k, hidden, cancel);
  }

  Result<std::vector<std::vector<Hit>>> SearchMany(const void* queries, size_t nq,
                                                   const SearchParams& params,
                                                   const HiddenBits& hidden,
                                                   const Cancel& cancel) const override {
    if (params.top_k == 0) return Error(InvalidParameter("top_k must be at least 1"));
    std::vector<TopK> tops(nq, TopK(params.top_k));
    RETURN_IF_ERROR(BruteForceMany(metric(), queries, chunk(), hidden, cancel, tops));
    std::vector<std::vector<Hit>> hits;
    for (TopK& top : tops) hits.push_back(top.Take());
    return hits;
  }

  IndexMemory Memory() const override {
    IndexMemory memory;
    for (const Buffer& copy : copies_) memory.resident_bytes += copy.size();
    if (copies_.empty() && inverse_norms() != nullptr)
      memory.mapped_bytes = raw_.rows * sizeof(float);
    return memory;
  }

 private:
  std::vector<Buffer> copies_;
  std::shared_ptr<const void> owner_;
};

}  // namespace

Result<IndexFile> BuildFlat(const VectorView& vectors, const BuildParams& params) {
  IndexFileWriter writer;
  AddInverseNorms(vectors, params.metric, writer);
  return writer.Finish({.kind = params.kind,
                        .metric = params.metric,
                        .element = vectors.element,
                        .rows = static_cast<uint32_t>(vectors.rows),
                        .dim = static_cast<uint32_t>(vectors.dim),
                        .seed = params.seed});
}

Result<std::unique_ptr<VectorIndex>> OpenFlat(const IndexFileReader& file, VectorView raw,
                                              std::vector<Buffer> copies,
                                              std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(const float* norms, ReadInverseNorms(file));
  return std::make_unique<FlatIndex>(file.header(), raw, norms, std::move(copies),
                                     std::move(owner));
}

void AddInverseNorms(const VectorView& vectors, Metric metric, IndexFileWriter& writer) {
  if (metric != Metric::kCosine || vectors.rows == 0) return;
  const simd::Kernels& kernels = simd::Active();
  FloatRows row_at(vectors);
  Buffer norms(vectors.rows * sizeof(float));
  for (size_t row = 0; row < vectors.rows; ++row) {
    norms.As<float>()[row] = InverseNorm(kernels, row_at(row), vectors.dim);
  }
  writer.Add(SectionId::kInverseNorms, std::move(norms));
}

Result<const float*> ReadInverseNorms(const IndexFileReader& file) {
  if (file.header().metric != Metric::kCosine || file.header().rows == 0) return nullptr;
  ASSIGN_OR_RETURN(auto norms,
                   file.Values<float>(SectionId::kInverseNorms, file.header().rows, "norms"));
  return norms.data();
}

}  // namespace elanus::index
