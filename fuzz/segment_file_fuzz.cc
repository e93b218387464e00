// Damages a good segment file, opens it and, when it opens, reads every value, looks every key up
// and loads the vectors. The input: a byte of flags (1: string keys; 2: leave the checksums of
// blocks wrong), then edits of four bytes each (what, place, value). The footer is edited before it
// is sealed, so that edits get past its checksum.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "format/sealed_bytes.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"

namespace elanus::segment {
namespace {

constexpr std::string_view kMagic = "ELSEG001";
constexpr FieldId kKeys{100}, kVectors{101}, kWords{102};
constexpr uint64_t kRows = 40;

model::CollectionSchema Schema(bool string_keys) {
  model::CollectionSchema schema{.name = "c"};
  schema.fields = {
      {.id = kKeys,
       .name = "id",
       .type = string_keys ? model::DataType::kVarChar : model::DataType::kInt64,
       .is_primary = true},
      {.id = kVectors,
       .name = "v",
       .type = model::DataType::kFloatVector,
       .type_params = {{"dim", "2"}}},
      {.id = kWords, .name = "word", .type = model::DataType::kVarChar, .nullable = true}};
  return schema;
}

model::RowBatch Rows(const model::CollectionSchema& schema) {
  model::Column keys = model::MakeColumn(kKeys, schema.fields[0].type);
  model::Column vectors = model::MakeColumn(kVectors, model::DataType::kFloatVector, 2);
  model::Column words = model::MakeColumn(kWords, model::DataType::kVarChar);
  for (uint64_t i = 0; i < kRows; ++i) {
    if (model::IsString(keys.type)) {
      keys.AppendValue("key" + std::to_string(i * 7 % kRows));
    } else {
      keys.Append(static_cast<int64_t>(i * 7 % kRows));
    }
    const float v[2] = {static_cast<float>(i), 1};
    vectors.AppendValue({reinterpret_cast<const char*>(v), sizeof(v)});
    if (i % 5 == 0) {
      words.AppendNull();
    } else {
      words.AppendValue(std::string(i % 9, 'w'));
    }
  }
  return {.rows = kRows, .columns = {keys, vectors, words}};
}

struct Parts {
  std::string sections;  ///< all before the footer
  std::string footer;    ///< its byte form, without the seal
};

Parts GoodFile(bool string_keys) {
  const model::CollectionSchema schema = Schema(string_keys);
  auto growing = std::make_shared<GrowingSegment>(SegmentId{1}, PartitionId{1}, schema);
  growing->Append(Rows(schema), 10);
  std::string bytes;
  ELANUS_CHECK(BuildSealedFile({{growing, kRows, {}}}, {.id = {2}, .schema = &schema},
                               [&](std::string_view piece) {
                                 bytes.append(piece);
                                 return Status::Ok();
                               })
                   .has_value());
  auto file = format::SegmentFile::Open(bytes, "good");
  uint64_t end = 0;
  for (const auto& s : file->footer().sections) end = std::max(end, s.offset + s.bytes);
  return {bytes.substr(0, end), EncodeBytes(file->footer())};
}

void Edit(Parts& parts, std::string_view edits) {
  for (; edits.size() >= 4; edits.remove_prefix(4)) {
    uint16_t place;
    std::memcpy(&place, edits.data() + 1, sizeof(place));
    std::string& part = (edits[0] & 1) != 0 ? parts.footer : parts.sections;
    switch ((edits[0] >> 1) & 3) {
      case 0:
      case 1: part[place % part.size()] = edits[3]; break;
      case 2: part.insert(part.begin() + place % part.size(), edits[3]); break;
      default:
        if (part.size() > 1) part.erase(place % part.size(), 1);
    }
  }
}

/// Makes the checksums of blocks fit their bytes, as far as the footer can be read.
void PutChecksumsRight(Parts& parts) {
  auto footer = DecodeBytes<format::SegmentFooter>(parts.footer, "footer");
  if (!footer.has_value()) return;
  for (format::SectionInfo& s : footer->sections) {
    if (s.offset > parts.sections.size() || s.bytes > parts.sections.size() - s.offset) continue;
    std::string_view rest = std::string_view(parts.sections).substr(s.offset, s.bytes);
    s.checksums.clear();
    for (; !rest.empty(); rest.remove_prefix(std::min(rest.size(), format::kSegmentBlockBytes)))
      s.checksums.push_back(Crc32c(rest.substr(0, format::kSegmentBlockBytes)));
  }
  parts.footer = EncodeBytes(*footer);
}

/// The file in memory that ends where the file ends, aligned as a mapping is.
FileBytes Joined(const Parts& parts) {
  const std::string sealed = format::SealBytes({.magic = "ELSF", .version = 1}, parts.footer);
  ByteWriter out;
  out.Raw(parts.sections.data(), parts.sections.size());
  out.Raw(sealed.data(), sealed.size());
  out.Fixed<uint64_t>(sealed.size());
  out.Raw(kMagic.data(), kMagic.size());
  void* memory = nullptr;
  ELANUS_CHECK(::posix_memalign(&memory, 64, out.size()) == 0);
  std::memcpy(memory, out.view().data(), out.size());
  return {"file",
          {static_cast<const std::byte*>(memory), out.size()},
          std::shared_ptr<const void>(memory, [](const void* m) { ::free(const_cast<void*>(m)); })};
}

uint64_t Sum(std::string_view bytes) {
  uint64_t sum = 0;
  for (char c : bytes) sum += static_cast<uint8_t>(c);
  return sum;
}

/// Reads all there is; the sum keeps the compiler from leaving it out.
uint64_t ReadAll(SealedSegment& segment) {
  uint64_t sum = 0;
  for (FieldId field : {kKeys, kVectors, kWords}) {
    const bool loaded = segment.LoadVectors(field).ok();
    const auto run = segment.Runs(segment.rows());
    if (run.empty() || !loaded) continue;
    const auto column = run[0].source->Column(field);
    if (!column.has_value()) continue;
    for (size_t row = 0; row < column->rows; ++row) {
      sum += column->IsNull(row) ? 1 : Sum(column->ValueAt(row));
    }
  }
  for (uint32_t row = 0; row < segment.rows(); ++row) {
    const model::PrimaryKey key = segment.KeyAt(row);
    sum += segment.TimestampAt(row) + segment.FindKey(key, segment.rows()).size() +
           segment.LowerBound(key, true);
    segment.Delete(key, model::kTimestampMax);
  }
  for (model::Timestamp t : {model::Timestamp{9}, model::Timestamp{10}, model::kTimestampMax})
    sum += segment.HiddenAt(t, segment.rows()) != nullptr ? 1 : 0;
  return sum;
}

}  // namespace
}  // namespace elanus::segment

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace elanus::segment;  // NOLINT(google-build-using-namespace)
  static const Parts good[2] = {GoodFile(false), GoodFile(true)};
  if (size == 0) return 0;
  Parts parts = good[data[0] & 1];
  Edit(parts, {reinterpret_cast<const char*>(data) + 1, size - 1});
  if ((data[0] & 2) == 0) PutChecksumsRight(parts);
  auto segment =
      SealedSegment::Open({.id = {2}, .partition = {1}, .rows = kRows}, Joined(parts), {});
  volatile uint64_t sum = segment.has_value() ? ReadAll(**segment) : 0;
  (void)sum;
  return 0;
}
