// Reference kernels: plain loops that any shape goes through. They are the specification of every other kernel.
#pragma once

#include "hone/kernel.h"

namespace hone::reference {

// What a reference kernel's functions get beside the views: the operator with its attributes.
// run: Status(const OpT&, const KernelArgs&); workspace: size_t(const OpT&, const KernelArgs&);
// sample: Status(const OpT&, const KernelArgs&, positions, out).
struct NoFunction {};

template <class OpT, auto Run, auto Workspace, auto Sample>
class FunctionKernel final : public Kernel {
 public:
  explicit FunctionKernel(OpPtr op) : op_(std::move(op)) {}

  size_t workspace_bytes(const KernelArgs& args) const override {
    if constexpr (std::is_same_v<std::remove_cv_t<decltype(Workspace)>, NoFunction>) {
      return Kernel::workspace_bytes(args);
    } else {
      return Workspace(op(), args);
    }
  }
  Status run(const KernelArgs& args) const override { return Run(op(), args); }
  Status sample(const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) const override {
    if constexpr (std::is_same_v<std::remove_cv_t<decltype(Sample)>, NoFunction>) {
      return Kernel::sample(args, positions, out);
    } else {
      return Sample(op(), args, positions, out);
    }
  }

 private:
  const OpT& op() const { return static_cast<const OpT&>(*op_); }
  OpPtr op_;
};

inline Result<std::vector<Config>> any_problem(const Problem&, const DeviceInfo&) { return std::vector<Config>(1); }

template <class OpT, auto Run, auto Workspace, auto Sample>
Result<std::unique_ptr<Kernel>> create_function_kernel(const Problem& problem, const Config&,
                                                       std::span<const TensorView>) {
  return std::unique_ptr<Kernel>(std::make_unique<FunctionKernel<OpT, Run, Workspace, Sample>>(problem.op));
}

// The kernel definition of one operator: kReferenceKernel<Relu, run_relu>. Its name is the operator's.
template <class OpT, auto Run, auto Workspace = NoFunction{}, auto Sample = NoFunction{}>
inline constexpr KernelDef kReferenceKernel = {
    .name = OpT::kName,
    .op = OpT::kName,
    .version = 1,
    .shapes = ShapeSupport::kAny,
    .candidates = any_problem,
    .create = create_function_kernel<OpT, Run, Workspace, Sample>,
};

}  // namespace hone::reference
