// Shape and Size: numbers from the operand's dimensions.
#include "ops/shape.h"

#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"

namespace hone::reference {

namespace {

Status shape_of(const ShapeOf& op, const KernelArgs& args) {
  const auto [first, last] = op.axes(args.inputs[0].rank());
  HONE_TRY(expect_output(args, 0, Extents{static_cast<int64_t>(last - first)}));
  for (size_t i = first; i < last; ++i) args.outputs[0].as<int64_t>()[i - first] = args.inputs[0].dims[i];
  return {};
}

Status size(const Size&, const KernelArgs& args) {
  *args.outputs[0].as<int64_t>() = args.inputs[0].count();
  return {};
}

}  // namespace

const KernelDef kShape = kReferenceKernel<ShapeOf, shape_of>;
const KernelDef kSize = kReferenceKernel<Size, size>;

}  // namespace hone::reference
