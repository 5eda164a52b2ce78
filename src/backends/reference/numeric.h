// Arithmetic that reference kernels share: sums of any element type, and elements of a type known at run time only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "backends/reference/numbers.h"
#include "hone/kernel.h"
#include "hone/tensor.h"

namespace hone::reference {

// Sums of floating elements are kept in float64 and rounded once; those of integers in uint64, where they wrap.
template <class T>
using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;

template <class T>
Sum<T> widen(T x) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<uint64_t>(static_cast<int64_t>(x));
  } else if constexpr (std::is_same_v<T, double>) {
    return x;
  } else {
    return static_cast<double>(static_cast<float>(x));
  }
}

template <class T>
T narrow(Sum<T> sum) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(sum);
  } else {
    return saturate<T>(sum);
  }
}

template <class T>
double to_double(T x) {
  if constexpr (std::is_integral_v<T> || std::is_same_v<T, double>) {
    return static_cast<double>(x);
  } else {
    return static_cast<double>(static_cast<float>(x));
  }
}

inline void store_float(const TensorView& view, int64_t i, double x) {
  switch (view.dtype) {
    case DataType::kFloat32: view.as<float>()[i] = static_cast<float>(x); return;
    case DataType::kFloat64: view.as<double>()[i] = x; return;
    case DataType::kFloat16: view.as<Half>()[i] = saturate<Half>(x); return;
    case DataType::kBFloat16: view.as<BFloat16>()[i] = saturate<BFloat16>(x); return;
    default: return;
  }
}

// a / b rounded towards plus infinity, for b > 0; can't overflow.
inline int64_t divide_up(int64_t a, int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

// Moves `position` to the next one in row-major order; false after the last, when it is all zeros again.
inline bool next_position(Extents& position, std::span<const int64_t> dims) {
  for (size_t axis = dims.size(); axis-- > 0;) {
    if (++position[axis] < dims[axis]) return true;
    position[axis] = 0;
  }
  return false;
}

// For kernels that compute sizes of their own: outputs must be as large as those say.
inline Status expect_output(const KernelArgs& args, size_t i, std::span<const int64_t> dims) {
  const Extents& actual = args.outputs[i].dims;
  if (std::equal(actual.begin(), actual.end(), dims.begin(), dims.end())) return {};
  return invalid_model("output " + std::to_string(i) + " has the shape " + to_string(actual) +
                       ", but the operands give " + to_string(dims));
}

}  // namespace hone::reference
