// Slice: a strided copy.
#include "ops/slice.h"

#include "backends/reference/copy.h"
#include "backends/reference/indices.h"
#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"

namespace hone::reference {

namespace {

bool has(const KernelArgs& args, size_t operand) {
  return operand < args.inputs.size() && args.inputs[operand].present();
}

// What is taken of each axis.
struct Taken {
  Extents first, step, count;
};

Result<Taken> read_slices(const KernelArgs& args) {
  const Extents& dims = args.inputs[Slice::kData].dims;
  Taken taken{Extents::filled(dims.size(), 0), Extents::filled(dims.size(), 1), dims};
  const int64_t length = args.inputs[Slice::kStarts].count();
  for (const size_t i : {Slice::kEnds, Slice::kAxes, Slice::kSteps}) {
    if (!has(args, i) || args.inputs[i].count() == length) continue;
    return invalid_model("operand " + std::to_string(i) + " has " + std::to_string(args.inputs[i].count()) +
                         " elements, 'starts' has " + std::to_string(length));
  }
  for (int64_t k = 0; k < length; ++k) {
    const int64_t named = has(args, Slice::kAxes) ? read_int(args.inputs[Slice::kAxes], k) : k;
    HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(named, dims.size()));
    const auto axis = static_cast<size_t>(normal);
    const int64_t step = has(args, Slice::kSteps) ? read_int(args.inputs[Slice::kSteps], k) : 1;
    if (step == 0) return invalid_model("element " + std::to_string(k) + " of 'steps' is 0");
    const AxisSlice slice =
        slice_axis(dims[axis], read_int(args.inputs[Slice::kStarts], k), read_int(args.inputs[Slice::kEnds], k), step);
    taken.first[axis] = slice.first;
    taken.step[axis] = slice.step;
    taken.count[axis] = slice.count;
  }
  return taken;
}

Status slice(const Slice&, const KernelArgs& args) {
  const TensorView &from = args.inputs[Slice::kData], &to = args.outputs[0];
  HONE_ASSIGN(const Taken taken, read_slices(args));
  HONE_TRY(expect_output(args, 0, taken.count));
  if (to.count() == 0) return {};
  Extents strides = row_major_strides(from.dims);
  int64_t start = 0;
  for (size_t axis = 0; axis < strides.size(); ++axis) {
    start += taken.first[axis] * strides[axis];
    // A step past the axis is never taken, and might overflow.
    strides[axis] = taken.count[axis] == 1 ? 0 : strides[axis] * taken.step[axis];
  }
  return copy_strided(args.device->threads, to.dtype, to.dims, {to.data, row_major_strides(to.dims)},
                      {from.data + static_cast<size_t>(start) * bytes_of(from.dtype), strides});
}

}  // namespace

const KernelDef kSlice = kReferenceKernel<Slice, slice>;

}  // namespace hone::reference
