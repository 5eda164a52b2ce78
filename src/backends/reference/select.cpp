// NonZero and Compress: they count what they write.
#include "ops/select.h"

#include <algorithm>
#include <cstring>

#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"

namespace hone::reference {

namespace {

template <class T>
bool is_nonzero(T x) {
  if constexpr (std::is_integral_v<T>) {
    return x != T(0);
  } else {
    return to_double(x) != 0;
  }
}

template <class T>
int64_t write_positions(const TensorView& from, const TensorView& to) {
  const int64_t room = to.dims[1];
  const T* const elements = from.as<const T>();
  int64_t* const out = to.as<int64_t>();
  Extents at = Extents::filled(from.rank(), 0);
  int64_t found = 0;
  const int64_t count = from.count();
  for (int64_t i = 0; i < count; ++i) {
    if (is_nonzero(elements[i])) {
      for (size_t axis = 0; axis < at.size(); ++axis) out[static_cast<int64_t>(axis) * room + found] = at[axis];
      ++found;
    }
    next_position(at, from.dims);
  }
  return found;
}

Status nonzero(const NonZero&, const KernelArgs& args) {
  HONE_TRY(expect_output(args, 0, Extents{static_cast<int64_t>(args.inputs[0].rank()), args.inputs[0].count()}));
  int64_t found = 0;
  HONE_TRY(visit_type(args.inputs[0].dtype, AllTypes{}, [&]<class T>() {
    found = write_positions<T>(args.inputs[0], args.outputs[0]);
    return Status();
  }));
  if (!args.counts.empty()) args.counts[0] = found;
  return {};
}

Status compress(const Compress& op, const KernelArgs& args) {
  const TensorView &from = args.inputs[0], &condition = args.inputs[1], &to = args.outputs[0];
  const bool flat = !op.axis.has_value();
  size_t axis = 0;
  if (!flat) {
    HONE_ASSIGN(const int64_t normal, InferContext::normalize_axis(*op.axis, from.rank()));
    axis = static_cast<size_t>(normal);
  }
  const Extents dims = flat ? Extents{from.count()} : from.dims;
  const std::span<const int64_t> in = dims;
  const int64_t outer = count_of(in.first(axis)), size = in[axis], room = to.dims[axis];
  const size_t run = static_cast<size_t>(count_of(in.subspan(axis + 1))) * bytes_of(from.dtype);
  const std::byte* const chosen = condition.data;
  int64_t kept = 0;
  for (int64_t i = 0; i < std::min(size, condition.count()); ++i) {
    if (chosen[i] == std::byte{0}) continue;
    if (kept == room) return invalid_model("'condition' keeps more than the output has room for");
    for (int64_t k = 0; k < outer && run != 0; ++k) {
      std::memcpy(to.data + static_cast<size_t>(k * room + kept) * run,
                  from.data + static_cast<size_t>(k * size + i) * run, run);
    }
    ++kept;
  }
  if (!args.counts.empty()) args.counts[0] = kept;
  return {};
}

}  // namespace

const KernelDef kNonZero = kReferenceKernel<NonZero, nonzero>;
const KernelDef kCompress = kReferenceKernel<Compress, compress>;

}  // namespace hone::reference
