// Pad and CenterCropPad. In mode constant: a fill and a strided copy. In the others: each axis has a map from output to
// operand, applied element by element except along the last axis's middle, which is a run.
#include "ops/pad.h"

#include <algorithm>
#include <cstring>

#include "backends/reference/copy.h"
#include "backends/reference/indices.h"
#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"

namespace hone::reference {

namespace {

// What is left of each axis of the operand, and where it goes.
struct Layout {
  Extents first;  // in the operand
  Extents count;
  Extents place;  // in the output
};

Result<Layout> read_layout(const KernelArgs& args) {
  const TensorView &from = args.inputs[Pad::kData], &pads = args.inputs[Pad::kPads];
  const bool named = args.inputs.size() > Pad::kAxes && args.inputs[Pad::kAxes].present();
  const int64_t length = named ? args.inputs[Pad::kAxes].count() : static_cast<int64_t>(from.rank());
  if (pads.count() != 2 * length) {
    return invalid_model("'pads' has " + std::to_string(pads.count()) + " elements, must have " +
                         std::to_string(2 * length) + " for " + std::to_string(length) + " axes");
  }
  const Extents& out = args.outputs[0].dims;
  Layout layout{Extents::filled(from.rank(), 0), from.dims, Extents::filled(from.rank(), 0)};
  for (int64_t k = 0; k < length; ++k) {
    HONE_ASSIGN(const int64_t normal,
                InferContext::normalize_axis(named ? read_int(args.inputs[Pad::kAxes], k) : k, from.rank()));
    const auto axis = static_cast<size_t>(normal);
    const int64_t begin = read_int(pads, k), end = read_int(pads, length + k), size = from.dims[axis];
    int64_t padded = 0;
    if (__builtin_add_overflow(begin, end, &padded) || __builtin_add_overflow(padded, size, &padded) ||
        padded != out[axis]) {
      return invalid_model("axis " + std::to_string(axis) + " of size " + std::to_string(size) + " padded by " +
                           std::to_string(begin) + " and " + std::to_string(end) + " isn't of size " +
                           std::to_string(out[axis]));
    }
    // What one side takes away can reach into what the other one adds.
    layout.first[axis] = std::clamp<int64_t>(-std::max<int64_t>(begin, -size), 0, size);
    layout.place[axis] = std::clamp<int64_t>(begin, 0, out[axis]);
    const int64_t kept = size - layout.first[axis] + std::max<int64_t>(std::min<int64_t>(end, 0), -size);
    layout.count[axis] = std::clamp<int64_t>(kept, 0, out[axis] - layout.place[axis]);
  }
  return layout;
}

// Fills with `value` and copies what is left.
Status pad_with(const std::byte* value, const KernelArgs& args, const Layout& layout) {
  const TensorView &from = args.inputs[0], &to = args.outputs[0];
  fill_elements(args.device->threads, to.data, to.count(), value, bytes_of(to.dtype));
  const Extents from_strides = row_major_strides(from.dims), to_strides = row_major_strides(to.dims);
  int64_t from_start = 0, to_start = 0;
  for (size_t axis = 0; axis < to.rank(); ++axis) {
    from_start += layout.first[axis] * from_strides[axis];
    to_start += layout.place[axis] * to_strides[axis];
  }
  if (count_of(layout.count) == 0) return {};
  const auto at = [](const TensorView& view, int64_t element) {
    return view.data + static_cast<size_t>(element) * bytes_of(view.dtype);
  };
  return copy_strided(args.device->threads, to.dtype, layout.count, {at(to, to_start), to_strides},
                      {at(from, from_start), from_strides});
}

constexpr uint64_t kZero = 0;
const std::byte* zero() { return reinterpret_cast<const std::byte*>(&kZero); }

// Which of `count` elements stands `offset` places after the first one.
int64_t repeated(PadMode mode, int64_t offset, int64_t count) {
  const auto wrapped = [offset](int64_t period) { return (offset % period + period) % period; };
  switch (mode) {
    case PadMode::kReflect: {
      if (count == 1) return 0;
      const int64_t place = wrapped(2 * (count - 1));
      return std::min(place, 2 * (count - 1) - place);
    }
    case PadMode::kWrap: return wrapped(count);
    default: return std::clamp<int64_t>(offset, 0, count - 1);
  }
}

template <class T>
void pad_row(PadMode mode, T* to, int64_t size, const T* from, int64_t count, int64_t place) {
  for (int64_t i = 0; i < place; ++i) to[i] = from[repeated(mode, i - place, count)];
  std::memcpy(to + place, from, static_cast<size_t>(count) * sizeof(T));
  for (int64_t i = place + count; i < size; ++i) to[i] = from[repeated(mode, i - place, count)];
}

Status pad_repeating(PadMode mode, const KernelArgs& args, const Layout& layout) {
  const TensorView &from = args.inputs[Pad::kData], &to = args.outputs[0];
  if (to.count() == 0) return {};
  for (size_t axis = 0; axis < to.rank(); ++axis) {
    if (layout.count[axis] == 0) {
      return runtime_error("axis " + std::to_string(axis) + " is empty, so there is nothing to pad it with");
    }
  }
  if (to.rank() == 0) {
    copy_bytes(1, to.data, from.data, to.bytes());
    return {};
  }
  const size_t inner = to.rank() - 1;
  const Extents strides = row_major_strides(from.dims);
  const std::span<const int64_t> outer = std::span<const int64_t>(to.dims).first(inner);
  return visit_width(to.dtype, [&]<class T>() {
    Extents at = Extents::filled(inner, 0);
    T* row = reinterpret_cast<T*>(to.data);
    do {
      int64_t source = layout.first[inner];
      for (size_t axis = 0; axis < inner; ++axis) {
        const int64_t offset = repeated(mode, at[axis] - layout.place[axis], layout.count[axis]);
        source += (layout.first[axis] + offset) * strides[axis];
      }
      pad_row(mode, row, to.dims[inner], reinterpret_cast<const T*>(from.data) + source, layout.count[inner],
              layout.place[inner]);
      row += to.dims[inner];
    } while (next_position(at, outer));
    return Status();
  });
}

Status pad(const Pad& op, const KernelArgs& args) {
  HONE_ASSIGN(const Layout layout, read_layout(args));
  if (op.mode != PadMode::kConstant) return pad_repeating(op.mode, args, layout);
  const bool given = args.inputs.size() > Pad::kValue && args.inputs[Pad::kValue].present();
  return pad_with(given ? args.inputs[Pad::kValue].data : zero(), args, layout);
}

Status center_crop_pad(const CenterCropPad&, const KernelArgs& args) {
  const Extents &in = args.inputs[0].dims, &out = args.outputs[0].dims;
  Layout layout{in, in, in};
  for (size_t axis = 0; axis < in.size(); ++axis) {
    layout.first[axis] = std::max<int64_t>(in[axis] - out[axis], 0) / 2;
    layout.place[axis] = std::max<int64_t>(out[axis] - in[axis], 0) / 2;
    layout.count[axis] = std::min(in[axis], out[axis]);
  }
  return pad_with(zero(), args, layout);
}

}  // namespace

const KernelDef kPad = kReferenceKernel<Pad, pad>;
const KernelDef kCenterCropPad = kReferenceKernel<CenterCropPad, center_crop_pad>;

}  // namespace hone::reference
