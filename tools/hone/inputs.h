// Arguments that name inputs: shapes, ranges, files, random contents.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "hone/builder.h"
#include "hone/engine.h"
#include "hone/status.h"
#include "hone/tensor.h"

namespace hone::cli {

// "1x3x640x640", or "" for a scalar.
Result<std::vector<int64_t>> parse_shape(const std::string& text);

// "NAME=SHAPE" or "NAME=MIN:OPT:MAX". The name ends at the last '='.
struct ShapeArgument {
  std::string name;
  ShapeRange range;
};
Result<ShapeArgument> parse_shape_argument(const std::string& text);

// A list of such arguments as profiles: a name that was given already begins the next profile.
Result<std::vector<ShapeProfile>> parse_profiles(const std::vector<std::string>& arguments);

// NAME=SHAPE arguments for running: ranges aren't allowed.
Result<std::map<std::string, std::vector<int64_t>>> parse_fixed_shapes(const std::vector<std::string>& arguments);

struct InputArguments {
  // NAME=FILE.npy, NAME=FILE.npz (the array of that name, or the only one), NAME=FILE.npz:ARRAY, NAME=FILE.pb (an ONNX
  // TensorProto), NAME=random, NAME=random:LOW:HIGH, NAME=zeros, or FILE.npz alone: every array by its name.
  std::vector<std::string> inputs;
  std::map<std::string, std::vector<int64_t>> shapes;
  uint64_t seed = 1;
  bool random_rest = false;  // inputs that aren't named become random
};

// How a tensor is filled when nobody gives its contents.
struct Draw {
  std::optional<double> low, high;  // inclusive for integers; 0 and 1 if left out
  bool zeros = false;
};
Result<Tensor> drawn_tensor(DataType dtype, std::span<const int64_t> dims, const Draw& draw, std::mt19937_64& random);

// The array in FILE.npy, FILE.npz (the one named `name`, or the only one), FILE.npz:ARRAY or FILE.pb.
Result<Tensor> load_tensor(const std::string& name, const std::string& file);

// "Ax3xBxC" for [?,3,?,?]: what to write after a name.
std::string shape_example(std::span<const int64_t> shape);

// "a, b"
std::string input_names(const Engine& engine);

// Makes a tensor for each input of the engine that needs one. Dimensions that nothing fixes come from `shapes`, else
// from the profile's optimum, else it is an error that names the input and the flag.
// Random floats are drawn from [0, 1), integers from {0, 1}, unless the argument says otherwise.
Result<std::map<std::string, Tensor>> make_inputs(const Engine& engine, int profile, const InputArguments& arguments);

}  // namespace hone::cli
