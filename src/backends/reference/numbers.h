// Conversions that several reference kernels need.
#pragma once

#include <cmath>
#include <limits>

#include "hone/tensor.h"
#include "hone/types.h"

namespace hone::reference {

// A double as a T: one rounding to floats, saturation to integers (of a number that is whole already, or is cut
// towards zero), NaN as 0 there; to bool anything but 0 is true.
template <class T>
T saturate(double value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else if constexpr (std::is_integral_v<T>) {
    if (std::isnan(value)) return 0;
    if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    return value;
  } else {
    return T(static_cast<float>(value));
  }
}

// Element i of a floating tensor.
inline double read_float(const TensorView& view, int64_t i) {
  switch (view.dtype) {
    case DataType::kFloat64: return view.as<double>()[i];
    case DataType::kFloat16: return static_cast<double>(static_cast<float>(view.as<Half>()[i]));
    case DataType::kBFloat16: return static_cast<double>(static_cast<float>(view.as<BFloat16>()[i]));
    default: return static_cast<double>(view.as<float>()[i]);
  }
}

// The multi-index of a flat row-major position.
inline Extents position_of(int64_t flat, const Extents& dims) {
  Extents position = Extents::filled(dims.size(), 0);
  for (size_t i = dims.size(); i-- > 0;) {
    position[i] = flat % dims[i];
    flat /= dims[i];
  }
  return position;
}

}  // namespace hone::reference
