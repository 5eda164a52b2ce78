// ConstantOfShape, Range, EyeLike and OneHot.
#include "ops/generate.h"

#include <algorithm>
#include <cmath>

#include "backends/reference/copy.h"
#include "backends/reference/indices.h"
#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"

namespace hone::reference {

namespace {

Status constant_of_shape(const ConstantOfShape& op, const KernelArgs& args) {
  const TensorView& to = args.outputs[0];
  constexpr float kZero = 0;
  const std::byte* element = op.value.defined() ? op.value.data() : reinterpret_cast<const std::byte*>(&kZero);
  fill_elements(args.device->threads, to.data, to.count(), element, bytes_of(to.dtype));
  return {};
}

// Integers wrap; floating elements are rounded once.
template <class T>
void fill_range(const KernelArgs& args) {
  const T start = *args.inputs[0].as<const T>(), delta = *args.inputs[2].as<const T>();
  T* const to = args.outputs[0].as<T>();
  const int64_t count = args.outputs[0].count();
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_integral_v<T>) {
      to[i] = narrow<T>(widen(start) + static_cast<uint64_t>(i) * widen(delta));
    } else {
      to[i] = saturate<T>(to_double(start) + static_cast<double>(i) * to_double(delta));
    }
  }
}

Status range(const Range&, const KernelArgs& args) {
  using RangeTypes = TypeList<float, double, Half, BFloat16, int16_t, int32_t, int64_t>;
  return visit_type(args.outputs[0].dtype, RangeTypes{}, [&]<class T>() {
    fill_range<T>(args);
    return Status();
  });
}

Status eye_like(const EyeLike& op, const KernelArgs& args) {
  const TensorView& to = args.outputs[0];
  const int64_t rows = to.dims[0], columns = to.dims[1];
  std::fill_n(to.data, to.bytes(), std::byte{0});
  return visit_type(to.dtype, AllTypes{}, [&]<class T>() {
    // Elements (i, i + k), without overflow for any k.
    const int64_t first = op.k < 0 ? (op.k <= -rows ? rows : -op.k) : 0;
    for (int64_t row = first; row < rows && op.k < columns - row; ++row) {
      to.as<T>()[row * columns + row + op.k] = T(1);
    }
    return Status();
  });
}

// An index as an integer: floating ones are cut towards 0; what no axis can hold becomes -2^63.
template <class T>
int64_t whole(T index) {
  constexpr int64_t kNowhere = std::numeric_limits<int64_t>::min();
  if constexpr (std::is_same_v<T, uint64_t>) {
    return index > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ? kNowhere : static_cast<int64_t>(index);
  } else if constexpr (std::is_integral_v<T>) {
    return int64_t{index};
  } else {
    const double value = to_double(index);
    return std::abs(value) < 0x1p62 ? static_cast<int64_t>(value) : kNowhere;
  }
}

// The output is [before, depth, after], the indices are [before, after].
struct OneHotSizes {
  int64_t before, depth, after;
};

template <class T>
void set_hot(const TensorView& indices, const TensorView& to, const std::byte* on, const OneHotSizes& sizes) {
  const size_t width = bytes_of(to.dtype);
  const int64_t count = sizes.before * sizes.after;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = whole(indices.as<const T>()[i]);
    if (index < -sizes.depth || index >= sizes.depth) continue;
    const int64_t at = (i / sizes.after * sizes.depth + from_end(index, sizes.depth)) * sizes.after + i % sizes.after;
    std::copy_n(on, width, to.data + static_cast<size_t>(at) * width);
  }
}

Status one_hot(const OneHot& op, const KernelArgs& args) {
  const TensorView &indices = args.inputs[0], &to = args.outputs[0];
  HONE_ASSIGN(const int64_t axis, InferContext::normalize_axis(op.axis, to.rank()));
  const std::span<const int64_t> dims = to.dims;
  const OneHotSizes sizes = {count_of(dims.first(static_cast<size_t>(axis))), dims[static_cast<size_t>(axis)],
                             count_of(dims.subspan(static_cast<size_t>(axis) + 1))};
  const size_t width = bytes_of(to.dtype);
  const std::byte *const off = args.inputs[2].data, *const on = off + width;
  fill_elements(args.device->threads, to.data, to.count(), off, width);
  if (to.count() == 0) return {};
  return visit_type(indices.dtype, NumberTypes{}, [&]<class T>() {
    set_hot<T>(indices, to, on, sizes);
    return Status();
  });
}

}  // namespace

const KernelDef kConstantOfShape = kReferenceKernel<ConstantOfShape, constant_of_shape>;
const KernelDef kRange = kReferenceKernel<Range, range>;
const KernelDef kEyeLike = kReferenceKernel<EyeLike, eye_like>;
const KernelDef kOneHot = kReferenceKernel<OneHot, one_hot>;

}  // namespace hone::reference
