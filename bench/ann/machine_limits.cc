#include "bench/ann/machine_limits.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "index/vector/buffer.h"
#include "simd/dispatch.h"

namespace elanus::index {
namespace {

volatile uint64_t sink;  // what is measured must be wanted by someone

double ThreadSeconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// The best of `runs` times of `work`, in seconds of CPU.
template <class Work>
double Best(int runs, Work work) {
  double best = 1e9;
  for (int run = 0; run < runs; ++run) {
    const double start = ThreadSeconds();
    work();
    best = std::min(best, ThreadSeconds() - start);
  }
  return best;
}

// Touched, and not all the same bytes.
Buffer Filled(size_t bytes) {
  Buffer buffer((bytes + 4095) / 4096 * 4096);
  for (size_t i = 0; i < buffer.size() / 8; ++i) buffer.As<uint64_t>()[i] = i * 0x9E3779B97F4A7C15;
  return buffer;
}

using Floats16 = float __attribute__((vector_size(64)));
using Floats8 = float __attribute__((vector_size(32)));
using Words8 = uint64_t __attribute__((vector_size(64)));
using Words2 = uint64_t __attribute__((vector_size(16)));

constexpr size_t kChains =
    12;  // independent sums: more than latency times units, fewer than registers
constexpr size_t kSteps = 20'000'000;

// acc = acc * x + y in kChains chains: one fused instruction each.
template <class Vector>
[[gnu::always_inline]] inline uint64_t Multiply() {
#pragma clang fp contract(fast)
  Vector acc[kChains] = {};
  const Vector x = Vector{} + 0.999999f, y = Vector{} + 1e-6f;
  for (size_t step = 0; step < kSteps; ++step) {
    for (Vector& chain : acc) chain = chain * x + y;
  }
  for (const Vector& chain : acc) acc[0] += chain;
  return static_cast<uint64_t>(acc[0][0]);
}

template <class Vector>
[[gnu::always_inline]] inline uint64_t Sum(const std::byte* data, size_t bytes) {
  Vector sums[8] = {};
  const auto* from = reinterpret_cast<const Vector*>(data);
  for (size_t i = 0; i + 8 <= bytes / sizeof(Vector); i += 8) {
    for (size_t chain = 0; chain < 8; ++chain) sums[chain] += from[i + chain];
  }
  for (const Vector& sum : sums) sums[0] += sum;
  return sums[0][0] + sums[0][1];
}

__attribute__((target("avx512f"))) uint64_t MultiplyWide() { return Multiply<Floats16>(); }
__attribute__((target("avx2,fma"))) uint64_t MultiplyHalf() { return Multiply<Floats8>(); }
__attribute__((target("avx512f"))) uint64_t SumWide(const std::byte* data, size_t bytes) {
  return Sum<Words8>(data, bytes);
}
uint64_t SumNarrow(const std::byte* data, size_t bytes) { return Sum<Words2>(data, bytes); }

}  // namespace

double StreamBytesPerSecond(size_t bytes) {
  const Buffer buffer = Filled(bytes);
  const bool wide = simd::BestLevel() == simd::Level::kAvx512;
  const double seconds =
      Best(9, [&] { sink = sink + (wide ? SumWide : SumNarrow)(buffer.data(), buffer.size()); });
  return static_cast<double>(buffer.size()) / seconds;
}

double FloatMacsPerSecond() {
  const bool wide = simd::BestLevel() == simd::Level::kAvx512;
  const double lanes = wide ? 16 : 8;
  const double seconds = Best(5, [&] { sink = sink + (wide ? MultiplyWide : MultiplyHalf)(); });
  return lanes * kChains * kSteps / seconds;
}

double RandomBlockSeconds(size_t block, size_t bytes) {
  const size_t stride = (block + 63) / 64 * 64, lines = stride / 64;
  const Buffer buffer = Filled(std::max(bytes, 32 * stride));
  const size_t blocks = buffer.size() / stride;
  constexpr size_t kReads = 1 << 19, kAhead = 16;
  uint64_t state = 88172645463325252;
  auto next = [&] {  // xorshift, and a product instead of a division
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    const auto place = static_cast<size_t>((state >> 32) * blocks >> 32);
    const std::byte* at = buffer.data() + place * stride;
    for (size_t line = 0; line < lines; ++line) __builtin_prefetch(at + 64 * line);
    return at;
  };
  const double seconds = Best(5, [&] {
    std::array<const std::byte*, kAhead> ahead;
    for (auto& at : ahead) at = next();
    uint64_t sum = 0;
    for (size_t i = 0; i < kReads; ++i) {
      const std::byte* at = ahead[i % kAhead];
      for (size_t line = 0; line < lines; ++line)
        sum += *reinterpret_cast<const uint64_t*>(at + 64 * line);
      ahead[i % kAhead] = next();
    }
    sink = sink + sum;
  });
  return seconds / kReads;
}

}  // namespace elanus::index
