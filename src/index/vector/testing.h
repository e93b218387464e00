// For tests of this folder: made-up vectors, and the plain, slow search that every index must agree
// with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "index/vector/vector_index.h"

namespace elanus::index::testing {

struct Data {
  std::vector<float> values;
  size_t dim;

  VectorView view() const { return {values.data(), values.size() / dim, dim}; }
  const float* Row(size_t row) const { return values.data() + row * dim; }
};

/// Points around 20 random centres: neither one cloud (too easy) nor pure noise. Leaves out the
/// first `skip` points of the same seed, so that queries can come from the same centres without
/// being rows.
inline Data Clustered(size_t rows, size_t dim, uint64_t seed, size_t skip = 0) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centre(20 * dim);
  for (float& x : centre) x = normal(random);
  Data data{std::vector<float>((skip + rows) * dim), dim};
  for (size_t i = 0; i < skip + rows; ++i) {
    const float* c = &centre[(random() % 20) * dim];
    for (size_t d = 0; d < dim; ++d) data.values[i * dim + d] = c[d] + 0.6f * normal(random);
  }
  data.values.erase(data.values.begin(), data.values.begin() + static_cast<ptrdiff_t>(skip * dim));
  return data;
}

/// Rows of another element, and what they are as floats.
struct ElementData {
  std::vector<uint8_t> bytes;
  simd::Element element;
  Data floats;
  VectorView view() const { return {bytes.data(), floats.view().rows, floats.dim, element}; }
};

/// Rounds `data` to the element; for int8 it is first stretched to about [-100, 100].
inline ElementData As(simd::Element element, Data data) {
  const simd::Kernels& kernels = simd::Active();
  const size_t count = data.values.size();
  ElementData out{std::vector<uint8_t>(VectorView::BytesOf(element, count)), element, {}};
  auto* halves = reinterpret_cast<uint16_t*>(out.bytes.data());
  if (element == simd::Element::kFloat32) {
    std::memcpy(out.bytes.data(), data.values.data(), out.bytes.size());
  } else if (element == simd::Element::kFloat16) {
    kernels.float_to_float16(data.values.data(), count, halves);
  } else if (element == simd::Element::kBfloat16) {
    kernels.float_to_bfloat16(data.values.data(), count, halves);
  } else {
    for (size_t i = 0; i < count; ++i)
      out.bytes[i] = static_cast<uint8_t>(
          static_cast<int8_t>(std::clamp(std::nearbyint(data.values[i] * 25.0f), -128.0f, 127.0f)));
  }
  ToFloats(kernels, element, out.bytes.data(), count, data.values.data());
  out.floats = std::move(data);
  return out;
}

inline double ExactDistanceOf(Metric metric, const float* a, const float* b, size_t dim) {
  double l2 = 0, ip = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < dim; ++i) {
    l2 += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    ip += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  if (metric == Metric::kL2) return l2;
  if (metric == Metric::kIp) return -ip;
  return aa > 0 && bb > 0 ? -ip / std::sqrt(aa * bb) : 0.0;
}

/// Bits of the rows for which `hide` is true.
struct Bits {
  std::vector<uint64_t> words;
  size_t rows;
  HiddenBits view() const { return HiddenBits(words.data(), rows); }
};
inline Bits BitsWhere(size_t rows, const std::function<bool(size_t)>& hide) {
  Bits bits{std::vector<uint64_t>((rows + 63) / 64, 0), rows};
  for (size_t i = 0; i < rows; ++i) {
    if (hide(i)) bits.words[i / 64] |= uint64_t{1} << (i % 64);
  }
  return bits;
}

/// All visible rows, nearest first.
inline std::vector<Hit> Reference(Metric metric, const Data& data, const float* query,
                                  const HiddenBits& hidden) {
  std::vector<Hit> hits;
  for (size_t i = 0; i < data.view().rows; ++i) {
    if (hidden.Hidden(i)) continue;
    hits.push_back({static_cast<uint32_t>(i),
                    static_cast<float>(ExactDistanceOf(metric, query, data.Row(i), data.dim))});
  }
  std::sort(hits.begin(), hits.end(), Nearer);
  return hits;
}

