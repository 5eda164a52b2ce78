#include "base/parallel.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace hone {
namespace {

int64_t sum_in_parallel(int64_t count) {
  std::atomic<int64_t> sum = 0;
  parallel_for(2, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum += i;
  });
  return sum;
}

TEST(Parallel, CoversEveryIndexOnce) { EXPECT_EQ(sum_in_parallel(1001), 1000 * 1001 / 2); }

TEST(Parallel, AForkedChildRunsToo) {
  ASSERT_EQ(sum_in_parallel(100), 4950);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);  // ends a child that hangs
    _exit(sum_in_parallel(100) == 4950 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
  EXPECT_EQ(sum_in_parallel(100), 4950);
}

}  // namespace
}  // namespace hone
