// The only door to threads: loops over index ranges on OpenMP's team of the calling thread.
#pragma once

#include <cstdint>
#include <type_traits>

namespace hone {

// Calls `body(begin, end)` for disjoint ranges that cover [0, count), on up to `threads` threads; ranges hold at
// least `grain` indices. Returns when all are done. `body` must not throw. With threads == 1 or a small count it
// runs in the caller. Nested calls run in the caller. Allocates nothing of its own after a thread's first call.
using RangeBody = void (*)(void* state, int64_t begin, int64_t end);
void parallel_ranges(int threads, int64_t count, int64_t grain, RangeBody body, void* state);

template <class F>
void parallel_for(int threads, int64_t count, int64_t grain, F&& body) {
  parallel_ranges(
      threads, count, grain,
      [](void* state, int64_t begin, int64_t end) { (*static_cast<std::remove_reference_t<F>*>(state))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// While it lives, libraries that ask OpenMP how many threads to use in the calling thread are told `threads`.
class TeamSize {
 public:
  explicit TeamSize(int threads);
  ~TeamSize();
  TeamSize(const TeamSize&) = delete;
  TeamSize& operator=(const TeamSize&) = delete;

 private:
  int before_;
};

// Cores this process may use (affinity and cgroup quota counted), at least 1.
int available_threads();

}  // namespace hone
