#include "support/alloc_counter.h"

#include <dlfcn.h>
#include <execinfo.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

// gcc names sanitizers by macros, clang by features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HONE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HONE_SANITIZED 1
#endif
#endif

namespace {

std::atomic<int64_t> allocations{0}, frees{0}, watched_allocations{0};
std::atomic<const char*> watched_library{nullptr};

bool lies_in(const void* address, const char* library) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && std::strstr(info.dli_fname, library) != nullptr;
}

// Whether `caller`, or who called it if it is operator new, lies in the library.
bool is_called_from(const void* caller, const char* library) {
  constexpr const char* kOperatorNew = "libstdc++";
  if (!lies_in(caller, kOperatorNew)) return lies_in(caller, library);
  void* frames[12];
  const int depth = backtrace(frames, 12);
  int i = 0;
  while (i < depth && frames[i] != caller) ++i;
  while (i < depth && lies_in(frames[i], kOperatorNew)) ++i;
  return i < depth && lies_in(frames[i], library);
}

void count_one(const void* caller) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const char* const library = watched_library.load(std::memory_order_relaxed);
  if (library != nullptr && is_called_from(caller, library)) ++watched_allocations;
}

[[maybe_unused]] void count_free(const volatile void* memory) {
  if (memory != nullptr) frees.fetch_add(1, std::memory_order_relaxed);
}

// Allocations of this thread until one fails; negative: none does. Plain data, so that no allocation makes it.
thread_local int64_t until_failure = -1;
thread_local bool failed = false;

[[maybe_unused]] bool must_fail(const void* caller) {
  count_one(caller);
  if (until_failure < 0 || until_failure-- != 0) return false;
  errno = ENOMEM;
  return failed = true;
}

}  // namespace

#ifdef HONE_SANITIZED

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {

[[maybe_unused]] const int installed =
    __sanitizer_install_malloc_and_free_hooks([](const volatile void*, size_t) { count_one(nullptr); }, count_free);

}  // namespace

#else

// glibc's own entry points, which these replacements forward to.
extern "C" {

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

#define HONE_REPLACES_LIBC __attribute__((visibility("default")))

HONE_REPLACES_LIBC void* malloc(size_t size) {
  return must_fail(__builtin_return_address(0)) ? nullptr : __libc_malloc(size);
}

HONE_REPLACES_LIBC void* calloc(size_t count, size_t size) {
  return must_fail(__builtin_return_address(0)) ? nullptr : __libc_calloc(count, size);
}

HONE_REPLACES_LIBC void* realloc(void* memory, size_t size) {
  count_free(memory);
  return must_fail(__builtin_return_address(0)) ? nullptr : __libc_realloc(memory, size);
}

HONE_REPLACES_LIBC void* memalign(size_t alignment, size_t size) {
  return must_fail(__builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
}

HONE_REPLACES_LIBC void* aligned_alloc(size_t alignment, size_t size) {
  return must_fail(__builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
}

HONE_REPLACES_LIBC int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = must_fail(__builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

HONE_REPLACES_LIBC void free(void* memory) {
  count_free(memory);
  __libc_free(memory);
}

}  // extern "C"

#endif

namespace hone::test {

AllocationScope::AllocationScope(const char* library) {
  void* frame = nullptr;
  backtrace(&frame, 1);  // the first one allocates
  watched_library = library;
  start_ = allocations.load();
  freed_ = frees.load();
  watched_ = watched_allocations.load();
}

AllocationScope::~AllocationScope() { watched_library = nullptr; }

int64_t AllocationScope::count() const { return allocations.load() - start_; }
int64_t AllocationScope::unfreed() const { return count() - (frees.load() - freed_); }
int64_t AllocationScope::from_library() const { return watched_allocations.load() - watched_; }

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
