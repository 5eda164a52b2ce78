// Declares every CPU kernel; kernels.cpp lists them in the order of preference.
#pragma once

#include "hone/kernel.h"

namespace hone::cpu {

// conv_onednn.cpp, conv_transpose_onednn.cpp, matmul_onednn.cpp
extern const KernelDef kConvOneDnn, kConvTransposeOneDnn, kMatMulOneDnn, kGemmOneDnn;

}  // namespace hone::cpu
