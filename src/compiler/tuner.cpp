#include "compiler/tuner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include "backend/backend.h"
#include "base/aligned_buffer.h"
#include "base/dispatch.h"
#include "compiler/lower.h"

namespace hone {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kNoise = 0.03;
constexpr size_t kSamples = 4096;
constexpr double kTimeBudgetUs = 30'000;  // per candidate
constexpr int kMaxRuns = 15;
// Above this many elements a full run of plain loops costs too much where the kernel can be sampled.
constexpr int64_t kSampleAbove = 1 << 16;

// Tolerances of agreement with the reference, relative to the output's largest magnitude.
double tolerance(DataType dtype) {
  switch (dtype) {
    case DataType::kFloat32: return 1e-4;
    case DataType::kFloat64: return 1e-9;
    case DataType::kFloat16: return 4e-3;
    case DataType::kBFloat16: return 3e-2;
    default: return 0;
  }
}

struct Choice {
  const Backend* backend;
  Candidate candidate;
};

// One step with concrete shapes and random inputs, on which candidates are tried.
struct Trial {
  Problem problem;
  std::vector<Tensor> tensors;  // inputs; undefined where absent
  std::vector<TensorView> inputs, constants;
  std::vector<Tensor> results;
  std::vector<TensorView> outputs;
  std::vector<int64_t> counts;
  AlignedBuffer workspace;
  DeviceContext device;
};

void fill_random(Tensor& tensor, std::mt19937& rng) {
  std::normal_distribution<float> normal;
  const Status status = visit_type(tensor.dtype(), AllTypes{}, [&]<class T>() {
    for (T& value : tensor.view().elements<T>()) {
      if constexpr (std::is_same_v<T, bool> || std::is_integral_v<T>) {
        value = static_cast<T>(rng() & 1);
      } else {
        value = static_cast<T>(normal(rng));
      }
    }
    return Status();
  });
  (void)status;
}

double value_at(const TensorView& view, int64_t i) {
  double value = 0;
  const Status status = visit_type(view.dtype, AllTypes{}, [&]<class T>() {
    value = static_cast<double>(view.as<T>()[i]);
    return Status();
  });
  (void)status;
  return value;
}

class Tuner {
 public:
  Tuner(Plan& plan, const TuneOptions& options) : plan_(plan), options_(options) {
    symbols_.assign(plan.symbols.size(), Dim::kUnbound);
    for (size_t i = 0; i < plan.symbols.size(); ++i) symbols_[i] = opt_value(plan.symbols[i]);
  }

  Status run() {
    std::map<std::string, std::vector<uint32_t>> problems;  // equal ones together, in plan order
    std::vector<std::string> order;
    for (uint32_t i = 0; i < plan_.steps.size(); ++i) {
      if (plan_.steps[i].kernel.empty() || plan_.steps[i].stage == Step::Stage::kShape) continue;
      const std::string key = key_of(plan_.steps[i]);
      if (key.empty()) continue;
      if (problems[key].empty()) order.push_back(key);
      problems[key].push_back(i);
    }
    for (size_t i = 0; i < order.size(); ++i) {
      if (options_.progress) {
        HONE_TRY(options_.progress(static_cast<int64_t>(i), static_cast<int64_t>(order.size())));
      }
      HONE_TRY(tune_steps(problems[order[i]]));
    }
    return {};
  }

 private:
  int64_t opt_value(const PlanSymbol& symbol) const {
    const bool element = symbol.kind == PlanSymbol::Kind::kHostValue;
    if (symbol.value < 0 || (!element && symbol.kind != PlanSymbol::Kind::kInputDim)) return Dim::kUnbound;
    const auto& ranges = element ? plan_.profile.values : plan_.profile.inputs;
    const auto it = ranges.find(plan_.values[static_cast<size_t>(symbol.value)].name);
    if (it == ranges.end() || symbol.index >= it->second.size()) return Dim::kUnbound;
    return it->second[symbol.index].opt;
  }

  bool concrete(ValueId id, Shape& shape) const {
    for (const Dim& dim : plan_.values[static_cast<size_t>(id)].type.shape) {
      const std::optional<int64_t> value = dim.eval(symbols_);
      if (!value) return false;
      shape.push_back(*value);
    }
    return true;
  }

