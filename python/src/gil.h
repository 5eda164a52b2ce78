// Leaving and taking the interpreter's lock, also from daemon threads while the interpreter shuts down.
//
// Python before 3.14 then ends a thread that wants the lock with pthread_exit(). Its unwinding would stop the process
// at the first noexcept function and free, without the lock, what other threads still use. Here such a thread sleeps
// until the process ends, as it does from 3.14 on.
#pragma once

#include <cxxabi.h>
#include <nanobind/nanobind.h>
#include <unistd.h>

namespace hone::python {

[[noreturn]] inline void sleep_for_ever() {
  for (;;) pause();
}

inline bool is_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

// f(), a function of Python's C interface that may give up the lock and take it again.
template <class F>
auto unless_ended(F f) {
  try {
    return f();
  } catch (const abi::__forced_unwind&) {
    sleep_for_ever();
  }
}

// The lock is free while this lives.
class ReleasedGil {
 public:
  ReleasedGil() : state_(PyEval_SaveThread()) {}
  ~ReleasedGil() {
    unless_ended([this] { PyEval_RestoreThread(state_); });
  }
  ReleasedGil(const ReleasedGil&) = delete;
  ReleasedGil& operator=(const ReleasedGil&) = delete;

 private:
  PyThreadState* state_;
};

// The calling thread, any one, has the lock while this lives.
class HeldGil {
 public:
  HeldGil() {
    if (is_finalizing()) sleep_for_ever();
    state_ = unless_ended([] { return PyGILState_Ensure(); });
  }
  ~HeldGil() { PyGILState_Release(state_); }
  HeldGil(const HeldGil&) = delete;
  HeldGil& operator=(const HeldGil&) = delete;

 private:
  PyGILState_STATE state_;
};

}  // namespace hone::python
