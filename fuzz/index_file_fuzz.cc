// Damages a good index file over 40 rows of dimension 3, opens it and, when it passes, searches.
// The input is a list of edits (structure and codec, metric, then offset and byte each), so that no
// corpus is needed to get past the first check; all checksums are put right afterwards for the same
// reason.
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/crc32c.h"
#include "index/vector/vector_index.h"

namespace {

using namespace elanus::index;

constexpr size_t kHeaderBytes = 512, kTable = 76, kEntry = 24, kSections = 16, kRows = 40, kDim = 3;

void PutChecksumsRight(std::string& bytes) {
  uint32_t count;
  std::memcpy(&count, bytes.data() + 12, sizeof(count));
  for (size_t i = 0; i < count && i < kSections; ++i) {
    char* entry = bytes.data() + kTable + i * kEntry;
    uint64_t offset, size;
    std::memcpy(&offset, entry + 8, sizeof(offset));
    std::memcpy(&size, entry + 16, sizeof(size));
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    const uint32_t crc = elanus::Crc32c(bytes.data() + offset, size);
    std::memcpy(entry + 4, &crc, sizeof(crc));
  }
  const uint32_t crc = elanus::Crc32c(bytes.data(), kHeaderBytes - 4);
  std::memcpy(bytes.data() + kHeaderBytes - 4, &crc, sizeof(crc));
}

const float* Rows() {
  static const std::array<float, kRows * kDim> rows = [] {
    std::array<float, kRows * kDim> values{};
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>((i * 37) % 101) - 50.0f;
    return values;
  }();
  return rows.data();
}

struct Form {
  Kind kind;
  CodecParams codec = {};
};
const std::array<Form, 14> kForms = {
    Form{Kind::kFlat},
    Form{Kind::kIvfFlat},
    Form{Kind::kHnsw},
    Form{Kind::kIvfPq},
    Form{Kind::kScann},
    Form{Kind::kForest},
    Form{Kind::kNsg},
    Form{Kind::kHnsw, {.kind = CodecKind::kPacked, .bits = 6}},
    Form{Kind::kHnsw, {.kind = CodecKind::kFloat16}},
    Form{Kind::kHnsw, {.kind = CodecKind::kProduct, .bits = 3, .parts = 3, .rounds = 2}},
    Form{Kind::kIvfCoded, {.kind = CodecKind::kPacked, .bits = 4}},
    Form{Kind::kIvfCoded, {.kind = CodecKind::kProduct, .bits = 5, .parts = 3}},
    Form{Kind::kIvfCoded, {.kind = CodecKind::kRabitq, .bits = 1}},
    Form{Kind::kIvfCoded, {.kind = CodecKind::kRabitq, .bits = 4}},
};

std::string GoodFile(size_t form, uint8_t metric) {
  const BuildParams params{.kind = kForms[form].kind,
                           .metric = static_cast<Metric>(metric % 3),
                           .m = 2,
                           .ef_construction = 8,
                           .nlist = 4,
                           .codec = kForms[form].codec};
  return BuildIndexFile({Rows(), kRows, kDim}, params)->Join();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  static const std::array<std::string, kForms.size() * 3> good = [] {
    std::array<std::string, kForms.size() * 3> files;
    for (uint8_t i = 0; i < files.size(); ++i) files[i] = GoodFile(i / 3, i);
    return files;
  }();
  std::string bytes = good[data[0] % kForms.size() * 3 + data[1] % 3];
  for (size_t at = 2; at + 3 <= size; at += 3) {
    bytes[(data[at] | data[at + 1] << 8) % bytes.size()] = static_cast<char>(data[at + 2]);
  }
  PutChecksumsRight(bytes);
  const Buffer aligned = Buffer::Copy(std::as_bytes(std::span(bytes)));
  const auto index = OpenIndex(nullptr, aligned.span(), {Rows(), kRows, kDim}, OpenMode::kMapped);
  if (!index.has_value()) return 0;
  const uint64_t words[1] = {0x5555555555};
  (void)(*index)->Search(Rows(), {.top_k = 5}, {}, {}).has_value();
  (void)(*index)
      ->Search(Rows(), {.top_k = 3, .ef = 4, .nprobe = 1}, HiddenBits(words, kRows), {})
      .has_value();
  return 0;
}
