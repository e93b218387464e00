// The crash simulation: the real log, segments, manifests, directory store, shard owner and
// coordinator on a disk that loses what was not synced. Prints one line a failing seed, then how
// often the power went off in what, and ends with `N passed, N failed`.
//   crash_sim [--seeds 500] [--first 0] [--jobs 2] [--json FILE]    crash_sim --seed N  (with log)
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string_view>

#include "base/log.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "sim/lives.h"

namespace elanus::crash {
namespace {

struct Flags {
  uint64_t seeds = 500;
  uint64_t first = 0;
  uint64_t jobs = 2;
  bool one = false;    ///< a single seed, with the server's log
  bool quick = false;  ///< the first failing seed ends the run
  std::string json;
};

thread_local uint64_t seed_running = 0;

/// A failed check ends the process: says which seed it was.
void SayWhere(int signal_number) {
  const std::string line = fmt::format("seed {}: died of signal {}\n", seed_running, signal_number);
  [[maybe_unused]] auto written = ::write(STDOUT_FILENO, line.data(), line.size());
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

class Run {
 public:
  explicit Run(const Flags& flags) : flags_(flags), next_(flags.first) {}

  int Go() {
    {
      std::vector<Thread> threads;
      for (uint64_t i = 0; i < flags_.jobs; ++i) threads.emplace_back("sim", [this] { Work(); });
    }
    MutexLock lock(mutex_);
    for (const auto& [what, count] : tally_) fmt::print("{:>9} {}\n", count, what);
    fmt::print("{} passed, {} failed\n", passed_, failed_);
    if (!flags_.json.empty()) {
      std::ofstream(flags_.json) << fmt::format("{{\"passed\": {}, \"failed\": {}}}\n", passed_,
                                                failed_);
    }
    return failed_ == 0 ? 0 : 1;
  }

 private:
  void Work() {
    for (;;) {
      {
        MutexLock lock(mutex_);
        if (next_ == flags_.first + flags_.seeds || (flags_.quick && failed_ != 0)) return;
        seed_running = next_++;
      }
      SeedResult result = RunSeed(seed_running);
      // A seed is worth nothing if it does not repeat: a few are run twice.
      if (result.wrong.empty() && seed_running % 50 == 0 &&
          RunSeed(seed_running).trace != result.trace) {
        result.wrong = "it does not repeat";
      }
      MutexLock lock(mutex_);
      for (const auto& [what, count] : result.tally) tally_[what] += count;
      result.wrong.empty() ? ++passed_ : ++failed_;
      if (!result.wrong.empty()) {
        fmt::print("seed {}: {}\n", seed_running, result.wrong);
        fflush(stdout);
      }
    }
  }

  const Flags flags_;
  Mutex mutex_;
  uint64_t next_ GUARDED_BY(mutex_);
  uint64_t passed_ GUARDED_BY(mutex_) = 0;
  uint64_t failed_ GUARDED_BY(mutex_) = 0;
  Tally tally_ GUARDED_BY(mutex_);
};

Flags Parse(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--quick") {
      flags.quick = true;
      continue;
    }
    const char* value = i + 1 < argc ? argv[++i] : "";
    const uint64_t number = std::strtoull(value, nullptr, 10);
    if (name == "--seeds") flags.seeds = number;
    if (name == "--first") flags.first = number;
    if (name == "--jobs") flags.jobs = number;
    if (name == "--json") flags.json = value;
    if (name == "--seed") {
      flags.one = true;
      flags.first = number;
      flags.seeds = flags.jobs = 1;
    }
  }
  return flags;
}

}  // namespace
}  // namespace elanus::crash

int main(int argc, char** argv) {
  const elanus::crash::Flags flags = elanus::crash::Parse(argc, argv);
  // Jobs that a power loss cuts off are no news here.
  elanus::SetLogLevel(flags.one ? elanus::LogLevel::kDebug : elanus::LogLevel::kNone);
  for (int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) {
    signal(number, elanus::crash::SayWhere);
  }
  return elanus::crash::Run(flags).Go();
}
