#include "tools/hone/trtexec_run.h"

#include <cstring>
#include <thread>

#include "tools/hone/measure.h"
#include "tools/hone/options.h"
#include "tools/hone/shell.h"

namespace hone::cli {

namespace {

// Whether trtexec would stop: both limits are reached; a negative duration has no end.
bool reached(const TrtexecOptions& options, int64_t runs, double seconds) {
  return options.duration_s >= 0 && runs >= std::max<int64_t>(options.iterations, 1) && seconds >= options.duration_s;
}

}  // namespace

Result<TimedRun> TimedRun::make(const Engine& engine, const std::map<std::string, Tensor>& inputs, int profile) {
  std::map<std::string, Tensor> bound;
  std::vector<Buffer> buffers;
  for (const auto& [name, tensor] : inputs) {
    bound[name] = tensor;
    if (engine.find_binding(name)->is_shape_value) continue;
    HONE_ASSIGN(bound[name], Tensor::make(tensor.dtype(), tensor.dims()));
    buffers.push_back({name, tensor, bound[name]});
  }
  HONE_ASSIGN(ExecutionContext context, prepared_context(engine, profile, bound));
  TimedRun run(std::move(context));
  run.inputs_ = std::move(buffers);
  for (const Binding& binding : engine.bindings()) {
    if (!binding.is_input) run.output_names_.push_back(binding.name);
  }
  run.output_bytes_.resize(run.output_names_.size());
  run.copy_inputs();
  return run;
}

void TimedRun::copy_inputs() {
  for (Buffer& input : inputs_) std::memcpy(input.to.mutable_data(), input.from.data(), input.from.bytes());
}

Status TimedRun::copy_outputs() {
  for (size_t i = 0; i < output_names_.size(); ++i) {
    HONE_ASSIGN(const TensorView view, context_.output(output_names_[i]));
    if (view.dtype == DataType::kString) continue;
    output_bytes_[i].resize(view.bytes());
    if (view.bytes() > 0) std::memcpy(output_bytes_[i].data(), view.data, view.bytes());
  }
  return {};
}

Result<Trace> TimedRun::time(const TrtexecOptions& options, bool transfers) {
  const GracefulInterrupt graceful;
  Trace trace;
  const Clock::time_point start = Clock::now();
  const auto now_ms = [&] { return seconds_since(start) * 1e3; };
  double timed_from = 0;
  while (interrupted() == 0) {
    Query query;
    query.start_h2d = now_ms();
    if (transfers) copy_inputs();
    query.end_h2d = query.start_compute = transfers ? now_ms() : query.start_h2d;
    HONE_TRY(context_.run());
    query.end_compute = query.start_d2h = now_ms();
    if (transfers) HONE_TRY(copy_outputs());
    query.end_d2h = transfers ? now_ms() : query.start_d2h;
    if (query.start_h2d < options.warm_up_ms) {
      ++trace.warm_up_queries;
      trace.warm_up_ms = timed_from = query.end_d2h;
    } else {
      trace.queries.push_back(query);
    }
    const double timed_s = (query.end_d2h - timed_from) / 1e3;
    if (reached(options, static_cast<int64_t>(trace.queries.size()), timed_s)) break;
    if (options.idle_ms > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options.idle_ms));
  }
  return trace;
}

Result<std::vector<LayerSamples>> TimedRun::profile(const TrtexecOptions& options) {
  const GracefulInterrupt graceful;
  const Clock::time_point start = Clock::now();
  return profile_layers(context_, [&](int64_t runs) { return reached(options, runs, seconds_since(start)); });
}

Result<std::vector<NamedTensor>> TimedRun::outputs() {
  HONE_TRY(copy_outputs());
  std::vector<NamedTensor> outputs;
  for (size_t i = 0; i < output_names_.size(); ++i) {
    HONE_ASSIGN(const TensorView view, context_.output(output_names_[i]));
    if (view.dtype == DataType::kString) continue;
    outputs.push_back({output_names_[i], Tensor::share(view.dtype, view.dims, output_bytes_[i].data(), nullptr)});
  }
  return outputs;
}

}  // namespace hone::cli
