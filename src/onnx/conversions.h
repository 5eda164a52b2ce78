// How each operator's older versions become its newest one. Names say what; importers.cpp says which operator uses
// which.
#pragma once

#include "onnx/node_import.h"

namespace hone::onnx {

// The operator has changed in nothing but types and limits.
Status pass_through(NodeImport& node);

// convert_math.cpp
// Two operands, the second broadcast by the attributes `broadcast` and `axis` before version 7.
Status import_elementwise(NodeImport& node);
Status import_prelu(NodeImport& node);
Status import_gemm(NodeImport& node);
// Bounds are attributes before version 11.
Status import_clip(NodeImport& node);
// The axes from `axis` on count as one before version 13: Softmax, LogSoftmax, Hardmax.
Status import_softmax(NodeImport& node);
// Axes are an attribute before version 18 (13 for ReduceSum).
Status import_reduction(NodeImport& node);
Status import_reduce_sum(NodeImport& node);
Status import_selu(NodeImport& node);
// The type is a word before version 6.
Status import_cast(NodeImport& node);
// `p` is a float in version 1: LpPool, GlobalLpPool, LpNormalization.
Status import_lp(NodeImport& node);

// convert_shape.cpp
// Shape-deciding attributes became operands in some version.
Status import_reshape(NodeImport& node);
Status import_squeeze(NodeImport& node);
Status import_unsqueeze(NodeImport& node);
Status import_slice(NodeImport& node);
Status import_pad(NodeImport& node);
Status import_split(NodeImport& node);
Status import_tile(NodeImport& node);
Status import_topk(NodeImport& node);
Status import_concat(NodeImport& node);
Status import_scatter(NodeImport& node);
Status import_constant(NodeImport& node);

// convert_image.cpp
Status import_upsample(NodeImport& node);
Status import_resize(NodeImport& node);
Status import_grid_sample(NodeImport& node);
Status import_roi_align(NodeImport& node);
Status import_batch_normalization(NodeImport& node);
Status import_group_normalization(NodeImport& node);
Status import_dropout(NodeImport& node);
// TensorRT's plugins have four outputs, listed or not.
Status import_trt_nms(NodeImport& node);

}  // namespace hone::onnx
