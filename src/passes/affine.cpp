#include "passes/affine.h"

#include <algorithm>
#include <cmath>

#include "ops/elementwise.h"
#include "ops/normalize.h"
#include "passes/tensors.h"

namespace hone {

namespace {

using Numbers = std::optional<std::vector<double>>;

Numbers operand_numbers(const Node& node, size_t i, size_t count) {
  const Tensor* tensor = constant_operand(node, i);
  Numbers numbers = tensor != nullptr ? to_doubles(*tensor) : std::nullopt;
  return numbers && numbers->size() == count ? numbers : std::nullopt;
}

// The elements of a constant that broadcasts along all axes but `axis` of data with this rank, one for each channel.
Numbers by_channel(const Tensor& tensor, size_t rank, size_t axis, size_t channels) {
  const Extents& dims = tensor.dims();
  if (dims.size() > rank) return std::nullopt;
  for (size_t i = 0; i < dims.size(); ++i) {
    const bool at_channels = i + rank - dims.size() == axis;
    const bool fits = dims[i] == 1 || (at_channels && dims[i] == static_cast<int64_t>(channels));
    if (!fits) return std::nullopt;
  }
  Numbers numbers = to_doubles(tensor);
  if (numbers && numbers->size() == 1) numbers->resize(channels, numbers->front());
  return numbers;
}

std::optional<AffineNode> match_batch_norm(const Node& node, size_t axis, size_t channels) {
  const auto& op = static_cast<const BatchNormalization&>(node.op());
  const Numbers scale = operand_numbers(node, 1, channels), bias = operand_numbers(node, 2, channels);
  const Numbers mean = operand_numbers(node, 3, channels), variance = operand_numbers(node, 4, channels);
  const bool folds = axis == 1 && node.input(0)->rank() >= 2 && !op.training_mode && node.outputs().size() == 1;
  if (!folds || !scale || !bias || !mean || !variance) return std::nullopt;
  AffineNode match{node.input(0), {}};
  for (size_t c = 0; c < channels; ++c) {
    match.affine.scale.push_back((*scale)[c] / std::sqrt((*variance)[c] + static_cast<double>(op.epsilon)));
    match.affine.shift.push_back((*bias)[c] - (*mean)[c] * match.affine.scale[c]);
  }
  return match;
}

std::optional<AffineNode> match_arithmetic(const Node& node, size_t axis, size_t channels) {
  const std::string_view name = node.op().name();
  const bool constant_first = node.input(0)->is_constant();
  Value* data = node.input(constant_first ? 1 : 0);
  const Tensor* tensor = constant_operand(node, constant_first ? 0 : 1);
  if (tensor == nullptr || data->is_constant() || axis >= data->rank()) return std::nullopt;
  const Numbers numbers = by_channel(*tensor, data->rank(), axis, channels);
  if (!numbers || (name == "Div" && constant_first)) return std::nullopt;
  AffineNode match{data, {std::vector<double>(channels, 1), std::vector<double>(channels, 0)}};
  for (size_t c = 0; c < channels; ++c) {
    const double number = (*numbers)[c];
    double &scale = match.affine.scale[c], &shift = match.affine.shift[c];
    if (name == "Mul") scale = number;
    if (name == "Div") scale = 1 / number;
    if (name == "Add") shift = number;
    if (name == "Sub") shift = constant_first ? number : -number;
    if (name == "Sub" && constant_first) scale = -1;
  }
  return match;
}

}  // namespace

bool Affine::shifts() const {
  return std::any_of(shift.begin(), shift.end(), [](double value) { return value != 0; });
}

bool may_be_affine(const Node& node) {
  constexpr std::string_view kNames[] = {"BatchNormalization", "Add", "Sub", "Mul", "Div"};
  return node.body() == nullptr && is_floating(node.output()->dtype()) &&
         std::find(std::begin(kNames), std::end(kNames), node.op().name()) != std::end(kNames);
}

std::optional<AffineNode> match_affine(const Node& node, size_t axis, size_t channels) {
  if (!may_be_affine(node)) return std::nullopt;
  const std::optional<AffineNode> match = node.op().name() == std::string_view(BatchNormalization::kName)
                                              ? match_batch_norm(node, axis, channels)
                                              : match_arithmetic(node, axis, channels);
  const auto finite = [](double value) { return std::isfinite(value); };
  const auto all = [&](const std::vector<double>& list) { return std::all_of(list.begin(), list.end(), finite); };
  const bool sound = match && all(match->affine.scale) && all(match->affine.shift) &&
                     match->data->type().tensor == node.output()->type().tensor;
  return sound ? match : std::nullopt;
}

}  // namespace hone
