// trtexec's timed run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hone/engine.h"
#include "hone/status.h"
#include "hone/tensor.h"
#include "tools/hone/trtexec_report.h"

namespace hone::cli {

struct TimedInputs {
  std::map<std::string, Tensor> tensors;  // every input's
  // What to write for the open dimensions that nothing gave and that became 1: "--shapes=x:Ax4"; empty: none did.
  std::string advice;
};

// Shapes come from --shapes, else from the profile's optimum, else from an input of known shape that has a dimension of
// that name, else they are 1, which the log says. Contents come from --loadInputs (raw bytes hold what `generation`
// binds: below 10 int32 for int64), else floats are random in [-1, 1] and everything else is 0, legal as an index.
Result<TimedInputs> make_timed_inputs(const Engine& engine, const TrtexecOptions& options, int generation,
                                      const TrtexecLog& log);

// A prepared context with the caller's buffers beside it, as a user of TensorRT has them. The engine and `inputs` must
// outlive it.
class TimedRun {
 public:
  static Result<TimedRun> make(const Engine& engine, const std::map<std::string, Tensor>& inputs, int profile);

  // Warms up, then runs until both --iterations and --duration are reached, or a signal came. `transfers`: copies are
  // made and timed in each run.
  Result<Trace> time(const TrtexecOptions& options, bool transfers);
  // Profiled runs by the same rule, without copies.
  Result<std::vector<LayerSamples>> profile(const TrtexecOptions& options);
  // Copies of the last run's outputs. The tensors share this object's buffers.
  Result<std::vector<NamedTensor>> outputs();

  const ExecutionContext& context() const { return context_; }

 private:
  struct Buffer {
    std::string name;
    Tensor from;  // the caller's
    Tensor to;    // what the engine reads
  };
  explicit TimedRun(ExecutionContext context) : context_(std::move(context)) {}
  void copy_inputs();
  Status copy_outputs();

  ExecutionContext context_;
  std::vector<Buffer> inputs_;
  std::vector<std::string> output_names_;
  std::vector<std::vector<std::byte>> output_bytes_;
};

}  // namespace hone::cli
