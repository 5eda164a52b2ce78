// The module hone._hone: python/hone/_hone.pyi describes what it holds.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "arrays.h"
#include "build.h"
#include "context.h"
#include "engine.h"
#include "errors.h"
#include "gil.h"
#include "hone/file.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace hone::python {

namespace {

template <class T>
using Self = nb::pointer_and_handle<T>;

// f(*self) with a reference of its own: an interpreter that shuts down drops those of its threads, whatever they run.
template <class T, class F>
auto kept(Self<T> self, F f) {
  const nb::object reference = nb::borrow(self.h);
  return f(*self.p);
}

nb::tuple tuple_of(const std::vector<int64_t>& values) {
  nb::list list;
  for (const int64_t value : values) list.append(value);
  return nb::tuple(list);
}

nb::object dtype_of_name(const std::string& name) {
  const std::optional<DataType> type = data_type_from_name(name);
  if (!type) raise(invalid_argument("there is no type of elements named '" + name + "'"));
  return numpy_dtype(*type);
}

nb::list bindings_of(const Engine& engine, bool inputs, bool outputs) {
  nb::list list;
  for (const Binding& binding : engine.bindings()) {
    if (binding.is_input ? inputs : outputs) list.append(nb::cast(binding));
  }
  return list;
}

nb::object profile_range(const PyEngine& self, int profile, const std::string& name) {
  const std::optional<ShapeRange> range = self.engine().profile_range(profile, name);
  if (!range) return nb::none();
  return nb::make_tuple(tuple_of(range->min), tuple_of(range->opt), tuple_of(range->max));
}

nb::bytes serialize(const PyEngine& self) {
  const std::span<const std::byte> bytes = self.engine().bytes();
  return nb::bytes(bytes.data(), bytes.size());
}

void save(const PyEngine& self, nb::handle path) {
  const std::string file = path_text(path);
  const Engine engine = self.engine();
  Status status;
  {
    const ReleasedGil released;
    status = write_file_atomically(file, engine.bytes());
  }
  check(status);
}

std::unique_ptr<PyEngine> build_with(nb::handle model, nb::handle path, const std::vector<Ranges>& profiles, bool tune,
                                     int threads, const std::string& device,
                                     const std::map<std::string, std::string>& metadata, const std::string& base_dir,
                                     const nb::object& log, const nb::object& progress) {
  return build(model, path, {profiles, tune, threads, device, metadata, base_dir, log, progress});
}

void bind_values(nb::module_& module) {
  nb::class_<Binding>(module, "Binding")
      .def_ro("name", &Binding::name)
      .def_ro("is_input", &Binding::is_input)
      .def_prop_ro("dtype", [](const Binding& self) { return std::string(name_of(self.dtype)); })
      .def_prop_ro("shape", [](const Binding& self) { return tuple_of(self.shape); })
      .def_prop_ro("dim_names", [](const Binding& self) { return self.dim_names; })
      .def_ro("is_shape_value", &Binding::is_shape_value)
      .def("__repr__", [](const Binding& self) {
        return "<hone.Binding '" + self.name + "' " + std::string(name_of(self.dtype)) + to_string(self.shape) + ">";
      });
  nb::class_<LayerInfo>(module, "LayerInfo")
      .def_ro("name", &LayerInfo::name)
      .def_ro("op", &LayerInfo::op)
      .def_ro("kernel", &LayerInfo::kernel)
      .def_ro("backend", &LayerInfo::backend)
      .def_prop_ro("outputs", [](const LayerInfo& self) { return self.outputs; })
      .def_ro("weight_bytes", &LayerInfo::weight_bytes)
      .def_ro("shape_stage", &LayerInfo::shape_stage)
      .def("__repr__", [](const LayerInfo& self) {
        return "<hone.LayerInfo '" + self.name + "' " + self.op + " " + self.kernel + ">";
      });
  nb::class_<LayerTime>(module, "LayerTime")
      .def_ro("name", &LayerTime::name)
      .def_ro("op", &LayerTime::op)
      .def_ro("kernel", &LayerTime::kernel)
      .def_ro("time_us", &LayerTime::time_us)
      .def("__repr__", [](const LayerTime& self) {
        return "<hone.LayerTime '" + self.name + "' " + std::to_string(self.time_us) + " us>";
      });
}

void bind_context(nb::module_& module) {
  nb::class_<PyContext>(module, "Context")
      .def("set_profile", &PyContext::set_profile, "profile"_a)
      .def_prop_ro("profile", &PyContext::profile)
      .def("set_input_shape", &PyContext::set_input_shape, "name"_a, "dims"_a)
      .def("set_input_value", &PyContext::set_input_value, "name"_a, "value"_a)
      .def("set_tensor", &PyContext::set_tensor, "name"_a, "array"_a)
      .def("set_address", &PyContext::set_address, "name"_a, "address"_a)
      .def("clear_tensor", &PyContext::clear_tensor, "name"_a)
      .def("prepare", [](Self<PyContext> self) { kept(self, [](PyContext& context) { context.prepare(); }); })
      .def("run", [](Self<PyContext> self) { kept(self, [](PyContext& context) { context.run(); }); })
      .def("shape", &PyContext::shape, "name"_a)
      .def("missing_inputs", &PyContext::missing_inputs)
      .def("output", &PyContext::output, "name"_a)
      .def("enable_profiling", &PyContext::enable_profiling, "on"_a)
      .def("last_profile", &PyContext::last_profile)
      .def_prop_ro("memory_bytes", &PyContext::memory_bytes);
}

void bind_engine(nb::module_& module) {
  nb::class_<PyEngine>(module, "Engine")
      .def_prop_ro("bindings", [](const PyEngine& self) { return bindings_of(self.engine(), true, true); })
      .def_prop_ro("inputs", [](const PyEngine& self) { return bindings_of(self.engine(), true, false); })
      .def_prop_ro("outputs", [](const PyEngine& self) { return bindings_of(self.engine(), false, true); })
      .def_prop_ro("num_profiles", [](const PyEngine& self) { return self.engine().num_profiles(); })
      .def_prop_ro("metadata", [](const PyEngine& self) { return self.engine().metadata(); })
      .def_prop_ro("weight_bytes", [](const PyEngine& self) { return self.engine().weight_bytes(); })
      .def_prop_ro("target", [](const PyEngine& self) { return self.engine().target(); })
      .def_prop_ro("graph_text", [](const PyEngine& self) { return self.engine().graph_text(); })
      .def_prop_ro("report", &PyEngine::report)
      .def("profile_range", &profile_range, "profile"_a, "name"_a)
      .def(
          "layers", [](const PyEngine& self, int profile) { return self.engine().layers(profile); }, "profile"_a = 0)
      .def("create_context", [](const PyEngine& self) { return std::make_unique<PyContext>(self.engine()); })
      .def("serialize", &serialize)
      .def("save", &save, "path"_a)
      .def("__call__", [](Self<PyEngine> self, const nb::args& args) {
        return kept(self, [&](PyEngine& engine) { return engine.call(args); });
      });
}

NB_MODULE(_hone, module) {
  nb::set_leak_warnings(false);  // a program may end with an engine in a reference cycle
  import_numpy();
  module.attr("__version__") = HONE_VERSION;
  bind_values(module);
  bind_context(module);
  bind_engine(module);
  module.def("build", &build_with, "model"_a, "path"_a.none(), "profiles"_a, "tune"_a, "threads"_a, "device"_a,
             "metadata"_a, "base_dir"_a, "log"_a.none(), "progress"_a.none());
  module.def("load", &load, "source"_a, "threads"_a, "log"_a.none());
  module.def("open_model", &open_model, "path"_a, "tune"_a, "threads"_a, "use_cache"_a, "log"_a.none(),
             "progress"_a.none());
  module.def("numpy_dtype", &dtype_of_name, "name"_a);
}

}  // namespace

}  // namespace hone::python
