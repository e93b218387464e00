#include "proxy/index_types.h"

#include <algorithm>
#include <array>

namespace elanus::proxy {
namespace {

using model::DataType;
using model::Metric;
using model::SetOf;

constexpr int64_t kIntMax = 2'147'483'647;

constexpr std::array kFloats = {DataType::kFloatVector, DataType::kFloat16Vector,
                                DataType::kBFloat16Vector};
constexpr std::array kGraph = {DataType::kFloatVector, DataType::kFloat16Vector,
                               DataType::kBFloat16Vector, DataType::kInt8Vector,
                               DataType::kBinaryVector};
constexpr std::array kDense = {DataType::kFloatVector, DataType::kFloat16Vector,
                               DataType::kBFloat16Vector, DataType::kInt8Vector};
constexpr std::array kBinary = {DataType::kBinaryVector};
constexpr std::array kSparse = {DataType::kSparseFloatVector};
constexpr std::array kAll = {DataType::kFloatVector,    DataType::kFloat16Vector,
                             DataType::kBFloat16Vector, DataType::kInt8Vector,
                             DataType::kBinaryVector,   DataType::kSparseFloatVector};

constexpr std::array kLists = {IntegerRange{"nlist", 1, 65'536}};
constexpr std::array kLinks = {IntegerRange{"M", 2, 2'048},
                               IntegerRange{"efConstruction", 1, kIntMax}};
constexpr std::array kParts = {IntegerRange{"nlist", 1, 65'536}, IntegerRange{"m", 1, 65'536},
                               IntegerRange{"nbits", 1, 24}};
constexpr std::array kSubDims = {IntegerRange{"nlist", 1, 65'536},
                                 IntegerRange{"sub_dim", 1, 65'536}};
constexpr std::array kBits = {IntegerRange{"nlist", 1, 65'536}, IntegerRange{"rbq_bits", 1, 9}};
constexpr std::array kPartLinks = {
    IntegerRange{"M", 2, 2'048}, IntegerRange{"efConstruction", 1, kIntMax},
    IntegerRange{"m", 1, 65'536}, IntegerRange{"nbits", 1, 24}, IntegerRange{"nrq", 1, 16}};
constexpr std::array kDisk = {IntegerRange{"max_degree", 1, 2'048},
                              IntegerRange{"search_list_size", 1, kIntMax}};
constexpr std::array kPostings = {IntegerRange{"block_max_block_size", 1, kIntMax},
                                  IntegerRange{"sindi_window_size", 1'024, 65'535}};

constexpr model::MetricSet kCounted = SetOf(Metric::kHamming, Metric::kJaccard);

constexpr std::array kTypes = {
    VectorIndexType{.name = "AUTOINDEX", .vectors = kAll},
    VectorIndexType{.name = "FLAT", .vectors = kFloats},
    VectorIndexType{.name = "IVF_FLAT", .vectors = kFloats, .integers = kLists},
    VectorIndexType{.name = "HNSW", .vectors = kGraph, .integers = kLinks},
    VectorIndexType{.name = "IVF_SQ8", .vectors = kFloats, .integers = kLists},
    VectorIndexType{.name = "IVF_PQ", .vectors = kFloats, .integers = kParts},
    VectorIndexType{.name = "IVF_RABITQ", .vectors = kFloats, .integers = kBits},
    VectorIndexType{.name = "SCANN", .vectors = kFloats, .integers = kSubDims},
    VectorIndexType{.name = "HNSW_SQ", .vectors = kDense, .integers = kLinks},
    VectorIndexType{.name = "HNSW_PQ", .vectors = kDense, .integers = kPartLinks},
    VectorIndexType{.name = "HNSW_PRQ", .vectors = kDense, .integers = kPartLinks},
    VectorIndexType{.name = "DISKANN", .vectors = kFloats, .integers = kDisk},
    VectorIndexType{.name = "BIN_FLAT", .vectors = kBinary},
    VectorIndexType{
        .name = "BIN_IVF_FLAT", .vectors = kBinary, .metrics = kCounted, .integers = kLists},
    VectorIndexType{.name = "SPARSE_INVERTED_INDEX", .vectors = kSparse, .integers = kPostings},
    VectorIndexType{.name = "SPARSE_WAND", .vectors = kSparse, .integers = kPostings},
};

}  // namespace

bool VectorIndexType::Takes(DataType type) const {
  return std::ranges::find(vectors, type) != vectors.end();
}

const VectorIndexType* FindVectorIndexType(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &VectorIndexType::name);
  return found == kTypes.end() ? nullptr : found;
}

}  // namespace elanus::proxy
