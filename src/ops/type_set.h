// Sets of element types, as specifications of operators allow them.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "hone/op.h"

namespace hone {

struct TypeSet {
  uint32_t bits = 0;

  constexpr TypeSet() = default;
  constexpr TypeSet(std::initializer_list<DataType> types) {
    for (const DataType type : types) bits |= uint32_t{1} << static_cast<uint32_t>(type);
  }
  constexpr bool has(DataType type) const { return (bits >> static_cast<uint32_t>(type) & 1) != 0; }
  friend constexpr TypeSet operator|(TypeSet a, TypeSet b) {
    TypeSet both;
    both.bits = a.bits | b.bits;
    return both;
  }
};

inline constexpr TypeSet kFloatTypes = {DataType::kFloat32, DataType::kFloat64, DataType::kFloat16,
                                        DataType::kBFloat16};
inline constexpr TypeSet kSignedIntTypes = {DataType::kInt8, DataType::kInt16, DataType::kInt32, DataType::kInt64};
inline constexpr TypeSet kUnsignedIntTypes = {DataType::kUint8, DataType::kUint16, DataType::kUint32,
                                              DataType::kUint64};
inline constexpr TypeSet kIntTypes = kSignedIntTypes | kUnsignedIntTypes;
inline constexpr TypeSet kSignedTypes = kFloatTypes | kSignedIntTypes;
inline constexpr TypeSet kNumberTypes = kFloatTypes | kIntTypes;
inline constexpr TypeSet kBoolType = {DataType::kBool};
// Everything that kernels compute in.
inline constexpr TypeSet kComputableTypes = kNumberTypes | kBoolType;

// Operand i has one of the types. Types that Hone never computes in (strings, float8 ...) are kUnsupported, others
// kInvalidModel; the message lists what is allowed.
Status expect_types(const InferContext& ctx, size_t i, TypeSet allowed);

}  // namespace hone
