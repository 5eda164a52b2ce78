// What a kernel is: one way to run one operator on one device. For those who add kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hone/dim.h"
#include "hone/op.h"
#include "hone/status.h"
#include "hone/tensor.h"

namespace hone {

// What a target offers, as far as kernels care. A value that travels with the engine file.
struct DeviceInfo {
  std::string backend;  // "cpu", "reference"
  std::string name;     // "AMD EPYC 9575F"
  std::string isa;      // "avx512_core_bf16"; kernels of another isa are refused
  int threads = 1;      // what a context of this engine uses
  int64_t memory_bytes = 0;
};

// One caller's view of the device while kernels run: thread count, later stream and library handles. Not shared
// between threads.
struct DeviceContext {
  int threads = 1;
};

// One operand of a problem.
struct ProblemOperand {
  bool present = false;
  TensorType type;
  bool constant = false;  // its contents are fixed when the kernel is created
};

// Everything that decides which kernel serves and how fast it is. Needs no graph.
struct Problem {
  OpPtr op;                          // what to compute (for a fused node: its name and attributes)
  std::shared_ptr<const Body> body;  // set for fused nodes: what `op` stands for
  std::vector<ProblemOperand> inputs;
  std::vector<ProblemOperand> outputs;
  int threads = 1;
};

// A kernel's choice among its own ways (a tile, a library's plan): bytes that only that kernel reads.
using Config = std::vector<std::byte>;

// What a kernel is run with. All views are contiguous; inputs and outputs don't overlap. An absent optional operand
// is a view that isn't present().
struct KernelArgs {
  std::span<const TensorView> inputs;
  std::span<const TensorView> outputs;
  std::byte* workspace = nullptr;  // 64-byte aligned, workspace_bytes() of it
  // For kernels that count a dimension of their outputs (NonMaxSuppression): they write how many there are. The
  // output's view has the bound's size and is filled with that size's strides; the caller moves it together.
  std::span<int64_t> counts;
  DeviceContext* device = nullptr;
};

// A built kernel. Immutable; several contexts may run it at once, each with its own arguments and workspace.
class Kernel {
 public:
  virtual ~Kernel() = default;
  // Scratch that run() needs for these shapes (data pointers in `args` are null). May not depend on contents.
  virtual size_t workspace_bytes(const KernelArgs& args) const {
    (void)args;
    return 0;
  }
  // Computes the outputs. Allocates nothing (but see KernelDef::run_allocates) and is safe to call from several
  // threads. Fails only on what the contents decide (an index out of range).
  virtual Status run(const KernelArgs& args) const = 0;
  // Computes output 0 at `positions` (flat indices) only, into `out` (float64 each). For kernels whose full run is
  // too slow to check others against. Returns kUnsupported when there is no such shortcut.
  virtual Status sample(const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) const;
};

// Whether a kernel is built once for all shapes, or anew for each.
enum class ShapeSupport : uint8_t { kFixed, kAny };

// One way to run one operator.
struct KernelDef {
  const char* name;  // "cpu.conv.onednn"
  const char* op;    // "Conv"; null: any node with a Body
  int version;       // raise when results or speed change
  ShapeSupport shapes;
  // Lists configurations, best guess first, or says why it can't serve. Dims in the problem may be symbolic.
  Result<std::vector<Config>> (*candidates)(const Problem& problem, const DeviceInfo& device);
  // Builds. For kFixed all dims are constant. `constants[i]` holds the contents of constant operand i (not present
  // otherwise) and outlives the kernel.
  Result<std::unique_ptr<Kernel>> (*create)(const Problem& problem, const Config& config,
                                            std::span<const TensorView> constants);
  // run() allocates inside a library, whatever was run before: builds may forbid it.
  bool run_allocates = false;
};

// A device's kernels in order of preference. The order breaks ties and serves builds without tuning.
struct Backend {
  std::string_view name;
  std::span<const KernelDef* const> kernels;
};

}  // namespace hone
