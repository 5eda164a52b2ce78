// MatMul and Gemm by our own product (gemm.h): any shapes, no allocation.
#include "ops/matmul.h"

#include <algorithm>
#include <utility>

#include "backends/cpu/gemm.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/problem.h"
#include "backends/cpu/simd.h"
#include "base/aligned_buffer.h"
#include "base/parallel.h"

namespace hone::cpu {

namespace {

// Up to these rows, packing B costs more than it brings; it costs more if B lies in columns.
constexpr int64_t kThinRows = 3, kThinRowsOfColumns = 8;
// Multiplications that take one thread about as long as waking another.
constexpr int64_t kShare = 1 << 17;

int64_t aligned(int64_t floats) { return (floats + 15) / 16 * 16; }

// A stack of products: matrix i of A, B and C starts at offset_of(i).
struct Stack {
  GemmSize size;
  Extents batch, a_strides, b_strides;  // 0 where an operand repeats
  int64_t a_m_stride = 0, a_k_stride = 1;
  int64_t b_k_stride = 0, b_n_stride = 1;
  float scale = 1;
  const float* packed_b = nullptr;

  int64_t count() const { return count_of(batch); }
  static int64_t offset(int64_t i, const Extents& batch, const Extents& strides) {
    int64_t offset = 0;
    for (size_t axis = batch.size(); axis-- > 0;) {
      offset += i % batch[axis] * strides[axis];
      i /= batch[axis];
    }
    return offset;
  }
  bool is_thin() const { return packed_b == nullptr && size.m <= (b_n_stride == 1 ? kThinRows : kThinRowsOfColumns); }
  bool packs_a() const { return a_k_stride != 1 || scale != 1; }
  // Both operands are read where they are.
  bool is_small() const {
    return packed_b == nullptr && !packs_a() && b_n_stride == 1 && is_small_product(size, b_k_stride);
  }
  // Threads that are worth waking.
  int team(int threads) const {
    const int64_t shares = count() * size.m * size.n * size.k / kShare;
    return static_cast<int>(std::clamp<int64_t>(shares, 1, threads));
  }
  // Each thread takes whole products, if that leaves none without work for long.
  bool by_matrix(int threads) const { return count() >= 4 * threads || count() % threads == 0; }
  int64_t scratch_floats(int threads) const {
    if (is_thin() || count() == 0) return 0;
    const int64_t packed = packs_a() ? aligned(packed_left_floats(size.m, size.k)) : 0;
    const int64_t one = by_matrix(threads) ? 1 : threads, copies = threads / one;
    return copies * (packed + gemm_scratch_floats(static_cast<int>(one), size, {.packed = packed_b}, {}));
  }
};

// [..., rows, columns] of an operand, vectors completed.
struct Matrix {
  Extents batch;
  int64_t rows = 1, columns = 1;
};

Matrix as_matrix(const Extents& dims, bool is_left) {
  if (dims.size() == 1) return is_left ? Matrix{{}, 1, dims[0]} : Matrix{{}, dims[0], 1};
  return {Extents(std::span<const int64_t>(dims).first(dims.size() - 2)), dims[dims.size() - 2], dims.back()};
}

Extents batch_strides(const Extents& out, const Matrix& matrix) {
  Extents strides = Extents::filled(out.size(), 0);
  int64_t stride = matrix.rows * matrix.columns;
  for (size_t i = 0; i < matrix.batch.size(); ++i) {
    const size_t own = matrix.batch.size() - 1 - i;
    if (matrix.batch[own] != 1) strides[out.size() - 1 - i] = stride;
    stride *= matrix.batch[own];
  }
  return strides;
}

Stack matmul_stack(const KernelArgs& args) {
  Matrix a = as_matrix(args.inputs[0].dims, true);
  const Matrix b = as_matrix(args.inputs[1].dims, false);
  // One B for all of A's matrices: they are one tall matrix.
  if (b.batch.empty()) {
    a.rows *= count_of(a.batch);
    a.batch = {};
  }
  Stack stack{.size = {a.rows, b.columns, a.columns}};
  const size_t rank = std::max(a.batch.size(), b.batch.size());
  stack.batch = Extents::filled(rank, 1);
  for (const Extents* batch : {&std::as_const(a.batch), &b.batch}) {
    for (size_t i = 0; i < batch->size(); ++i) {
      if ((*batch)[i] != 1) stack.batch[rank - batch->size() + i] = (*batch)[i];
    }
  }
  stack.a_strides = batch_strides(stack.batch, a);
  stack.b_strides = batch_strides(stack.batch, b);
  stack.a_m_stride = a.columns;
  stack.b_k_stride = b.columns;
  return stack;
}

Stack gemm_stack(const Gemm& op, const KernelArgs& args) {
  const Extents &a = args.inputs[0].dims, &b = args.inputs[1].dims;
  Stack stack;
  stack.scale = op.alpha;
  stack.size = {op.transA ? a[1] : a[0], op.transB ? b[0] : b[1], op.transA ? a[0] : a[1]};
  stack.a_m_stride = op.transA ? 1 : a[1];
  stack.a_k_stride = op.transA ? a[1] : 1;
  stack.b_k_stride = op.transB ? 1 : b[1];
  stack.b_n_stride = op.transB ? b[1] : 1;
  return stack;
}

struct Operands {
  const float *a, *b;
  float* c;
  GemmBias bias;
};

void run_one(const Stack& stack, const Operands& operands, int64_t i, int threads, float* scratch) {
  const GemmSize& size = stack.size;
  const float* const a = operands.a + Stack::offset(i, stack.batch, stack.a_strides);
  const GemmRight b{.packed = stack.packed_b,
                    .base = operands.b + Stack::offset(i, stack.batch, stack.b_strides),
                    .k_stride = stack.b_k_stride,
                    .n_stride = stack.b_n_stride};
  float* const c = operands.c + i * size.m * size.n;
  if (stack.is_thin()) {
    gemm_thin(size, a, stack.a_m_stride, stack.a_k_stride, stack.scale, b, operands.bias, c, size.n);
    return;
  }
  if (threads == 1 && stack.is_small() && !operands.bias.is_given()) {
    gemm_small(size, a, stack.a_m_stride, b.base, b.k_stride, c, size.n);
    return;
  }
  GemmLeft left{.base = a, .m_stride = stack.a_m_stride};
  if (stack.packs_a()) {
    pack_left(threads, a, stack.a_m_stride, stack.a_k_stride, stack.scale, size.m, size.k, scratch);
    left = {.packed = scratch};
    scratch += aligned(packed_left_floats(size.m, size.k));
  }
  gemm(threads, size, left, b, operands.bias, {.data = c, .row_stride = size.n}, scratch);
}

// One thin product on several threads: each takes columns.
void run_thin(const Stack& stack, const Operands& operands, int threads) {
  const int64_t grain = 65536 / (stack.size.k * stack.size.m + 1) + 16;
  parallel_for(threads, stack.size.n, grain, [&](int64_t begin, int64_t end) {
    GemmBias bias = operands.bias;
    if (bias.columns != nullptr) bias.columns += begin;
    gemm_thin(
        {stack.size.m, end - begin, stack.size.k}, operands.a, stack.a_m_stride, stack.a_k_stride, stack.scale,
        {.base = operands.b + begin * stack.b_n_stride, .k_stride = stack.b_k_stride, .n_stride = stack.b_n_stride},
        bias, operands.c + begin, stack.size.n);
  });
}

void run_stack(const Stack& stack, const Operands& operands, int most_threads, float* scratch) {
  const int threads = stack.team(most_threads);
  if (stack.count() == 0 || stack.size.m == 0 || stack.size.n == 0) return;
  if (stack.count() == 1 && stack.is_thin()) return run_thin(stack, operands, threads);
  if (!stack.by_matrix(threads)) {
    for (int64_t i = 0; i < stack.count(); ++i) run_one(stack, operands, i, threads, scratch);
    return;
  }
  const int64_t own = stack.scratch_floats(threads) / threads, count = stack.count();
  parallel_for(threads, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * count / threads; i < end * count / threads; ++i) {
      run_one(stack, operands, i, 1, scratch + begin * own);
    }
  });
}

