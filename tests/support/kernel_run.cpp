#include "support/kernel_run.h"

#include <cstring>
#include <memory>

#include "support/alloc_counter.h"

namespace hone::test {

namespace {

constexpr size_t kGuardBytes = 256;
constexpr size_t kAlignment = 64;
constexpr std::byte kGuard{0xc3};

// Memory between guard bytes, `shift` bytes behind a 64-byte boundary.
class GuardedBuffer {
 public:
  GuardedBuffer(size_t bytes, size_t shift, std::byte fill)
      : bytes_(bytes),
        size_(bytes + shift + 2 * kGuardBytes),
        memory_(new (std::align_val_t{kAlignment}) std::byte[size_]) {
    std::memset(memory_.get(), static_cast<int>(kGuard), size_);
    data_ = memory_.get() + kGuardBytes + shift;
    std::memset(data_, static_cast<int>(fill), bytes);
  }

  std::byte* data() const { return data_; }
  bool intact() const {
    const std::byte* const begin = memory_.get();
    for (const std::byte* p = begin; p < begin + size_; ++p) {
      if ((p < data_ || p >= data_ + bytes_) && *p != kGuard) return false;
    }
    return true;
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { operator delete[](memory, std::align_val_t{kAlignment}); }
  };
  size_t bytes_, size_;
  std::unique_ptr<std::byte[], Free> memory_;
  std::byte* data_ = nullptr;
};

struct Operands {
  std::vector<GuardedBuffer> buffers;
  std::vector<TensorView> views;

  void add(DataType dtype, const Extents& dims, const RunSettings& settings) {
    const TensorView shape{nullptr, dtype, dims};
    buffers.emplace_back(shape.bytes(), settings.shift_elements * bytes_of(dtype), settings.poison);
    views.push_back({buffers.back().data(), dtype, dims});
  }
};

Operands copy_inputs(std::span<const Tensor> inputs, const RunSettings& settings) {
  Operands operands;
  for (const Tensor& tensor : inputs) {
    if (!tensor.defined()) {
      operands.buffers.emplace_back(0, 0, settings.poison);
      operands.views.emplace_back();
      continue;
    }
    operands.add(tensor.dtype(), tensor.dims(), settings);
    if (tensor.bytes() != 0) std::memcpy(operands.views.back().data, tensor.data(), tensor.bytes());
  }
  return operands;
}

size_t workspace_bytes(const Kernel& kernel, KernelArgs args, Operands& inputs, Operands& outputs) {
  std::vector<TensorView> in = inputs.views, out = outputs.views;
  for (TensorView& view : in) view.data = nullptr;
  for (TensorView& view : out) view.data = nullptr;
  args.inputs = in;
  args.outputs = out;
  return kernel.workspace_bytes(args);
}

std::string find_damage(std::span<const Tensor> inputs, const Operands& in, const Operands& out,
                        const GuardedBuffer& workspace) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool changed = inputs[i].defined() && inputs[i].bytes() != 0 &&
                         std::memcmp(in.views[i].data, inputs[i].data(), inputs[i].bytes()) != 0;
    if (changed || !in.buffers[i].intact()) return "operand " + std::to_string(i) + " or the memory around it";
  }
  for (size_t i = 0; i < out.buffers.size(); ++i) {
    if (!out.buffers[i].intact()) return "the memory around output " + std::to_string(i);
  }
  return workspace.intact() ? "" : "the memory around the workspace";
}

}  // namespace

KernelRun run_kernel(const Kernel& kernel, std::span<const Tensor> inputs, std::span<const TensorType> outputs,
                     size_t num_counts, const RunSettings& settings) {
  KernelRun run;
  run.counts.assign(num_counts, -1);
  Operands in = copy_inputs(inputs, settings), out;
  for (const TensorType& type : outputs) {
    Extents dims;
    for (const Dim& dim : type.shape) dims.push_back(dim.value());
    out.add(type.dtype, dims, settings);
  }
  DeviceContext device{.threads = settings.threads};
  KernelArgs args{.inputs = in.views, .outputs = out.views, .counts = run.counts, .device = &device};
  const GuardedBuffer workspace(workspace_bytes(kernel, args, in, out), 0, settings.poison);
  args.workspace = workspace.data();
  const AllocationScope scope;
  run.status = kernel.run(args);
  run.allocations = scope.count();
  run.damage = find_damage(inputs, in, out, workspace);
  for (const TensorView& view : out.views) {
    Result<Tensor> copy = Tensor::make(view.dtype, view.dims);
    if (!copy.ok()) {
      run.status = std::move(copy).status();
      return run;
    }
    if (view.bytes() != 0) std::memcpy(copy->mutable_data(), view.data, view.bytes());
    run.outputs.push_back(*std::move(copy));
  }
  return run;
}

}  // namespace hone::test
