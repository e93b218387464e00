// Keys and rows against a plain map; damaged files are named errors, never a crash.
#include "index/scalar/scalar_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>

#include "base/crc32c.h"
#include "index/scalar/scalar_build.h"

namespace elanus::index {
namespace {

std::string Join(const std::vector<Buffer>& pieces) {
  std::string bytes;
  for (const Buffer& piece : pieces)
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  return bytes;
}

Result<std::shared_ptr<const ScalarIndex>> Open(const std::string& bytes) {
  auto aligned = std::make_shared<Buffer>(Buffer::Copy(std::as_bytes(std::span(bytes))));
  return ScalarIndex::Open(aligned, aligned->span());
}

/// Numbers of which some are many times there (bits) and most a few times (lists).
std::map<int64_t, std::set<uint32_t>> SomeRows(uint32_t rows, Bitset& known, std::string& bytes) {
  std::mt19937 random(rows);
  std::map<int64_t, std::set<uint32_t>> expected;
  PairBuilder<int64_t> pairs;
  for (uint32_t row = 0; row < rows; ++row) {
    if (random() % 9 == 0) continue;
    known.Set(row);
    const int64_t key = random() % 2 == 0 ? random() % 4 : -static_cast<int64_t>(random() % 200);
    pairs.Add(key, row);
    expected[key].insert(row);
  }
  ScalarWriter writer({.rows = rows});
  pairs.WriteTo(writer);
  bytes = Join(writer.Finish(known));
  return expected;
}

TEST(ScalarIndex, GivesTheRowsOfEveryRangeOfKeys) {
  constexpr uint32_t kRows = 1500;
  Bitset known(kRows);
  std::string bytes;
  const auto expected = SomeRows(kRows, known, bytes);
  const auto index = Open(bytes).value();
  ASSERT_EQ(index->keys(), expected.size());
  EXPECT_EQ(index->known_count(), known.Count());
  std::vector<int64_t> keys;
  for (const auto& [key, rows] : expected) keys.push_back(key);
  for (uint32_t key = 0; key < keys.size(); ++key) ASSERT_EQ(index->IntAt(key), keys[key]);
  EXPECT_EQ(index->PartitionPoint([&](uint32_t key) { return index->IntAt(key) < 0; }),
            std::ranges::lower_bound(keys, 0) - keys.begin());
  for (uint32_t first = 0; first <= keys.size(); first += 7) {
    for (uint32_t end = first; end <= keys.size(); end += 5) {
      Bitset rows(kRows);
      uint64_t entries = 0;
      for (uint32_t key = first; key < end; ++key) {
        for (const uint32_t row : expected.at(keys[key])) rows.Set(row);
        entries += expected.at(keys[key]).size();
      }
      Bitset found(kRows);
      index->SetRows({first, end}, found.words());
      ASSERT_TRUE(std::equal(rows.words(), rows.words() + rows.word_count(), found.words()));
      ASSERT_EQ(index->Entries({first, end}), entries);
      std::vector<uint32_t> listed;
      index->AppendRows({first, end}, listed);
      ASSERT_EQ(listed.size(), entries);
      for (const uint32_t row : listed) ASSERT_TRUE(rows.Test(row));
      Bitset rest = known;
      index->ClearRows({first, end}, rest.words());
      ASSERT_EQ(rest.Count(), known.Count() - entries);
    }
  }
}

TEST(ScalarIndex, CountsARowOnceThatHoldsAnElementTwice) {
  PairBuilder<std::string_view> pairs;
  for (const char* word : {"b", "a", "b"}) pairs.Add(word, 4);
  pairs.Add("a", 2);
  ScalarWriter writer({.type = KeyType::kText, .use = KeyUse::kElements, .rows = 500});
  pairs.WriteTo(writer);
  const auto index = Open(Join(writer.Finish(Bitset(500)))).value();
  ASSERT_EQ(index->keys(), 2u);
  EXPECT_EQ(index->TextAt(0), "a");
  EXPECT_EQ(index->Entries({0, 1}), 2u);
  EXPECT_EQ(index->Entries({1, 2}), 1u);
  EXPECT_EQ(index->known_count(), 0u);
}

TEST(ScalarIndex, HoldsEveryGramOfATextOnce) {
  GramBuilder grams(2, 3);
  grams.Add("abab", 1);
  grams.Add("x", 2);
  ScalarWriter writer(
      {.type = KeyType::kText, .use = KeyUse::kGrams, .rows = 300, .gram_min = 2, .gram_max = 3});
  grams.WriteTo(writer);
  const auto index = Open(Join(writer.Finish(Bitset(300)))).value();
  std::vector<std::string_view> found;
  for (uint32_t key = 0; key < index->keys(); ++key) found.push_back(index->TextAt(key));
  EXPECT_EQ(found, (std::vector<std::string_view>{"ab", "aba", "ba", "bab"}));
  EXPECT_EQ(index->Entries({0, index->keys()}), 4u);
}

// Makes all checksums right again, so that the checks behind them are reached.
void Reseal(std::string& bytes) {
  for (size_t i = 0; i < kScalarSections; ++i) {
    char* entry = bytes.data() + 32 + i * 24;
    uint64_t offset, size;
    std::memcpy(&offset, entry, 8);
    std::memcpy(&size, entry + 8, 8);
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    const uint32_t crc = Crc32c(bytes.data() + offset, size);
    std::memcpy(entry + 16, &crc, 4);
  }
  const uint32_t crc = Crc32c(bytes.data(), 252);
  std::memcpy(bytes.data() + 252, &crc, 4);
}

void ExpectEveryDamageNamed(const std::string& bytes) {
  ASSERT_TRUE(Open(bytes).has_value());
  std::string resealed = bytes;
  Reseal(resealed);
  ASSERT_EQ(resealed, bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto opened = Open(bytes.substr(0, size));
    ASSERT_FALSE(opened.has_value()) << size;
    ASSERT_EQ(opened.error().code(), Code::kDataIntegrity);
  }
  size_t refused = 0;
  size_t refused_resealed = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    refused += Open(damaged).has_value() ? 0 : 1;
    Reseal(damaged);
    const auto opened = Open(damaged);
    if (!opened.has_value()) {
      ++refused_resealed;
      continue;
    }
    Bitset rows((*opened)->rows());
    (*opened)->SetRows({0, (*opened)->keys()}, rows.words());
    EXPECT_LE(rows.Count(), (*opened)->rows());
  }
  EXPECT_GT(refused, bytes.size() * 6);  // all but the padding between sections
  EXPECT_GT(refused_resealed, bytes.size());
}

TEST(ScalarIndex, RefusesEveryPrefixAndEveryFlippedBit) {
  Bitset known(130);
  std::string bytes;
  SomeRows(130, known, bytes);
  ExpectEveryDamageNamed(bytes);
}

TEST(ScalarIndex, RefusesEveryPrefixAndEveryFlippedBitOfBoxes) {
  BoxBuilder boxes;
  Bitset known(100);
  for (uint32_t row = 0; row < 100; ++row) {
    const auto x = static_cast<float>(row * 7 % 30);
    boxes.Add({x, 1, x, 2}, row);
    known.Set(row);
  }
  ScalarWriter writer({.type = KeyType::kReal, .use = KeyUse::kBoxes, .rows = 100});
  boxes.WriteTo(writer);
  ExpectEveryDamageNamed(Join(writer.Finish(known)));
}

}  // namespace
}  // namespace elanus::index
