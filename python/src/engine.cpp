#include "engine.h"

#include <utility>

#include "errors.h"
#include "gil.h"

namespace nb = nanobind;

namespace hone::python {

// Takes an idle context, or a new one, and gives it back.
class PyEngine::Lease {
 public:
  explicit Lease(PyEngine& engine) : engine_(engine) {
    if (engine.idle_.empty()) {
      slot_.reset(new Slot{value_of(engine.engine_.create_context()), {}, {}});
    } else {
      slot_ = std::move(engine.idle_.back());
      engine.idle_.pop_back();
    }
  }
  // The arrays of this call may die now; nothing of them stays bound.
  ~Lease() {
    for (const std::vector<Binding>* bindings : {&engine_.inputs_, &engine_.outputs_}) {
      for (const Binding& binding : *bindings) (void)slot_->context.clear_tensor(binding.name);
    }
    engine_.idle_.push_back(std::move(slot_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Slot& slot() { return *slot_; }

 private:
  PyEngine& engine_;
  std::unique_ptr<Slot> slot_;
};

PyEngine::PyEngine(Engine engine, std::string report) : engine_(std::move(engine)), report_(std::move(report)) {
  for (const Binding& binding : engine_.bindings()) {
    (binding.is_input ? inputs_ : outputs_).push_back(binding);
    (binding.is_input ? input_keys_ : output_keys_).push_back(nb::str(binding.name.data(), binding.name.size()));
    has_shape_values_ = has_shape_values_ || binding.is_shape_value;
  }
}

nb::dict PyEngine::call(const nb::args& args) {
  const std::vector<nb::object> values = match(args);
  Lease lease(*this);
  Slot& slot = lease.slot();
  const std::vector<Array> inputs = bind_inputs(slot, values);
  if (!slot.prepared || has_shape_values_) prepare(slot);
  std::vector<Array> outputs = bind_outputs(slot);
  Status status;
  {
    const ReleasedGil released;
    status = slot.context.run();
  }
  check(status);
  return results(slot, std::move(outputs));
}

std::string PyEngine::inputs_text() const {
  std::string text;
  for (const Binding& input : inputs_) {
    std::string dims;
    for (const std::string& dim : input.dim_names) dims += (dims.empty() ? "" : ",") + dim;
    text += (text.empty() ? "'" : ", '") + input.name + "' " + std::string(name_of(input.dtype)) + "[" + dims + "]";
  }
  return text.empty() ? "none" : text;
}

// One value for each input, in the order of the bindings.
std::vector<nb::object> PyEngine::match(const nb::args& args) const {
  std::vector<nb::object> values;
  if (args.size() == 1 && PyDict_Check(args[0].ptr())) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      PyObject* value = PyDict_GetItemWithError(args[0].ptr(), input_keys_[i].ptr());
      if (value == nullptr) {
        raise(invalid_argument("input '" + inputs_[i].name + "' is missing; the inputs are " + inputs_text()));
      }
      values.push_back(nb::borrow(value));
    }
    if (static_cast<size_t>(PyDict_GET_SIZE(args[0].ptr())) == inputs_.size()) return values;
    for (const auto& [key, value] : nb::borrow<nb::dict>(args[0])) {
      const std::string name = nb::str(key).c_str();
      const Binding* binding = engine_.find_binding(name);
      if (binding != nullptr && binding->is_input) continue;
      raise(invalid_argument("there is no input named '" + name + "'; the inputs are " + inputs_text()));
    }
  }
  for (const nb::handle value : args) values.push_back(nb::borrow(value));
  if (values.size() == inputs_.size()) return values;
  raise(invalid_argument(std::to_string(values.size()) + " inputs are given; the engine takes " +
                         std::to_string(inputs_.size()) + ": " + inputs_text()));
}

std::vector<Array> PyEngine::bind_inputs(Slot& slot, const std::vector<nb::object>& values) const {
  std::vector<Array> arrays;
  arrays.reserve(inputs_.size());
  slot.inputs.resize(inputs_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Binding& input = inputs_[i];
    const Array& array = arrays.emplace_back(input_array(values[i], input.name, input.dtype));
    if (array.view.dims != slot.inputs[i]) slot.prepared = false;
    check(input.is_shape_value ? slot.context.set_input_value(input.name, array.view)
                               : slot.context.set_tensor(input.name, array.view));
    slot.inputs[i] = array.view.dims;
  }
  return arrays;
}

void PyEngine::prepare(Slot& slot) const {
  slot.prepared = false;
  Status status;
  {
    const ReleasedGil released;
    status = slot.context.prepare();
  }
  check(status);
  slot.outputs.assign(outputs_.size(), std::nullopt);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const std::vector<int64_t> dims = value_of(slot.context.shape(outputs_[i].name));
    const bool known = std::all_of(dims.begin(), dims.end(), [](int64_t dim) { return dim >= 0; });
    if (known) slot.outputs[i] = Extents(dims);
  }
  slot.prepared = true;
}

std::vector<Array> PyEngine::bind_outputs(Slot& slot) const {
  std::vector<Array> arrays(outputs_.size());
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!slot.outputs[i]) continue;
    arrays[i] = new_array(outputs_[i].dtype, *slot.outputs[i]);
    check(slot.context.set_tensor(outputs_[i].name, arrays[i].view));
  }
  return arrays;
}

nb::dict PyEngine::results(Slot& slot, std::vector<Array> arrays) const {
  nb::dict results;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const TensorView view = value_of(slot.context.output(outputs_[i].name));
    const bool in_place = arrays[i].view.present() && view.data == arrays[i].view.data;
    results[output_keys_[i]] = in_place ? arrays[i].object : copied_array(view).object;
  }
  return results;
}

}  // namespace hone::python
