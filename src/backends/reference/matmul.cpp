// Matrix products: rows of sums, in float64 for floating elements and in wrapping uint64 for integers.
#include "ops/matmul.h"

#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

using MatMulTypes = TypeList<float, double, Half, BFloat16, int32_t, int64_t, uint32_t, uint64_t>;

// Columns that are summed at once.
constexpr int64_t kTile = 512;
// Multiplications that are worth a thread.
constexpr int64_t kGrain = 32768;

// A matrix with any steps between its rows and columns.
template <class T>
struct Matrix {
  const T* data;
  int64_t row_step, column_step;
  const T* at(int64_t row, int64_t column) const { return data + row * row_step + column * column_step; }
};

// sums[j] = sum over k of a[row, k] * b[k, first + j], for j in [0, count).
template <class T>
void multiply_row(const Matrix<T>& a, const Matrix<T>& b, int64_t row, int64_t depth, int64_t first, int64_t count,
                  Sum<T>* sums) {
  std::fill(sums, sums + count, Sum<T>{});
  if (b.column_step == 1) {
    for (int64_t k = 0; k < depth; ++k) {
      const Sum<T> factor = widen(*a.at(row, k));
      const T* from = b.at(k, first);
      for (int64_t j = 0; j < count; ++j) sums[j] += factor * widen(from[j]);
    }
    return;
  }
  for (int64_t j = 0; j < count; ++j) {
    Sum<T> sum{};
    for (int64_t k = 0; k < depth; ++k) sum += widen(*a.at(row, k)) * widen(*b.at(k, first + j));
    sums[j] = sum;
  }
}

int64_t rows_per_thread(int64_t depth, int64_t columns) {
  return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, depth * std::min<int64_t>(columns, kGrain)));
}

// Sizes of a MatMul, with batch axes in the output's rank.
struct MatMulPlan {
  int64_t rows, depth, columns;
  Extents batch;             // the output's
  Extents a_steps, b_steps;  // per batch axis, in matrices; 0 where the operand is broadcast
  int64_t matrices() const { return count_of(batch); }
};

// Steps of an operand with batch axes `own`, aligned at the right of `batch`. False: it doesn't broadcast.
bool batch_steps(std::span<const int64_t> own, std::span<const int64_t> batch, Extents& steps) {
  const size_t missing = batch.size() - own.size();
  const Extents own_steps = row_major_strides(own);
  steps = Extents::filled(batch.size(), 0);
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] != 1 && own[i] != batch[missing + i]) return false;
    if (own[i] != 1) steps[missing + i] = own_steps[i];
  }
  return true;
}

Status misfit() { return invalid_model("the operands' and the result's shapes don't fit each other"); }

Result<MatMulPlan> plan_of(const KernelArgs& args) {
  const Extents &a = args.inputs[0].dims, &b = args.inputs[1].dims, &y = args.outputs[0].dims;
  const bool a_vector = a.size() == 1, b_vector = b.size() == 1;
  const size_t matrix_axes = 2 - (a_vector ? 1 : 0) - (b_vector ? 1 : 0);
  if (a.empty() || b.empty() || y.size() < matrix_axes) return misfit();
  MatMulPlan plan;
  plan.rows = a_vector ? 1 : a[a.size() - 2];
  plan.depth = a.back();
  plan.columns = b_vector ? 1 : b.back();
  plan.batch = Extents(std::span(y.data(), y.size() - matrix_axes));
  const std::span<const int64_t> a_batch(a.data(), a_vector ? 0 : a.size() - 2),
      b_batch(b.data(), b_vector ? 0 : b.size() - 2);
  if (std::max(a_batch.size(), b_batch.size()) != plan.batch.size()) return misfit();
  if (!batch_steps(a_batch, plan.batch, plan.a_steps) || !batch_steps(b_batch, plan.batch, plan.b_steps))
    return misfit();
  if (b[b_vector ? 0 : b.size() - 2] != plan.depth ||
      args.outputs[0].count() != plan.matrices() * plan.rows * plan.columns) {
    return misfit();
  }
  return plan;
}

int64_t offset_of(int64_t matrix, const Extents& batch, const Extents& steps) {
  const Extents at = position_of(matrix, batch);
  int64_t offset = 0;
  for (size_t i = 0; i < batch.size(); ++i) offset += at[i] * steps[i];
  return offset;
}

template <class T>
Matrix<T> left_matrix(const MatMulPlan& plan, const KernelArgs& args, int64_t matrix) {
  return {args.inputs[0].as<const T>() + offset_of(matrix, plan.batch, plan.a_steps) * plan.rows * plan.depth,
          plan.depth, 1};
}

template <class T>
Matrix<T> right_matrix(const MatMulPlan& plan, const KernelArgs& args, int64_t matrix) {
  return {args.inputs[1].as<const T>() + offset_of(matrix, plan.batch, plan.b_steps) * plan.depth * plan.columns,
          plan.columns, 1};
}

Status matmul(const MatMul&, const KernelArgs& args) {
  HONE_ASSIGN(const MatMulPlan plan, plan_of(args));
  if (args.outputs[0].count() == 0) return {};
  return visit_type(args.inputs[0].dtype, MatMulTypes{}, [&]<class T>() {
    T* y = args.outputs[0].as<T>();
    const auto run_row = [&](int64_t row) {
      const Matrix<T> a = left_matrix<T>(plan, args, row / plan.rows), b = right_matrix<T>(plan, args, row / plan.rows);
      Sum<T> sums[kTile];
      for (int64_t first = 0; first < plan.columns; first += kTile) {
        const int64_t count = std::min(kTile, plan.columns - first);
        multiply_row(a, b, row % plan.rows, plan.depth, first, count, sums);
        for (int64_t j = 0; j < count; ++j) y[row * plan.columns + first + j] = narrow<T>(sums[j]);
      }
    };
    parallel_for(args.device->threads, plan.matrices() * plan.rows, rows_per_thread(plan.depth, plan.columns),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t row = begin; row < end; ++row) run_row(row);
                 });
    return Status();
  });
}

