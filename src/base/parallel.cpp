#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#ifdef HONE_STD_THREADS
#include <thread>
#include <vector>
#else
#include <omp.h>
#include <pthread.h>
#endif

namespace hone {

#ifndef HONE_STD_THREADS
namespace {

// A forked child inherits the record of the forking thread's team, but not its threads, and would wait for them for
// ever. So the team ends before a fork; the next parallel region makes a new one, in the parent and in the child.
void end_teams_before_forks() {
  static const int registered = pthread_atfork([] { omp_pause_resource_all(omp_pause_hard); }, nullptr, nullptr);
  static_cast<void>(registered);
}

}  // namespace
#endif

void parallel_ranges(int threads, int64_t count, int64_t grain, RangeBody body, void* state) {
  if (count <= 0) return;
  const int64_t most = std::max<int64_t>(1, count / std::max<int64_t>(1, grain));
  const int team = static_cast<int>(std::min<int64_t>(std::max(threads, 1), most));
#ifdef HONE_STD_THREADS
  std::vector<std::thread> workers;
  for (int i = 1; i < team; ++i) {
    workers.emplace_back([=] { body(state, count * i / team, count * (i + 1) / team); });
  }
  body(state, 0, count / team);
  for (std::thread& worker : workers) worker.join();
#else
  if (team == 1 || omp_in_parallel()) {
    body(state, 0, count);
    return;
  }
  end_teams_before_forks();
#pragma omp parallel num_threads(team)
  {
    const int64_t size = omp_get_num_threads(), rank = omp_get_thread_num();
    const int64_t begin = count / size * rank + std::min<int64_t>(rank, count % size);
    const int64_t end = begin + count / size + (rank < count % size ? 1 : 0);
    if (begin < end) body(state, begin, end);
  }
#endif
}

#ifdef HONE_STD_THREADS
TeamSize::TeamSize(int threads) : before_(threads) {}
TeamSize::~TeamSize() = default;
#else
TeamSize::TeamSize(int threads) : before_(omp_get_max_threads()) {
  end_teams_before_forks();
  omp_set_num_threads(std::max(threads, 1));
}
TeamSize::~TeamSize() { omp_set_num_threads(before_); }
#endif

int available_threads() {
  cpu_set_t set;
  int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  std::ifstream quota_file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (quota_file >> quota >> period && quota != "max" && period > 0) {
    cores = std::min(cores, static_cast<int>(std::ceil(std::atof(quota.c_str()) / period)));
  }
  return std::max(cores, 1);
}

}  // namespace hone
