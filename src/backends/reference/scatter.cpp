// ScatterND, ScatterElements and TensorScatter: a copy of the data, then the updates in their order. Threads share the
// elements of the slices, never the updates, so that the order holds at each place.
#include "ops/scatter.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "backends/reference/copy.h"
#include "backends/reference/indices.h"
#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"

namespace hone::reference {

namespace {

// Sums and products of floating elements are rounded after each update.
template <class T>
T combine(Reduction reduction, T old, T update) {
  const auto is_nan = [](T x) {
    if constexpr (std::is_integral_v<T>) {
      return false;
    } else {
      return std::isnan(to_double(x));
    }
  };
  switch (reduction) {
    case Reduction::kAdd: return narrow<T>(widen(old) + widen(update));
    case Reduction::kMul: return narrow<T>(widen(old) * widen(update));
    case Reduction::kMax: return is_nan(old) || (!is_nan(update) && !(update > old)) ? old : update;
    case Reduction::kMin: return is_nan(old) || (!is_nan(update) && !(update < old)) ? old : update;
    default: return update;
  }
}

// Calls f with a function (T& place, T update) for the reduction, with T of the element's width or type.
template <class F>
Status visit_update(DataType dtype, Reduction reduction, F&& f) {
  if (reduction == Reduction::kNone) {
    return visit_width(dtype, [&]<class T>() {
      f(static_cast<T*>(nullptr), [](T& place, T update) { place = update; });
      return Status();
    });
  }
  return visit_type(dtype, NumberTypes{}, [&]<class T>() {
    f(static_cast<T*>(nullptr), [reduction](T& place, T update) { place = combine(reduction, place, update); });
    return Status();
  });
}

void copy_data(const KernelArgs& args) {
  copy_bytes(args.device->threads, args.outputs[0].data, args.inputs[0].data, args.outputs[0].bytes());
}

Status scatter_nd(const ScatterND& op, const KernelArgs& args) {
  const TensorView &data = args.inputs[0], &indices = args.inputs[1], &updates = args.inputs[2], &to = args.outputs[0];
  const std::span<const int64_t> dims = data.dims, index_dims = indices.dims;
  const auto tuple = static_cast<size_t>(index_dims.back());
  if (tuple > data.rank() || data.dims != to.dims) return invalid_model("operands and output don't fit together");
  const std::span<const int64_t> sizes = dims.first(tuple);
  const int64_t inner = count_of(dims.subspan(tuple)), count = count_of(index_dims.first(index_dims.size() - 1));
  if (updates.count() != count * inner) {
    return invalid_model("'updates' has " + std::to_string(updates.count()) + " elements, must have " +
                         std::to_string(count * inner));
  }
  copy_data(args);
  if (updates.count() == 0) return {};
  HONE_TRY(check_tuples(indices, "indices", sizes));
  Extents strides = row_major_strides(dims);
  return visit_update(data.dtype, op.reduction, [&]<class T>(T*, auto update) {
    T* const out = reinterpret_cast<T*>(to.data);
    const T* const in = reinterpret_cast<const T*>(updates.data);
    const int64_t grain = std::max<int64_t>(16, (1 << 14) / count);
    parallel_for(args.device->threads, inner, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < count; ++i) {
        T* const place = out + tuple_offset(indices, i, sizes, strides);
        for (int64_t k = begin; k < end; ++k) update(place[k], in[i * inner + k]);
      }
    });
  });
}

template <class T, class F>
void scatter_all(const KernelArgs& args, size_t axis, F&& update) {
  const TensorView &data = args.inputs[0], &indices = args.inputs[1];
  const Extents strides = row_major_strides(data.dims);
  T* const out = reinterpret_cast<T*>(args.outputs[0].data);
  const T* const in = reinterpret_cast<const T*>(args.inputs[2].data);
  const int64_t count = indices.count(), size = data.dims[axis];
  Extents at = Extents::filled(data.rank(), 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t offset = from_end(read_int(indices, i), size) * strides[axis];
    for (size_t k = 0; k < at.size(); ++k) offset += k == axis ? 0 : at[k] * strides[k];
    update(out[offset], in[i]);
    next_position(at, indices.dims);
  }
}

