// Counts heap allocations of the whole process, all threads together: malloc and its kin, and so operator new.
#pragma once

#include <cstdint>

namespace hone::test {

// Allocations made since this scope began. Programs that use it have their malloc replaced (under sanitizers: hooked).
class AllocationScope {
 public:
  AllocationScope();
  int64_t count() const;

 private:
  int64_t start_;
};

}  // namespace hone::test
