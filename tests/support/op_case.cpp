#include "support/op_case.h"

#include <algorithm>
#include <cstring>

#include "backend/backend.h"
#include "backends/cpu/backend.h"
#include "backends/reference/backend.h"
#include "base/trim.h"
#include "ops/op_list.h"
#include "support/kernel_run.h"
#include "support/op_inference.h"

namespace hone::test {

CaseOperand random(DataType dtype, Extents dims, Generator generate) {
  return {.dtype = dtype, .dims = dims, .generate = std::move(generate), .tensor = {}};
}

CaseOperand given(Tensor tensor) {
  return {.dtype = tensor.dtype(), .dims = tensor.dims(), .generate = {}, .tensor = std::move(tensor)};
}

CaseOperand absent() { return {}; }

CaseOperand constant(CaseOperand operand) {
  operand.constant = true;
  return operand;
}

std::vector<TestedBackend> tested_backends() {
  return {
      {&reference::backend(), {.backend = "reference", .name = "any", .isa = "any", .threads = 1}},
      {&cpu::backend(), cpu::device_info(/*threads=*/2)},
  };
}

std::vector<Tensor> draw_inputs(const OpCase& op_case) {
  Random random(std::hash<std::string>()(op_case.op + "/" + op_case.name));
  std::vector<Tensor> inputs;
  for (const CaseOperand& operand : op_case.inputs) {
    inputs.push_back(operand.generate ? operand.generate(operand.dtype, operand.dims, random) : operand.tensor);
  }
  return inputs;
}

namespace {

// Flat position in an operand of shape `dims` that output position `index` (of shape `out`) reads.
size_t broadcast_position(const Extents& dims, const Extents& out, size_t index) {
  const Extents strides = row_major_strides(dims);
  size_t position = 0, rest = index;
  for (size_t axis = out.size(); axis-- > 0;) {
    const size_t at = rest % static_cast<size_t>(out[axis]);
    rest /= static_cast<size_t>(out[axis]);
    const size_t missing = out.size() - dims.size();
    if (axis >= missing && dims[axis - missing] != 1) position += at * static_cast<size_t>(strides[axis - missing]);
  }
  return position;
}

Extents broadcast_dims(std::span<const Tensor> inputs) {
  size_t rank = 0;
  for (const Tensor& input : inputs) rank = std::max(rank, input.dims().size());
  Extents out = Extents::filled(rank, 1);
  for (const Tensor& input : inputs) {
    const size_t missing = rank - input.dims().size();
    for (size_t i = 0; i < input.dims().size(); ++i) {
      if (input.dims()[i] != 1) out[missing + i] = input.dims()[i];
    }
  }
  return out;
}

}  // namespace

Independent elementwise(std::function<double(std::span<const double>)> f, DataType dtype) {
  return [f = std::move(f), dtype](std::span<const Tensor> inputs) {
    std::vector<Tensor> present;
    for (const Tensor& input : inputs) {
      if (input.defined()) present.push_back(input);
    }
    const Extents dims = broadcast_dims(present);
    std::vector<std::vector<double>> values;
    for (const Tensor& input : present) values.push_back(to_doubles(input));
    std::vector<double> out(static_cast<size_t>(count_of(dims))), operands(present.size());
    for (size_t i = 0; i < out.size(); ++i) {
      for (size_t k = 0; k < present.size(); ++k) {
        operands[k] = values[k][broadcast_position(present[k].dims(), dims, i)];
      }
      out[i] = f(operands);
    }
    return std::vector<Tensor>{
        tensor_from_doubles(dtype == DataType::kUndefined ? present[0].dtype() : dtype, dims, out)};
  };
}

namespace {

std::string describe(const OpCase& op_case) {
  std::string text = op_case.op + "(";
  for (size_t i = 0; i < op_case.inputs.size(); ++i) {
    const CaseOperand& operand = op_case.inputs[i];
    text += i == 0 ? "" : ", ";
    text += operand.dtype == DataType::kUndefined ? "-" : std::string(name_of(operand.dtype)) + to_string(operand.dims);
  }
  return text + ") \"" + op_case.name + "\"";
}

// A case on its way through the checks.
struct Trial {
  const OpCase& spec;
  OpPtr op;
  std::vector<Tensor> inputs;
  CaseTypes types;
  std::vector<TensorType> largest;  // the outputs' types, counted dimensions at their bounds

