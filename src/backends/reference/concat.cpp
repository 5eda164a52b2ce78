// Concat and Split: runs of whole slices, copied.
#include "ops/concat.h"

#include "backends/reference/copy.h"
#include "backends/reference/kernels.h"

namespace hone::reference {

namespace {

// A tensor as [outer, size, inner] around an axis.
struct AroundAxis {
  int64_t outer, size, inner;

  AroundAxis(std::span<const int64_t> dims, size_t axis)
      : outer(count_of(dims.first(axis))), size(dims[axis]), inner(count_of(dims.subspan(axis + 1))) {}
};

// Copies between `part` (contiguous) and the stretch of `whole` that starts at `offset` on the axis.
Status copy_part(const KernelArgs& args, const TensorView& part, const TensorView& whole, size_t axis, int64_t offset,
                 bool into_whole) {
  const AroundAxis small(part.dims, axis), large(whole.dims, axis);
  const Extents dims = {small.outer, small.size * small.inner};
  const StridedSide part_side = {part.data, {dims[1], 1}};
  const StridedSide whole_side = {whole.data + static_cast<size_t>(offset * large.inner) * bytes_of(whole.dtype),
                                  {large.size * large.inner, 1}};
  return copy_strided(args.device->threads, whole.dtype, dims, into_whole ? whole_side : part_side,
                      into_whole ? part_side : whole_side);
}

// The parts differ from the whole on the axis only, where they add up to it.
Status check_parts(std::span<const TensorView> parts, const TensorView& whole, size_t axis) {
  int64_t sum = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    Extents dims = parts[i].dims;
    sum += dims[axis];
    dims[axis] = whole.dims[axis];
    if (dims == whole.dims) continue;
    return invalid_model("part " + std::to_string(i) + " has the shape " + to_string(parts[i].dims) +
                         ", which doesn't "
                         "fit into " +
                         to_string(whole.dims) + " along axis " + std::to_string(axis));
  }
  if (sum == whole.dims[axis]) return {};
  return invalid_model("the parts' sizes on axis " + std::to_string(axis) + " sum to " + std::to_string(sum) +
                       ", but the whole has " + std::to_string(whole.dims[axis]));
}

Status copy_parts(const KernelArgs& args, std::span<const TensorView> parts, const TensorView& whole, int64_t axis,
                  bool into_whole) {
  HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(axis, whole.rank()));
  const auto along = static_cast<size_t>(normal);
  HONE_TRY(check_parts(parts, whole, along));
  int64_t offset = 0;
  for (const TensorView& part : parts) {
    HONE_TRY(copy_part(args, part, whole, along, offset, into_whole));
    offset += part.dims[along];
  }
  return {};
}

Status concat(const Concat& op, const KernelArgs& args) {
  return copy_parts(args, args.inputs, args.outputs[0], op.axis.value_or(0), /*into_whole=*/true);
}

Status split(const Split& op, const KernelArgs& args) {
  return copy_parts(args, args.outputs, args.inputs[0], op.axis, /*into_whole=*/false);
}

}  // namespace

const KernelDef kConcat = kReferenceKernel<Concat, concat>;
const KernelDef kSplit = kReferenceKernel<Split, split>;

}  // namespace hone::reference
