// Status and Result as Python exceptions: the classes of hone._errors, one for each code.
#pragma once

#include <nanobind/nanobind.h>

#include "hone/status.h"

namespace hone::python {

// Throws the exception of the status' code with its message. Needs the GIL.
[[noreturn]] void raise(const Status& status);

inline void check(const Status& status) {
  if (!status.ok()) raise(status);
}

template <class T>
T value_of(Result<T> result) {
  if (!result.ok()) raise(result.status());
  return *std::move(result);
}

}  // namespace hone::python
