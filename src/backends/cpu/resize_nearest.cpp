// Nearest Resize: each axis has a table of the input positions that its output positions read. Rows are copied element
// by element; a row that reads the same input row as the one before is a copy of it. Elements of 4 bytes, any shapes,
// no allocation.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kernels.h"
#include "backends/cpu/problem.h"
#include "backends/cpu/simd.h"
#include "base/parallel.h"
#include "ops/resize.h"

namespace hone::cpu {

namespace {

HONE_SIMD void gather_row(const uint32_t* __restrict x, const int32_t* __restrict table, int64_t n,
                          uint32_t* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[table[i]];
}

HONE_SIMD void double_row(const uint32_t* __restrict x, int64_t n, uint32_t* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[2 * i] = y[2 * i + 1] = x[i];
}

struct Tables {
  const int32_t* of_axis[kMaxRank];
  Extents in_strides;
  bool doubles = false;  // along the last axis, each element comes twice
};

class NearestKernel final : public Kernel {
 public:
  explicit NearestKernel(OpPtr op) : op_(std::move(op)) {}

  size_t workspace_bytes(const KernelArgs& args) const override {
    size_t entries = 0;
    for (const int64_t out : args.outputs[0].dims) entries += static_cast<size_t>(out);
    return entries * sizeof(int32_t);
  }

  Status run(const KernelArgs& args) const override {
    const TensorView &x = args.inputs[0], &y = args.outputs[0];
    if (y.count() == 0) return {};
    Tables tables;
    HONE_TRY(make_tables(args, tables));
    const int64_t width = y.dims.back(), rows = y.count() / width;
    const auto* const from = reinterpret_cast<const uint32_t*>(x.data);
    auto* const to = reinterpret_cast<uint32_t*>(y.data);
    parallel_for(args.device->threads, rows, 16384 / width + 1, [&](int64_t begin, int64_t end) {
      int64_t before = -1;
      for (int64_t row = begin; row < end; ++row) {
        const int64_t source = source_row(tables, y.dims, row);
        uint32_t* const out = to + row * width;
        if (source == before) {
          std::memcpy(out, out - width, static_cast<size_t>(width) * sizeof(uint32_t));
        } else if (tables.doubles) {
          double_row(from + source, width / 2, out);
        } else {
          gather_row(from + source, tables.of_axis[y.rank() - 1], width, out);
        }
        before = source;
      }
    });
    return {};
  }

 private:
  // Where in the input the row starts that output row `row` reads.
  static int64_t source_row(const Tables& tables, const Extents& dims, int64_t row) {
    int64_t source = 0;
    for (size_t axis = dims.size() - 1; axis-- > 0;) {
      source += tables.of_axis[axis][row % dims[axis]] * tables.in_strides[axis];
      row /= dims[axis];
    }
    return source;
  }

  Status make_tables(const KernelArgs& args, Tables& tables) const {
    const auto& op = static_cast<const Resize&>(*op_);
    ResizeAxis axes[kMaxRank];
    const size_t rank = args.inputs[0].rank();
    HONE_TRY(read_resize_axes(op, args.inputs, args.outputs[0].dims, std::span(axes, rank)));
    auto* table = reinterpret_cast<int32_t*>(args.workspace);
    tables.in_strides = row_major_strides(args.inputs[0].dims);
    for (size_t i = 0; i < rank; ++i) {
      const ResizeAxis& axis = axes[i];
      if (axis.in > INT32_MAX) return resource_error("an axis is longer than 2^31 - 1");
      tables.of_axis[i] = table;
      bool doubles = axis.out == 2 * axis.in;
      for (int64_t x = 0; x < axis.out; ++x) {
        const double at = axis.resized ? nearest_position(op, original_position(op, axis, x)) : static_cast<double>(x);
        table[x] = static_cast<int32_t>(std::clamp(at, 0.0, static_cast<double>(axis.in - 1)));
        doubles = doubles && table[x] == x / 2;
      }
      tables.doubles = doubles;
      table += axis.out;
    }
    return {};
  }

  OpPtr op_;
};

Result<std::vector<Config>> nearest_candidates(const Problem& problem, const DeviceInfo&) {
  const auto& op = static_cast<const Resize&>(*problem.op);
  if (bits_of(problem.inputs[0].type.dtype) != 32) return unsupported("takes elements of 4 bytes only");
  if (op.mode != ResizeMode::kNearest) return unsupported("takes the mode 'nearest' only");
  if (op.coordinates == ResizeCoordinates::kTfCropAndResize) return unsupported("takes no crops");
  if (problem.inputs[0].type.shape.empty()) return unsupported("takes one axis or more");
  return one_way();
}

Result<std::unique_ptr<Kernel>> create_nearest(const Problem& problem, const Config&, std::span<const TensorView>) {
  return std::unique_ptr<Kernel>(std::make_unique<NearestKernel>(problem.op));
}

}  // namespace

const KernelDef kResizeNearest = {.name = "cpu.resize.nearest",
                                  .op = "Resize",
                                  .version = 1,
                                  .shapes = ShapeSupport::kAny,
                                  .candidates = nearest_candidates,
                                  .create = create_nearest};

}  // namespace hone::cpu
