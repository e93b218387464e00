// 4-bit codes in plain C++ (layout: kernels.h).
#include "simd/kernels.h"

namespace elanus::simd {
namespace {

void PartProducts(const float* query, const float* codebooks, size_t parts, size_t part_dim,
                  float* out) {
  for (size_t part = 0; part < parts; ++part) {
    float* row = out + part * 16;
    for (size_t j = 0; j < 16; ++j) row[j] = 0;
    for (size_t d = 0; d < part_dim; ++d) {
      const float q = query[part * part_dim + d];
      const float* words = codebooks + (part * part_dim + d) * 16;
      for (size_t j = 0; j < 16; ++j) row[j] += q * words[j];
    }
  }
}

void QuantizeTables(const float* products, size_t parts, uint8_t* bytes, float* scale,
                    float* base) {
  float range = 0, sum = 0;
  for (size_t part = 0; part < parts; ++part) {
    const float* p = products + part * 16;
    float high = p[0], low = p[0];
    for (size_t j = 1; j < 16; ++j) {
      high = p[j] > high ? p[j] : high;
      low = p[j] < low ? p[j] : low;
    }
    range = high - low > range ? high - low : range;
    sum += high;
  }
  // The sum of all parts has to fit 16 bits.
  const size_t steps = parts > 257 ? 65535 / parts : 255;
  const auto most = static_cast<float>(steps);
  const float factor = range > 0 ? most / range : 0.0f;
  *scale = range / most;
  *base = -sum;
  for (size_t part = 0; part < (parts + 3) / 4 * 4; ++part) {
    const float* p = products + part * 16;
    float high = 0;
    for (size_t j = 0; part < parts && j < 16; ++j) high = j == 0 || p[j] > high ? p[j] : high;
    for (size_t j = 0; j < 16; ++j) {
      const float v = part < parts ? __builtin_rintf((high - p[j]) * factor) : 0.0f;
      bytes[part * 16 + j] = static_cast<uint8_t>(v < most ? v : most);
    }
  }
}

// Sums of one block of 32 rows.
void Sums(const uint8_t* block, size_t lines, const uint8_t* tables, uint16_t* sums) {
  for (size_t i = 0; i < 32; ++i) sums[i] = 0;
  for (size_t part = 0; part < 4 * lines; ++part) {
    for (size_t i = 0; i < 16; ++i) {
      const uint8_t byte = block[part * 16 + i];
      sums[i] = static_cast<uint16_t>(sums[i] + tables[part * 16 + (byte & 15)]);
      sums[i + 16] = static_cast<uint16_t>(sums[i + 16] + tables[part * 16 + (byte >> 4)]);
    }
  }
}

size_t Scan4(const uint8_t* codes, size_t rows, size_t lines, const uint8_t* tables, uint16_t bound,
             uint32_t* places, uint16_t* values) {
  size_t n = 0;
  uint16_t sums[32];
  for (size_t first = 0; first < rows; first += 32, codes += lines * 64) {
    Sums(codes, lines, tables, sums);
    for (size_t i = 0; i < 32 && first + i < rows; ++i) {
      if (sums[i] > bound) continue;
      places[n] = static_cast<uint32_t>(first + i);
      values[n++] = sums[i];
    }
  }
  return n;
}

void Sums4(const uint8_t* codes, size_t rows, size_t lines, const uint8_t* tables, uint16_t* out) {
  for (size_t first = 0; first < rows; first += 32, codes += lines * 64)
    Sums(codes, lines, tables, out + first);
}

}  // namespace

void FillScan4Scalar(Kernels* k) {
  k->part_products = PartProducts;
  k->quantize_tables = QuantizeTables;
  k->scan4 = Scan4;
  k->sums4 = Sums4;
}

}  // namespace elanus::simd
