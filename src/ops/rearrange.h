// Operators that put the same elements into another order.
#pragma once

#include "hone/op.h"

namespace hone {

// Output axis i is the operand's axis perm[i]; without perm, the axes are reversed.
struct Transpose final : OpBase<Transpose> {
  static constexpr const char* kName = "Transpose";
  std::optional<Ints> perm;
  static void attributes(auto& self, auto& v) { v("perm", self.perm); }
  Status infer(InferContext& ctx) const override;

  // The permutation for an operand of this rank; an error if `perm` isn't one.
  Result<Extents> permutation(size_t rank) const;
};

// Whether the block's axes come before the channel's (DCR) or after it (CRD) in the operand's channels.
enum class DepthOrder : uint8_t { kDcr, kCrd };
template <>
struct EnumNames<DepthOrder> {
  static constexpr std::pair<std::string_view, DepthOrder> kNames[] = {{"DCR", DepthOrder::kDcr},
                                                                       {"CRD", DepthOrder::kCrd}};
};

// [N, C, H, W] -> [N, C / b^2, H * b, W * b].
struct DepthToSpace final : OpBase<DepthToSpace> {
  static constexpr const char* kName = "DepthToSpace";
  int64_t blocksize = 0;
  DepthOrder mode = DepthOrder::kDcr;
  static void attributes(auto& self, auto& v) {
    v("blocksize", self.blocksize);
    v("mode", self.mode);
  }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// [N, C, H, W] -> [N, C * b^2, H / b, W / b].
struct SpaceToDepth final : OpBase<SpaceToDepth> {
  static constexpr const char* kName = "SpaceToDepth";
  int64_t blocksize = 0;
  DepthOrder mode = DepthOrder::kDcr;
  static void attributes(auto& self, auto& v) {
    v("blocksize", self.blocksize);
    v("mode", self.mode);
  }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// Reverses the first sequence_lens[b] (operand 1) elements along the time axis in each batch; one of the two axes is
// axis 0, the other axis 1.
struct ReverseSequence final : OpBase<ReverseSequence> {
  static constexpr const char* kName = "ReverseSequence";
  int64_t batch_axis = 1;
  int64_t time_axis = 0;
  static void attributes(auto& self, auto& v) {
    v("batch_axis", self.batch_axis);
    v("time_axis", self.time_axis);
  }
  Status check() const;
  Status infer(InferContext& ctx) const override;
};

// Keeps the upper (or lower) triangle of each matrix, from the k-th diagonal (operand 1, a scalar) on; zeros elsewhere.
struct Trilu final : OpBase<Trilu> {
  static constexpr const char* kName = "Trilu";
  bool upper = true;
  static void attributes(auto& self, auto& v) { v("upper", self.upper); }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