// A right operand that is known when the kernel is made, packed.
class PackedRight {
 public:
  const float* data() const { return reinterpret_cast<const float*>(buffer_.data()); }
  // `b` is a matrix [k, n], or [n, k] if transposed; other ranks stay unpacked.
  Status pack(const TensorView& b, bool transposed, int threads) {
    if (b.rank() != 2) return {};
    const int64_t k = b.dims[transposed ? 1 : 0], n = b.dims[transposed ? 0 : 1];
    HONE_TRY(buffer_.reserve(static_cast<size_t>(packed_right_floats(k, n)) * sizeof(float)));
    const GemmRight right{
        .base = b.as<const float>(), .k_stride = transposed ? 1 : b.dims[1], .n_stride = transposed ? b.dims[1] : 1};
    pack_right(threads, right, k, n, reinterpret_cast<float*>(buffer_.data()));
    return {};
  }

 private:
  AlignedBuffer buffer_;
};

class MatMulKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> create(const Problem& problem, const Config&,
                                                std::span<const TensorView> constants) {
    auto kernel = std::make_unique<MatMulKernel>();
    kernel->threads_ = problem.threads;
    if (constants[1].present()) HONE_TRY(kernel->packed_.pack(constants[1], false, problem.threads));
    return std::unique_ptr<Kernel>(std::move(kernel));
  }
  size_t workspace_bytes(const KernelArgs& args) const override {
    const Stack stack = stack_of(args);
    return static_cast<size_t>(stack.scratch_floats(stack.team(threads_))) * sizeof(float);
  }
  Status run(const KernelArgs& args) const override {
    run_stack(stack_of(args),
              {.a = args.inputs[0].as<const float>(),
               .b = args.inputs[1].as<const float>(),
               .c = args.outputs[0].as<float>(),
               .bias = {}},
              threads_, reinterpret_cast<float*>(args.workspace));
    return {};
  }

 private:
  Stack stack_of(const KernelArgs& args) const {
    Stack stack = matmul_stack(args);
    stack.packed_b = packed_.data();
    return stack;
  }

  PackedRight packed_;
  int threads_ = 1;
};

