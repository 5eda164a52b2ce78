#include "api/build/profiles.h"

#include <algorithm>

namespace hone {

namespace {

Result<const Value*> find_input(const Graph& graph, const std::string& name) {
  std::string names;
  for (const Value* input : graph.inputs()) {
    if (input->name() == name) return input;
    names += (names.empty() ? "'" : ", '") + input->name() + "'";
  }
  return invalid_argument("a shape is given for '" + name + "', which isn't an input; inputs are " + names);
}

Result<DimRange> check_dim(const Value& input, const ShapeRange& range, size_t axis) {
  const DimRange dim{range.min[axis], range.opt[axis], range.max[axis]};
  const std::string where = "the shape given for input '" + input.name() + "', dimension " + std::to_string(axis);
  if (dim.min < 0 || dim.min > dim.opt || dim.opt > dim.max) {
    return invalid_argument(where + ": " + std::to_string(dim.min) + " <= " + std::to_string(dim.opt) +
                            " <= " + std::to_string(dim.max) + " (minimum, optimum, maximum) doesn't hold");
  }
  const std::optional<int64_t> fixed = input.shape()[axis].as_const();
  if (fixed && (*fixed != dim.min || *fixed != dim.max)) {
    return invalid_argument(where + ": the model fixes it to " + std::to_string(*fixed));
  }
  return dim;
}

// An input whose contents decide shapes: the range is that of its elements.
Result<std::vector<DimRange>> check_values(const Graph& graph, const Value& input, const ShapeRange& range) {
  const size_t count = static_cast<size_t>(element_count(input.shape()).as_const().value_or(0));
  if (range.min.size() != count || range.opt.size() != count || range.max.size() != count) {
    return invalid_argument("the contents of input '" + input.name() + "' decide shapes: give the range of its " +
                            std::to_string(count) + " elements, as in " + graph.to_string(input.shape()));
  }
  std::vector<DimRange> values;
  for (size_t i = 0; i < count; ++i) {
    if (range.min[i] > range.opt[i] || range.opt[i] > range.max[i]) {
      return invalid_argument("element " + std::to_string(i) + " of input '" + input.name() +
                              "': minimum <= optimum <= maximum doesn't hold");
    }
    values.push_back({range.min[i], range.opt[i], range.max[i]});
  }
  return values;
}

}  // namespace

Result<Profile> check_profile(const Graph& graph, const ShapeProfile& ranges) {
  Profile profile;
  for (const auto& [name, range] : ranges) {
    HONE_ASSIGN(const Value* const input, find_input(graph, name));
    if (input->is_host_value()) {
      HONE_ASSIGN(profile.values[name], check_values(graph, *input, range));
      continue;
    }
    const size_t rank = input->rank();
    if (range.min.size() != rank || range.opt.size() != rank || range.max.size() != rank) {
      return invalid_argument("the shape given for input '" + name + "' must have " + std::to_string(rank) +
                              " dimensions, as in " + graph.to_string(input->shape()));
    }
    std::vector<DimRange>& dims = profile.inputs[name];
    for (size_t axis = 0; axis < rank; ++axis) {
      HONE_ASSIGN(const DimRange dim, check_dim(*input, range, axis));
      dims.push_back(dim);
    }
  }
  return profile;
}

}  // namespace hone
