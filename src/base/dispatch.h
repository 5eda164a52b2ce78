// From a DataType to a C++ type: visit_type(dtype, types, f) calls f.template operator()<T>().
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "hone/status.h"
#include "hone/types.h"

namespace hone {

template <class... Ts>
struct TypeList {};

using FloatTypes = TypeList<float, double, Half, BFloat16>;
using IntTypes = TypeList<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using NumberTypes =
    TypeList<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using AllTypes = TypeList<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                          uint64_t, bool>;
using IndexTypes = TypeList<int32_t, int64_t>;

// `f` returns Status. A type outside the list is kUnsupported.
template <class... Ts, class F>
Status visit_type(DataType dtype, TypeList<Ts...>, F&& f) {
  Status status;
  const bool found = ((dtype == kDataTypeOf<Ts> ? (status = f.template operator()<Ts>(), true) : false) || ...);
  return found ? status : unsupported("no kernel for elements of type " + std::string(name_of(dtype)));
}

// Calls f.template operator()<T>() with an unsigned type as wide as dtype: for kernels that only move elements.
template <class F>
Status visit_width(DataType dtype, F&& f) {
  switch (bits_of(dtype)) {
    case 8: return f.template operator()<uint8_t>();
    case 16: return f.template operator()<uint16_t>();
    case 32: return f.template operator()<uint32_t>();
    case 64: return f.template operator()<uint64_t>();
    default: return unsupported("no kernel for elements of type " + std::string(name_of(dtype)));
  }
}

// The type in which sums over T are kept: double for double, float for the other floats, int64/uint64 for integers.
template <class T>
struct AccumulatorOf {
  using type = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
};
template <>
struct AccumulatorOf<float> {
  using type = float;
};
template <>
struct AccumulatorOf<Half> {
  using type = float;
};
template <>
struct AccumulatorOf<BFloat16> {
  using type = float;
};
template <>
struct AccumulatorOf<double> {
  using type = double;
};
template <class T>
using Accumulator = typename AccumulatorOf<T>::type;

}  // namespace hone
