// Gather, GatherElements and GatherND: indices are checked first, then runs are copied.
#include "ops/gather.h"

#include <algorithm>
#include <cstring>

#include "backends/reference/indices.h"
#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"

namespace hone::reference {

namespace {

constexpr int64_t kGrainBytes = 1 << 15;

// to run i from run source(i) for all i in [0, count).
template <class F>
void copy_runs(const KernelArgs& args, int64_t count, size_t run_bytes, F&& source) {
  const TensorView &from = args.inputs[0], &to = args.outputs[0];
  if (run_bytes == 0) return;
  const int64_t grain = std::max<int64_t>(1, kGrainBytes / static_cast<int64_t>(run_bytes + 16));
  parallel_for(args.device->threads, count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::memcpy(to.data + static_cast<size_t>(i) * run_bytes, from.data + static_cast<size_t>(source(i)) * run_bytes,
                  run_bytes);
    }
  });
}

Status gather(const Gather& op, const KernelArgs& args) {
  const TensorView &data = args.inputs[0], &indices = args.inputs[1];
  HONE_ASSIGN(const int64_t axis, InferContext::normalize_axis(op.axis, data.rank()));
  const std::span<const int64_t> dims = data.dims;
  const auto picked = static_cast<size_t>(axis);
  const int64_t outer = count_of(dims.first(picked)), size = dims[picked], count = indices.count();
  const int64_t inner = count_of(dims.subspan(picked + 1));
  if (args.outputs[0].count() != outer * count * inner)
    return invalid_model("the output has another size than the operands give");
  if (args.outputs[0].count() == 0) return {};
  HONE_TRY(check_indices(args.device->threads, indices, "indices", size));
  copy_runs(args, outer * count, static_cast<size_t>(inner) * bytes_of(data.dtype),
            [&](int64_t i) { return i / count * size + from_end(read_int(indices, i % count), size); });
  return {};
}

// to[i] for the flat positions [begin, end).
template <class T>
void gather_elements_range(const KernelArgs& args, size_t axis, int64_t begin, int64_t end) {
  const TensorView &data = args.inputs[0], &indices = args.inputs[1];
  const Extents strides = row_major_strides(data.dims);
  const int64_t size = data.dims[axis];
  const T* const from = reinterpret_cast<const T*>(data.data);
  T* const to = reinterpret_cast<T*>(args.outputs[0].data);
  Extents at = position_of(begin, indices.dims);
  for (int64_t i = begin; i < end; ++i) {
    int64_t offset = from_end(read_int(indices, i), size) * strides[axis];
    for (size_t k = 0; k < at.size(); ++k) offset += k == axis ? 0 : at[k] * strides[k];
    to[i] = from[offset];
    next_position(at, indices.dims);
  }
}

Status gather_elements(const GatherElements& op, const KernelArgs& args) {
  const TensorView &data = args.inputs[0], &indices = args.inputs[1];
  HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(op.axis, data.rank()));
  const auto axis = static_cast<size_t>(normal);
  HONE_TRY(expect_output(args, 0, indices.dims));
  if (indices.count() == 0) return {};
  for (size_t k = 0; k < data.rank(); ++k) {
    if (k == axis || indices.dims[k] <= data.dims[k]) continue;
    return invalid_model("'indices' of shape " + to_string(indices.dims) + " is larger than the data, " +
                         to_string(data.dims) + ", on axis " + std::to_string(k));
  }
  HONE_TRY(check_indices(args.device->threads, indices, "indices", data.dims[axis]));
  return visit_width(data.dtype, [&]<class T>() {
    parallel_for(args.device->threads, indices.count(), 1 << 12,
                 [&](int64_t begin, int64_t end) { gather_elements_range<T>(args, axis, begin, end); });
    return Status();
  });
}

Status gather_nd(const GatherND& op, const KernelArgs& args) {
  const TensorView &data = args.inputs[0], &indices = args.inputs[1];
  const std::span<const int64_t> dims = data.dims, index_dims = indices.dims;
  const auto batch = static_cast<size_t>(op.batch_dims), tuple = static_cast<size_t>(index_dims.back());
  const int64_t batches = count_of(dims.first(batch)), count = count_of(index_dims.first(index_dims.size() - 1));
  const std::span<const int64_t> sizes = dims.subspan(batch, tuple);
  const int64_t inner = count_of(dims.subspan(batch + tuple));
  if (args.outputs[0].count() != count * inner || !std::equal(dims.begin(), dims.begin() + batch, index_dims.begin())) {
    return invalid_model("the output has another size than the operands give");
  }
  if (args.outputs[0].count() == 0) return {};
  HONE_TRY(check_tuples(indices, "indices", sizes));
  const Extents steps = row_major_strides(sizes);  // in runs
  const int64_t runs = count_of(sizes), tuples = count / batches;
  copy_runs(args, count, static_cast<size_t>(inner) * bytes_of(data.dtype),
            [&](int64_t i) { return i / tuples * runs + tuple_offset(indices, i, sizes, steps); });
  return {};
}

}  // namespace

const KernelDef kGather = kReferenceKernel<Gather, gather>;
const KernelDef kGatherElements = kReferenceKernel<GatherElements, gather_elements>;
const KernelDef kGatherND = kReferenceKernel<GatherND, gather_nd>;

}  // namespace hone::reference
