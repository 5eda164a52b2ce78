// hone.Engine: a loaded engine that can be called with arrays.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrays.h"
#include "hone/engine.h"

namespace hone::python {

// Lives under the GIL; call() releases it while the engine works, so that several threads may be inside. Each call
// takes a context of its own from a pool.
class PyEngine {
 public:
  explicit PyEngine(Engine engine, std::string report = "");
  PyEngine(const PyEngine&) = delete;
  PyEngine& operator=(const PyEngine&) = delete;

  const Engine& engine() const { return engine_; }
  // The build's report in JSON; empty for an engine that was loaded.
  const std::string& report() const { return report_; }
  // Inputs by name (one dict) or in the order of the bindings; the outputs by name, in fresh arrays.
  nanobind::dict call(const nanobind::args& args);

 private:
  // A context and what its last call found out.
  struct Slot {
    ExecutionContext context;
    std::vector<Extents> inputs;                  // shapes of the last prepare()
    std::vector<std::optional<Extents>> outputs;  // nothing where the data decides
    bool prepared = false;
  };
  class Lease;

  std::vector<nanobind::object> match(const nanobind::args& args) const;
  std::vector<Array> bind_inputs(Slot& slot, const std::vector<nanobind::object>& values) const;
  void prepare(Slot& slot) const;
  std::vector<Array> bind_outputs(Slot& slot) const;
  nanobind::dict results(Slot& slot, std::vector<Array> arrays) const;
  std::string inputs_text() const;

  Engine engine_;
  std::string report_;
  std::vector<Binding> inputs_, outputs_;
  std::vector<nanobind::object> input_keys_, output_keys_;  // the names as Python strings
  bool has_shape_values_ = false;
  std::vector<std::unique_ptr<Slot>> idle_;
};

}  // namespace hone::python
