// Declares every reference kernel; kernels.cpp lists them.
#pragma once

#include "backends/reference/reference.h"

namespace hone::reference {

// elementwise.cpp
extern const KernelDef kAdd;
extern const KernelDef kSub;
extern const KernelDef kMul;
extern const KernelDef kDiv;
extern const KernelDef kNeg;
extern const KernelDef kAbs;
extern const KernelDef kSign;
extern const KernelDef kClip;
extern const KernelDef kPRelu;

// power.cpp
extern const KernelDef kPow;
extern const KernelDef kMod;

// variadic.cpp
extern const KernelDef kMin;
extern const KernelDef kMax;
extern const KernelDef kSum;
extern const KernelDef kMean;

// math.cpp
extern const KernelDef kExp;
extern const KernelDef kLog;
extern const KernelDef kSqrt;
extern const KernelDef kReciprocal;
extern const KernelDef kErf;
extern const KernelDef kSin;
extern const KernelDef kCos;
extern const KernelDef kTan;
extern const KernelDef kAsin;
extern const KernelDef kAcos;
extern const KernelDef kAtan;
extern const KernelDef kSinh;
extern const KernelDef kCosh;
extern const KernelDef kTanh;
extern const KernelDef kAsinh;
extern const KernelDef kAcosh;
extern const KernelDef kAtanh;
extern const KernelDef kFloor;
extern const KernelDef kCeil;
extern const KernelDef kRound;

// activation.cpp
extern const KernelDef kRelu;
extern const KernelDef kLeakyRelu;
extern const KernelDef kThresholdedRelu;
extern const KernelDef kElu;
extern const KernelDef kSelu;
extern const KernelDef kCelu;
extern const KernelDef kSigmoid;
extern const KernelDef kHardSigmoid;
extern const KernelDef kHardSwish;
extern const KernelDef kSiLU;
extern const KernelDef kSwish;
extern const KernelDef kSoftplus;
extern const KernelDef kSoftsign;
extern const KernelDef kMish;
extern const KernelDef kGelu;

// comparison.cpp
extern const KernelDef kEqual;
extern const KernelDef kLess;
extern const KernelDef kLessOrEqual;
extern const KernelDef kGreater;
extern const KernelDef kGreaterOrEqual;

// logic.cpp
extern const KernelDef kAnd;
extern const KernelDef kOr;
extern const KernelDef kXor;
extern const KernelDef kNot;
extern const KernelDef kIsNaN;
extern const KernelDef kIsInf;
extern const KernelDef kWhere;
extern const KernelDef kBitwiseAnd;
extern const KernelDef kBitwiseOr;
extern const KernelDef kBitwiseXor;
extern const KernelDef kBitwiseNot;
extern const KernelDef kBitShift;

// cast.cpp
extern const KernelDef kCast;
extern const KernelDef kCastLike;

// identity.cpp
extern const KernelDef kIdentity;
extern const KernelDef kDropout;

// resize.cpp, grid_sample.cpp, roi_align.cpp
extern const KernelDef kResize, kGridSample, kRoiAlign;

// topk.cpp, nms.cpp, trt_nms.cpp
extern const KernelDef kTopK, kNonMaxSuppression, kEfficientNMS, kBatchedNMS, kBatchedNMSDynamic;

// conv.cpp
extern const KernelDef kConv;
extern const KernelDef kConvTranspose;

// pool.cpp
extern const KernelDef kMaxPool;
extern const KernelDef kAveragePool;
extern const KernelDef kLpPool;
extern const KernelDef kGlobalMaxPool;
extern const KernelDef kGlobalAveragePool;
extern const KernelDef kGlobalLpPool;

// matmul.cpp
extern const KernelDef kMatMul;
extern const KernelDef kGemm;

// einsum.cpp
extern const KernelDef kEinsum;

// normalize.cpp
extern const KernelDef kBatchNormalization;
extern const KernelDef kLayerNormalization;
extern const KernelDef kRMSNormalization;
extern const KernelDef kInstanceNormalization;
extern const KernelDef kGroupNormalization;
extern const KernelDef kMeanVarianceNormalization;
extern const KernelDef kLpNormalization;
extern const KernelDef kLRN;

// softmax.cpp
extern const KernelDef kSoftmax;
extern const KernelDef kLogSoftmax;
extern const KernelDef kHardmax;

// reduce.cpp
extern const KernelDef kReduceSum;
extern const KernelDef kReduceMean;
extern const KernelDef kReduceProd;
extern const KernelDef kReduceMax;
extern const KernelDef kReduceMin;
extern const KernelDef kReduceL1;
extern const KernelDef kReduceL2;
extern const KernelDef kReduceLogSum;
extern const KernelDef kReduceLogSumExp;
extern const KernelDef kReduceSumSquare;
extern const KernelDef kArgMax;
extern const KernelDef kArgMin;

// reshape.cpp
extern const KernelDef kReshape, kFlatten, kSqueeze, kUnsqueeze, kBitCast;

// shape.cpp
extern const KernelDef kShape, kSize;

// expand.cpp
extern const KernelDef kExpand, kTile;

// generate.cpp
extern const KernelDef kConstantOfShape, kRange, kEyeLike, kOneHot;

// rearrange.cpp
extern const KernelDef kTranspose, kDepthToSpace, kSpaceToDepth, kReverseSequence, kTrilu;

// concat.cpp
extern const KernelDef kConcat, kSplit;

// slice.cpp
extern const KernelDef kSlice;

// pad.cpp
extern const KernelDef kPad, kCenterCropPad;

// gather.cpp
extern const KernelDef kGather, kGatherElements, kGatherND;

// scatter.cpp
extern const KernelDef kScatterND, kScatterElements, kTensorScatter;

// select.cpp
extern const KernelDef kNonZero, kCompress;

// scan.cpp
extern const KernelDef kCumSum, kCumProd;

// body.cpp
extern const KernelDef kBody;

}  // namespace hone::reference
