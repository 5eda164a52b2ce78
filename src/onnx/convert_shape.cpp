#include <algorithm>

#include "onnx/conversions.h"

namespace hone::onnx {

namespace {

// Finishes with `x` and, as operands, the integer lists that are there.
Status finish_with_lists(NodeImport& node, Value* x,
                         std::initializer_list<std::pair<const char*, const std::optional<Ints>*>> lists) {
  std::vector<Value*> inputs = {x};
  for (const auto& [hint, values] : lists) {
    inputs.push_back(nullptr);
    if (*values) {
      HONE_ASSIGN(inputs.back(), node.constant(**values, hint));
    }
  }
  while (inputs.back() == nullptr) inputs.pop_back();
  return node.finish(node.op_type(), node.take_attributes(), std::move(inputs));
}

}  // namespace

Status import_reshape(NodeImport& node) {
  if (node.opset() >= 5) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const std::optional<Ints> shape, node.take_ints("shape"));
  if (!shape) return invalid_model("attribute 'shape' is missing");
  return finish_with_lists(node, x, {{"shape", &shape}});
}

Status import_squeeze(NodeImport& node) {
  if (node.opset() >= 13) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(std::optional<Ints> axes, node.take_ints("axes"));
  return finish_with_lists(node, x, {{"axes", &axes}});
}

Status import_unsqueeze(NodeImport& node) {
  if (node.opset() >= 13) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const std::optional<Ints> axes, node.take_ints("axes"));
  if (!axes) return invalid_model("attribute 'axes' is missing");
  return finish_with_lists(node, x, {{"axes", &axes}});
}

Status import_slice(NodeImport& node) {
  if (node.opset() >= 10) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const std::optional<Ints> starts, node.take_ints("starts"));
  HONE_ASSIGN(const std::optional<Ints> ends, node.take_ints("ends"));
  HONE_ASSIGN(const std::optional<Ints> axes, node.take_ints("axes"));
  if (!starts || !ends) return invalid_model("attributes 'starts' and 'ends' are needed");
  return finish_with_lists(node, x, {{"starts", &starts}, {"ends", &ends}, {"axes", &axes}});
}

Status import_pad(NodeImport& node) {
  if (node.opset() >= 11) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const std::optional<Ints> pads, node.take_ints(node.opset() >= 2 ? "pads" : "paddings"));
  HONE_ASSIGN(const std::optional<float> value, node.take_float("value"));
  if (!pads) return invalid_model("the attribute that gives the pads is missing");
  std::vector<Value*> inputs = {x, nullptr};
  HONE_ASSIGN(inputs[1], node.constant(*pads, "pads"));
  if (value.value_or(0) != 0) {
    HONE_ASSIGN(Value* const fill, node.scalar(x->dtype(), *value, "value"));
    inputs.push_back(fill);
  }
  return node.finish(node.op_type(), node.take_attributes(), std::move(inputs));
}

Status import_split(NodeImport& node) {
  HONE_ASSIGN(Value* const x, node.required_input(0));
  std::vector<Value*> inputs = {x};
  if (node.opset() < 13) {
    HONE_ASSIGN(const std::optional<Ints> sizes, node.take_ints("split"));
    if (sizes) {
      HONE_ASSIGN(Value* const operand, node.constant(*sizes, "split"));
      inputs.push_back(operand);
    }
  }
  if (inputs.size() == 1 && node.input(1) != nullptr) inputs.push_back(node.input(1));
  // Without sizes the parts are equal, as many as there are outputs.
  HONE_ASSIGN(const std::optional<int64_t> parts, node.take_int("num_outputs"));
  const auto listed = static_cast<int64_t>(node.num_listed_outputs());
  if (parts && *parts != listed) {
    return invalid_model("num_outputs is " + std::to_string(*parts) + ", but there are " + std::to_string(listed) +
                         " outputs");
  }
  if (parts || inputs.size() == 1) node.set("num_outputs", listed);
  return node.finish(node.op_type(), node.take_attributes(), std::move(inputs), node.num_listed_outputs());
}

Status import_tile(NodeImport& node) {
  if (node.opset() >= 6) return node.finish();
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const Value* const tiles, node.required_input(1));
  HONE_ASSIGN(const Value* const axis, node.required_input(2));
  const auto number = [](const Value* value) -> std::optional<int64_t> {
    if (!value->is_constant() || value->dtype() != DataType::kInt64 || value->constant().count() != 1) return {};
    return value->constant().values<int64_t>()[0];
  };
  const std::optional<int64_t> count = number(tiles), where = number(axis);
  if (!count || !where) return unsupported("version 1 needs a constant int64 number of tiles and axis");
  if (*where < 0 || *where >= static_cast<int64_t>(x->rank())) {
    return invalid_model("axis " + std::to_string(*where) + " is outside of an operand of rank " +
                         std::to_string(x->rank()));
  }
  Ints repeats(x->rank(), 1);
  repeats[static_cast<size_t>(*where)] = *count;
  HONE_ASSIGN(Value* const operand, node.constant(repeats, "repeats"));
  return node.finish(node.op_type(), node.take_attributes(), {x, operand});
}

Status import_topk(NodeImport& node) {
  constexpr size_t kOutputs = 2;
  if (node.opset() >= 10) return node.finish(node.op_type(), node.take_attributes(), node.inputs(), kOutputs);
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const std::optional<int64_t> k, node.take_int("k"));
  if (!k) return invalid_model("attribute 'k' is missing");
  HONE_ASSIGN(Value* const operand, node.constant(Ints{*k}, "k"));
  return node.finish(node.op_type(), node.take_attributes(), {x, operand}, kOutputs);
}

Status import_concat(NodeImport& node) {
  if (node.opset() < 4) {
    HONE_ASSIGN(const std::optional<int64_t> axis, node.take_int("axis"));
    node.set("axis", axis.value_or(1));
  }
  return node.finish();
}

Status import_scatter(NodeImport& node) {
  return node.finish("ScatterElements", node.take_attributes(), node.inputs());
}

Status import_constant(NodeImport& node) {
  AttrMap attributes = node.take_attributes();
  if (attributes.size() != 1) {
    return invalid_model("has " + std::to_string(attributes.size()) + " attributes; exactly one gives the value");
  }
  const auto& [name, value] = attributes.front();
  const auto vector = [](const auto& values) {
    const auto count = static_cast<int64_t>(values.size());
    return Tensor::of(std::span(values), std::span(&count, 1));
  };
  if (name == "value" && std::holds_alternative<Tensor>(value)) return node.finish_constant(std::get<Tensor>(value));
  if (const auto* v = std::get_if<float>(&value); v && name == "value_float") {
    return node.finish_constant(Tensor::scalar(*v));
  }
  if (const auto* v = std::get_if<int64_t>(&value); v && name == "value_int") {
    return node.finish_constant(Tensor::scalar(*v));
  }
  if (const auto* v = std::get_if<std::string>(&value); v && name == "value_string") {
    return node.finish_constant(Tensor::of_strings({}, {*v}));
  }
  if (const auto* v = std::get_if<Floats>(&value); v && name == "value_floats") return node.finish_constant(vector(*v));
  if (const auto* v = std::get_if<Ints>(&value); v && name == "value_ints") return node.finish_constant(vector(*v));
  if (const auto* v = std::get_if<Strings>(&value); v && name == "value_strings") {
    return node.finish_constant(Tensor::of_strings({static_cast<int64_t>(v->size())}, *v));
  }
  return invalid_model("attribute '" + name + "' is none that a constant has, or of the wrong type");
}

}  // namespace hone::onnx
