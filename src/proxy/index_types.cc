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
constexpr std::array kBinary = {DataType::kBinaryVector};
constexpr std::array kSparse = {DataType::kSparseFloatVector};
constexpr std::array kAll = {DataType::kFloatVector,    DataType::kFloat16Vector,
                             DataType::kBFloat16Vector, DataType::kInt8Vector,
                             DataType::kBinaryVector,   DataType::kSparseFloatVector};

constexpr std::array kLists = {IntegerRange{"nlist", 1, 65'536}};
constexpr std::array kLinks = {IntegerRange{"M", 2, 2'048},
                               IntegerRange{"efConstruction", 1, kIntMax}};
constexpr std::array kGraphNumbers = {DataType::kFloatVector, DataType::kFloat16Vector,
                                      DataType::kBFloat16Vector, DataType::kInt8Vector};
constexpr std::array kChunkedLists = {IntegerRange{"nlist", 1, 65'536},
                                      IntegerRange{"ssize", 32, 2'048}};
constexpr std::array kProduct = {IntegerRange{"nlist", 1, 65'536}, IntegerRange{"m", 1, 65'536},
                                 IntegerRange{"nbits", 1, 24}};
constexpr std::array kScann = {IntegerRange{"nlist", 1, 65'536},
                               IntegerRange{"sub_dim", 1, 65'536}};
constexpr std::array kRabitq = {IntegerRange{"nlist", 1, 65'536}, IntegerRange{"rbq_bits", 1, 9}};
constexpr std::array kLinksProduct = {
    IntegerRange{"M", 2, 2'048}, IntegerRange{"efConstruction", 1, kIntMax},
    IntegerRange{"m", 1, 65'536}, IntegerRange{"nbits", 1, 24}, IntegerRange{"nrq", 1, 16}};
constexpr std::array kVamana = {IntegerRange{"svs_graph_max_degree", 4, 256},
                                IntegerRange{"svs_construction_window_size", 1, 10'000}};
constexpr std::array kCagra = {IntegerRange{"graph_degree", 1, 2'048},
                               IntegerRange{"intermediate_graph_degree", 1, 2'048}};
constexpr std::array kDisk = {IntegerRange{"max_degree", 1, 2'048},
                              IntegerRange{"search_list_size", 1, kIntMax}};
constexpr std::array kNsg = {IntegerRange{"out_degree", 5, 300},
                             IntegerRange{"candidate_pool_size", 50, 1'000},
                             IntegerRange{"search_length", 10, 300}, IntegerRange{"knng", 5, 300}};
constexpr std::array kTrees = {IntegerRange{"n_trees", 1, 1'024}};
constexpr std::array kPostings = {IntegerRange{"block_max_block_size", 1, kIntMax},
                                  IntegerRange{"sindi_window_size", 1'024, 65'535}};

constexpr model::MetricSet kCounted = SetOf(Metric::kHamming, Metric::kJaccard);

constexpr std::array kTypes = {
    VectorIndexType{.name = "AUTOINDEX", .vectors = kAll},
    VectorIndexType{.name = "FLAT", .vectors = kFloats},
    VectorIndexType{.name = "IVF_FLAT", .vectors = kFloats, .integers = kLists},
    VectorIndexType{.name = "IVF_FLAT_CC", .vectors = kFloats, .integers = kChunkedLists},
    VectorIndexType{.name = "HNSW", .vectors = kGraph, .integers = kLinks},
    VectorIndexType{.name = "IVF_SQ8", .vectors = kFloats, .integers = kLists},
    VectorIndexType{.name = "IVF_PQ",
                    .vectors = kFloats,
                    .integers = kProduct,
                    .divisor = "m",
                    .divisor_default = 0},
    VectorIndexType{.name = "SCANN",
                    .vectors = kFloats,
                    .integers = kScann,
                    .divisor = "sub_dim",
                    .divisor_default = 2},
    VectorIndexType{.name = "IVF_RABITQ", .vectors = kFloats, .integers = kRabitq},
    VectorIndexType{.name = "IVF_RABITQ_FASTSCAN", .vectors = kFloats, .integers = kRabitq},
    VectorIndexType{.name = "HNSW_SQ", .vectors = kGraphNumbers, .integers = kLinks},
    VectorIndexType{.name = "HNSW_PQ",
                    .vectors = kGraphNumbers,
                    .integers = kLinksProduct,
                    .divisor = "m",
                    .divisor_default = 32},
    VectorIndexType{.name = "HNSW_PRQ",
                    .vectors = kGraphNumbers,
                    .integers = kLinksProduct,
                    .divisor = "m",
                    .divisor_default = 2},
    VectorIndexType{.name = "RNSG", .vectors = kFloats, .integers = kNsg},
    VectorIndexType{.name = "ANNOY", .vectors = kFloats, .integers = kTrees},
    VectorIndexType{.name = "SVS_VAMANA", .vectors = kFloats, .integers = kVamana},
    VectorIndexType{.name = "SVS_VAMANA_LVQ", .vectors = kFloats, .integers = kVamana},
    VectorIndexType{.name = "SVS_VAMANA_LEANVEC", .vectors = kFloats, .integers = kVamana},
    VectorIndexType{.name = "SVS_FLAT", .vectors = kFloats},
    VectorIndexType{.name = "GPU_BRUTE_FORCE", .vectors = kFloats},
    VectorIndexType{.name = "GPU_IVF_FLAT", .vectors = kFloats, .integers = kLists},
    VectorIndexType{.name = "GPU_IVF_PQ",
                    .vectors = kFloats,
                    .integers = kProduct,
                    .divisor = "m",
                    .divisor_default = 0},
    VectorIndexType{.name = "GPU_CAGRA", .vectors = kFloats, .integers = kCagra},
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
