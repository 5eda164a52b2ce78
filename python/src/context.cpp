#include "context.h"

#include "errors.h"
#include "gil.h"

namespace nb = nanobind;

namespace hone::python {

namespace {

// f() without the GIL, counted in `inside`.
template <class F>
Status released(int& inside, F f) {
  ++inside;
  Status status;
  {
    const ReleasedGil released;
    status = f();
  }
  --inside;
  return status;
}

}  // namespace

PyContext::PyContext(const Engine& engine) : engine_(engine), context_(value_of(engine.create_context())) {}

// For what ExecutionContext doesn't guard itself.
void PyContext::check_idle() const {
  if (inside_ > 0)
    raise(runtime_error("the execution context is in use by another thread; create one context for each thread"));
}

const Binding& PyContext::find(const std::string& name) {
  const Binding* binding = engine_.find_binding(name);
  if (binding == nullptr) check(context_.clear_tensor(name));
  return *binding;
}

void PyContext::set_profile(int profile) { check(context_.set_profile(profile)); }

void PyContext::set_input_shape(const std::string& name, nb::handle dims) {
  check(context_.set_input_shape(name, dims_of(dims, name)));
}

void PyContext::set_input_value(const std::string& name, nb::handle value) {
  const Array array = input_array(value, name, find(name).dtype);
  check(context_.set_input_value(name, array.view));
  bound_.erase(name);
}

void PyContext::set_tensor(const std::string& name, nb::handle value) {
  const Binding& binding = find(name);
  Array array = binding.is_input ? input_array(value, name, binding.dtype) : output_array(value, name, binding.dtype);
  check(context_.set_tensor(name, array.view));
  bound_[name] = std::move(array.object);
}

void PyContext::set_address(const std::string& name, uintptr_t address) {
  check(context_.set_address(name, reinterpret_cast<void*>(address)));
  bound_.erase(name);
}

void PyContext::clear_tensor(const std::string& name) {
  check(context_.clear_tensor(name));
  bound_.erase(name);
}

void PyContext::prepare() {
  check(released(inside_, [&] { return context_.prepare(); }));
}

void PyContext::run() {
  check(released(inside_, [&] { return context_.run(); }));
}

nb::tuple PyContext::shape(const std::string& name) const {
  nb::list dims;
  for (const int64_t dim : value_of(context_.shape(name))) dims.append(dim);
  return nb::tuple(dims);
}

std::vector<std::string> PyContext::missing_inputs() const {
  check_idle();
  return context_.missing_inputs();
}

nb::object PyContext::output(const std::string& name) const {
  return copied_array(value_of(context_.output(name))).object;
}

void PyContext::enable_profiling(bool on) {
  check_idle();
  context_.enable_profiling(on);
}

std::vector<LayerTime> PyContext::last_profile() const {
  check_idle();
  return context_.last_profile();
}

int64_t PyContext::memory_bytes() const {
  check_idle();
  return context_.memory_bytes();
}

}  // namespace hone::python
