// Convolutions and matrix products with constant weights, all in one form.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"
#include "passes/affine.h"
#include "passes/pass.h"

namespace hone {

// A node y = W * x + b whose weights may change. Computes in float64.
class Linear {
 public:
  // Conv, ConvTranspose, Gemm and MatMul with constant finite weights of a floating type and, where there is one, a
  // constant bias by output channel. Nothing for all others.
  static std::optional<Linear> match(Node& node);

  // Where channels lie in the output and in operand 0.
  size_t output_axis() const { return output_axis_; }
  size_t input_axis() const { return input_axis_; }
  size_t output_channels() const { return output_channels_; }
  size_t input_channels() const { return input_channels_; }

  // Makes it compute affine(W * x + b). False: it can't.
  bool apply_after(const Affine& affine);
  // Makes it compute W * affine(x) + b. False: it can't.
  bool apply_before(const Affine& affine);

  // Puts a node with the new weights and this operand before `position`. Null, with nothing done, if the weights no
  // longer fit their type or the budget, or no rewrite is left.
  Result<Node*> build(GraphEditor& editor, Node* position, Value* data, PassContext& context) const;

 private:
  enum class Kind : uint8_t { kConv, kConvTranspose, kGemm, kMatMul };
  // The output and input channels that weight `i` links. (Of a batched MatMul: columns and rows.)
  struct Channels {
    size_t output, input;
  };
  Channels channels_of(size_t weight) const;
  bool read_shape();
  bool groups_fit() const;
  bool read_bias();
  // Whether it has, or can be given, a bias.
  bool takes_bias() const;
  // Whether the window sees a border of zeros, which a shift of the operand doesn't reach.
  bool sees_padding() const;
  OpPtr new_op(bool with_bias) const;

  Kind kind_ = Kind::kConv;
  Node* node_ = nullptr;
  size_t output_axis_ = 1, input_axis_ = 1;
  size_t output_channels_ = 0, input_channels_ = 0, groups_ = 1;
  size_t taps_ = 1;                     // weights for each pair of channels (convolutions)
  bool transposed_ = false;             // Gemm: [N, K]
  double alpha_ = 1;                    // Gemm
  std::vector<double> weights_, bias_;  // no bias: empty
};

}  // namespace hone
