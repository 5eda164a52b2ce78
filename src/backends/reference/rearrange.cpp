// Transpose, DepthToSpace, SpaceToDepth, ReverseSequence and Trilu.
#include "ops/rearrange.h"

#include <algorithm>
#include <cstring>

#include "backends/reference/copy.h"
#include "backends/reference/indices.h"
#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"

namespace hone::reference {

namespace {

// The output, contiguous, has the axes `axes` of the operand seen as a tensor of `dims`.
Status permute(const KernelArgs& args, const Extents& dims, const Extents& axes) {
  const Extents own = row_major_strides(dims);
  Extents out, from;
  for (const int64_t axis : axes) {
    out.push_back(dims[static_cast<size_t>(axis)]);
    from.push_back(own[static_cast<size_t>(axis)]);
  }
  return copy_strided(args.device->threads, args.outputs[0].dtype, out, {args.outputs[0].data, row_major_strides(out)},
                      {args.inputs[0].data, from});
}

Status transpose(const Transpose& op, const KernelArgs& args) {
  HONE_ASSIGN(const Extents axes, op.permutation(args.inputs[0].rank()));
  return permute(args, args.inputs[0].dims, axes);
}

Status depth_to_space(const DepthToSpace& op, const KernelArgs& args) {
  const Extents& in = args.inputs[0].dims;
  const int64_t b = op.blocksize, depth = in[1] / (b * b);
  HONE_TRY(expect_output(args, 0, Extents{in[0], depth, in[2] * b, in[3] * b}));
  if (args.inputs[0].count() != args.outputs[0].count()) {
    return invalid_model("the number of channels is " + std::to_string(in[1]) + ", must be a multiple of " +
                         std::to_string(b * b) + " (blocksize^2)");
  }
  if (op.mode == DepthOrder::kDcr) return permute(args, {in[0], b, b, depth, in[2], in[3]}, {0, 3, 4, 1, 5, 2});
  return permute(args, {in[0], depth, b, b, in[2], in[3]}, {0, 1, 4, 2, 5, 3});
}

Status space_to_depth(const SpaceToDepth& op, const KernelArgs& args) {
  const Extents& in = args.inputs[0].dims;
  const int64_t b = op.blocksize, height = in[2] / b, width = in[3] / b;
  HONE_TRY(expect_output(args, 0, Extents{in[0], in[1] * b * b, height, width}));
  if (args.inputs[0].count() != args.outputs[0].count()) {
    return invalid_model("height and width are " + std::to_string(in[2]) + " and " + std::to_string(in[3]) +
                         ", must be multiples of " + std::to_string(b) + " (blocksize)");
  }
  const Extents axes = op.mode == DepthOrder::kDcr ? Extents{0, 3, 5, 1, 2, 4} : Extents{0, 1, 3, 5, 2, 4};
  return permute(args, {in[0], in[1], height, b, width, b}, axes);
}

Status reverse_sequence(const ReverseSequence& op, const KernelArgs& args) {
  const TensorView &from = args.inputs[0], &lengths = args.inputs[1], &to = args.outputs[0];
  const std::span<const int64_t> dims = from.dims;
  const int64_t batches = dims[static_cast<size_t>(op.batch_axis)], times = dims[static_cast<size_t>(op.time_axis)];
  if (lengths.count() != batches) {
    return invalid_model("'sequence_lens' has " + std::to_string(lengths.count()) + " elements for a batch of " +
                         std::to_string(batches));
  }
  for (int64_t b = 0; b < batches; ++b) {
    const int64_t length = read_int(lengths, b);
    if (length >= 0 && length <= times) continue;
    return runtime_error("element " + std::to_string(b) + " of 'sequence_lens' is " + std::to_string(length) +
                         ", must be in [0, " + std::to_string(times) + "]");
  }
  const auto run = static_cast<size_t>(count_of(dims.subspan(2))) * bytes_of(from.dtype);
  const bool batch_first = op.batch_axis == 0;
  const auto place = [&](int64_t b, int64_t t) {
    return static_cast<size_t>(batch_first ? b * times + t : t * batches + b) * run;
  };
  if (run == 0) return {};
  for (int64_t b = 0; b < batches; ++b) {
    const int64_t length = read_int(lengths, b);
    for (int64_t t = 0; t < times; ++t) {
      std::memcpy(to.data + place(b, t), from.data + place(b, t < length ? length - 1 - t : t), run);
    }
  }
  return {};
}

Status trilu(const Trilu& op, const KernelArgs& args) {
  const TensorView &from = args.inputs[0], &to = args.outputs[0];
  const int64_t columns = to.dims.back(), rows = to.dims[to.rank() - 2];
  if (to.count() == 0) return {};
  const bool given = args.inputs.size() > 1 && args.inputs[1].present();
  // Diagonals outside of the matrix are all alike.
  const int64_t k = std::clamp<int64_t>(given ? read_int(args.inputs[1], 0) : 0, -rows - 1, columns + 1);
  const size_t width = bytes_of(to.dtype);
  const int64_t all_rows = to.count() / columns;
  for (int64_t i = 0; i < all_rows; ++i) {
    // Upper keeps columns from row + k on, lower those up to row + k.
    const int64_t split = std::clamp<int64_t>(i % rows + k + (op.upper ? 0 : 1), 0, columns);
    const size_t start = static_cast<size_t>(i * columns) * width, left = static_cast<size_t>(split) * width;
    const size_t right = static_cast<size_t>(columns) * width - left;
    std::memcpy(to.data + start, from.data + start, left + right);
    std::memset(to.data + start + (op.upper ? 0 : left), 0, op.upper ? left : right);
  }
  return {};
}

}  // namespace

const KernelDef kTranspose = kReferenceKernel<Transpose, transpose>;
const KernelDef kDepthToSpace = kReferenceKernel<DepthToSpace, depth_to_space>;
const KernelDef kSpaceToDepth = kReferenceKernel<SpaceToDepth, space_to_depth>;
const KernelDef kReverseSequence = kReferenceKernel<ReverseSequence, reverse_sequence>;
const KernelDef kTrilu = kReferenceKernel<Trilu, trilu>;

}  // namespace hone::reference
