// Expand and Tile.
#include "ops/expand.h"

#include <algorithm>
#include <cstring>

#include "backends/reference/copy.h"
#include "backends/reference/kernels.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

Status expand(const Expand&, const KernelArgs& args) {
  const TensorView &from = args.inputs[0], &to = args.outputs[0];
  const Extents own = row_major_strides(from.dims);
  Extents strides = Extents::filled(to.rank(), 0);
  for (size_t i = 0; i < from.rank(); ++i) {
    const size_t axis = to.rank() - from.rank() + i;
    if (from.dims[i] != 1 && from.dims[i] != to.dims[axis]) {
      return invalid_model("shape " + to_string(from.dims) + " can't be broadcast to " + to_string(to.dims));
    }
    if (from.dims[i] != 1) strides[axis] = own[i];
  }
  return copy_strided(args.device->threads, to.dtype, to.dims, {to.data, row_major_strides(to.dims)},
                      {from.data, strides});
}

// Fills `total` bytes with copies of the `bytes` at `from`.
void repeat_bytes(std::byte* to, const std::byte* from, size_t bytes, size_t total) {
  std::memcpy(to, from, bytes);
  for (size_t done = bytes; done < total; done *= 2) std::memcpy(to + done, to, std::min(done, total - done));
}

Status tile(const Tile&, const KernelArgs& args) {
  const TensorView &from = args.inputs[0], &to = args.outputs[0];
  for (size_t i = 0; i < to.rank(); ++i) {
    if (from.dims[i] == 0 ? to.dims[i] != 0 : to.dims[i] % from.dims[i] != 0) {
      return invalid_model("shape " + to_string(to.dims) + " isn't a repetition of " + to_string(from.dims));
    }
  }
  if (to.count() == 0) return {};
  // Behind the last repeated axis both are contiguous alike: one repetition of that axis and those is a run.
  size_t split = to.rank();
  while (split > 0 && to.dims[split - 1] == from.dims[split - 1]) --split;
  const size_t rows_rank = split == 0 ? 0 : split - 1;
  const std::span<const int64_t> in = from.dims, out = to.dims;
  const size_t width = bytes_of(to.dtype);
  const size_t run = static_cast<size_t>(count_of(in.subspan(rows_rank))) * width;
  const size_t row = static_cast<size_t>(count_of(out.subspan(rows_rank))) * width;
  const int64_t grain = std::max<int64_t>(1, (1 << 16) / static_cast<int64_t>(row));
  parallel_for(args.device->threads, count_of(out.first(rows_rank)), grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t rest = i, source = 0, stride = 1;
      for (size_t axis = rows_rank; axis-- > 0;) {
        source += rest % out[axis] % in[axis] * stride;
        rest /= out[axis];
        stride *= in[axis];
      }
      repeat_bytes(to.data + static_cast<size_t>(i) * row, from.data + static_cast<size_t>(source) * run, run, row);
    }
  });
  return {};
}

}  // namespace

const KernelDef kExpand = kReferenceKernel<Expand, expand>;
const KernelDef kTile = kReferenceKernel<Tile, tile>;

}  // namespace hone::reference
