#include "ops/operand.h"

namespace hone {

std::optional<std::vector<Dim>> followed_elements(const Tensor& tensor) {
  if (tensor.dims().size() > 1 || tensor.count() > kMaxFollowedElements) return std::nullopt;
  if (tensor.dtype() == DataType::kInt64) {
    const auto values = tensor.values<int64_t>();
    return std::vector<Dim>(values.begin(), values.end());
  }
  if (tensor.dtype() == DataType::kInt32) {
    const auto values = tensor.values<int32_t>();
    return std::vector<Dim>(values.begin(), values.end());
  }
  if (tensor.dtype() == DataType::kBool) {
    const auto bytes = std::as_bytes(tensor.values<bool>());
    std::vector<Dim> elements;
    for (const std::byte byte : bytes) elements.push_back(byte != std::byte{0} ? 1 : 0);
    return elements;
  }
  return std::nullopt;
}

InferOperand known_operand(const Tensor& tensor) {
  return {.present = true,
          .type = {tensor.dtype(), Shape(tensor.dims().begin(), tensor.dims().end())},
          .constant = &tensor,
          .elements = followed_elements(tensor)};
}

namespace {

Result<std::vector<InferOperand>> body_operands(const Body& body, std::span<const TensorType> inputs) {
  if (inputs.size() != body.num_inputs) {
    return invalid_model("a body with " + std::to_string(body.num_inputs) + " inputs was given " +
                         std::to_string(inputs.size()));
  }
  std::vector<InferOperand> values;
  for (const TensorType& type : inputs) {
    values.push_back(
        {.present = type.dtype != DataType::kUndefined, .type = type, .constant = nullptr, .elements = {}});
  }
  for (const Tensor& tensor : body.constants) values.push_back(known_operand(tensor));
  return values;
}

}  // namespace

Result<std::vector<TensorType>> body_result_types(const Body& body, std::span<const TensorType> inputs) {
  HONE_ASSIGN(std::vector<InferOperand> values, body_operands(body, inputs));
  for (const Body::Step& step : body.steps) {
    std::vector<InferOperand> operands;
    for (const int32_t id : step.operands) {
      if (id >= static_cast<int32_t>(values.size())) return invalid_model("a body reads a value before it is made");
      operands.push_back(id < 0 ? InferOperand{} : values[static_cast<size_t>(id)]);
    }
    InferContext ctx(operands, step.types.size(), nullptr);
    HONE_TRY(step.op->infer(ctx).with_context("in the body's " + std::string(step.op->name())));
    for (InferResult& result : ctx.outputs()) {
      values.push_back({.present = true, .type = result.type, .constant = nullptr, .elements = result.elements});
    }
  }
  std::vector<TensorType> results;
  for (const int32_t id : body.results) {
    if (id < 0 || id >= static_cast<int32_t>(values.size())) return invalid_model("a body's result doesn't exist");
    results.push_back(values[static_cast<size_t>(id)].type);
  }
  return results;
}

Result<std::vector<TensorType>> infer_concrete(const Op& op, const Body* body, std::span<const InferOperand> operands,
                                               size_t num_outputs) {
  std::vector<TensorType> types;
  if (body != nullptr) {
    for (const InferOperand& operand : operands) types.push_back(operand.type);
    HONE_ASSIGN(types, body_result_types(*body, types));
  } else {
    InferContext ctx(operands, num_outputs, nullptr);
    HONE_TRY(op.infer(ctx));
    for (InferResult& result : ctx.outputs()) types.push_back(std::move(result.type));
  }
  if (types.size() != num_outputs)
    return invalid_model("makes " + std::to_string(types.size()) + " outputs, expected " + std::to_string(num_outputs));
  for (const TensorType& type : types) {
    for (const Dim& dim : type.shape) {
      if (!dim.is_const()) return unsupported("the shape depends on contents that aren't known yet");
      if (dim.value() < 0) return invalid_model("a dimension would be " + std::to_string(dim.value()));
    }
  }
  return types;
}

}  // namespace hone