  // Everything that decides the choice as text; empty when shapes aren't known.
  std::string key_of(const Step& step) const {
    std::string key(step.op->name());
    for (const auto& [name, value] : step.op->describe()) {
      key += ";" + name + "=";
      std::visit([&](const auto& v) { append(key, v); }, value);
    }
    const auto operand = [&](ValueId id) {
      key += "|";
      if (id < 0) return true;
      Shape shape;
      if (!concrete(id, shape)) return false;
      const PlanValue& value = plan_.values[static_cast<size_t>(id)];
      key += name_of(value.type.dtype);
      for (const Dim& dim : shape) key += "," + std::to_string(dim.value());
      if (plan_.storages[value.storage].kind == PlanStorage::Kind::kConstant) key += "c";
      return true;
    };
    const bool known = std::all_of(step.inputs.begin(), step.inputs.end(), operand) &&
                       std::all_of(step.outputs.begin(), step.outputs.end(), operand);
    return known ? key : "";
  }

  static void append(std::string& key, int64_t v) { key += std::to_string(v); }
  static void append(std::string& key, float v) { key += std::to_string(v); }
  static void append(std::string& key, const std::string& v) { key += v; }
  static void append(std::string& key, const Tensor& v) { key += to_string(v.dims()); }
  template <class T>
  static void append(std::string& key, const std::vector<T>& list) {
    for (const T& v : list) append(key += ",", v);
  }

  std::vector<Choice> candidates_of(const Problem& problem, std::vector<TuningRecord>& records) const {
    std::vector<Choice> found;
    for (const Backend* backend : options_.backends) {
      // Plain loops are the yardstick; they compete only where nothing else serves.
      if (backend == options_.backends.back() && !found.empty()) break;
      CandidateList list = find_candidates(*backend, problem, options_.device, options_.allocation_free);
      for (Candidate& candidate : list.candidates) found.push_back({backend, std::move(candidate)});
      for (const Refusal& refusal : list.refusals) records.push_back({0, refusal.def->name, 0, 0, refusal.reason});
    }
    return found;
  }

  Status tune_steps(const std::vector<uint32_t>& steps) {
    Trial trial;
    HONE_TRY(make_trial(plan_.steps[steps[0]], trial));
    std::vector<TuningRecord> records;
    const std::vector<Choice> candidates = candidates_of(trial.problem, records);
    std::vector<double> expected;
    std::vector<int64_t> positions;
    const bool judge = candidates.size() > 1 && expect(trial, positions, expected).ok();
    const Choice* best = nullptr;
    double best_us = 0;
    for (const Choice& candidate : candidates) {
      if (!judge) break;
      TuningRecord record{0, candidate.candidate.def->name, 0, 0, ""};
      const Status tried = try_candidate(trial, candidate, positions, expected, record);
      if (!tried.ok()) record.refusal = tried.message();
      if (tried.ok() && (best == nullptr || record.time_us < best_us * (1 - kNoise))) {
        best = &candidate;
        best_us = record.time_us;
      }
      records.push_back(std::move(record));
    }
    for (const uint32_t index : steps) {
      Step& step = plan_.steps[index];
      if (best != nullptr) {
        step.backend = best->backend->name;
        step.kernel = best->candidate.def->name;
        step.kernel_version = best->candidate.def->version;
        step.config = best->candidate.config;
      }
      for (TuningRecord record : records) {
        record.step = index;
        plan_.tuning.push_back(std::move(record));
      }
    }
    return {};
  }

