#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/conv.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include "passes/pass.h"
#include "passes/tensors.h"

namespace hone {

namespace {

// What a Pad node adds on the spatial axes: begins, then ends, as windows list them. Nothing if it does more.
std::optional<Ints> spatial_pads(const Node& pad) {
  const auto* op = op_cast<Pad>(pad.op());
  const Tensor* pads = constant_operand(pad, Pad::kPads);
  const Value* axes = pad.input(Pad::kAxes);
  const size_t rank = pad.output()->rank();
  if (op == nullptr || op->mode != PadMode::kConstant || pads == nullptr || rank < 3) return std::nullopt;
  if (axes != nullptr && !axes->is_constant()) return std::nullopt;
  Ints listed(rank);
  for (size_t i = 0; i < rank; ++i) listed[i] = static_cast<int64_t>(i);
  if (axes != nullptr) {
    const std::optional<std::vector<double>> numbers = to_doubles(axes->constant());
    if (!numbers) return std::nullopt;
    listed.assign(numbers->begin(), numbers->end());
  }
  const std::optional<std::vector<double>> amounts = to_doubles(*pads);
  if (!amounts || amounts->size() != listed.size() * 2) return std::nullopt;
  Ints spatial((rank - 2) * 2, 0);
  for (size_t i = 0; i < amounts->size(); ++i) {
    const double amount = (*amounts)[i];
    int64_t axis = listed[i % listed.size()];
    if (axis < 0) axis += static_cast<int64_t>(rank);
    if (amount == 0) continue;
    if (amount < 0 || amount > 1e6 || axis < 2 || axis >= static_cast<int64_t>(rank)) return std::nullopt;
    spatial[static_cast<size_t>(axis) - 2 + (i < listed.size() ? 0 : rank - 2)] = static_cast<int64_t>(amount);
  }
  return spatial;
}

// What it fills with; nothing if that isn't known.
std::optional<double> fill_value(const Node& pad) {
  if (pad.input(Pad::kValue) == nullptr) return 0;
  const Tensor* value = constant_operand(pad, Pad::kValue);
  const auto numbers = value != nullptr ? to_doubles(*value) : std::nullopt;
  if (!numbers || numbers->size() != 1) return std::nullopt;
  return (*numbers)[0];
}

bool pads_nothing(const Window& window) {
  const bool zeros = std::all_of(window.pads.begin(), window.pads.end(), [](int64_t pad) { return pad == 0; });
  return window.auto_pad == AutoPad::kValid || (window.auto_pad == AutoPad::kNotSet && zeros);
}

// The window with `more` padding. SAME_* pads follow from the padded size: not when that changes.
bool add_pads(Window& window, const Ints& more) {
  if (window.is_same()) return false;
  if (window.auto_pad == AutoPad::kValid || window.pads.empty()) window.pads.assign(more.size(), 0);
  window.auto_pad = AutoPad::kNotSet;
  if (window.pads.size() != more.size()) return false;
  for (size_t i = 0; i < more.size(); ++i) {
    if (__builtin_add_overflow(window.pads[i], more[i], &window.pads[i])) return false;
  }
  return true;
}

// Pools want each pad to be smaller than the kernel, and count from the unpadded end in ceil mode.
bool fits_pool(const PoolWindow& window) {
  const size_t axes = window.kernel_shape.size();
  if (window.ceil_mode || window.pads.size() != 2 * axes) return false;
  for (size_t i = 0; i < window.pads.size(); ++i) {
    if (window.pads[i] > (window.kernel_shape[i % axes] - 1) * window.dilation(i % axes)) return false;
  }
  return true;
}

OpPtr padded_conv(const Conv& op, const Ints& pads, double fill) {
  auto padded = std::make_shared<Conv>(op);
  return fill == 0 && add_pads(*padded, pads) ? padded : nullptr;
}

// A pool's own pads never win: only what never wins in Pad either can become them. Positions would count from
// another origin, so the pool may not give them.
OpPtr padded_max_pool(const Node& node, const Ints& pads, double fill) {
  auto padded = std::make_shared<MaxPool>(static_cast<const MaxPool&>(node.op()));
  const bool lowest = fill == -std::numeric_limits<double>::infinity() && is_floating(node.output()->dtype());
  if (!lowest || node.outputs().size() > 1 || !add_pads(*padded, pads) || !fits_pool(*padded)) return nullptr;
  return padded;
}

// The zeros of Pad count as elements: so must the pool's, and it must have none that didn't count.
OpPtr padded_average_pool(const AveragePool& op, const Ints& pads, double fill) {
  auto padded = std::make_shared<AveragePool>(op);
  if (fill != 0 || (!op.count_include_pad && !pads_nothing(op))) return nullptr;
  padded->count_include_pad = true;
  return add_pads(*padded, pads) && fits_pool(*padded) ? padded : nullptr;
}

OpPtr padded_window(const Node& node, const Ints& pads, double fill) {
  if (const auto* conv = op_cast<Conv>(node.op())) return padded_conv(*conv, pads, fill);
  if (const auto* pool = op_cast<AveragePool>(node.op())) return padded_average_pool(*pool, pads, fill);
  return op_cast<MaxPool>(node.op()) != nullptr ? padded_max_pool(node, pads, fill) : nullptr;
}

}  // namespace

Result<bool> fold_padding(Graph& graph, PassContext& context) {
  GraphEditor editor(graph);
  return for_each_node(graph, [&](Node* node) -> Result<bool> {
    const Node* pad = node->input(0) != nullptr && node->body() == nullptr ? node->input(0)->producer() : nullptr;
    if (pad == nullptr || pad->body() != nullptr || pad->op().name() != std::string_view(Pad::kName)) return false;
    const std::optional<Ints> pads = spatial_pads(*pad);
    const std::optional<double> fill = fill_value(*pad);
    OpPtr padded = pads && fill ? padded_window(*node, *pads, *fill) : nullptr;
    if (padded == nullptr || !context.rewrite()) return false;
    std::vector<Value*> inputs = node->inputs();
    inputs[0] = pad->input(Pad::kData);
    HONE_ASSIGN(const Node* const made,
                editor.insert_before(node, node->name(), std::move(padded), std::move(inputs), node->outputs().size()));
    HONE_TRY(editor.replace(node->output(), made->output()));
    return true;
  });
}

}  // namespace hone
