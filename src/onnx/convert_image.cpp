#include <algorithm>

#include "onnx/conversions.h"

namespace hone::onnx {

namespace {

// Before version 11 positions scale from the corner.
AttrMap asymmetric(std::string mode, std::string nearest_mode) {
  if (mode == "bilinear") mode = "linear";
  return {{"mode", std::move(mode)},
          {"coordinate_transformation_mode", std::string("asymmetric")},
          {"nearest_mode", std::move(nearest_mode)}};
}

Result<Value*> float_list(NodeImport& node, const Floats& values, std::string_view hint) {
  const auto count = static_cast<int64_t>(values.size());
  return node.constant(Tensor::of<float>(values, std::span(&count, 1)), hint);
}

}  // namespace

Status import_upsample(NodeImport& node) {
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(const std::optional<std::string> mode, node.take_string("mode"));
  Value* scales = node.input(1);
  if (node.opset() < 7) {
    HONE_ASSIGN(const std::optional<float> height, node.take_float("height_scale"));
    HONE_ASSIGN(const std::optional<float> width, node.take_float("width_scale"));
    if (!height || !width) return invalid_model("attributes 'height_scale' and 'width_scale' are needed");
    HONE_ASSIGN(scales, float_list(node, {1, 1, *height, *width}, "scales"));
  } else if (node.opset() < 9) {
    HONE_ASSIGN(const std::optional<Floats> list, node.take_floats("scales"));
    if (!list) return invalid_model("attribute 'scales' is missing");
    HONE_ASSIGN(scales, float_list(node, *list, "scales"));
  }
  if (scales == nullptr) return invalid_model("operand 1, the scales, is missing");
  return node.finish("Resize", asymmetric(mode.value_or("nearest"), "floor"), {x, nullptr, scales});
}

namespace {

// Version 10 takes the nearest pixel below when it enlarges and above when it reduces an axis.
Status import_resize_10(NodeImport& node) {
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(Value* const scales, node.required_input(1));
  HONE_ASSIGN(const std::optional<std::string> given, node.take_string("mode"));
  const std::string mode = given.value_or("nearest");
  if (mode != "nearest" || !scales->is_constant() || scales->dtype() != DataType::kFloat32) {
    if (mode == "nearest") node.remark("taken as enlarging, since its scales aren't constant");
    return node.finish("Resize", asymmetric(mode, "floor"), {x, nullptr, scales});
  }
  Floats up, down;
  for (const float scale : scales->constant().values<float>()) {
    up.push_back(std::max(scale, 1.0f));
    down.push_back(std::min(scale, 1.0f));
  }
  const auto trivial = [](const Floats& list) {
    return std::all_of(list.begin(), list.end(), [](float s) { return s == 1; });
  };
  if (trivial(down)) return node.finish("Resize", asymmetric(mode, "floor"), {x, nullptr, scales});
  if (trivial(up)) return node.finish("Resize", asymmetric(mode, "ceil"), {x, nullptr, scales});
  HONE_ASSIGN(Value* const reduce, float_list(node, down, "down"));
  HONE_ASSIGN(Value* const reduced, node.emit("Resize", asymmetric(mode, "ceil"), {x, nullptr, reduce}));
  HONE_ASSIGN(Value* const enlarge, float_list(node, up, "up"));
  return node.finish("Resize", asymmetric(mode, "floor"), {reduced, nullptr, enlarge});
}

}  // namespace

Status import_resize(NodeImport& node) { return node.opset() < 11 ? import_resize_10(node) : node.finish(); }

Status import_grid_sample(NodeImport& node) {
  if (node.opset() >= 20) return node.finish();
  HONE_ASSIGN(const std::optional<std::string> mode, node.take_string("mode"));
  if (mode == "bilinear") {
    node.set("mode", std::string("linear"));
  } else if (mode == "bicubic") {
    node.set("mode", std::string("cubic"));
  } else if (mode) {
    node.set("mode", *mode);
  }
  return node.finish();
}

Status import_roi_align(NodeImport& node) {
  if (node.opset() < 16) node.set("coordinate_transformation_mode", std::string("output_half_pixel"));
  return node.finish();
}

namespace {

// One mean and variance for each element of a sample, not for each channel.
Status import_elementwise_normalization(NodeImport& node, float epsilon) {
  std::vector<Value*> in(5);
  for (size_t i = 0; i < in.size(); ++i) {
    HONE_ASSIGN(in[i], node.required_input(i));
  }
  HONE_ASSIGN(Value* const small, node.scalar(in[0]->dtype(), epsilon, "epsilon"));
  HONE_ASSIGN(Value* const variance, node.emit("Add", {}, {in[4], small}));
  HONE_ASSIGN(Value* const deviation, node.emit("Sqrt", {}, {variance}));
  HONE_ASSIGN(Value* const centred, node.emit("Sub", {}, {in[0], in[3]}));
  HONE_ASSIGN(Value* const normal, node.emit("Div", {}, {centred, deviation}));
  HONE_ASSIGN(Value* const scaled, node.emit("Mul", {}, {normal, in[1]}));
  return node.finish("Add", {}, {scaled, in[2]});
}

}  // namespace

Status import_batch_normalization(NodeImport& node) {
  if (node.opset() >= 14) return node.finish();
  if (node.num_outputs() > 1) {
    return unsupported("more than one output before version 14 means training; export the model for inference");
  }
  if (node.opset() < 7) node.drop("is_test");
  HONE_ASSIGN(const std::optional<int64_t> spatial, node.take_int("spatial"));
  if (spatial.value_or(1) != 0) return node.finish();
  HONE_ASSIGN(const std::optional<float> epsilon, node.take_float("epsilon"));
  return import_elementwise_normalization(node, epsilon.value_or(1e-5f));
}

namespace {

// [groups] -> [channels], each value repeated.
Result<Value*> spread_over_channels(NodeImport& node, Value* value, int64_t groups, int64_t channels) {
  HONE_ASSIGN(Value* const column_shape, node.constant(Ints{groups, 1}, "shape"));
  HONE_ASSIGN(Value* const column, node.emit("Reshape", {}, {value, column_shape}));
  HONE_ASSIGN(Value* const table_shape, node.constant(Ints{groups, channels / groups}, "shape"));
  HONE_ASSIGN(Value* const table, node.emit("Expand", {}, {column, table_shape}));
  HONE_ASSIGN(Value* const flat_shape, node.constant(Ints{channels}, "shape"));
  return node.emit("Reshape", {}, {table, flat_shape});
}

}  // namespace

Status import_group_normalization(NodeImport& node) {
  if (node.opset() >= 21) return node.finish();
  // Version 18 has one scale and bias for each group.
  HONE_ASSIGN(Value* const x, node.required_input(0));
  HONE_ASSIGN(Value* const scale, node.required_input(1));
  HONE_ASSIGN(Value* const bias, node.required_input(2));
  HONE_ASSIGN(const std::optional<int64_t> groups, node.take_int("num_groups"));
  if (!groups || *groups < 1) return invalid_model("attribute 'num_groups' must be 1 or more");
  node.set("num_groups", *groups);
  const std::optional<int64_t> channels = x->rank() > 1 ? x->shape()[1].as_const() : std::nullopt;
  if (!channels) return unsupported("version 18 needs a fixed number of channels");
  if (*channels % *groups != 0) {
    return invalid_model(std::to_string(*channels) + " channels can't be divided into " + std::to_string(*groups) +
                         " groups");
  }
  HONE_ASSIGN(Value* const scales, spread_over_channels(node, scale, *groups, *channels));
  HONE_ASSIGN(Value* const biases, spread_over_channels(node, bias, *groups, *channels));
  return node.finish(node.op_type(), node.take_attributes(), {x, scales, biases});
}

Status import_dropout(NodeImport& node) {
  if (node.opset() >= 12) return node.finish();
  // The ratio matters in training only, which came with version 12.
  HONE_ASSIGN(Value* const x, node.required_input(0));
  node.drop("ratio");
  if (node.opset() < 7) node.drop("is_test");
  if (node.opset() >= 10 || !node.has_output(1)) {
    return node.finish(node.op_type(), node.take_attributes(), {x});
  }
  // The mask has the operand's type.
  HONE_ASSIGN(const Node* const dropout, node.emit_node(node.op_type(), node.take_attributes(), {x}, 2));
  node.set_result(0, dropout->output(0));
  return node.finish_output(1, "Cast", {{"to", static_cast<int64_t>(x->dtype())}}, {dropout->output(1)});
}

Status import_trt_nms(NodeImport& node) {
  return node.finish(node.op_type(), node.take_attributes(), node.inputs(), 4);
}

}  // namespace hone::onnx
