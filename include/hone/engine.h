// Engine: a loaded model, shared by threads. ExecutionContext: one caller's run of it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hone/status.h"
#include "hone/tensor.h"
#include "hone/types.h"

namespace hone {

struct EngineState;
struct ContextState;

// One input or output of an engine.
struct Binding {
  std::string name;
  bool is_input = false;
  DataType dtype = DataType::kUndefined;
  std::vector<int64_t> shape;          // -1: decided when shapes are set, or by the data
  std::vector<std::string> dim_names;  // "N", "floordiv(H, 2)"; the number itself for fixed ones
  bool is_shape_value = false;         // an input whose contents decide shapes: give it by set_input_value()
};

// The allowed shapes of one input under one profile.
struct ShapeRange {
  std::vector<int64_t> min, opt, max;
};

// One step of an engine, for inspection.
struct LayerInfo {
  std::string name;                  // the node's name in the model
  std::string op;                    // "Conv"
  std::string kernel;                // "cpu.conv.onednn"
  std::string backend;               // "cpu"
  std::vector<std::string> outputs;  // "name float32[N,64,80,80]"
  int64_t weight_bytes = 0;
  bool shape_stage = false;  // runs when shapes are set, not in run()
};

struct EngineOptions {
  // CPU threads of each context; 0: as many as the process may use.
  int threads = 0;
};

class ExecutionContext;

// An immutable loaded engine. Cheap to copy (shares its state); threads may share it.
class Engine {
 public:
  // Loads a file written by Builder. Errors: kNotFound, kCorruptEngine, kIncompatibleEngine (another format, or no
  // part for this machine and no portable road; the message has the line that rebuilds it).
  static Result<Engine> load(const std::string& path, const EngineOptions& options = {});
  // The same from memory; the bytes are copied.
  static Result<Engine> from_bytes(std::span<const std::byte> bytes, const EngineOptions& options = {});

  // Inputs first, in the model's order.
  const std::vector<Binding>& bindings() const;
  // Null when there is none of that name.
  const Binding* find_binding(std::string_view name) const;
  // 0: a single open one, any shape goes.
  int num_profiles() const;
  // The range of an input's dimensions (of its elements, for shape values) under a profile; nothing for unknown names,
  // open profiles and inputs not listed.
  std::optional<ShapeRange> profile_range(int profile, std::string_view input) const;
  std::vector<LayerInfo> layers(int profile = 0) const;
  // The model's key-value pairs, plus "hone.*" about the build.
  const std::map<std::string, std::string>& metadata() const;
  int64_t weight_bytes() const;
  // The target it was built for, in words.
  std::string target() const;
  // Text of the canonical graph (the portable part).
  const std::string& graph_text() const;
  // The engine file as it was loaded; lives as long as the engine.
  std::span<const std::byte> bytes() const;

  Result<ExecutionContext> create_context() const;

 private:
  friend class ExecutionContext;
  std::shared_ptr<const EngineState> state_;
};

// What one run of one step took.
struct LayerTime {
  std::string name, op, kernel;
  double time_us = 0;
};

// One caller at a time: shapes, bound buffers and scratch memory. Use by two threads at once is detected and
// reported as an error. CPU teams belong to the thread that calls run(). The engine's state stays alive with it.
//
// Order of use: set_input_shape and set_input_value for whatever isn't fixed, set_tensor for inputs and for those
// outputs that should go to the caller's memory, run(), output(). Shapes stay set from run to run.
class ExecutionContext {
 public:
  ExecutionContext(ExecutionContext&&) noexcept;
  ExecutionContext& operator=(ExecutionContext&&) noexcept;
  ~ExecutionContext();

  // Which profile's plan runs; shapes are forgotten.
  Status set_profile(int profile);
  int profile() const;

  // Errors name the binding, what was given and what is allowed.
  Status set_input_shape(std::string_view name, std::span<const int64_t> dims);
  // Contents of an input that decides shapes; copied. Its shape is set with it.
  Status set_input_value(std::string_view name, const TensorView& value);
  // The caller's memory for an input or output: contiguous, 64-byte alignment not needed but element alignment
  // (kInvalidArgument otherwise). For an input, sets its shape too. For an output, `buffer.dims` must hold at least
  // as many elements as the result; nothing is copied. Stays bound until changed.
  Status set_tensor(std::string_view name, const TensorView& buffer);
  // Like set_tensor, without a shape: the size of the memory is the caller's promise (TensorRT's manner).
  Status set_address(std::string_view name, void* address);
  // Unbinds; an output then goes to memory of the context.
  Status clear_tensor(std::string_view name);

  // Computes all shapes, checks them against the model's constraints and the profile, plans and grows the memory.
  // run() does this when shapes changed since; call it first where run() must not allocate.
  Status prepare();
  // The current shape: of inputs as set, of outputs after prepare() (-1 where the data decides, until run()).
  Result<std::vector<int64_t>> shape(std::string_view name) const;
  // Names of inputs whose shape or value isn't set yet.
  std::vector<std::string> missing_inputs() const;

  // Runs the model. Errors: missing inputs, a failed requirement, an index out of range (the message names the node).
  // After an error outputs are undefined and the context stays usable.
  Status run();
  // The result of the last run: the caller's buffer or the context's memory (valid until the next run or prepare).
  Result<TensorView> output(std::string_view name) const;

  // Convenience: sets every input by name (shape values too), runs, copies the outputs into new tensors.
  Result<std::map<std::string, Tensor>> run(const std::map<std::string, Tensor>& inputs);

  // Times every step of the following runs.
  void enable_profiling(bool on);
  std::vector<LayerTime> last_profile() const;
  // Arena and grown memory of this context in bytes.
  int64_t memory_bytes() const;

 private:
  friend class Engine;
  explicit ExecutionContext(std::unique_ptr<ContextState> state);
  std::unique_ptr<ContextState> state_;
};

}  // namespace hone
