// The inputs of trtexec's timed run: which shapes, which contents.
#include <cstring>
#include <random>

#include "pipelines/common/files.h"
#include "tools/hone/inputs.h"
#include "tools/hone/text.h"
#include "tools/hone/trtexec_run.h"

namespace hone::cli {

namespace {

constexpr int64_t kMaxInputBytes = int64_t{1} << 36;

// Files that say themselves what they hold.
bool has_shape(const std::string& file) {
  return file.ends_with(".npy") || file.ends_with(".npz") || file.ends_with(".pb") ||
         file.find(".npz:") != std::string::npos;
}

template <class Wide, class Narrow>
void widen(std::span<const std::byte> bytes, Tensor& tensor) {
  auto* out = reinterpret_cast<Wide*>(tensor.mutable_data());
  for (int64_t i = 0; i < tensor.count(); ++i) {
    Narrow value;
    std::memcpy(&value, bytes.data() + static_cast<size_t>(i) * sizeof(Narrow), sizeof(Narrow));
    out[i] = static_cast<Wide>(value);
  }
}

Result<Tensor> load_raw(const Binding& binding, std::span<const int64_t> dims, const std::string& file,
                        int generation) {
  HONE_ASSIGN(const std::vector<std::byte> bytes, read_file(file, kMaxInputBytes));
  HONE_ASSIGN(Tensor tensor, Tensor::make(binding.dtype, dims));
  const bool narrow = generation < 10 && (binding.dtype == DataType::kInt64 || binding.dtype == DataType::kFloat64);
  const size_t expected = narrow ? tensor.bytes() / 2 : tensor.bytes();
  if (bytes.size() != expected) {
    return invalid_argument("the file has " + std::to_string(bytes.size()) + " bytes, " +
                            std::string(name_of(binding.dtype)) + shape_text(dims) + " needs " +
                            std::to_string(expected) + (narrow ? " (64-bit values are given as 32-bit ones)" : ""));
  }
  if (narrow && binding.dtype == DataType::kInt64) {
    widen<int64_t, int32_t>(bytes, tensor);
  } else if (narrow) {
    widen<double, float>(bytes, tensor);
  } else if (!bytes.empty()) {
    std::memcpy(tensor.mutable_data(), bytes.data(), bytes.size());
  }
  return tensor;
}

class InputMaker {
 public:
  InputMaker(const Engine& engine, const TrtexecOptions& options, int generation, const TrtexecLog& log)
      : engine_(engine), options_(options), generation_(generation), log_(log) {}

  Result<TimedInputs> make() {
    for (const auto& [name, dims] : options_.shapes) HONE_TRY(check_name(name, "--shapes"));
    for (const auto& [name, file] : options_.load_inputs) HONE_TRY(check_name(name, "--loadInputs"));
    HONE_TRY(load_arrays());
    learn_sizes();
    for (const Binding& binding : engine_.bindings()) {
      if (binding.is_input) HONE_TRY(add(binding));
    }
    return std::move(made_);
  }

 private:
  Status check_name(const std::string& name, const char* flag) const {
    const Binding* binding = engine_.find_binding(name);
    if (binding != nullptr && binding->is_input) return {};
    return invalid_argument(std::string(flag) + ": there is no input '" + name + "'; there are " +
                            input_names(engine_));
  }

  Status load_arrays() {
    for (const auto& [name, file] : options_.load_inputs) {
      if (!has_shape(file)) continue;
      HONE_ASSIGN(made_.tensors[name], load_tensor(name, file).with_context("--loadInputs: input '" + name + "'"));
    }
    return {};
  }

  // Sizes of named dimensions: what one input says holds for the others.
  void learn_sizes() {
    for (const Binding& binding : engine_.bindings()) {
      if (!binding.is_input || binding.is_shape_value) continue;
      const auto given = options_.shapes.find(binding.name);
      const auto loaded = made_.tensors.find(binding.name);
      const std::optional<ShapeRange> range = engine_.profile_range(options_.profile, binding.name);
      if (given != options_.shapes.end()) {
        learn(binding, given->second);
      } else if (loaded != made_.tensors.end()) {
        learn(binding, loaded->second.dims());
      } else if (range) {
        learn(binding, range->opt);
      }
    }
  }

  void learn(const Binding& binding, std::span<const int64_t> dims) {
    if (dims.size() != binding.shape.size()) return;
    for (size_t i = 0; i < dims.size() && i < binding.dim_names.size(); ++i) {
      if (binding.shape[i] < 0) sizes_.emplace(binding.dim_names[i], dims[i]);
    }
  }

  std::vector<int64_t> shape_of(const Binding& binding) {
    if (const auto given = options_.shapes.find(binding.name); given != options_.shapes.end()) return given->second;
    const std::optional<ShapeRange> range = engine_.profile_range(options_.profile, binding.name);
    if (range && range->opt.size() == binding.shape.size()) return range->opt;
    std::vector<int64_t> dims = binding.shape;
    bool guessed = false;
    for (size_t i = 0; i < dims.size(); ++i) {
      if (dims[i] >= 0) continue;
      const auto known = i < binding.dim_names.size() ? sizes_.find(binding.dim_names[i]) : sizes_.end();
      guessed = guessed || known == sizes_.end();
      dims[i] = known == sizes_.end() ? 1 : known->second;
    }
    if (guessed) tell_guess(binding, "shape " + x_text(dims), shape_example(binding.shape));
    return dims;
  }

