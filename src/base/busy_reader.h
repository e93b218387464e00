// A reader that takes a core of a crew for as long as it lives. Test code only.
#pragma once

#include <latch>

#include "base/crew.h"
#include "base/thread.h"

namespace elanus {

class BusyReader {
 public:
  /// Returns once the core is taken.
  explicit BusyReader(Crew& crew)
      : thread_("busy", [this, &crew] {
          const Crew::Turn turn(crew);
          began_.count_down();
          ended_.wait();
        }) {
    began_.wait();
  }
  ~BusyReader() { ended_.count_down(); }
  BusyReader(const BusyReader&) = delete;
  BusyReader& operator=(const BusyReader&) = delete;

 private:
  std::latch began_{1};
  std::latch ended_{1};
  Thread thread_;  // joined first: it waits for the others
};

}  // namespace elanus
