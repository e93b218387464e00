// Threads of one build: started for it and joined before it returns, so they need no executor.
#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace elanus::index {

/// Runs body(0) on the caller and body(1 .. threads - 1) beside it; returns when all have.
template <class Body>
void RunWorkers(int threads, const Body& body) {
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back([&body, i] { body(i); });
  body(0);
}

}  // namespace elanus::index
