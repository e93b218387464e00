// One seed of the crash simulation: a few lives of a server on one machine. In each it recovers,
// must owe nothing, is written to, flushed, merged, indexed and redefined, and ends by a power
// loss, a kill or in order. While a job runs, writes and changes of the catalog happen at its
// steps. Holds: a seed repeats exactly, down to the order of the file system's calls.
// Called by crash_sim. Threads: one; several seeds may run at the same time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace elanus::crash {

/// What the machine was doing when the power went off, and how often that happened.
using Tally = std::map<std::string, uint64_t>;

struct SeedResult {
  std::string wrong;   ///< empty: nothing was lost, nothing came back
  uint64_t trace = 0;  ///< the same for the same seed
  Tally tally;
};

SeedResult RunSeed(uint64_t seed);

}  // namespace elanus::crash
