// MatMul and Gemm by oneDNN's matmul primitive.
#ifndef HONE_STD_THREADS

#include <algorithm>

#include "backends/cpu/fill.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/onednn.h"
#include "backends/cpu/problem.h"
#include "base/parallel.h"
#include "ops/matmul.h"

namespace hone::cpu {

namespace {

using dnnl::memory;

// A [batch..., M, K] times B [batch..., K, N] gives Y [batch..., M, N]; batch axes of 1 are broadcast.
struct Product {
  memory::desc a, b, y, bias;
  DataType dtype = DataType::kFloat32;
  bool has_bias = false;
};

Status check_types(const Problem& problem, const DeviceInfo& device) {
  const DataType dtype = problem.inputs[0].type.dtype;
  if (dtype == DataType::kFloat16) return unsupported("oneDNN 2 has no float16 on CPUs");
  if (dtype == DataType::kBFloat16 && device.isa != "avx512") return unsupported("bfloat16 needs AVX-512");
  if (onednn_type(dtype) == memory::data_type::undef) return unsupported("takes float32 and bfloat16 only");
  return expect_all(problem, dtype);
}

// Our own product is as fast in float32 (within a few percent at every shape tried, often faster) and allocates
// nothing. oneDNN is left what ours has no tiles for: machines without AVX2, and transposed operands that can't be
// packed before.
Status leave_to_our_product(const Problem& problem, const DeviceInfo& device) {
  const bool has_tiles = device.isa == "avx512" || device.isa == "avx2";
  if (problem.inputs[0].type.dtype != DataType::kFloat32 || !has_tiles) return {};
  return unsupported("left to our own product, which is as fast and allocates nothing");
}

Result<std::vector<Config>> matmul_candidates(const Problem& problem, const DeviceInfo& device) {
  HONE_TRY(check_types(problem, device));
  HONE_TRY(leave_to_our_product(problem, device));
  return one_way();
}

Result<std::vector<Config>> gemm_candidates(const Problem& problem, const DeviceInfo& device) {
  const auto& op = static_cast<const Gemm&>(*problem.op);
  HONE_TRY(check_types(problem, device));
  if (!op.transA && (!op.transB || problem.inputs[1].constant)) HONE_TRY(leave_to_our_product(problem, device));
  if (op.alpha != 1) return unsupported("takes alpha 1 only");
  if (!has_input(problem, 2)) return one_way();
  if (op.beta != 1) return unsupported("takes beta 1 only");
  const Shape &c = problem.inputs[2].type.shape, &y = problem.outputs[0].type.shape;
  const bool is_row = !c.empty() && c.back() == y.back() && element_count(c) == c.back();
  if (!is_row) return unsupported("takes C as one row only");
  return one_way();
}

memory::desc strided_desc(const Extents& dims, const Extents& strides, DataType dtype) {
  return {onednn_dims(dims), onednn_type(dtype), onednn_dims(strides)};
}

// `dims` with ones in front, to `rank`.
Extents padded(const Extents& dims, size_t rank) {
  Extents out = Extents::filled(rank - dims.size(), 1);
  for (const int64_t dim : dims) out.push_back(dim);
  return out;
}

Result<Product> matmul_product(const Problem& problem) {
  const DataType dtype = problem.inputs[0].type.dtype;
  HONE_ASSIGN(Extents a, fixed_dims(problem.inputs[0].type));
  HONE_ASSIGN(Extents b, fixed_dims(problem.inputs[1].type));
  if (a.size() == 1) a = {1, a[0]};
  if (b.size() == 1) b = {b[0], 1};
  const size_t rank = std::max(a.size(), b.size());
  a = padded(a, rank);
  b = padded(b, rank);
  Extents y = a;
  for (size_t i = 0; i + 2 < rank; ++i) y[i] = a[i] == 1 ? b[i] : a[i];
  y[rank - 1] = b[rank - 1];
  return Product{.a = plain_desc(a, dtype),
                 .b = plain_desc(b, dtype),
                 .y = plain_desc(y, dtype),
                 .bias = {},
                 .dtype = dtype,
                 .has_bias = false};
}

Result<Product> gemm_product(const Problem& problem) {
  const auto& op = static_cast<const Gemm&>(*problem.op);
  const DataType dtype = problem.inputs[0].type.dtype;
  HONE_ASSIGN(const Extents a, fixed_dims(problem.inputs[0].type));
  HONE_ASSIGN(const Extents b, fixed_dims(problem.inputs[1].type));
  HONE_ASSIGN(const Extents y, fixed_dims(problem.outputs[0].type));
  const auto desc = [&](const Extents& dims, bool transposed) {
    return transposed ? strided_desc({dims[1], dims[0]}, {1, dims[1]}, dtype) : strided_desc(dims, {dims[1], 1}, dtype);
  };
  Product product{.a = desc(a, op.transA),
                  .b = desc(b, op.transB),
                  .y = plain_desc(y, dtype),
                  .bias = {},
                  .dtype = dtype,
                  .has_bias = has_input(problem, 2)};
  if (product.has_bias) product.bias = plain_desc(Extents{1, y[1]}, dtype);
  return product;
}

void add_product(PrimitiveKernel& kernel, const Product& product, std::span<const TensorView> constants) {
  const bool constant = constants[1].present();
  const memory::desc b =
      constant ? memory::desc(product.b.dims(), product.b.data_type(), memory::format_tag::any) : product.b;
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::desc wish = product.has_bias ? dnnl::matmul::desc(product.a, b, product.bias, product.y)
                                                   : dnnl::matmul::desc(product.a, b, product.y);
  const dnnl::matmul::primitive_desc desc(wish, attr, kernel.engine());
  const auto b_place =
      constant ? kernel.add_constant(constants[1], product.b, desc.weights_desc()) : PrimitiveKernel::input(1);
  std::vector<PrimitiveKernel::Argument> arguments = {{DNNL_ARG_SRC, PrimitiveKernel::input(0), product.a},
                                                      {DNNL_ARG_WEIGHTS, b_place, desc.weights_desc()},
                                                      {DNNL_ARG_DST, PrimitiveKernel::output(0), product.y}};
  if (product.has_bias) arguments.push_back({DNNL_ARG_BIAS, PrimitiveKernel::input(2), product.bias});
  kernel.add(desc, dnnl::matmul(desc), std::move(arguments));
}

template <auto ReadProduct>
Result<std::unique_ptr<Kernel>> create_product(const Problem& problem, const Config&,
                                               std::span<const TensorView> constants) {
  HONE_ASSIGN(const Extents a, fixed_dims(problem.inputs[0].type));
  HONE_ASSIGN(const Extents b, fixed_dims(problem.inputs[1].type));
  HONE_ASSIGN(const Extents y, fixed_dims(problem.outputs[0].type));
  const bool empty = count_of(a) == 0 || count_of(b) == 0 || count_of(y) == 0;
  if (empty) return make_fill(has_input(problem, 2) ? std::optional<size_t>(2) : std::nullopt);
  const TeamSize team(problem.threads);
  auto kernel = std::make_unique<PrimitiveKernel>(problem.threads);
  HONE_TRY(guard_onednn([&]() -> Status {
    HONE_ASSIGN(const Product product, ReadProduct(problem));
    add_product(*kernel, product, constants);
    return {};
  }));
  return std::unique_ptr<Kernel>(std::move(kernel));
}

}  // namespace

const KernelDef kMatMulOneDnn = {
    .name = "cpu.matmul.onednn",
    .op = "MatMul",
    .version = 1,
    .shapes = ShapeSupport::kFixed,
    .candidates = matmul_candidates,
    .create = create_product<matmul_product>,
    .run_allocates = true,
};

const KernelDef kGemmOneDnn = {
    .name = "cpu.gemm.onednn",
    .op = "Gemm",
    .version = 1,
    .shapes = ShapeSupport::kFixed,
    .candidates = gemm_candidates,
    .create = create_product<gemm_product>,
    .run_allocates = true,
};

}  // namespace hone::cpu

#endif
