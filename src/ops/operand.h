// Operands for inference when their contents are known, and the types of a fused node's results.
#pragma once

#include <span>
#include <vector>

#include "hone/op.h"

namespace hone {

// The most elements of a tensor whose contents are followed as expressions.
inline constexpr int64_t kMaxFollowedElements = 1024;

// An int32, int64 or bool (0 and 1) tensor of rank 0 or 1 as numbers; nothing for others and for longer ones.
std::optional<std::vector<Dim>> followed_elements(const Tensor& tensor);

// An operand whose contents are `tensor`, which must outlive it.
InferOperand known_operand(const Tensor& tensor);

// The types that a fused node's outputs have: those of the body's results for operands of these types.
Result<std::vector<TensorType>> body_result_types(const Body& body, std::span<const TensorType> inputs);

// Infers with everything known (no symbols): the outputs of `op`, or of `body` where there is one. Fails on invalid
// or negative dimensions too; an error of kind kUnsupported says that contents are missing.
Result<std::vector<TensorType>> infer_concrete(const Op& op, const Body* body, std::span<const InferOperand> operands,
                                               size_t num_outputs);

}  // namespace hone
