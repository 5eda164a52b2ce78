#include "support/alloc_counter.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

// gcc names sanitizers by macros, clang by features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HONE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HONE_SANITIZED 1
#endif
#endif

namespace {

std::atomic<int64_t> allocations{0};

void count_one() { allocations.fetch_add(1, std::memory_order_relaxed); }

// Allocations of this thread until one fails; negative: none does. Plain data, so that no allocation makes it.
thread_local int64_t until_failure = -1;
thread_local bool failed = false;

[[maybe_unused]] bool must_fail() {
  count_one();
  if (until_failure < 0 || until_failure-- != 0) return false;
  errno = ENOMEM;
  return failed = true;
}

}  // namespace

#ifdef HONE_SANITIZED

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {

[[maybe_unused]] const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) { count_one(); }, [](const volatile void*) {});

}  // namespace

#else

// glibc's own entry points, which these replacements forward to.
extern "C" {

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

#define HONE_REPLACES_LIBC __attribute__((visibility("default")))

HONE_REPLACES_LIBC void* malloc(size_t size) { return must_fail() ? nullptr : __libc_malloc(size); }

HONE_REPLACES_LIBC void* calloc(size_t count, size_t size) {
  return must_fail() ? nullptr : __libc_calloc(count, size);
}

HONE_REPLACES_LIBC void* realloc(void* memory, size_t size) {
  return must_fail() ? nullptr : __libc_realloc(memory, size);
}

HONE_REPLACES_LIBC void* memalign(size_t alignment, size_t size) {
  return must_fail() ? nullptr : __libc_memalign(alignment, size);
}

HONE_REPLACES_LIBC void* aligned_alloc(size_t alignment, size_t size) {
  return must_fail() ? nullptr : __libc_memalign(alignment, size);
}

HONE_REPLACES_LIBC int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = must_fail() ? nullptr : __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"

#endif

namespace hone::test {

AllocationScope::AllocationScope() : start_(allocations.load()) {}

int64_t AllocationScope::count() const { return allocations.load() - start_; }

AllocationFailure::AllocationFailure(int64_t n) {
  failed = false;
  until_failure = n;
}

AllocationFailure::~AllocationFailure() { until_failure = -1; }

bool AllocationFailure::happened() const { return failed; }

bool AllocationFailure::available() {
#ifdef HONE_SANITIZED
  return false;
#else
  return true;
#endif
}

}  // namespace hone::test
