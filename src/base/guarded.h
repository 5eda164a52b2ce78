// Keeps exceptions of the standard library (out of memory, above all) inside the public functions.
#pragma once

#include <exception>
#include <new>
#include <utility>

#include "hone/status.h"

namespace hone {

// f(), which returns a Status or a Result; an exception becomes an error of that type.
template <class F>
auto guarded(F&& f) noexcept -> decltype(std::forward<F>(f)()) {
  try {
    return std::forward<F>(f)();
  } catch (const std::bad_alloc&) {
    return Status(Code::kResource, "out of memory");
  } catch (const std::exception& error) {
    try {
      return Status(Code::kRuntime, std::string("unexpected: ") + error.what());
    } catch (...) {
    }
  } catch (...) {
  }
  return Status(Code::kRuntime, "unexpected");
}

}  // namespace hone
