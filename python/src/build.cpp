#include "build.h"

#include <nanobind/stl/string.h>

#include <functional>
#include <optional>
#include <utility>

#include "errors.h"
#include "gil.h"
#include "pipelines/common/engine_cache.h"

namespace nb = nanobind;

namespace hone::python {

namespace {

// The bytes of an object with the buffer protocol, for as long as this lives.
class Buffer {
 public:
  explicit Buffer(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_SIMPLE) != 0) throw nb::python_error();
  }
  ~Buffer() { PyBuffer_Release(&buffer_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(buffer_.buf), static_cast<size_t>(buffer_.len)};
  }

 private:
  Py_buffer buffer_{};
};

// Python functions called from a thread without the GIL. The first exception ends the calls and is kept.
class Callbacks {
 public:
  template <class... Args>
  void operator()(const nb::object& function, const Args&... args) {
    const HeldGil held;
    guarded([&] {
      const nb::tuple arguments = nb::make_tuple(args...);
      const auto call = [&] { return PyObject_CallObject(function.ptr(), arguments.ptr()); };
      if (!nb::steal(unless_ended(call)).is_valid()) throw nb::python_error();
    });
  }
  // Whether a call has failed, or a signal's handler now: Ctrl-C, if this is the main thread.
  bool failed() {
    const HeldGil held;
    guarded([] {
      if (unless_ended(PyErr_CheckSignals) != 0) throw nb::python_error();
    });
    return error_.has_value();
  }
  // Needs the GIL.
  void rethrow() {
    if (!error_) return;
    nb::python_error error = std::move(*error_);
    error_.reset();
    throw error;
  }

 private:
  template <class F>
  void guarded(F f) {
    if (error_) return;
    try {
      f();
    } catch (nb::python_error& error) {
      error_.emplace(std::move(error));
    }
  }

  std::optional<nb::python_error> error_;
};

void check_callable(const nb::object& function, const char* name) {
  if (!PyCallable_Check(function.ptr())) {
    raise(invalid_argument(std::string(name) + " is " + nb::repr(function).c_str() + ", which can't be called"));
  }
}

std::function<void(std::string_view)> log_function(Callbacks& callbacks, const nb::object& log) {
  if (log.is_none()) return nullptr;
  check_callable(log, "log");
  return [&callbacks, &log](std::string_view line) { callbacks(log, std::string(line)); };
}

std::function<void(const BuildProgress&)> progress_function(Callbacks& callbacks, const nb::object& progress) {
  if (progress.is_none()) return nullptr;
  check_callable(progress, "progress");
  return [&callbacks, &progress](const BuildProgress& now) { callbacks(progress, now.stage, now.done, now.total); };
}

BuildOptions options_of(const BuildArguments& arguments, Callbacks& callbacks) {
  BuildOptions options;
  options.device = arguments.device;
  options.tune = arguments.tune;
  options.threads = arguments.threads;
  options.metadata = arguments.metadata;
  options.log = log_function(callbacks, arguments.log);
  for (const Ranges& ranges : arguments.profiles) {
    ShapeProfile& profile = options.profiles.emplace_back();
    for (const auto& [name, range] : ranges) profile[name] = {range[0], range[1], range[2]};
  }
  options.progress = progress_function(callbacks, arguments.progress);
  options.cancelled = [&callbacks] { return callbacks.failed(); };
  return options;
}

// f() without the GIL; its result, or what went wrong in a callback or in f.
template <class F>
auto released(Callbacks& callbacks, F f) {
  auto result = [&] {
    const ReleasedGil released;
    return f();
  }();
  callbacks.rethrow();
  return value_of(std::move(result));
}

bool is_buffer(nb::handle object) { return PyObject_CheckBuffer(object.ptr()) != 0; }

}  // namespace

std::string path_text(nb::handle path) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &bytes) == 0) throw nb::python_error();
  const nb::object owner = nb::steal(bytes);
  return {PyBytes_AS_STRING(bytes), static_cast<size_t>(PyBytes_GET_SIZE(bytes))};
}

std::unique_ptr<PyEngine> build(nb::handle model, nb::handle path, const BuildArguments& arguments) {
  Callbacks callbacks;
  const BuildOptions options = options_of(arguments, callbacks);
  BuiltEngine built;
  if (is_buffer(model)) {
    const Buffer onnx(model);
    built = released(callbacks, [&] { return build_engine(onnx.bytes(), arguments.base_dir, options); });
  } else {
    const std::string file = path_text(model);
    built = released(callbacks, [&] { return build_engine(file, options); });
  }
  const std::string target = path.is_none() ? "" : path_text(path);
  Engine engine = released(callbacks, [&]() -> Result<Engine> {
    const EngineOptions engine_options{.threads = arguments.threads};
    if (target.empty()) return Engine::from_bytes(built.bytes, engine_options);
    HONE_TRY(built.save(target));
    return Engine::load(target, engine_options);
  });
  return std::make_unique<PyEngine>(std::move(engine), std::move(built.report.json));
}

std::unique_ptr<PyEngine> load(nb::handle source, int threads, const nb::object& log) {
  Callbacks callbacks;
  const auto log_line = log_function(callbacks, log);
  const EngineOptions options{.threads = threads};
  if (is_buffer(source)) {
    const Buffer file(source);
    return std::make_unique<PyEngine>(
        released(callbacks, [&] { return load_engine(file.bytes(), options, log_line); }));
  }
  const std::string path = path_text(source);
  return std::make_unique<PyEngine>(released(callbacks, [&] { return load_engine(path, options, log_line); }));
}

std::unique_ptr<PyEngine> open_model(nb::handle path, bool tune, int threads, bool use_cache, const nb::object& log,
                                     const nb::object& progress) {
  Callbacks callbacks;
  OpenOptions options{.threads = threads, .tune = tune, .use_cache = use_cache};
  options.log = log_function(callbacks, log);
  options.progress = progress_function(callbacks, progress);
  options.cancelled = [&callbacks] { return callbacks.failed(); };
  const std::string file = path_text(path);
  return std::make_unique<PyEngine>(released(callbacks, [&] { return open_engine(file, options); }));
}

}  // namespace hone::python
