// Declares every reference kernel; kernels.cpp lists them.
#pragma once

#include "backends/reference/reference.h"

namespace hone::reference {

// elementwise.cpp
extern const KernelDef kRelu;

}  // namespace hone::reference
