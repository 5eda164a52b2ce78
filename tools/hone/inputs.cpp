#include "tools/hone/inputs.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <random>

#include "hone/onnx_value.h"
#include "pipelines/common/files.h"
#include "tools/hone/npy.h"
#include "tools/hone/text.h"

namespace hone::cli {

namespace {

constexpr int64_t kMaxInputBytes = int64_t{1} << 36;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<double> parse_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

const Binding* find_input(const Engine& engine, std::string_view name) {
  const Binding* binding = engine.find_binding(name);
  return binding != nullptr && binding->is_input ? binding : nullptr;
}

template <class T>
void fill_random(Tensor& tensor, const Draw& draw, std::mt19937_64& random) {
  auto* out = reinterpret_cast<T*>(tensor.mutable_data());
  const auto count = static_cast<size_t>(tensor.count());
  const double low = draw.low.value_or(0), high = draw.high.value_or(1);
  if constexpr (std::is_same_v<T, bool> || std::is_integral_v<T>) {
    std::uniform_int_distribution<int64_t> values(static_cast<int64_t>(low), static_cast<int64_t>(high));
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<T>(values(random));
  } else {
    std::uniform_real_distribution<double> values(low, high);
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<T>(static_cast<float>(values(random)));
  }
}

Status fill(Tensor& tensor, const Draw& draw, std::mt19937_64& random) {
  if (draw.zeros) return {};
  switch (tensor.dtype()) {
    case DataType::kFloat32: fill_random<float>(tensor, draw, random); return {};
    case DataType::kFloat64: fill_random<double>(tensor, draw, random); return {};
    case DataType::kFloat16: fill_random<Half>(tensor, draw, random); return {};
    case DataType::kBFloat16: fill_random<BFloat16>(tensor, draw, random); return {};
    case DataType::kInt8: fill_random<int8_t>(tensor, draw, random); return {};
    case DataType::kInt16: fill_random<int16_t>(tensor, draw, random); return {};
    case DataType::kInt32: fill_random<int32_t>(tensor, draw, random); return {};
    case DataType::kInt64: fill_random<int64_t>(tensor, draw, random); return {};
    case DataType::kUint8: fill_random<uint8_t>(tensor, draw, random); return {};
    case DataType::kUint16: fill_random<uint16_t>(tensor, draw, random); return {};
    case DataType::kUint32: fill_random<uint32_t>(tensor, draw, random); return {};
    case DataType::kUint64: fill_random<uint64_t>(tensor, draw, random); return {};
    case DataType::kBool: fill_random<bool>(tensor, draw, random); return {};
    default: return unsupported("no random values of type " + std::string(name_of(tensor.dtype())));
  }
}

Result<Draw> parse_draw(const std::string& source) {
  const std::vector<std::string> parts = split(source, ':');
  if (source == "zeros") return Draw{.zeros = true};
  if (source == "random") return Draw{};
  const std::optional<double> low = parts.size() == 3 ? parse_number(parts[1]) : std::nullopt;
  const std::optional<double> high = parts.size() == 3 ? parse_number(parts[2]) : std::nullopt;
  constexpr double kLimit = 1e18;
  if (!low || !high || *low > *high || *low < -kLimit || *high > kLimit) {
    return invalid_argument("'" + source + "' isn't random:LOW:HIGH with two numbers");
  }
  return Draw{low, high};
}

Result<std::vector<int64_t>> shape_for(const Engine& engine, int profile, const Binding& binding,
                                       const InputArguments& arguments) {
  std::vector<int64_t> shape = binding.shape;
  const auto given = arguments.shapes.find(binding.name);
  if (given != arguments.shapes.end()) return given->second;
  const std::optional<ShapeRange> range = engine.profile_range(profile, binding.name);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] >= 0) continue;
    if (!range || range->opt.size() != shape.size()) {
      return invalid_argument("input '" + binding.name + "' has the open shape " + shape_text(shape) +
                              "; give numbers with --shape " + binding.name + "=" + shape_example(shape));
    }
    shape[i] = range->opt[i];
  }
  return shape;
}

