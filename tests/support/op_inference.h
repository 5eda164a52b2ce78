// Inference of a case: with everything known, and compared with what it says when less is known.
#pragma once

#include <span>
#include <vector>

#include "hone/op.h"
#include "support/op_case.h"

namespace hone::test {

// The outputs' types with all contents known. Dimensions that only the kernel counts are symbols 0, 1, ... with
// these upper bounds; all others are numbers.
struct CaseTypes {
  std::vector<TensorType> outputs;
  std::vector<int64_t> count_bounds;

  // The types with these numbers in place of the counted dimensions.
  std::vector<TensorType> with_counts(std::span<const int64_t> counts) const;
};
Result<CaseTypes> infer_case(const Op& op, const Body* body, std::span<const Tensor> inputs, size_t num_outputs);

// Infers with symbols for dimensions and contents, in several mixtures of known and unknown, and reports where the
// answer, with numbers put in, isn't what `outputs` (the kernel's results, of true size) are. Inference may say
// that it can't tell (kUnsupported).
void check_inference(const Op& op, std::span<const Tensor> inputs, std::span<const Tensor> outputs);

}  // namespace hone::test
