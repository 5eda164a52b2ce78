// Counts heap allocations of the whole process, all threads together: malloc and its kin, and so operator new.
#pragma once

#include <cstdint>

namespace hone::test {

// Allocations made since this scope began. Programs that use it have their malloc replaced (under sanitizers: hooked).
class AllocationScope {
 public:
  // `library` is a part of a shared library's file name, whose allocations are counted beside (not under sanitizers).
  // One scope of a process may name one.
  explicit AllocationScope(const char* library = nullptr);
  ~AllocationScope();
  AllocationScope(const AllocationScope&) = delete;
  AllocationScope& operator=(const AllocationScope&) = delete;
  int64_t count() const;
  // More than were freed; what is freed may be older.
  int64_t unfreed() const;
  int64_t from_library() const;

 private:
  int64_t start_, freed_, watched_;
};

// While it lives, the calling thread's allocation number `n` (0: the next one) fails. Not under sanitizers.
class AllocationFailure {
 public:
  explicit AllocationFailure(int64_t n);
  ~AllocationFailure();
  AllocationFailure(const AllocationFailure&) = delete;
  AllocationFailure& operator=(const AllocationFailure&) = delete;
  // Whether that allocation was asked for.
  bool happened() const;
  static bool available();
};

}  // namespace hone::test
