#include "query/filter_cache.h"

#include <utility>

#include <xxhash.h>

#include "base/codec.h"

namespace elanus::query {
namespace {

/// Longer filters (lists of thousands of values) are no longer cheap to look up.
constexpr size_t kFilterBytesMax = 4096;

}  // namespace

std::string FilterCache::KeyOf(const expr::BoundFilter& filter) {
  if (expr::MembershipUseOf(filter).bytes > kFilterBytesMax) return {};
  std::string bytes = EncodeBytes(filter);
  if (bytes.size() > kFilterBytesMax) bytes.clear();
  return bytes;
}

size_t FilterCache::KeyHash::operator()(const Key& key) const noexcept {
  return XXH3_64bits_withSeed(key.filter.data(), key.filter.size(),
                              static_cast<uint64_t>(key.segment.value));
}

uint64_t FilterCache::Entry::bytes() const {
  constexpr uint64_t kOwn = 200;  // nodes of the list and the map
  return kOwn + filter.size() + answer->word_count() * sizeof(uint64_t);
}

FilterCache::Found FilterCache::Find(SegmentId segment, std::string_view filter) {
  const Key key{segment, filter};
  const size_t hash = KeyHash()(key);
  MutexLock lock(mutex_);
  if (Answer answer = FindKept(key); answer != nullptr) return {std::move(answer)};
  return {nullptr, std::exchange(asked_[hash % asked_.size()], hash) == hash};
}

FilterCache::Answer FilterCache::Kept(SegmentId segment, std::string_view filter) {
  MutexLock lock(mutex_);
  return FindKept({segment, filter});
}

FilterCache::Answer FilterCache::FindKept(const Key& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->answer;
}

void FilterCache::Put(SegmentId segment, std::string filter, Answer answer) {
  Entry entry{segment, std::move(filter), std::move(answer)};
  const uint64_t bytes = entry.bytes();
  if (bytes > bytes_max_) return;
  MutexLock lock(mutex_);
  if (by_key_.contains({segment, entry.filter})) return;  // another reader was quicker
  while (bytes_ + bytes > bytes_max_) DropLast();
  entries_.push_front(std::move(entry));
  by_key_.emplace(Key{segment, entries_.front().filter}, entries_.begin());
  bytes_ += bytes;
}

void FilterCache::DropLast() {
  const Entry& last = entries_.back();
  bytes_ -= last.bytes();
  by_key_.erase({last.segment, last.filter});
  entries_.pop_back();
}

uint64_t FilterCache::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace elanus::query
