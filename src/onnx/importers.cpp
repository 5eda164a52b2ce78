#include "onnx/importers.h"

#include <map>
#include <utility>

#include "onnx/conversions.h"
#include "ops/op_list.h"

namespace hone::onnx {

namespace {

// Every ONNX operator that can be imported, if the engine has what it becomes.
constexpr OpImporter kImporters[] = {
    // Elementwise
    {"", "Abs", pass_through},
    {"", "Acos", pass_through},
    {"", "Acosh", pass_through},
    {"", "Add", import_elementwise},
    {"", "And", import_elementwise},
    {"", "Asin", pass_through},
    {"", "Asinh", pass_through},
    {"", "Atan", pass_through},
    {"", "Atanh", pass_through},
    {"", "BitCast", pass_through},
    {"", "BitShift", pass_through},
    {"", "BitwiseAnd", pass_through},
    {"", "BitwiseNot", pass_through},
    {"", "BitwiseOr", pass_through},
    {"", "BitwiseXor", pass_through},
    {"", "Cast", import_cast},
    {"", "CastLike", pass_through},
    {"", "Ceil", pass_through},
    {"", "Celu", pass_through},
    {"", "Clip", import_clip},
    {"", "Cos", pass_through},
    {"", "Cosh", pass_through},
    {"", "Div", import_elementwise},
    {"", "Elu", pass_through},
    {"", "Equal", import_elementwise},
    {"", "Erf", pass_through},
    {"", "Exp", pass_through},
    {"", "Floor", pass_through},
    {"", "Gelu", pass_through},
    {"", "Greater", import_elementwise},
    {"", "GreaterOrEqual", pass_through},
    {"", "HardSigmoid", pass_through},
    {"", "HardSwish", pass_through},
    {"", "Identity", pass_through},
    {"", "IsInf", pass_through},
    {"", "IsNaN", pass_through},
    {"", "LeakyRelu", pass_through},
    {"", "Less", import_elementwise},
    {"", "LessOrEqual", pass_through},
    {"", "Log", pass_through},
    {"", "Max", pass_through},
    {"", "Mean", pass_through},
    {"", "Min", pass_through},
    {"", "Mish", pass_through},
    {"", "Mod", pass_through},
    {"", "Mul", import_elementwise},
    {"", "Neg", pass_through},
    {"", "Not", pass_through},
    {"", "Or", import_elementwise},
    {"", "PRelu", import_prelu},
    {"", "Pow", import_elementwise},
    {"", "Reciprocal", pass_through},
    {"", "Relu", pass_through},
    {"", "Round", pass_through},
    {"", "Selu", import_selu},
    {"", "Shrink", pass_through},
    {"", "Sigmoid", pass_through},
    {"", "Sign", pass_through},
    {"", "Sin", pass_through},
    {"", "Sinh", pass_through},
    {"", "Softplus", pass_through},
    {"", "Softsign", pass_through},
    {"", "Sqrt", pass_through},
    {"", "Sub", import_elementwise},
    {"", "Sum", pass_through},
    {"", "Swish", pass_through},
    {"", "Tan", pass_through},
    {"", "Tanh", pass_through},
    {"", "ThresholdedRelu", pass_through},
    {"", "Where", pass_through},
    {"", "Xor", import_elementwise},
    // Matrix products, convolutions, pools
    {"", "AveragePool", pass_through},
    {"", "Conv", pass_through},
    {"", "ConvTranspose", pass_through},
    {"", "DeformConv", pass_through},
    {"", "Det", pass_through},
    {"", "Einsum", pass_through},
    {"", "Gemm", import_gemm},
    {"", "GlobalAveragePool", pass_through},
    {"", "GlobalLpPool", import_lp},
    {"", "GlobalMaxPool", pass_through},
    {"", "LpPool", import_lp},
    {"", "MatMul", pass_through},
    {"", "MaxPool", pass_through},
    {"", "MaxUnpool", pass_through},
    // Normalisations
    {"", "BatchNormalization", import_batch_normalization},
    {"", "Dropout", import_dropout},
    {"", "GroupNormalization", import_group_normalization},
    {"", "Hardmax", import_softmax},
    {"", "InstanceNormalization", pass_through},
    {"", "LRN", pass_through},
    {"", "LayerNormalization", pass_through},
    {"", "LogSoftmax", import_softmax},
    {"", "LpNormalization", import_lp},
    {"", "MeanVarianceNormalization", pass_through},
    {"", "RMSNormalization", pass_through},
    {"", "Softmax", import_softmax},
    // Reductions
    {"", "ArgMax", pass_through},
    {"", "ArgMin", pass_through},
    {"", "CumProd", pass_through},
    {"", "CumSum", pass_through},
    {"", "ReduceL1", import_reduction},
    {"", "ReduceL2", import_reduction},
    {"", "ReduceLogSum", import_reduction},
    {"", "ReduceLogSumExp", import_reduction},
    {"", "ReduceMax", import_reduction},
    {"", "ReduceMean", import_reduction},
    {"", "ReduceMin", import_reduction},
    {"", "ReduceProd", import_reduction},
    {"", "ReduceSum", import_reduce_sum},
    {"", "ReduceSumSquare", import_reduction},
    // Constants and shapes
    {"", "Constant", import_constant, "-"},
    {"", "ConstantOfShape", pass_through},
    {"", "EyeLike", pass_through},
    {"", "Range", pass_through},
    {"", "Shape", pass_through},
    {"", "Size", pass_through},
    // Movement
    {"", "CenterCropPad", pass_through},
    {"", "Compress", pass_through},
    {"", "Concat", import_concat},
    {"", "DepthToSpace", pass_through},
    {"", "Expand", pass_through},
    {"", "Flatten", pass_through},
    {"", "Gather", pass_through},
    {"", "GatherElements", pass_through},
    {"", "GatherND", pass_through},
    {"", "NonZero", pass_through},
    {"", "OneHot", pass_through},
    {"", "Pad", import_pad},
    {"", "Reshape", import_reshape},
    {"", "ReverseSequence", pass_through},
    {"", "Scatter", import_scatter, "ScatterElements"},
    {"", "ScatterElements", pass_through},
    {"", "ScatterND", pass_through},
    {"", "Slice", import_slice},
    {"", "SpaceToDepth", pass_through},
    {"", "Split", import_split},
    {"", "Squeeze", import_squeeze},
    {"", "TensorScatter", pass_through},
    {"", "Tile", import_tile},
    {"", "TopK", import_topk},
    {"", "Transpose", pass_through},
    {"", "Trilu", pass_through},
    {"", "Unsqueeze", import_unsqueeze},
    // Images and boxes
    {"", "GridSample", import_grid_sample},
    {"", "NonMaxSuppression", pass_through},
    {"", "Resize", import_resize},
    {"", "RoiAlign", import_roi_align},
    {"", "Upsample", import_upsample, "Resize"},
    // TensorRT's plugins, with and without its domain
    {"", "BatchedNMSDynamic_TRT", import_trt_nms},
    {"", "BatchedNMS_TRT", import_trt_nms},
    {"", "EfficientNMS_TRT", import_trt_nms},
    {"TRT", "BatchedNMSDynamic_TRT", import_trt_nms},
    {"TRT", "BatchedNMS_TRT", import_trt_nms},
    {"TRT", "EfficientNMS_TRT", import_trt_nms},
};

}  // namespace

const OpImporter* find_importer(std::string_view domain, std::string_view op_type) {
  using Table = std::map<std::pair<std::string_view, std::string_view>, const OpImporter*>;
  static const auto* const kByName = [] {
    auto* table = new Table;
    for (const OpImporter& importer : kImporters) table->emplace(std::pair(importer.domain, importer.name), &importer);
    return table;
  }();
  const auto it = kByName->find(std::pair(domain, op_type));
  return it == kByName->end() ? nullptr : it->second;
}

bool can_import(std::string_view domain, std::string_view op_type) {
  const OpImporter* importer = find_importer(domain, op_type);
  if (importer == nullptr || importer->target == "-") return importer != nullptr;
  return make_op(importer->target.empty() ? importer->name : importer->target) != nullptr;
}

}  // namespace hone::onnx
