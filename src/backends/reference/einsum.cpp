// Einstein summation, one output at a time: over all positions of the summed labels, the product of the operands.
#include "ops/einsum.h"

#include <array>

#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

using EinsumTypes = NumberTypes;
constexpr size_t kLabels = static_cast<size_t>(EinsumEquation::kLabels);
// Products that are formed at once, along the innermost summed label.
constexpr int64_t kTile = 256;

// Labels with their sizes; the summed ones end with the innermost.
struct EinsumPlan {
  std::array<int64_t, kLabels> sizes;
  Extents output;                         // labels
  std::array<uint8_t, kLabels> summed{};  // labels
  size_t num_summed = 0;
  int64_t inner = 1;        // size of the innermost summed label
  int64_t outer_count = 1;  // positions of the other summed labels
  size_t num_operands = 0;
  const int64_t* steps = nullptr;  // [operand][label], 0 where the operand hasn't the label or is broadcast

  const int64_t* steps_of(size_t operand) const { return steps + operand * kLabels; }
};

size_t einsum_workspace(const Einsum&, const KernelArgs& args) {
  return args.inputs.size() * kLabels * sizeof(int64_t);
}

Status add_operand(const EinsumEquation& terms, size_t i, const Extents& dims, EinsumPlan& plan, int64_t* steps) {
  HONE_ASSIGN(const Extents labels, terms.operand(i, dims.size()));
  const Extents strides = row_major_strides(dims);
  std::fill(steps, steps + kLabels, 0);
  for (size_t axis = 0; axis < labels.size(); ++axis) {
    const auto label = static_cast<size_t>(labels[axis]);
    int64_t& size = plan.sizes[label];
    if (size == -1 || size == 1) size = dims[axis];
    if (dims[axis] != size && dims[axis] != 1) return invalid_model("the operands' shapes don't fit the equation");
    if (dims[axis] != 1) steps[label] += strides[axis];
  }
  return {};
}

// Lists the labels that the output hasn't, and counts their positions.
Status find_summed(EinsumPlan& plan) {
  for (size_t label = 0; label < kLabels; ++label) {
    const bool kept =
        std::find(plan.output.begin(), plan.output.end(), static_cast<int64_t>(label)) != plan.output.end();
    if (plan.sizes[label] == -1 || kept) continue;
    if (plan.num_summed > 0 && __builtin_mul_overflow(plan.outer_count, plan.inner, &plan.outer_count)) {
      return resource_error("the equation sums over more than 2^63 products for each output");
    }
    plan.inner = plan.sizes[label];
    plan.summed[plan.num_summed++] = static_cast<uint8_t>(label);
  }
  return {};
}

Result<EinsumPlan> plan_of(const Einsum& op, const KernelArgs& args, int64_t* steps) {
  const EinsumEquation terms(op.equation);
  EinsumPlan plan;
  plan.sizes.fill(-1);
  plan.num_operands = args.inputs.size();
  if (plan.num_operands != terms.num_operands()) return invalid_model("the equation has another number of terms");
  plan.steps = steps;
  size_t ellipsis_rank = 0;
  for (size_t i = 0; i < plan.num_operands; ++i) {
    const Extents& dims = args.inputs[i].dims;
    HONE_TRY(add_operand(terms, i, dims, plan, steps + i * kLabels));
    ellipsis_rank = std::max(ellipsis_rank, terms.ellipsis_rank(i, dims.size()));
  }
  HONE_ASSIGN(plan.output, terms.output(ellipsis_rank));
  Extents y;
  for (const int64_t label : plan.output) y.push_back(plan.sizes[static_cast<size_t>(label)]);
  HONE_TRY(expect_output(args, 0, y));
  HONE_TRY(find_summed(plan));
  return plan;
}

// Where each label stands.
using Position = std::array<int64_t, kLabels>;

int64_t offset_of(const EinsumPlan& plan, size_t operand, const Position& at) {
  const int64_t* steps = plan.steps_of(operand);
  int64_t offset = 0;
  for (const int64_t label : plan.output) offset += at[static_cast<size_t>(label)] * steps[label];
  for (size_t i = 0; i < plan.num_summed; ++i) offset += at[plan.summed[i]] * steps[plan.summed[i]];
  return offset;
}

// The sum along the innermost summed label.
template <class T>
Sum<T> sum_inner(const EinsumPlan& plan, const KernelArgs& args, const Position& at) {
  Sum<T> total{}, products[kTile];
  for (int64_t begin = 0; begin < plan.inner; begin += kTile) {
    const int64_t count = std::min(kTile, plan.inner - begin);
    std::fill(products, products + count, Sum<T>(1));
    for (size_t i = 0; i < plan.num_operands; ++i) {
      const int64_t step = plan.num_summed == 0 ? 0 : plan.steps_of(i)[plan.summed[plan.num_summed - 1]];
      const T* x = args.inputs[i].as<const T>() + offset_of(plan, i, at) + begin * step;
      for (int64_t k = 0; k < count; ++k) products[k] *= widen(x[k * step]);
    }
    for (int64_t k = 0; k < count; ++k) total += products[k];
  }
  return total;
}

// Moves on among the summed labels but the innermost.
void next_summed(const EinsumPlan& plan, Position& at) {
  for (size_t i = plan.num_summed; i-- > 1;) {
    const size_t label = plan.summed[i - 1];
    if (++at[label] < plan.sizes[label]) return;
    at[label] = 0;
  }
}

template <class T>
T value_at(const EinsumPlan& plan, const KernelArgs& args, int64_t index) {
  Position at{};
  for (size_t axis = plan.output.size(); axis-- > 0;) {
    const auto label = static_cast<size_t>(plan.output[axis]);
    at[label] = index % plan.sizes[label];
    index /= plan.sizes[label];
  }
  Sum<T> total{};
  for (int64_t i = 0; i < plan.outer_count; ++i) {
    total += sum_inner<T>(plan, args, at);
    next_summed(plan, at);
  }
  return narrow<T>(total);
}

Status einsum(const Einsum& op, const KernelArgs& args) {
  HONE_ASSIGN(const EinsumPlan plan, plan_of(op, args, reinterpret_cast<int64_t*>(args.workspace)));
  return visit_type(args.inputs[0].dtype, EinsumTypes{}, [&]<class T>() {
    T* y = args.outputs[0].as<T>();
    parallel_for(args.device->threads, args.outputs[0].count(), 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = value_at<T>(plan, args, i);
    });
    return Status();
  });
}

Status einsum_sample(const Einsum& op, const KernelArgs& args, std::span<const int64_t> positions,
                     std::span<double> out) {
  HONE_ASSIGN(const EinsumPlan plan, plan_of(op, args, reinterpret_cast<int64_t*>(args.workspace)));
  return visit_type(args.inputs[0].dtype, EinsumTypes{}, [&]<class T>() {
    for (size_t i = 0; i < positions.size(); ++i) out[i] = to_double(value_at<T>(plan, args, positions[i]));
    return Status();
  });
}

}  // namespace

const KernelDef kEinsum = kReferenceKernel<Einsum, einsum, einsum_workspace, einsum_sample>;

}  // namespace hone::reference
