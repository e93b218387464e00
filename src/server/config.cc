#include "server/config.h"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace elanus {
namespace {

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;
constexpr int64_t kDayMs = 86'400'000;

/// Edit distance, for "did you mean".
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view NearestKnob(std::string_view name) {
  return std::ranges::min_element(Knobs(), {},
                                  [&](const Knob& k) { return Distance(k.name, name); })
      ->name;
}

void Flatten(const YAML::Node& node, const std::string& prefix,
             std::vector<std::pair<std::string, YAML::Node>>& out) {
  for (const auto& entry : node) {
    const std::string name = prefix + entry.first.as<std::string>();
    if (entry.second.IsMap()) {
      Flatten(entry.second, name + ".", out);
    } else {
      out.emplace_back(name, entry.second);
    }
  }
}

}  // namespace

const std::vector<Knob>& Knobs() {
  static const std::vector<Knob> knobs = {
      {"segment.growing_bytes", 128 * kMiB, 4 * kKiB, 64 * kGiB, "bytes",
       "A shard's rows in memory are written to a segment file once they take this much."},
      {"segment.flush_age_ms", 600'000, 10, kDayMs, "ms",
       "Rows are written to a file at the latest after this time."},
      {"segment.unflushed_bytes_max", 512 * kMiB, 64 * kKiB, 256 * kGiB, "bytes",
       "Rows in memory that no file has yet, of all shards; inserts above it wait until a flush "
       "made room."},
      {"segment.write_wait_ms", 10'000, 0, 600'000, "ms",
       "A write waits at most so long for a flush to make room (then: memory quota exceeded) or "
       "for "
       "its turn in the log (then: code 4)."},
      {"segment.merged_bytes_max", kGiB, 64 * kKiB, 64 * kGiB, "bytes",
       "Merges make no segment larger than this."},
      {"segment.small_segments_max", 4, 1, 100, "segments",
       "More small segments of a partition than this are merged."},
      {"history.retention_ms", 3'600'000, 0, 365 * kDayMs, "ms",
       "Deleted rows can still be read at an earlier timestamp for this long."},
      {"query.filter_bytes_max", 32 * kMiB, 0, 64 * kGiB, "bytes",
       "Answers of filters over sealed segments that are kept for the next read with the same "
       "filter."},
      {"build.threads", 0, 0, 256, "threads",
       "Threads of an index build; they run at low priority. 0: as many as there are cores."},
      {"build.settle_ms", 2000, 0, 600'000, "ms",
       "A collection that took many rows within this time is still being loaded: its segments are "
       "merged and indexed once it has been quiet for so long."},
      {"build.memory_max", 0, 0, 1024 * kGiB, "bytes",
       "Memory that merges and index builds may take together; a job that does not fit waits. 0: a "
       "quarter of the machine's, or of the control group's."},
      {"load.memory_max", 0, 0, 16 * 1024 * kGiB, "bytes",
       "Vectors and vector indexes of loaded collections that may be resident; the rest is read "
       "from "
       "mapped files, and AUTOINDEX picks a small index for what would not fit. 0: three quarters "
       "of "
       "the machine's memory, or of the control group's."},
      {"service.copy_calls", 0, 0, 1, "0 or 1",
       "1: every call between roles goes through its byte form, as in a cluster; for tests."},
      {"log.durability_async", 0, 0, 1, "0 or 1",
       "1: a write is acknowledged before it is on the disk; a power loss may take the last tenth "
       "of a second."},
      {"server.log_debug", 0, 0, 1, "0 or 1",
       "1: debug lines are logged too, among them begin and end of each recovery, flush, publish, "
       "merge, build and DDL."},
      {"gateway.data_threads", 0, 0, 1024, "threads",
       "Threads that run searches, queries and writes. 0: as many as there are cores, at least 2."},
      {"gateway.queue_max", 1024, 1, 1'000'000, "calls",
       "Calls that wait for a thread; more are refused (code 4)."},
      {"gateway.request_bytes_max", 512 * kMiB, kMiB, 256 * kGiB, "bytes",
       "Bytes of requests that are being worked on; more are refused (code 4)."},
  };
  return knobs;
}

Config::Config() {
  for (const Knob& knob : Knobs()) values_.emplace(knob.name, knob.fallback);
}

Result<Config> Config::FromFile(const std::string& path) {
  try {
    return FromYaml(YAML::Dump(YAML::LoadFile(path)), path);
  } catch (const YAML::BadFile&) {
    return Error(InvalidParameter(fmt::format("configuration file {} cannot be read", path)));
  } catch (const YAML::Exception& e) {
    return Error(InvalidParameter(fmt::format("{}:{}: {}", path, e.mark.line + 1, e.msg)));
  }
}

Result<Config> Config::FromYaml(const std::string& text, std::string_view source) {
  Config config;
  std::vector<std::pair<std::string, YAML::Node>> entries;
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsNull() && !root.IsMap())
      return Error(InvalidParameter(fmt::format("{}: not a map of keys", source)));
    Flatten(root, "", entries);
  } catch (const YAML::Exception& e) {
    return Error(InvalidParameter(fmt::format("{}:{}: {}", source, e.mark.line + 1, e.msg)));
  }
  for (const auto& [name, node] : entries) {
    auto knob = std::ranges::find(Knobs(), std::string_view(name), &Knob::name);
    if (knob == Knobs().end()) {
      config.warnings_.push_back(
          fmt::format("{}: unknown key {}; did you mean {}?", source, name, NearestKnob(name)));
      continue;
    }
    int64_t value = 0;
    if (!YAML::convert<int64_t>::decode(node, value) || value < knob->min || value > knob->max) {
      return Error(InvalidParameter(fmt::format("{}: {} must be a whole number of {} from {} to {}",
                                                source, name, knob->unit, knob->min, knob->max)));
    }
    config.values_[name] = value;
  }
  return config;
}

int64_t Config::Number(std::string_view knob) const {
  auto it = values_.find(knob);
  ELANUS_CHECK(it != values_.end());
  return it->second;
}

std::string ConfigPage() {
  std::string page =
      "# Configuration\n\nPrinted by `elanus knobs`; `elanus serve --config FILE` reads them from "
      "YAML, nested or "
      "dotted.\n\n| knob | default | from | to | unit | |\n|---|---|---|---|---|---|\n";
  for (const Knob& k : Knobs()) {
    page += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", k.name, k.fallback, k.min, k.max,
                        k.unit, k.what);
  }
  return page;
}

}  // namespace elanus
