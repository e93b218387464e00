#include "expr/roaring_members.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>
#include "base/bytes.h"

namespace elanus::expr {
namespace {

constexpr std::string_view kMagic = "MRB1";
constexpr uint16_t kVersion = 1;
constexpr uint16_t kPortable = 1;
constexpr uint64_t kBodyMax = 128 << 20;

// What a set may cost by Milvus' reckoning, so that both refuse the same ones.
constexpr uint64_t kHighMax = 1 << 18;
constexpr uint64_t kDecodedMax = 64 << 20;
constexpr uint64_t kHighCost = 128;
constexpr uint64_t kContainerCost = 64;

// Of the Roaring format.
constexpr uint32_t kCookieNoRuns = 12346;
constexpr uint16_t kCookieRuns = 12347;
constexpr uint32_t kArrayMax = 4096;
constexpr uint32_t kBitsBytes = 8192;
constexpr uint32_t kOffsetsFrom = 4;  // containers, where there are runs
constexpr uint32_t kContainersMax = 1 << 16;
constexpr uint64_t kHighBytesMin = 12;

template <class T>
T LoadAt(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

template <class... Args>
Status Wrong(fmt::format_string<Args...> text, Args&&... args) {
  return {Code::kInvalidParameter, fmt::format(text, std::forward<Args>(args)...)};
}
template <class... Args>
Status WrongBody(fmt::format_string<Args...> text, Args&&... args) {
  return Wrong("invalid portable roaring64 body: {}",
               fmt::format(text, std::forward<Args>(args)...));
}

/// One bitmap of 32-bit values: the part that a body has for each upper half.
class Child {
 public:
  /// Reads what stands before the containers' values.
  Status ReadHead(ByteReader& in) {
    if (in.remaining() < sizeof(uint32_t)) return Cut("Roaring32 cookie");
    const auto cookie = in.Fixed<uint32_t>();
    bool offsets = true;
    if (static_cast<uint16_t>(cookie) == kCookieRuns) {
      count_ = (cookie >> 16) + 1;
      runs_ = in.Raw((count_ + 7) / 8);
      if (!in.ok()) return Cut("run bitmap");
      offsets = count_ >= kOffsetsFrom;
    } else if (cookie == kCookieNoRuns) {
      count_ = in.Fixed<uint32_t>();
      if (!in.ok()) return Cut("Roaring32 container count");
      if (count_ > kContainersMax) return WrongBody("invalid Roaring32 container count {}", count_);
    } else {
      return WrongBody("unsupported Roaring32 cookie {}", cookie);
    }
    heads_ = in.Raw(uint64_t{count_} * kHeadBytes);
    if (!in.ok()) return Cut("container descriptors");
    for (uint32_t i = 1; i < count_; ++i) {
      if (KeyOf(i) <= KeyOf(i - 1))
        return WrongBody("Roaring32 container {} has a non-increasing key", i);
    }
    // Where the containers begin also follows from their sizes; as others do, that is believed.
    if (offsets) in.Raw(uint64_t{count_} * sizeof(uint32_t));
    return in.ok() ? Status::Ok() : Cut("container offsets");
  }

  uint32_t count() const { return count_; }
  uint16_t KeyOf(uint32_t i) const { return LoadAt<uint16_t>(heads_.data() + i * kHeadBytes); }
  /// Values of a container, as its head says.
  uint32_t SizeOf(uint32_t i) const {
    return uint32_t{LoadAt<uint16_t>(heads_.data() + i * kHeadBytes + sizeof(uint16_t))} + 1;
  }
  bool HasRuns(uint32_t i) const {
    return !runs_.empty() && (static_cast<uint8_t>(runs_[i / 8]) >> (i % 8) & 1) != 0;
  }

  static Status Cut(std::string_view what) { return WrongBody("truncated {}", what); }

 private:
  static constexpr size_t kHeadBytes = 2 * sizeof(uint16_t);

  uint32_t count_ = 0;
  std::string_view runs_;  ///< a bit a container; empty: none has runs
  std::string_view heads_;
};

// Values that ascend.
Status CheckArray(ByteReader& in, uint32_t size) {
  const std::string_view values = in.Raw(size * sizeof(uint16_t));
  if (!in.ok()) return Child::Cut("array container");
  bool ascends = true;
  for (size_t i = sizeof(uint16_t); i < values.size(); i += sizeof(uint16_t)) {
    ascends &= LoadAt<uint16_t>(values.data() + i - sizeof(uint16_t)) <
               LoadAt<uint16_t>(values.data() + i);
  }
  return ascends ? Status::Ok() : WrongBody("array values must be strictly increasing");
}

Status CheckBits(ByteReader& in, uint32_t size) {
  const std::string_view words = in.Raw(kBitsBytes);
  if (!in.ok()) return Child::Cut("bitmap container");
  uint32_t set = 0;
  for (size_t i = 0; i < words.size(); i += sizeof(uint64_t))
    set += static_cast<uint32_t>(std::popcount(LoadAt<uint64_t>(words.data() + i)));
  if (set == size) return Status::Ok();
  return WrongBody("bitmap cardinality {} does not match descriptor {}", set, size);
}

// Pairs of a first value and how many follow it.
Status CheckRuns(ByteReader& in, uint32_t count, uint32_t size) {
  const std::string_view runs = in.Raw(uint64_t{count} * 2 * sizeof(uint16_t));
  if (!in.ok()) return Child::Cut("run intervals");
  uint32_t next = 0;  // the first value that may come
  uint32_t total = 0;
  for (size_t i = 0; i < runs.size(); i += 2 * sizeof(uint16_t)) {
    const uint32_t first = LoadAt<uint16_t>(runs.data() + i);
    const uint32_t more = LoadAt<uint16_t>(runs.data() + i + sizeof(uint16_t));
    if (first + more > UINT16_MAX) return WrongBody("run interval exceeds uint16 range");
    if (first < next) return WrongBody("run intervals overlap or are out of order");
    next = first + more + 1;
    total += more + 1;
  }
  if (total == size) return Status::Ok();
  return WrongBody("run cardinality {} does not match descriptor {}", total, size);
}

Status CheckCost(uint64_t body, uint64_t highs, uint64_t containers) {
  const uint64_t decoded = body + highs * kHighCost + containers * kContainerCost;
  if (decoded <= kDecodedMax) return Status::Ok();
  return Wrong("roaring bitmap estimated decoded size {} bytes exceeds maximum {}", decoded,
               kDecodedMax);
}

}  // namespace

Result<std::shared_ptr<const RoaringMembers>> RoaringMembers::Open(
    std::shared_ptr<const std::string> blob) {
  auto members = std::make_shared<RoaringMembers>();
  members->blob_ = std::move(blob);
  RETURN_IF_ERROR(members->Read());
  return std::shared_ptr<const RoaringMembers>(std::move(members));
}

Status RoaringMembers::ReadEnvelope() const {
  const std::string_view blob = blob_ == nullptr ? std::string_view() : *blob_;
  if (blob.size() < kHeaderBytes) {
    return Wrong("roaring bitmap blob too short: {} bytes, need at least {}", blob.size(),
                 kHeaderBytes);
  }
  if (blob.size() > kHeaderBytes + kBodyMax) {
    return Wrong("roaring bitmap blob too large: {} bytes, exceeds max {}", blob.size(),
                 kHeaderBytes + kBodyMax);
  }
  ByteReader in(blob);
  if (in.Raw(kMagic.size()) != kMagic)
    return Wrong("roaring bitmap blob has invalid magic, expected \"{}\"", kMagic);
  if (const auto version = in.Fixed<uint16_t>(); version != kVersion)
    return Wrong("unsupported roaring bitmap version {}, expected {}", version, kVersion);
  if (const auto format = in.Fixed<uint16_t>(); format != kPortable)
    return Wrong("unsupported roaring bitmap format {}, expected {}", format, kPortable);
  in.Raw(sizeof(uint64_t));  // the number of members: compared when they are counted
  const auto body = in.Fixed<uint64_t>();
  if (const auto reserved = in.Fixed<uint64_t>(); reserved != 0)
    return Wrong("roaring bitmap reserved field must be 0, got {}", reserved);
  if (body > kBodyMax)
    return Wrong("roaring bitmap body too large: {} bytes, exceeds max {}", body, kBodyMax);
  if (body == in.remaining()) return Status::Ok();
  return Wrong("roaring bitmap body length {} does not match header value {}", in.remaining(),
               body);
}

Status RoaringMembers::Read() {
  Status status = ReadEnvelope();
  if (status.ok()) status = ReadBody();
  ok_ = status.ok();
  if (!ok_) {
    containers_.clear();
    size_ = 0;
  }
  return status;
}

Status RoaringMembers::ReadBody() {
  const auto declared = LoadAt<uint64_t>(blob_->data() + sizeof(uint64_t));
  ByteReader in(std::string_view(*blob_).substr(kHeaderBytes));
  const uint64_t body = in.remaining();
  const auto highs = in.Fixed<uint64_t>();
  if (!in.ok()) return WrongBody("too short for high-container count: {} bytes", body);
  if (highs > in.remaining() / kHighBytesMin) {
    return WrongBody("high-container count {} exceeds body-derived maximum {}", highs,
                     in.remaining() / kHighBytesMin);
  }
  if (highs > kHighMax)
    return Wrong("roaring bitmap high-container count {} exceeds maximum {}", highs, kHighMax);

  uint64_t containers = 0;
  uint64_t previous = 0;
  for (uint64_t i = 0; i < highs; ++i) {
    if (in.remaining() < sizeof(uint32_t)) return Child::Cut("high key");
    const uint64_t high = in.Fixed<uint32_t>();
    if (i > 0 && high <= previous)
      return WrongBody("high container {} has a non-increasing key", i);
    previous = high;
    RETURN_IF_ERROR(ReadChild(in, high, containers));
  }
  if (in.remaining() != 0)
    return WrongBody("consumed {} bytes, expected {}", body - in.remaining(), body);
  if (size_ != declared)
    return Wrong("roaring bitmap cardinality {} does not match declared value {}", size_, declared);
  RETURN_IF_ERROR(CheckCost(body, highs, containers));
  Index();
  return Status::Ok();
}

/// \param containers  counts them
Status RoaringMembers::ReadChild(ByteReader& in, uint64_t high, uint64_t& containers) {
  Child child;
  RETURN_IF_ERROR(child.ReadHead(in));
  for (uint32_t i = 0; i < child.count(); ++i) {
    const uint32_t values = child.SizeOf(i);
    Container container{.key = high << 16 | child.KeyOf(i)};
    if (child.HasRuns(i)) {
      container.kind = Kind::kRuns;
    } else if (values > kArrayMax) {
      container.kind = Kind::kBits;
    }
    RETURN_IF_ERROR(ReadContainer(in, container, values));
    size_ += values;
    // Of a set that will be refused for its cost no more is kept.
    if (++containers * kContainerCost <= kDecodedMax) containers_.push_back(container);
  }
  return Status::Ok();
}

Status RoaringMembers::ReadContainer(ByteReader& in, Container& container, uint32_t values) const {
  uint32_t parts = values;
  if (container.kind == Kind::kRuns) {
    parts = in.Fixed<uint16_t>();
    if (!in.ok()) return Child::Cut("run count");
    if (parts == 0) return WrongBody("invalid run count {}", parts);
  }
  container.more = static_cast<uint16_t>(parts - 1);
  container.at = static_cast<uint32_t>(blob_->size() - in.remaining());
  switch (container.kind) {
    case Kind::kArray: return CheckArray(in, values);
    case Kind::kBits: return CheckBits(in, values);
    case Kind::kRuns: return CheckRuns(in, parts, values);
  }
  return Status::Ok();
}

void RoaringMembers::Index() {
  if (containers_.empty()) return;
  const uint64_t low = containers_.front().key;
  const uint64_t span = containers_.back().key - low;
  const auto bits = [](uint64_t value) { return static_cast<int>(std::bit_width(value)); };
  part_shift_ = std::max(0, bits(span) - bits(containers_.size()));
  parts_.assign((span >> part_shift_) + 2, static_cast<uint32_t>(containers_.size()));
  for (size_t i = containers_.size(); i-- > 0;)
    parts_[(containers_[i].key - low) >> part_shift_] = static_cast<uint32_t>(i);
  for (size_t part = parts_.size() - 1; part-- > 0;)
    parts_[part] = std::min(parts_[part], parts_[part + 1]);
}

bool RoaringMembers::Has(int64_t value) const {
  if (containers_.empty()) return false;
  const uint64_t key = static_cast<uint64_t>(value) >> 16;
  const uint64_t low = containers_.front().key;
  if (key < low || key > containers_.back().key) return false;
  const uint64_t part = (key - low) >> part_shift_;
  const std::span<const Container> found(containers_.data() + parts_[part],
                                         parts_[part + 1] - parts_[part]);
  const auto at = std::ranges::lower_bound(found, key, {}, &Container::key);
  return at != found.end() && at->key == key && IsIn(*at, static_cast<uint16_t>(value));
}

bool RoaringMembers::IsIn(const Container& container, uint16_t low) const {
  const char* from = blob_->data() + container.at;
  if (container.kind == Kind::kBits) {
    return (static_cast<uint8_t>(from[low / 8]) >> (low % 8) & 1) != 0;
  }
  // The last value, or first value of a run, that is not above `low`.
  const size_t step = container.kind == Kind::kRuns ? 2 * sizeof(uint16_t) : sizeof(uint16_t);
  size_t begin = 0;
  for (size_t left = size_t{container.more} + 1; left > 1;) {
    const size_t half = left / 2;
    begin += LoadAt<uint16_t>(from + (begin + half) * step) <= low ? half : 0;
    left -= half;
  }
  const auto first = LoadAt<uint16_t>(from + begin * step);
  if (container.kind == Kind::kArray || first > low) return first == low;
  return low - first <= LoadAt<uint16_t>(from + begin * step + sizeof(uint16_t));
}

}  // namespace elanus::expr