/// Part of the first k of `truth` that `hits` has, by distance.
inline double RecallOf(const std::vector<Hit>& hits, const std::vector<Hit>& truth, size_t k) {
  k = std::min(k, truth.size());
  if (k == 0) return 1.0;
  const float last = truth[k - 1].distance, limit = last + 1e-5f * std::max(1.0f, std::fabs(last));
  size_t found = 0;
  for (const Hit& hit : hits) found += hit.distance <= limit ? 1 : 0;
  return static_cast<double>(std::min(found, k)) / static_cast<double>(k);
}

/// A structure and the codec under it.
struct Form {
  Kind kind;
  CodecParams codec = {};
  friend bool operator==(const Form&, const Form&) = default;
};

/// Every structure with every codec that it takes; product codes in pieces of `dim` / `part_dim`.
inline std::vector<Form> AllForms() {
  std::vector<Form> forms = {
      {Kind::kFlat}, {Kind::kIvfFlat}, {Kind::kHnsw}, {Kind::kIvfPq}, {Kind::kScann}};
  for (Kind kind : {Kind::kHnsw, Kind::kIvfCoded}) {
    for (int bits : {4, 6}) forms.push_back({kind, {.kind = CodecKind::kPacked, .bits = bits}});
    forms.push_back({kind, {.kind = CodecKind::kProduct, .bits = 8}});
  }
  forms.push_back({Kind::kHnsw, {.kind = CodecKind::kFloat16}});
  forms.push_back({Kind::kHnsw, {.kind = CodecKind::kBfloat16}});
  forms.push_back({Kind::kHnsw, {.kind = CodecKind::kProduct, .bits = 6, .rounds = 2}});
  forms.push_back({Kind::kIvfCoded, {.kind = CodecKind::kProduct, .bits = 9}});
  for (int bits : {1, 2, 5, 9})
    forms.push_back({Kind::kIvfCoded, {.kind = CodecKind::kRabitq, .bits = bits}});
  return forms;
}
inline std::string FormName(const Form& form) {
  static constexpr const char* kKindNames[] = {"Flat",  "IvfFlat",  "Hnsw",   "IvfPq",
                                               "Scann", "IvfCoded", "Forest", "Nsg"};
  static constexpr const char* kCodecNames[] = {"",         "Packed",  "Float16",
                                                "Bfloat16", "Product", "Rabitq"};
  std::string name = kKindNames[static_cast<size_t>(form.kind)];
  if (form.codec.kind == CodecKind::kOwn) return name;
  name += kCodecNames[static_cast<size_t>(form.codec.kind)] + std::to_string(form.codec.bits);
  return form.codec.rounds == 1 ? name : name + "x" + std::to_string(form.codec.rounds);
}
inline std::string MetricName(Metric metric) {
  return metric == Metric::kL2 ? "L2" : metric == Metric::kIp ? "Ip" : "Cosine";
}

struct Opened {
  std::shared_ptr<std::string> file;
  std::unique_ptr<VectorIndex> index;
};

/// Builds and opens over rows that must outlive the result.
inline Opened BuildAndOpen(const VectorView& rows, const BuildParams& params,
                           OpenMode mode = OpenMode::kResident) {
  auto built = BuildIndexFile(rows, params);
  if (!built.has_value()) return {};
  auto file = std::make_shared<std::string>(built->Join());
  auto index = OpenIndex(file, std::as_bytes(std::span(*file)), rows, mode);
  if (!index.has_value()) return {};
  return {file, *std::move(index)};
}

inline Opened BuildAndOpen(const Data& data, const BuildParams& params,
                           OpenMode mode = OpenMode::kResident) {
  return BuildAndOpen(data.view(), params, mode);
}

}  // namespace elanus::index::testing