  Tolerance tolerance(size_t output, const std::optional<Tolerance>& chosen) const {
    const DataType dtype = types.outputs[output].dtype;
    return is_floating(dtype) ? chosen.value_or(default_tolerance(dtype)) : Tolerance{};
  }
};

// How a kernel is built.
struct Build {
  bool symbolic = false;      // dimensions in the problem are symbols
  bool with_weights = false;  // it sees the contents of constant operands
};

Problem make_problem(const Trial& trial, const Build& build, int threads) {
  Problem problem{.op = trial.op, .body = trial.spec.body, .inputs = {}, .outputs = {}, .threads = threads};
  SymbolId next = 0;
  const auto add = [&](std::vector<ProblemOperand>& list, TensorType type, bool is_weight) {
    if (build.symbolic && !is_weight) {
      for (Dim& dim : type.shape) dim = Dim::symbol(next++, /*nonnegative=*/true);
    }
    list.push_back({.present = type.dtype != DataType::kUndefined, .type = std::move(type), .constant = is_weight});
  };
  for (size_t i = 0; i < trial.inputs.size(); ++i) {
    const Tensor& tensor = trial.inputs[i];
    add(problem.inputs, {tensor.dtype(), Shape(tensor.dims().begin(), tensor.dims().end())},
        build.with_weights && trial.spec.inputs[i].constant);
  }
  for (const TensorType& type : trial.largest) add(problem.outputs, type, false);
  return problem;
}

std::vector<TensorView> weights_of(const Trial& trial, const Build& build) {
  std::vector<TensorView> weights(trial.inputs.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    if (build.with_weights && trial.spec.inputs[i].constant) weights[i] = trial.inputs[i].view();
  }
  return weights;
}

// Cuts outputs to the sizes that the kernel counted.
std::vector<Tensor> true_outputs(const Trial& trial, const KernelRun& run) {
  for (size_t i = 0; i < run.counts.size(); ++i) {
    EXPECT_GE(run.counts[i], 0) << "count " << i << " isn't written";
    EXPECT_LE(run.counts[i], trial.types.count_bounds[i]) << "count " << i << " is above its bound";
    if (run.counts[i] < 0 || run.counts[i] > trial.types.count_bounds[i]) return {};
  }
  std::vector<Tensor> outputs;
  const std::vector<TensorType> types = trial.types.with_counts(run.counts);
  for (size_t i = 0; i < types.size(); ++i) {
    Extents dims;
    for (const Dim& dim : types[i].shape) dims.push_back(dim.value());
    Result<Tensor> tensor = Tensor::make(types[i].dtype, dims);
    if (!tensor.ok()) return {};
    trim(run.outputs[i].view(), dims);
    if (tensor->bytes() != 0) std::memcpy(tensor->mutable_data(), run.outputs[i].data(), tensor->bytes());
    outputs.push_back(*std::move(tensor));
  }
  return outputs;
}

// Runs and checks what holds for every kernel; the outputs, or nothing after a failure (reported here).
std::vector<Tensor> run_checked(const Trial& trial, const Kernel& kernel, const RunSettings& settings,
                                bool may_allocate) {
  const KernelRun run = run_kernel(kernel, trial.inputs, trial.largest, trial.types.count_bounds.size(), settings);
  EXPECT_EQ(run.damage, "") << "was overwritten";
  if (!trial.spec.fails.empty()) {
    EXPECT_FALSE(run.status.ok()) << "run() should fail with a message about: " << trial.spec.fails;
    return {};
  }
  EXPECT_TRUE(run.status.ok()) << run.status.message();
  if (!run.status.ok()) return {};
  // The first run on a new number of threads starts them.
  if (settings.threads == 1 && !may_allocate) {
    EXPECT_EQ(run.allocations, 0) << "allocations in run()";
  }
  return true_outputs(trial, run);
}

constexpr RunSettings kPlain = {.threads = 1, .poison = std::byte{0xff}, .shift_elements = 0};
// What an output's element keeps from here differs from what it keeps from kPlain.
constexpr RunSettings kThreadedAndShifted = {.threads = 2, .poison = std::byte{0x5a}, .shift_elements = 1};

Result<std::unique_ptr<Kernel>> build_reference(const Trial& trial) {
  const Problem problem = make_problem(trial, {}, 1);
  const TestedBackend backend = tested_backends().front();
  const CandidateList list = find_candidates(*backend.backend, problem, backend.device);
  if (list.candidates.empty()) {
    return unsupported(list.refusals.empty() ? "the reference has no kernel" : list.refusals[0].reason);
  }
  const std::vector<TensorView> weights(trial.inputs.size());
  return list.candidates[0].def->create(problem, list.candidates[0].config, weights);
}

void check_expectations(const Trial& trial, const std::vector<Tensor>& outputs) {
  std::vector<std::vector<Tensor>> wanted = {trial.spec.expected};
  if (trial.spec.independent) wanted.push_back(trial.spec.independent(trial.inputs));
  for (const std::vector<Tensor>& expected : wanted) {
    ASSERT_LE(expected.size(), outputs.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      if (!expected[i].defined()) continue;
      EXPECT_TRUE(tensors_close(outputs[i], expected[i], trial.tolerance(i, trial.spec.tolerance)))
          << "output " << i << " of the reference";
    }
  }
}

constexpr int64_t kMostSamples = 4096;

void check_sample(const Trial& trial, const Kernel& kernel, const Tensor& output) {
  if (output.count() == 0 || !trial.types.count_bounds.empty()) return;
  Random random(7);
  std::vector<int64_t> positions;
  const bool all = output.count() <= kMostSamples;
  for (int64_t i = 0; i < std::min(output.count(), kMostSamples); ++i) {
    positions.push_back(all ? i : random.integer(0, output.count() - 1));
  }
  positions.front() = 0;
  positions.back() = output.count() - 1;
  std::vector<double> sampled(positions.size());
  std::vector<TensorView> views, outputs;
  for (const Tensor& input : trial.inputs) views.push_back(input.view());
  for (size_t i = 0; i < trial.largest.size(); ++i) {
    Extents dims;
    for (const Dim& dim : trial.largest[i].shape) dims.push_back(dim.value());
    outputs.push_back({nullptr, trial.largest[i].dtype, dims});
  }
  DeviceContext device;
  std::vector<std::byte> workspace(kernel.workspace_bytes({.inputs = views, .outputs = outputs, .device = &device}));
  const KernelArgs args{.inputs = views, .outputs = outputs, .workspace = workspace.data(), .device = &device};
  const Status status = kernel.sample(args, positions, sampled);
  if (status.code() == Code::kUnsupported) return;
  ASSERT_TRUE(status.ok()) << status.message();
  const std::vector<double> full = to_doubles(output);
  std::vector<double> picked;
  for (const int64_t position : positions) picked.push_back(full[static_cast<size_t>(position)]);
  const Extents dims = {static_cast<int64_t>(positions.size())};
  EXPECT_TRUE(tensors_close(tensor_from_doubles(output.dtype(), dims, sampled),
                            tensor_from_doubles(output.dtype(), dims, picked),
                            trial.tolerance(0, trial.spec.tolerance)))
      << "sample() against run()";
}

// The reference's outputs, checked; nothing after a failure.
std::vector<Tensor> check_reference(const Trial& trial) {
  SCOPED_TRACE("reference");
  const Result<std::unique_ptr<Kernel>> kernel = build_reference(trial);
  EXPECT_TRUE(kernel.ok()) << kernel.status().message();
  if (!kernel.ok()) return {};
  if (!trial.spec.fails.empty()) {
    const KernelRun run = run_kernel(**kernel, trial.inputs, trial.largest, trial.types.count_bounds.size(), kPlain);
    EXPECT_NE(run.status.message().find(trial.spec.fails), std::string::npos)
        << "run() should fail with '" << trial.spec.fails << "' but said: " << run.status.message();
    EXPECT_EQ(run.damage, "") << "was overwritten";
    return {};
  }
  const std::vector<Tensor> outputs = run_checked(trial, **kernel, kPlain, /*may_allocate=*/false);
  const std::vector<Tensor> again = run_checked(trial, **kernel, kThreadedAndShifted, /*may_allocate=*/false);
  if (outputs.empty() || again.empty()) return {};
  for (size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_TRUE(tensors_identical(again[i], outputs[i]))
        << "output " << i << ": two threads, another alignment and other memory contents change the result";
  }
  check_expectations(trial, outputs);
  check_sample(trial, **kernel, outputs[0]);
  if (trial.spec.body == nullptr) check_inference(*trial.op, trial.inputs, outputs);
  return outputs;
}

void check_kernel(const Trial& trial, const KernelDef& def, const Config& config, const Problem& problem,
                  const std::vector<TensorView>& weights, const std::vector<Tensor>& expected) {
  SCOPED_TRACE(def.name);
  const Result<std::unique_ptr<Kernel>> kernel = def.create(problem, config, weights);
  ASSERT_TRUE(kernel.ok()) << kernel.status().message();
  for (const RunSettings& settings : {kPlain, kThreadedAndShifted}) {
    const std::vector<Tensor> outputs = run_checked(trial, **kernel, settings, /*may_allocate=*/true);
    ASSERT_EQ(outputs.size(), expected.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto& chosen = trial.spec.backend_tolerance ? trial.spec.backend_tolerance : trial.spec.tolerance;
      EXPECT_TRUE(tensors_close(outputs[i], expected[i], trial.tolerance(i, chosen)))
          << "output " << i << " against the reference, threads " << settings.threads;
    }
  }
}

void check_backend(const Trial& trial, const TestedBackend& backend, const Build& build,
                   const std::vector<Tensor>& expected, std::vector<std::string>& served) {
  const Problem problem = make_problem(trial, build, backend.device.threads);
  const std::vector<TensorView> weights = weights_of(trial, build);
  for (const Candidate& candidate : find_candidates(*backend.backend, problem, backend.device).candidates) {
    if (build.symbolic && candidate.def->shapes == ShapeSupport::kFixed) continue;
    served.push_back(candidate.def->name);
    check_kernel(trial, *candidate.def, candidate.config, problem, weights, expected);
  }
}

void check_other_backends(const Trial& trial, const std::vector<Tensor>& expected) {
  const std::vector<TestedBackend> backends = tested_backends();
  bool has_weights = false;
  for (const CaseOperand& operand : trial.spec.inputs) has_weights |= operand.constant;
  std::vector<std::string> served;
  for (size_t i = 1; i < backends.size(); ++i) {
    for (const bool symbolic : {false, true}) {
      check_backend(trial, backends[i], {.symbolic = symbolic}, expected, served);
      if (has_weights) {
        check_backend(trial, backends[i], {.symbolic = symbolic, .with_weights = true}, expected, served);
      }
    }
  }
  for (const std::string& name : trial.spec.served_by) {
    EXPECT_NE(std::find(served.begin(), served.end(), name), served.end()) << name << " refuses this case";
  }
}

}  // namespace

void check_case(const OpCase& op_case) {
  SCOPED_TRACE(describe(op_case));
  Result<OpPtr> op = make_op(op_case.op, op_case.attributes);
  if (!op.ok()) {
    ASSERT_FALSE(op_case.refused.empty()) << op.status().message();
    EXPECT_NE(op.status().message().find(op_case.refused), std::string::npos) << op.status().message();
    return;
  }
  Trial trial{.spec = op_case, .op = *std::move(op), .inputs = draw_inputs(op_case), .types = {}, .largest = {}};
  Result<CaseTypes> types = infer_case(*trial.op, op_case.body.get(), trial.inputs, op_case.num_outputs);
  if (!op_case.refused.empty()) {
    ASSERT_FALSE(types.ok()) << "should be refused with a message about: " << op_case.refused;
    EXPECT_NE(types.status().message().find(op_case.refused), std::string::npos) << types.status().message();
    return;
  }
  ASSERT_TRUE(types.ok()) << types.status().message();
  trial.types = *std::move(types);
  trial.largest = trial.types.with_counts(trial.types.count_bounds);
  const std::vector<Tensor> outputs = check_reference(trial);
  if (outputs.empty() && op_case.fails.empty()) return;
  if (!op_case.reference_only) check_other_backends(trial, outputs);
}

void check_cases(const std::vector<OpCase>& cases) {
  for (const OpCase& op_case : cases) check_case(op_case);
}

}  // namespace hone::test
