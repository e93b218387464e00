// Packed codes, rotations and tables of floats in plain C++ (layout: kernels.h).
#include "simd/kernels.h"

namespace elanus::simd {
namespace {

constexpr size_t kDims = 64;  // of one block

void Unpack(const uint8_t* block, int bits, uint8_t* out) {
  for (size_t d = 0; d < kDims; ++d) out[d] = 0;
  if ((bits & 8) != 0) {
    for (size_t d = 0; d < kDims; ++d) out[d] = block[d];
    return;
  }
  if ((bits & 4) != 0) {
    for (size_t d = 0; d < kDims; ++d)
      out[d] = static_cast<uint8_t>(block[d % 32] >> (d / 32 * 4) & 15);
    block += 32;
  }
  if ((bits & 2) != 0) {
    for (size_t d = 0; d < kDims; ++d)
      out[d] = static_cast<uint8_t>(out[d] << 2 | (block[d % 16] >> (d / 16 * 2) & 3));
    block += 16;
  }
  if ((bits & 1) != 0) {
    for (size_t d = 0; d < kDims; ++d)
      out[d] = static_cast<uint8_t>(out[d] << 1 | (block[d / 8] >> (d % 8) & 1));
  }
}

int32_t Dot(const int8_t* query, const uint8_t* row, size_t blocks, int bits) {
  int32_t sum = 0;
  uint8_t codes[kDims];
  for (size_t b = 0; b < blocks; ++b) {
    Unpack(row + b * 8 * static_cast<size_t>(bits), bits, codes);
    for (size_t d = 0; d < kDims; ++d)
      sum += static_cast<int32_t>(query[b * kDims + d]) * static_cast<int32_t>(codes[d]);
  }
  return sum;
}

void DotPacked(const int8_t* query, const PackedRows& rows, const uint32_t* ids, size_t count,
               int32_t* out) {
  for (size_t i = 0; i < count; ++i) {
    const size_t row = ids != nullptr ? ids[i] : i;
    out[i] = Dot(query, rows.base + row * rows.stride, rows.blocks, rows.bits);
  }
}

void HalfByteKeys(const int8_t* query, const uint8_t* base, size_t lines, const uint32_t* ids,
                  size_t count, const HalfByteScale& scale, int32_t* out) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = base + ids[i] * lines * 64;
    int32_t dot = 0;
    for (size_t line = 0; line < lines; ++line) {
      for (size_t j = 0; j < 64; ++j) {
        const int32_t byte = row[line * 64 + j];
        dot += (byte & 15) * query[line * 128 + j] + (byte >> 4) * query[line * 128 + 64 + j];
      }
    }
    float head[2];
    __builtin_memcpy(head, row, sizeof(head));
    const float product = static_cast<float>(2 * dot - scale.bias) * (head[0] * scale.factor);
    const float value = product + head[1] * scale.term;
    const float low = value < scale.most ? value : scale.most;
    out[i] = static_cast<int32_t>(__builtin_rintf(low > -scale.most ? low : -scale.most));
  }
}

size_t ScaledLe(const uint16_t* sums, const float* factors, const float* terms, size_t count,
                const ScaledSums& s, uint32_t* places, float* values) {
  size_t n = 0;
  for (size_t i = 0; i < count; ++i) {
    const float product = s.offset + s.scale * static_cast<float>(sums[i]);
    const float factor = factors != nullptr ? factors[i] : 1.0f;
    const float value = s.base + factor * product + (terms != nullptr ? terms[i] : 0.0f);
    places[n] = static_cast<uint32_t>(i);
    values[n] = value;
    n += value <= s.bound ? 1 : 0;
  }
  return n;
}

void Hadamard(float* x, size_t n) {
  for (size_t half = 1; half < n; half *= 2) {
    for (size_t i = 0; i < n; i += 2 * half) {
      for (size_t j = i; j < i + half; ++j) {
        const float a = x[j], b = x[j + half];
        x[j] = a + b;
        x[j + half] = a - b;
      }
    }
  }
}

void Sums8(const uint8_t* codes, size_t rows, size_t parts, const uint8_t* tables, uint16_t* out) {
  constexpr size_t kRows = 64;
  for (size_t first = 0; first < rows; first += kRows, codes += parts * kRows, out += kRows) {
    for (size_t i = 0; i < kRows; ++i) out[i] = 0;
    for (size_t part = 0; part < parts; ++part) {
      const uint8_t* table = tables + part * 256;
      for (size_t i = 0; i < kRows; ++i)
        out[i] = static_cast<uint16_t>(out[i] + table[codes[part * kRows + i]]);
    }
  }
}

// Look-ups wait for the first-level cache, not for arithmetic: four rows at a time, at every level.
void TableSums(const float* tables, const ByteRows& rows, const uint32_t* ids, size_t count,
               float* out) {
  const auto row_at = [&](size_t i) {
    return rows.base + (ids != nullptr ? ids[i] : i) * rows.stride;
  };
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint8_t *a = row_at(i), *b = row_at(i + 1), *c = row_at(i + 2), *d = row_at(i + 3);
    float sums[4] = {};
    for (size_t part = 0; part < rows.parts; ++part) {
      const float* table = tables + part * 256;
      sums[0] += table[a[part]];
      sums[1] += table[b[part]];
      sums[2] += table[c[part]];
      sums[3] += table[d[part]];
    }
    for (size_t j = 0; j < 4; ++j) out[i + j] = sums[j];
  }
  for (; i < count; ++i) {
    const uint8_t* row = row_at(i);
    float sum = 0;
    for (size_t part = 0; part < rows.parts; ++part) sum += tables[part * 256 + row[part]];
    out[i] = sum;
  }
}

}  // namespace

void FillPackedScalar(Kernels* k) {
  k->dot_packed = DotPacked;
  k->half_byte_keys = HalfByteKeys;
  k->scaled_le = ScaledLe;
  k->hadamard = Hadamard;
  k->sums8 = Sums8;
  k->table_sums = TableSums;
}

}  // namespace elanus::simd
