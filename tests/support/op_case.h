// Operator cases: one table for each family of operators, checked against every kernel of every backend.
//
//   TEST(Clip, Cases) {
//     check_cases({
//         {.name = "both bounds", .op = "Clip",
//          .inputs = {given(tensor<float>({3}, {-5, 1, 5})), given(Tensor::scalar(0.f)), given(Tensor::scalar(2.f))},
//          .expected = {tensor<float>({3}, {0, 1, 2})}},
//         {.name = "random", .op = "Clip", .inputs = {random(kFloat16, {2, 3}), absent(), random(kFloat16, {})},
//          .independent = elementwise([](auto x) { ... })},
//         {.name = "string", .op = "Clip", .inputs = {given(Tensor::of_strings({1}, {"a"}))}, .refused = "string"},
//     });
//   }
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hone/kernel.h"
#include "hone/op.h"
#include "support/tensors.h"

namespace hone::test {

// One operand of a case: a tensor, or what to draw one with; neither: absent.
struct CaseOperand {
  DataType dtype = DataType::kUndefined;
  Extents dims;
  Generator generate;
  Tensor tensor;
  bool constant = false;  // a weight: kernels are built with its contents, and once more without
};

CaseOperand random(DataType dtype, Extents dims, Generator generate = mixed);
CaseOperand given(Tensor tensor);
CaseOperand absent();
// The same operand as a weight.
CaseOperand constant(CaseOperand operand);

// The outputs for these operands, computed by other means than the operator's kernel.
using Independent = std::function<std::vector<Tensor>(std::span<const Tensor> inputs)>;

// Output 0 of type `dtype` (kUndefined: of operand 0) by `f` on doubles, one for each operand, NumPy broadcasting.
Independent elementwise(std::function<double(std::span<const double>)> f, DataType dtype = DataType::kUndefined);

struct OpCase {
  std::string name;
  std::string op;
  AttrMap attributes;
  std::shared_ptr<const Body> body;  // for a fused node: what it stands for
  std::vector<CaseOperand> inputs;
  size_t num_outputs = 1;

  // What must come out; an undefined tensor (or none) leaves an output unchecked.
  std::vector<Tensor> expected;
  Independent independent;
  // For floating outputs; default_tolerance() of the type otherwise.
  std::optional<Tolerance> tolerance;
  // Between other backends and the reference, where that needs more.
  std::optional<Tolerance> backend_tolerance;

  // Other backends may do as they like: where the specification leaves it open, as NaN weights that meet padding.
  bool reference_only = false;

  // Reading the attributes or infer() must fail with a message that contains this.
  std::string refused;
  // run() of the reference must fail with a message that contains this; other kernels must fail too.
  std::string fails;

  // Kernels that must accept the problem: {"cpu.conv.onednn"}.
  std::vector<std::string> served_by;
};

// A backend under test, with the device to ask its kernels for.
struct TestedBackend {
  const Backend* backend = nullptr;
  DeviceInfo device;
};
// The reference first, then all others.
std::vector<TestedBackend> tested_backends();

// Operands of the case; the same every time.
std::vector<Tensor> draw_inputs(const OpCase& op_case);

// Checks one case, reporting through gtest:
// - the reference gives what is expected, the same with one and with two threads;
// - every kernel of every other backend agrees with the reference, built for fixed and for symbolic dimensions;
// - sample() agrees with run();
// - run() fills every byte of its outputs, writes nothing else (guard bytes, workspace, operands), doesn't need
//   alignment beyond the element's, and (reference) allocates nothing;
// - infer() with symbolic dimensions and unknown contents says the same as with everything known, and contents that
//   it follows as expressions are what the kernel computes.
void check_case(const OpCase& op_case);
void check_cases(const std::vector<OpCase>& cases);

}  // namespace hone::test