  Status make_trial(const Step& step, Trial& trial) {
    std::mt19937 rng(7);
    trial.device.threads = options_.device.threads;
    trial.problem = plan_problem(plan_, step, options_.device.threads);
    const auto dims_of = [](const TensorType& type) {
      Extents dims;
      for (const Dim& dim : type.shape) dims.push_back(dim.value());
      return dims;
    };
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      ProblemOperand& operand = trial.problem.inputs[i];
      Tensor& tensor = trial.tensors.emplace_back();
      TensorView& constant = trial.constants.emplace_back();
      TensorView& view = trial.inputs.emplace_back();
      if (step.inputs[i] < 0) continue;
      operand.type.shape.clear();
      concrete(step.inputs[i], operand.type.shape);
      const PlanStorage& storage = plan_.storages[plan_.values[static_cast<size_t>(step.inputs[i])].storage];
      if (operand.constant) {
        const auto bytes = options_.weights(storage.index);
        constant = view = {const_cast<std::byte*>(bytes.data()), operand.type.dtype, dims_of(operand.type)};
        continue;
      }
      HONE_ASSIGN(tensor, Tensor::make(operand.type.dtype, dims_of(operand.type)));
      fill_random(tensor, rng);
      view = tensor.view();
    }
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      ProblemOperand& operand = trial.problem.outputs[i];
      operand.type.shape.clear();
      concrete(step.outputs[i], operand.type.shape);
      HONE_ASSIGN(Tensor tensor, Tensor::make(operand.type.dtype, dims_of(operand.type)));
      trial.outputs.push_back(tensor.view());
      trial.results.push_back(std::move(tensor));
    }
    trial.counts.assign(step.counted.size(), 0);
    return {};
  }

  // What the reference says about output 0: at sampled positions where it can, else everywhere.
  Status expect(Trial& trial, std::vector<int64_t>& positions, std::vector<double>& expected) const {
    const CandidateList list = find_candidates(*options_.backends.back(), trial.problem, options_.device);
    if (list.candidates.empty()) return unsupported("no reference");
    const Candidate& reference = list.candidates.front();
    HONE_ASSIGN(const auto kernel, reference.def->create(trial.problem, reference.config, trial.constants));
    const int64_t count = trial.outputs[0].count();
    if (count == 0) return unsupported("nothing to compare");
    KernelArgs args{trial.inputs, trial.outputs, nullptr, trial.counts, &trial.device};
    HONE_TRY(trial.workspace.reserve(kernel->workspace_bytes(args)));
    args.workspace = trial.workspace.data();
    choose_positions(count, positions);
    expected.resize(positions.size());
    if (count > kSampleAbove && kernel->sample(args, positions, expected).ok()) return {};
    HONE_TRY(kernel->run(args));
    for (size_t i = 0; i < positions.size(); ++i) expected[i] = value_at(trial.outputs[0], positions[i]);
    return {};
  }

  // Both ends and random places between.
  static void choose_positions(int64_t count, std::vector<int64_t>& positions) {
    std::mt19937_64 rng(11);
    for (int64_t i = 0; i < std::min<int64_t>(count, 64); ++i) {
      positions.push_back(i);
      positions.push_back(count - 1 - i);
    }
    while (positions.size() < kSamples) positions.push_back(static_cast<int64_t>(rng() % static_cast<uint64_t>(count)));
  }

  Status try_candidate(Trial& trial, const Choice& chosen, std::span<const int64_t> positions,
                       std::span<const double> expected, TuningRecord& record) const {
    const Candidate& candidate = chosen.candidate;
    HONE_ASSIGN(const auto kernel, candidate.def->create(trial.problem, candidate.config, trial.constants));
    KernelArgs args{trial.inputs, trial.outputs, nullptr, trial.counts, &trial.device};
    HONE_TRY(trial.workspace.reserve(kernel->workspace_bytes(args)));
    args.workspace = trial.workspace.data();
    std::memset(trial.results[0].mutable_data(), 0xa5, trial.results[0].bytes());
    HONE_TRY(kernel->run(args));
    double largest = 0, error = 0;
    for (size_t i = 0; i < positions.size(); ++i) {
      const double actual = value_at(trial.outputs[0], positions[i]);
      largest = std::max(largest, std::abs(expected[i]));
      if (std::isnan(actual) != std::isnan(expected[i])) error = INFINITY;
      if (!std::isnan(actual) && actual != expected[i]) error = std::max(error, std::abs(actual - expected[i]));
    }
    record.max_error = static_cast<float>(largest > 0 ? error / largest : error);
    if (!(record.max_error <= tolerance(trial.outputs[0].dtype))) {
      return runtime_error("wrong: differs from the reference by " + std::to_string(record.max_error));
    }
    std::vector<double> times;
    double total = 0;
    while (times.size() < kMaxRuns && (times.size() < 3 || total < kTimeBudgetUs)) {
      const Clock::time_point start = Clock::now();
      HONE_TRY(kernel->run(args));
      times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      total += times.back();
    }
    std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
    record.time_us = static_cast<float>(times[times.size() / 2]);
    return {};
  }

  Plan& plan_;
  const TuneOptions& options_;
  std::vector<int64_t> symbols_;
};

}  // namespace

Status tune(Plan& plan, const TuneOptions& options) { return Tuner(plan, options).run(); }

}  // namespace hone
