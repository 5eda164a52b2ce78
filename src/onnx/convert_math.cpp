#include <algorithm>
#include <limits>

#include "onnx/conversions.h"

namespace hone::onnx {

Status pass_through(NodeImport& node) { return node.finish(); }

namespace {

// `value` with axes of size 1 appended.
Result<Value*> with_trailing_axes(NodeImport& node, Value* value, int64_t count) {
  if (count == 0) return value;
  Ints axes;
  for (int64_t i = 0; i < count; ++i) axes.push_back(static_cast<int64_t>(value->rank()) + i);
  HONE_ASSIGN(Value* const operand, node.constant(axes, "axes"));
  return node.emit("Unsqueeze", {}, {value, operand});
}

}  // namespace

Status import_elementwise(NodeImport& node) {
  if (node.opset() >= 7) return node.finish();
  HONE_ASSIGN(const std::optional<int64_t> broadcast, node.take_int("broadcast"));
  HONE_ASSIGN(const std::optional<int64_t> axis, node.take_int("axis"));
  if (broadcast.value_or(0) == 0 || !axis) return node.finish();
  // The second operand's axes stand below the first's from `axis` on.
  HONE_ASSIGN(Value* const a, node.required_input(0));
  HONE_ASSIGN(Value* const b, node.required_input(1));
  const auto rank = static_cast<int64_t>(a->rank()), b_rank = static_cast<int64_t>(b->rank());
  const int64_t first = *axis < 0 ? *axis + rank : *axis;
  if (first < 0 || first > rank - b_rank) {
    return invalid_model("axis " + std::to_string(*axis) + " doesn't place an operand of rank " +
                         std::to_string(b_rank) + " within one of rank " + std::to_string(rank));
  }
  HONE_ASSIGN(Value* const aligned, with_trailing_axes(node, b, rank - b_rank - first));
  return node.finish(node.op_type(), node.take_attributes(), {a, aligned});
}

Status import_prelu(NodeImport& node) {
  if (node.opset() >= 7) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(Value * slope, node.required_input(1));
  // One slope for each channel, or one for all.
  if (slope->rank() == 1 && x->rank() > 2 && slope->shape()[0] != Dim(1)) {
    HONE_ASSIGN(slope, with_trailing_axes(node, slope, static_cast<int64_t>(x->rank()) - 2));
  }
  return node.finish(node.op_type(), node.take_attributes(), {x, slope});
}

Status import_gemm(NodeImport& node) {
  if (node.opset() < 7) node.drop("broadcast");
  return node.finish();
}

Status import_clip(NodeImport& node) {
  if (node.opset() >= 11) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(std::optional<float> low, node.take_float("min"));
  HONE_ASSIGN(std::optional<float> high, node.take_float("max"));
  if (node.opset() >= 6) {
    // These defaults do something: they make infinities finite.
    low = low.value_or(std::numeric_limits<float>::lowest());
    high = high.value_or(std::numeric_limits<float>::max());
  }
  std::vector<Value*> inputs = {x, nullptr, nullptr};
  if (low) {
    HONE_ASSIGN(inputs[1], node.scalar(x->dtype(), *low, "min"));
  }
  if (high) {
    HONE_ASSIGN(inputs[2], node.scalar(x->dtype(), *high, "max"));
  }
  return node.finish(node.op_type(), node.take_attributes(), std::move(inputs));
}

Status import_softmax(NodeImport& node) {
  if (node.opset() >= 13) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const std::optional<int64_t> given, node.take_int("axis"));
  const auto rank = static_cast<int64_t>(x->rank());
  const int64_t wish = given.value_or(1), axis = wish < 0 ? wish + rank : wish;
  if (axis < 0 || axis >= rank) {
    return invalid_model("axis " + std::to_string(wish) + " is outside of an operand of rank " + std::to_string(rank));
  }
  const auto rest = x->shape().begin() + axis + 1;
  if (std::all_of(rest, x->shape().end(), [](const Dim& dim) { return dim == Dim(1); })) {
    node.set("axis", axis);
    return node.finish();
  }
  HONE_ASSIGN(Value* const shape, node.emit("Shape", {}, {x}));
  HONE_ASSIGN(Value* const flat, node.emit("Flatten", {{"axis", axis}}, {x}));
  HONE_ASSIGN(Value* const result, node.emit(node.op_type(), {{"axis", int64_t{1}}}, {flat}));
  return node.finish("Reshape", {{"allowzero", int64_t{1}}}, {result, shape});
}

namespace {

Status axes_to_operand(NodeImport& node, int64_t since) {
  if (node.opset() >= since) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const std::optional<Ints> axes, node.take_ints("axes"));
  std::vector<Value*> inputs = {x};
  if (axes && !axes->empty()) {
    HONE_ASSIGN(Value* const operand, node.constant(*axes, "axes"));
    inputs.push_back(operand);
  }
  return node.finish(node.op_type(), node.take_attributes(), std::move(inputs));
}

}  // namespace

Status import_reduction(NodeImport& node) { return axes_to_operand(node, 18); }

Status import_reduce_sum(NodeImport& node) { return axes_to_operand(node, 13); }

Status import_selu(NodeImport& node) {
  if (node.opset() >= 6) return node.finish();
  // Version 1 had shorter constants.
  HONE_ASSIGN(const std::optional<float> alpha, node.take_float("alpha"));
  HONE_ASSIGN(const std::optional<float> gamma, node.take_float("gamma"));
  node.set("alpha", alpha.value_or(1.6732f));
  node.set("gamma", gamma.value_or(1.0507f));
  return node.finish();
}

Status import_cast(NodeImport& node) {
  if (node.opset() >= 6) return node.finish();
  HONE_ASSIGN(const std::optional<std::string> to, node.take_string("to"));
  constexpr std::string_view kWords[] = {"UNDEFINED", "FLOAT",  "UINT8",     "INT8",      "UINT16",  "INT16",
                                         "INT32",     "INT64",  "STRING",    "BOOL",      "FLOAT16", "DOUBLE",
                                         "UINT32",    "UINT64", "COMPLEX64", "COMPLEX128"};
  const auto* const it = std::find(std::begin(kWords) + 1, std::end(kWords), to.value_or(""));
  if (it == std::end(kWords)) return invalid_model("attribute 'to' names no type: '" + to.value_or("") + "'");
  node.set("to", int64_t{it - std::begin(kWords)});
  return node.finish();
}

Status import_lp(NodeImport& node) {
  if (node.opset() >= 2) return node.finish();
  HONE_ASSIGN(const std::optional<float> p, node.take_float("p"));
  const float value = p.value_or(2.0f);
  if (!(value >= 1 && value <= 1000) || value != static_cast<float>(static_cast<int64_t>(value))) {
    return unsupported("the norm's p is " + std::to_string(value) + "; only whole numbers from 1 to 1000 are known");
  }
  node.set("p", static_cast<int64_t>(value));
  return node.finish();
}

}  // namespace hone::onnx