Result<Tensor> random_input(const Engine& engine, int profile, const Binding& binding, const Draw& draw,
                            const InputArguments& arguments, std::mt19937_64& random) {
  if (binding.is_shape_value) {
    return invalid_argument("the contents of input '" + binding.name +
                            "' decide shapes, so they can't be random; give " + "them with --input " + binding.name +
                            "=FILE.npy");
  }
  HONE_ASSIGN(const std::vector<int64_t> shape, shape_for(engine, profile, binding, arguments));
  return drawn_tensor(binding.dtype, shape, draw, random).with_context("input '" + binding.name + "'");
}

Result<std::string> only_or_named(const std::vector<std::string>& names, const std::string& wanted) {
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
  if (names.size() == 1) return names[0];
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return invalid_argument("the archive has no array '" + wanted + "'; it has " + list +
                          " (choose with FILE.npz:ARRAY)");
}

// "dir/a.npz:key" -> the key; nothing when there is none.
std::optional<std::string> take_archive_key(std::string& path) {
  constexpr std::string_view kMark = ".npz:";
  const size_t mark = path.rfind(kMark);
  if (mark == std::string::npos) return std::nullopt;
  std::string key = path.substr(mark + kMark.size());
  path.resize(mark + kMark.size() - 1);
  return key;
}

Status load_all(const Engine& engine, const std::string& path, std::map<std::string, Tensor>& tensors) {
  HONE_ASSIGN(const std::vector<std::byte> bytes, read_file(path, kMaxInputBytes));
  if (!is_npz(bytes)) return invalid_argument("give one input as NAME=FILE, or an .npz archive alone");
  HONE_ASSIGN(const std::vector<std::string> names, npz_names(bytes));
  size_t found = 0;
  for (const std::string& name : names) {
    // Archives of a model's data often hold results too, and mark inputs by "in__".
    constexpr std::string_view kMark = "in__";
    const std::string input = name.starts_with(kMark) ? name.substr(kMark.size()) : name;
    if (find_input(engine, input) == nullptr) continue;
    HONE_ASSIGN(tensors[input], read_npz(bytes, name));
    ++found;
  }
  if (found == 0) return invalid_argument("none of the archive's arrays is named as an input");
  return {};
}

// Where the name ends in NAME=SOURCE. Both may hold '=': the first that ends an input's name counts, else the first.
size_t end_of_name(const Engine& engine, const std::string& text) {
  const size_t first = text.find('=');
  for (size_t at = first; at != std::string::npos; at = text.find('=', at + 1)) {
    if (find_input(engine, std::string_view(text).substr(0, at)) != nullptr) return at;
  }
  return first;
}

}  // namespace

Result<Tensor> drawn_tensor(DataType dtype, std::span<const int64_t> dims, const Draw& draw, std::mt19937_64& random) {
  HONE_ASSIGN(Tensor tensor, Tensor::make(dtype, dims));
  HONE_TRY(fill(tensor, draw, random));
  return tensor;
}

Result<Tensor> load_tensor(const std::string& name, const std::string& file) {
  std::string path = file;
  const std::optional<std::string> key = take_archive_key(path);
  HONE_ASSIGN(const std::vector<std::byte> bytes, read_file(path, kMaxInputBytes));
  if (is_npz(bytes)) {
    HONE_ASSIGN(const std::vector<std::string> names, npz_names(bytes));
    HONE_ASSIGN(const std::string array, key ? Result<std::string>(*key) : only_or_named(names, name));
    return read_npz(bytes, array);
  }
  if (path.ends_with(".pb")) return read_onnx_tensor(bytes);
  return parse_npy(bytes);
}

std::string shape_example(std::span<const int64_t> shape) {
  std::string text;
  char letter = 'A';
  for (const int64_t dim : shape) {
    text += (text.empty() ? "" : "x") + (dim < 0 ? std::string(1, letter++) : std::to_string(dim));
  }
  return text;
}

std::string input_names(const Engine& engine) {
  std::string names;
  for (const Binding& binding : engine.bindings()) {
    if (binding.is_input) names += (names.empty() ? "" : ", ") + binding.name;
  }
  return names;
}