Status matmul_sample(const MatMul&, const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) {
  HONE_ASSIGN(const MatMulPlan plan, plan_of(args));
  return visit_type(args.inputs[0].dtype, MatMulTypes{}, [&]<class T>() {
    for (size_t i = 0; i < positions.size(); ++i) {
      const int64_t row = positions[i] / plan.columns, matrix = row / plan.rows;
      Sum<T> sum{};
      multiply_row(left_matrix<T>(plan, args, matrix), right_matrix<T>(plan, args, matrix), row % plan.rows, plan.depth,
                   positions[i] % plan.columns, 1, &sum);
      out[i] = to_double(narrow<T>(sum));
    }
    return Status();
  });
}

// The factor of an integer sum goes through float64 unless it is 1.
template <class T>
Sum<T> scaled(Sum<T> sum, float factor) {
  if constexpr (std::is_integral_v<T>) {
    return factor == 1 ? sum : widen(saturate<T>(static_cast<double>(narrow<T>(sum)) * static_cast<double>(factor)));
  } else {
    return sum * static_cast<double>(factor);
  }
}

// Sizes of a Gemm.
struct GemmPlan {
  int64_t rows, depth, columns;
  int64_t c_row_step = 0, c_column_step = 0;
  bool has_c = false;
};

Result<GemmPlan> plan_of(const Gemm& op, const KernelArgs& args) {
  const Extents &a = args.inputs[0].dims, &b = args.inputs[1].dims;
  if (a.size() != 2 || b.size() != 2) return invalid_model("Gemm multiplies matrices");
  GemmPlan plan{.rows = a[op.transA ? 1 : 0], .depth = a[op.transA ? 0 : 1], .columns = b[op.transB ? 0 : 1]};
  if (b[op.transB ? 1 : 0] != plan.depth) return invalid_model("the summed axes differ");
  HONE_TRY(expect_output(args, 0, Extents{plan.rows, plan.columns}));
  // With beta 0 the contents of C don't matter, NaN or not.
  plan.has_c = args.inputs.size() > 2 && args.inputs[2].present() && op.beta != 0;
  if (!plan.has_c) return plan;
  const Extents& c = args.inputs[2].dims;
  const int64_t c_columns = c.empty() ? 1 : c.back(), c_rows = c.size() < 2 ? 1 : c[0];
  if (c.size() > 2 || (c_rows != 1 && c_rows != plan.rows) || (c_columns != 1 && c_columns != plan.columns)) {
    return invalid_model("operand 2 doesn't broadcast to the product");
  }
  plan.c_row_step = c_rows == 1 ? 0 : c_columns;
  plan.c_column_step = c_columns == 1 ? 0 : 1;
  return plan;
}

template <class T>
Matrix<T> matrix_of(const TensorView& view, bool transposed) {
  const int64_t columns = view.dims[1];
  return {view.as<const T>(), transposed ? 1 : columns, transposed ? columns : 1};
}

// Outputs [first, first + count) of one row, into `y`.
template <class T>
void gemm_row(const Gemm& op, const GemmPlan& plan, const KernelArgs& args, int64_t row, int64_t first, int64_t count,
              T* y) {
  Sum<T> sums[kTile];
  multiply_row(matrix_of<T>(args.inputs[0], op.transA), matrix_of<T>(args.inputs[1], op.transB), row, plan.depth, first,
               count, sums);
  for (int64_t j = 0; j < count; ++j) {
    Sum<T> sum = scaled<T>(sums[j], op.alpha);
    if (plan.has_c) {
      const T c = args.inputs[2].as<const T>()[row * plan.c_row_step + (first + j) * plan.c_column_step];
      sum += scaled<T>(widen(c), op.beta);
    }
    y[j] = narrow<T>(sum);
  }
}

Status gemm(const Gemm& op, const KernelArgs& args) {
  HONE_ASSIGN(const GemmPlan plan, plan_of(op, args));
  if (args.outputs[0].count() == 0) return {};
  return visit_type(args.inputs[0].dtype, MatMulTypes{}, [&]<class T>() {
    T* y = args.outputs[0].as<T>();
    parallel_for(args.device->threads, plan.rows, rows_per_thread(plan.depth, plan.columns),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t row = begin; row < end; ++row) {
                     for (int64_t first = 0; first < plan.columns; first += kTile) {
                       gemm_row(op, plan, args, row, first, std::min(kTile, plan.columns - first),
                                y + row * plan.columns + first);
                     }
                   }
                 });
    return Status();
  });
}

Status gemm_sample(const Gemm& op, const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) {
  HONE_ASSIGN(const GemmPlan plan, plan_of(op, args));
  return visit_type(args.inputs[0].dtype, MatMulTypes{}, [&]<class T>() {
    for (size_t i = 0; i < positions.size(); ++i) {
      T value{};
      gemm_row(op, plan, args, positions[i] / plan.columns, positions[i] % plan.columns, 1, &value);
      out[i] = to_double(value);
    }
    return Status();
  });
}

}  // namespace

const KernelDef kMatMul = kReferenceKernel<MatMul, matmul, NoFunction{}, matmul_sample>;
const KernelDef kGemm = kReferenceKernel<Gemm, gemm, NoFunction{}, gemm_sample>;

}  // namespace hone::reference
