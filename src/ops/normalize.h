// Normalisations by mean and variance, by norms, and across channels.
#pragma once

#include "hone/op.h"

namespace hone {

// In inference form: (x - mean) / sqrt(var + epsilon) * scale + B for each channel (axis 1; a rank-1 operand is one
// channel). Training is refused.
struct BatchNormalization final : OpBase<BatchNormalization> {
  static constexpr const char* kName = "BatchNormalization";
  float epsilon = 1e-5f, momentum = 0.9f;
  bool training_mode = false;
  static void attributes(auto& self, auto& v) {
    v("epsilon", self.epsilon);
    v("momentum", self.momentum);
    v("training_mode", self.training_mode);
  }
  Status infer(InferContext& ctx) const override;
};

// Over the axes from `axis` on: Y, and optionally Mean and InvStdDev with those axes set to 1, of the type that
// stash_type names (1: float32, 16: bfloat16). Scale and B broadcast to X.
struct LayerNormalization final : OpBase<LayerNormalization> {
  static constexpr const char* kName = "LayerNormalization";
  int64_t axis = -1, stash_type = 1;
  float epsilon = 1e-5f;
  static void attributes(auto& self, auto& v) {
    v("axis", self.axis);
    v("epsilon", self.epsilon);
    v("stash_type", self.stash_type);
  }
  Status infer(InferContext& ctx) const override;
};

// x / sqrt(mean(x^2) + epsilon) * scale over the axes from `axis` on. The result has the scale's type.
struct RMSNormalization final : OpBase<RMSNormalization> {
  static constexpr const char* kName = "RMSNormalization";
  int64_t axis = -1, stash_type = 1;
  float epsilon = 1e-5f;
  static void attributes(auto& self, auto& v) {
    v("axis", self.axis);
    v("epsilon", self.epsilon);
    v("stash_type", self.stash_type);
  }
  Status infer(InferContext& ctx) const override;
};

// Over the spatial axes of each channel of each batch element; scale and B are [C].
struct InstanceNormalization final : OpBase<InstanceNormalization> {
  static constexpr const char* kName = "InstanceNormalization";
  float epsilon = 1e-5f;
  static void attributes(auto& self, auto& v) { v("epsilon", self.epsilon); }
  Status infer(InferContext& ctx) const override;
};

// Over the spatial axes and the channels of a group; scale and bias are [C].
struct GroupNormalization final : OpBase<GroupNormalization> {
  static constexpr const char* kName = "GroupNormalization";
  int64_t num_groups = 0, stash_type = 1;
  float epsilon = 1e-5f;
  static void attributes(auto& self, auto& v) {
    v("epsilon", self.epsilon);
    v("num_groups", self.num_groups);
    v("stash_type", self.stash_type);
  }
  Status infer(InferContext& ctx) const override;
};

// (x - mean) / sqrt(var) over `axes`.
struct MeanVarianceNormalization final : OpBase<MeanVarianceNormalization> {
  static constexpr const char* kName = "MeanVarianceNormalization";
  Ints axes = {0, 2, 3};
  static void attributes(auto& self, auto& v) { v("axes", self.axes); }
  Status infer(InferContext& ctx) const override;
};

// x / (sum of |x|^p)^(1/p) along one axis, p 1 or 2; zero where the norm is.
struct LpNormalization final : OpBase<LpNormalization> {
  static constexpr const char* kName = "LpNormalization";
  int64_t axis = -1, p = 2;
  static void attributes(auto& self, auto& v) {
    v("axis", self.axis);
    v("p", self.p);
  }
  Status infer(InferContext& ctx) const override;
};

// x / (bias + alpha / size * sum of x^2 over `size` channels around)^beta.
struct LRN final : OpBase<LRN> {
  static constexpr const char* kName = "LRN";
  float alpha = 1e-4f, beta = 0.75f, bias = 1;
  int64_t size = 0;
  static void attributes(auto& self, auto& v) {
    v("alpha", self.alpha);
    v("beta", self.beta);
    v("bias", self.bias);
    v("size", self.size);
  }
  Status infer(InferContext& ctx) const override;
};

}  // namespace hone