HONE_SIMD void add_scaled(float* __restrict y, const float* __restrict x, int64_t x_step, float scale, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += x[i * x_step] * scale;
}

class GemmKernel final : public Kernel {
 public:
  explicit GemmKernel(const Problem& problem) : op_(problem.op), threads_(problem.threads) {}
  static Result<std::unique_ptr<Kernel>> create(const Problem& problem, const Config&,
                                                std::span<const TensorView> constants) {
    auto kernel = std::make_unique<GemmKernel>(problem);
    if (constants[1].present()) HONE_TRY(kernel->packed_.pack(constants[1], kernel->op().transB, problem.threads));
    return std::unique_ptr<Kernel>(std::move(kernel));
  }
  size_t workspace_bytes(const KernelArgs& args) const override {
    const Stack stack = stack_of(args);
    return static_cast<size_t>(stack.scratch_floats(stack.team(threads_))) * sizeof(float);
  }
  Status run(const KernelArgs& args) const override {
    const Stack stack = stack_of(args);
    Operands operands{.a = args.inputs[0].as<const float>(),
                      .b = args.inputs[1].as<const float>(),
                      .c = args.outputs[0].as<float>(),
                      .bias = {}};
    // beta 0 hides whatever C holds.
    const bool has_c = has_input(args, 2) && args.outputs[0].count() > 0 && op().beta != 0;
    const bool is_row = has_c && args.inputs[2].count() == stack.size.n && args.inputs[2].dims.back() == stack.size.n;
    if (is_row && op().beta == 1) operands.bias.columns = args.inputs[2].as<const float>();
    run_stack(stack, operands, threads_, reinterpret_cast<float*>(args.workspace));
    if (has_c && operands.bias.columns == nullptr) add_bias(stack.size, args);
    return {};
  }

 private:
  // C of any shape that broadcasts to [M, N].
  void add_bias(const GemmSize& size, const KernelArgs& args) const {
    const TensorView& c = args.inputs[2];
    const size_t rank = c.rank();
    const int64_t columns = rank > 0 ? c.dims.back() : 1, rows = rank > 1 ? c.dims[rank - 2] : 1;
    for (int64_t m = 0; m < size.m; ++m) {
      add_scaled(args.outputs[0].as<float>() + m * size.n, c.as<const float>() + (rows == 1 ? 0 : m * columns),
                 columns == 1 ? 0 : 1, op().beta, size.n);
    }
  }

  const Gemm& op() const { return static_cast<const Gemm&>(*op_); }
  Stack stack_of(const KernelArgs& args) const {
    Stack stack = gemm_stack(op(), args);
    stack.packed_b = packed_.data();
    return stack;
  }

  OpPtr op_;
  PackedRight packed_;
  int threads_;
};

Result<std::vector<Config>> candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  return one_way();
}

}  // namespace

const KernelDef kMatMul = {.name = "cpu.matmul",
                           .op = "MatMul",
                           .version = 2,
                           .shapes = ShapeSupport::kAny,
                           .candidates = candidates,
                           .create = MatMulKernel::create};
const KernelDef kGemm = {.name = "cpu.gemm",
                         .op = "Gemm",
                         .version = 2,
                         .shapes = ShapeSupport::kAny,
                         .candidates = candidates,
                         .create = GemmKernel::create};

}  // namespace hone::cpu