Result<std::vector<int64_t>> parse_shape(const std::string& text) {
  std::vector<int64_t> shape;
  if (text.empty()) return shape;
  for (const std::string& part : split(text, 'x')) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < 0) {
      return invalid_argument("'" + text + "' isn't a shape such as 1x3x640x640");
    }
    shape.push_back(value);
  }
  return shape;
}

Result<ShapeArgument> parse_shape_argument(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) {
    return invalid_argument("'" + text + "' isn't NAME=SHAPE or NAME=MIN:OPT:MAX, such as images=1x3x640x640");
  }
  ShapeArgument argument{.name = text.substr(0, equals), .range = {}};
  const std::vector<std::string> parts = split(text.substr(equals + 1), ':');
  if (parts.size() != 1 && parts.size() != 3) {
    return invalid_argument("'" + text + "' needs one shape, or three: MIN:OPT:MAX");
  }
  HONE_ASSIGN(argument.range.min, parse_shape(parts.front()));
  HONE_ASSIGN(argument.range.opt, parse_shape(parts[parts.size() / 2]));
  HONE_ASSIGN(argument.range.max, parse_shape(parts.back()));
  return argument;
}

Result<std::vector<ShapeProfile>> parse_profiles(const std::vector<std::string>& arguments) {
  std::vector<ShapeProfile> profiles;
  for (const std::string& text : arguments) {
    HONE_ASSIGN(ShapeArgument argument, parse_shape_argument(text));
    if (profiles.empty() || profiles.back().contains(argument.name)) profiles.emplace_back();
    profiles.back().emplace(std::move(argument.name), std::move(argument.range));
  }
  return profiles;
}

Result<std::map<std::string, std::vector<int64_t>>> parse_fixed_shapes(const std::vector<std::string>& arguments) {
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const std::string& text : arguments) {
    HONE_ASSIGN(ShapeArgument argument, parse_shape_argument(text));
    if (argument.range.min != argument.range.max) {
      return invalid_argument("'" + text + "': give the one shape to run with; ranges are for 'hone build'");
    }
    shapes[argument.name] = std::move(argument.range.opt);
  }
  return shapes;
}

Result<std::map<std::string, Tensor>> make_inputs(const Engine& engine, int profile, const InputArguments& arguments) {
  std::map<std::string, Tensor> tensors;
  std::mt19937_64 random(arguments.seed);
  for (const auto& [name, shape] : arguments.shapes) {
    if (find_input(engine, name) != nullptr) continue;
    return invalid_argument("--shape: there is no input '" + name + "'; there are " + input_names(engine));
  }
  for (const std::string& text : arguments.inputs) {
    const size_t equals = end_of_name(engine, text);
    if (equals == std::string::npos) {
      HONE_TRY(load_all(engine, text, tensors).with_context("--input " + text));
      continue;
    }
    const std::string name = text.substr(0, equals), source = text.substr(equals + 1);
    const Binding* binding = find_input(engine, name);
    if (binding == nullptr) {
      return invalid_argument("--input: there is no input '" + name + "'; there are " + input_names(engine));
    }
    const bool drawn = source == "zeros" || source == "random" || source.starts_with("random:");
    if (drawn) {
      HONE_ASSIGN(const Draw draw, parse_draw(source));
      HONE_ASSIGN(tensors[name], random_input(engine, profile, *binding, draw, arguments, random));
    } else {
      HONE_ASSIGN(tensors[name], load_tensor(name, source).with_context("--input " + text));
    }
  }
  for (const Binding& binding : engine.bindings()) {
    if (!binding.is_input || tensors.contains(binding.name)) continue;
    if (!arguments.random_rest) {
      return invalid_argument("input '" + binding.name + "' is missing; give it with --input " + binding.name +
                              "=FILE.npy or --input " + binding.name + "=random");
    }
    HONE_ASSIGN(tensors[binding.name], random_input(engine, profile, binding, {}, arguments, random));
  }
  return tensors;
}

}  // namespace hone::cli