Status scatter_elements(const ScatterElements& op, const KernelArgs& args) {
  const TensorView &data = args.inputs[0], &indices = args.inputs[1], &updates = args.inputs[2];
  HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(op.axis, data.rank()));
  const auto axis = static_cast<size_t>(normal);
  HONE_TRY(expect_output(args, 0, data.dims));
  if (indices.dims != updates.dims) {
    return invalid_model("'indices' and 'updates' have the shapes " + to_string(indices.dims) + " and " +
                         to_string(updates.dims) + ", which must be equal");
  }
  copy_data(args);
  if (indices.count() == 0) return {};
  for (size_t k = 0; k < data.rank(); ++k) {
    if (k == axis || indices.dims[k] <= data.dims[k]) continue;
    return invalid_model("'indices' of shape " + to_string(indices.dims) + " is larger than the data, " +
                         to_string(data.dims) + ", on axis " + std::to_string(k));
  }
  HONE_TRY(check_indices(args.device->threads, indices, "indices", data.dims[axis]));
  return visit_update(data.dtype, op.reduction, [&]<class T>(T*, auto update) { scatter_all<T>(args, axis, update); });
}

// The first position to write in each batch lets the update fit in.
Status check_writes(const TensorScatter& op, const TensorView& starts, int64_t batches, int64_t length, int64_t size) {
  const int64_t last = op.mode == CacheMode::kCircular ? std::numeric_limits<int64_t>::max() : size - length;
  if (length > size) {
    return invalid_model("the update has " + std::to_string(length) + " positions, the cache " + std::to_string(size));
  }
  for (int64_t b = 0; starts.present() && b < batches; ++b) {
    const int64_t start = read_int(starts, b);
    if (start >= 0 && start <= last) continue;
    return runtime_error("element " + std::to_string(b) + " of 'write_indices' is " + std::to_string(start) +
                         ", must be in [0, " + std::to_string(last) + "]");
  }
  return {};
}

Status tensor_scatter(const TensorScatter& op, const KernelArgs& args) {
  const TensorView &cache = args.inputs[0], &update = args.inputs[1], &to = args.outputs[0];
  HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(op.axis, cache.rank()));
  const auto axis = static_cast<size_t>(normal);
  const std::span<const int64_t> dims = cache.dims;
  const int64_t size = dims[axis], length = update.dims[axis], batches = dims[0];
  const TensorView starts = args.inputs.size() > 2 ? args.inputs[2] : TensorView();
  HONE_TRY(check_writes(op, starts, batches, length, size));
  copy_data(args);
  if (update.count() == 0) return {};
  const size_t run = static_cast<size_t>(count_of(dims.subspan(axis + 1))) * bytes_of(cache.dtype);
  const int64_t lines = count_of(dims.first(axis));
  for (int64_t line = 0; line < lines; ++line) {
    const int64_t start = starts.present() ? read_int(starts, line / (lines / batches)) % size : 0;
    for (int64_t i = 0; i < length; ++i) {
      const int64_t place = start + i < size ? start + i : start + i - size;
      std::memcpy(to.data + static_cast<size_t>(line * size + place) * run,
                  update.data + static_cast<size_t>(line * length + i) * run, run);
    }
  }
  return {};
}

}  // namespace

const KernelDef kScatterND = kReferenceKernel<ScatterND, scatter_nd>;
const KernelDef kTensorScatter = kReferenceKernel<TensorScatter, tensor_scatter>;
const KernelDef kScatterElements = kReferenceKernel<ScatterElements, scatter_elements>;

}  // namespace hone::reference