  void tell_guess(const Binding& binding, const std::string& taken, const std::string& example) {
    made_.advice += (made_.advice.empty() ? "--shapes=" : ",") + binding.name + ":" + example;
    log_.warn("Dynamic dimensions required for input: " + binding.name +
              ". Nothing gives them, so the timed run takes " + taken +
              "; the engine stays as it is. --shapes=" + binding.name + ":" + example + " chooses");
  }

  Status add(const Binding& binding) {
    if (!made_.tensors.contains(binding.name)) {
      Result<Tensor> tensor = binding.is_shape_value ? shape_values(binding) : contents(binding);
      if (!tensor.ok()) return std::move(tensor).status().with_context("input '" + binding.name + "'");
      made_.tensors[binding.name] = *std::move(tensor);
    } else {
      log_.info("Using values loaded from " + options_.load_inputs.at(binding.name) + " for input " + binding.name);
    }
    log_.info("Input binding for " + binding.name + " with dimensions " + x_text(made_.tensors[binding.name].dims()) +
              " is created.");
    return {};
  }

  Result<Tensor> contents(const Binding& binding) {
    const std::vector<int64_t> dims = shape_of(binding);
    if (const auto file = options_.load_inputs.find(binding.name); file != options_.load_inputs.end()) {
      log_.info("Using values loaded from " + file->second + " for input " + binding.name);
      return load_raw(binding, dims, file->second, generation_).with_context("--loadInputs");
    }
    const bool real = binding.dtype == DataType::kFloat32 || binding.dtype == DataType::kFloat64 ||
                      binding.dtype == DataType::kFloat16 || binding.dtype == DataType::kBFloat16;
    if (real) {
      log_.info("Using random values for input " + binding.name);
      return drawn_tensor(binding.dtype, dims, {.low = -1, .high = 1}, random_);
    }
    const std::string type(name_of(binding.dtype));
    log_.info("Using zeros for input " + binding.name + " (" + type + ")" +
              (binding.dtype == DataType::kBool ? "" : ", which are legal as indices") + "; --loadInputs gives others");
    return drawn_tensor(binding.dtype, dims, {.zeros = true}, random_);
  }

  // An input whose contents decide shapes: --shapes gives its elements.
  Result<Tensor> shape_values(const Binding& binding) {
    if (const auto file = options_.load_inputs.find(binding.name); file != options_.load_inputs.end()) {
      return load_raw(binding, binding.shape, file->second, generation_).with_context("--loadInputs");
    }
    const auto given = options_.shapes.find(binding.name);
    const std::optional<ShapeRange> range = engine_.profile_range(options_.profile, binding.name);
    std::vector<int64_t> values;
    if (given != options_.shapes.end()) {
      values = given->second;
    } else if (range) {
      values = range->opt;
    } else {
      int64_t count = 1;
      for (const int64_t dim : binding.shape) count *= std::max<int64_t>(dim, 1);
      values.assign(static_cast<size_t>(count), 1);
      tell_guess(binding, "the values " + x_text(values), shape_example(std::vector<int64_t>(values.size(), -1)));
    }
    std::vector<int64_t> dims = binding.shape;
    if (dims.size() == 1 && dims[0] < 0) dims[0] = static_cast<int64_t>(values.size());
    HONE_ASSIGN(Tensor tensor, Tensor::make(binding.dtype, dims));
    if (tensor.count() != static_cast<int64_t>(values.size())) {
      return invalid_argument("its contents decide shapes: give its " + std::to_string(tensor.count()) +
                              " elements with --shapes=" + binding.name + ":" +
                              shape_example(std::vector<int64_t>(static_cast<size_t>(tensor.count()), -1)));
    }
    for (size_t i = 0; i < values.size(); ++i) {
      const auto narrow = static_cast<int32_t>(values[i]);
      if (binding.dtype == DataType::kInt64) std::memcpy(tensor.mutable_data() + i * 8, &values[i], 8);
      if (binding.dtype == DataType::kInt32) std::memcpy(tensor.mutable_data() + i * 4, &narrow, 4);
    }
    return tensor;
  }

  const Engine& engine_;
  const TrtexecOptions& options_;
  const int generation_;
  const TrtexecLog& log_;
  std::mt19937_64 random_{1};
  std::map<std::string, int64_t> sizes_;
  TimedInputs made_;
};

}  // namespace

Result<TimedInputs> make_timed_inputs(const Engine& engine, const TrtexecOptions& options, int generation,
                                      const TrtexecLog& log) {
  return InputMaker(engine, options, generation, log).make();
}

}  // namespace hone::cli
