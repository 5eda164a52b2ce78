// Element types. The numbers are those of ONNX's TensorProto.DataType.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hone {

enum class DataType : uint8_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBFloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUint2 = 25,
  kInt2 = 26,
};
inline constexpr int kDataTypeCount = 27;

// "float32", "bfloat16", ...: NumPy's spelling where NumPy has the type.
std::string_view name_of(DataType type);
std::optional<DataType> data_type_from_name(std::string_view name);

// Bits of one element in memory; 0 for kUndefined and kString. Types below 8 bits are packed, low bits first.
int bits_of(DataType type);

// Bytes of one element; 0 for strings and for types below 8 bits.
inline size_t bytes_of(DataType type) { return static_cast<size_t>(bits_of(type)) / 8; }

// The 12 types that kernels compute in: float32/64, float16, bfloat16, int8..int64, uint8..uint64 and bool.
bool is_computable(DataType type);
bool is_floating(DataType type);
// int8..int64, uint8..uint64; bool isn't an integer.
bool is_integer(DataType type);

// Conversions are inlined into loops that are compiled for several instruction sets: without branches, so that they
// become vector instructions. They round to nearest even; NaN stays NaN.
#define HONE_CONVERSION __attribute__((always_inline)) inline

namespace detail {

HONE_CONVERSION float widen_half(uint16_t half) {
  const uint32_t magnitude = half & 0x7fffu;
  const uint32_t subnormal = std::bit_cast<uint32_t>(static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f);
  const uint32_t normal = (magnitude << 13) + (magnitude >= 0x7c00u ? 224u << 23 : 112u << 23);
  return std::bit_cast<float>((magnitude < 0x400u ? subnormal : normal) | (half & 0x8000u) << 16);
}

HONE_CONVERSION uint16_t narrow_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffffu;
  // Normal results: rounding is an addition that may carry into the exponent, up to infinity.
  const uint32_t rounded = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - (112u << 23)) >> 13;
  const uint32_t normal = rounded > 0x7c00u ? 0x7c00u : rounded;
  // Subnormal results: adding 0.5 puts their bits at the end of the mantissa, rounded.
  const uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
  const uint32_t result = magnitude > 0x7f800000u ? 0x7e00u : magnitude == 0x7f800000u ? 0x7c00u : finite;
  return static_cast<uint16_t>((bits >> 16 & 0x8000u) | result);
}

HONE_CONVERSION uint16_t narrow_to_bfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded);
}

}  // namespace detail

// IEEE 754 binary16; arithmetic goes through float.
struct Half {
  uint16_t bits = 0;
  Half() = default;
  HONE_CONVERSION Half(float value) : bits(detail::narrow_to_half(value)) {}
  HONE_CONVERSION operator float() const { return detail::widen_half(bits); }
  static Half from_bits(uint16_t bits) {
    Half half;
    half.bits = bits;
    return half;
  }
};

// The upper half of a binary32.
struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  HONE_CONVERSION BFloat16(float value) : bits(detail::narrow_to_bfloat16(value)) {}
  HONE_CONVERSION operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
  static BFloat16 from_bits(uint16_t bits) {
    BFloat16 value;
    value.bits = bits;
    return value;
  }
};

#undef HONE_CONVERSION

template <class T>
struct DataTypeOf;
template <>
struct DataTypeOf<float> {
  static constexpr DataType value = DataType::kFloat32;
};
template <>
struct DataTypeOf<double> {
  static constexpr DataType value = DataType::kFloat64;
};
template <>
struct DataTypeOf<Half> {
  static constexpr DataType value = DataType::kFloat16;
};
template <>
struct DataTypeOf<BFloat16> {
  static constexpr DataType value = DataType::kBFloat16;
};
template <>
struct DataTypeOf<int8_t> {
  static constexpr DataType value = DataType::kInt8;
};
template <>
struct DataTypeOf<int16_t> {
  static constexpr DataType value = DataType::kInt16;
};
template <>
struct DataTypeOf<int32_t> {
  static constexpr DataType value = DataType::kInt32;
};
template <>
struct DataTypeOf<int64_t> {
  static constexpr DataType value = DataType::kInt64;
};
template <>
struct DataTypeOf<uint8_t> {
  static constexpr DataType value = DataType::kUint8;
};
template <>
struct DataTypeOf<uint16_t> {
  static constexpr DataType value = DataType::kUint16;
};
template <>
struct DataTypeOf<uint32_t> {
  static constexpr DataType value = DataType::kUint32;
};
template <>
struct DataTypeOf<uint64_t> {
  static constexpr DataType value = DataType::kUint64;
};
template <>
struct DataTypeOf<bool> {
  static constexpr DataType value = DataType::kBool;
};

template <class T>
inline constexpr DataType kDataTypeOf = DataTypeOf<T>::value;

}  // namespace hone
