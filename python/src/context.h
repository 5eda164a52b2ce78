// hone.Context: one caller's run of an engine, step by step.
#pragma once

#include <nanobind/nanobind.h>

#include <map>
#include <string>
#include <vector>

#include "arrays.h"
#include "hone/engine.h"

namespace hone::python {

// Lives under the GIL, which prepare() and run() release. What other threads do with it meanwhile is refused with the
// error of ExecutionContext. Keeps the engine's state and the bound arrays alive.
class PyContext {
 public:
  explicit PyContext(const Engine& engine);

  void set_profile(int profile);
  int profile() const { return context_.profile(); }
  void set_input_shape(const std::string& name, nanobind::handle dims);
  void set_input_value(const std::string& name, nanobind::handle value);
  void set_tensor(const std::string& name, nanobind::handle value);
  void set_address(const std::string& name, uintptr_t address);
  void clear_tensor(const std::string& name);
  void prepare();
  void run();
  nanobind::tuple shape(const std::string& name) const;
  std::vector<std::string> missing_inputs() const;
  nanobind::object output(const std::string& name) const;
  void enable_profiling(bool on);
  std::vector<LayerTime> last_profile() const;
  int64_t memory_bytes() const;

 private:
  const Binding& find(const std::string& name);
  void check_idle() const;

  Engine engine_;
  ExecutionContext context_;
  std::map<std::string, nanobind::object> bound_;
  int inside_ = 0;  // threads in prepare() or run()
};

}  // namespace hone::python
