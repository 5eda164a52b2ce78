// Convolution over one or two axes as a matrix product: W [M, C * taps] times the planes of planes.h, of which each
// (channel, tap) gives a row by an offset alone. Large images are done in bands of rows whose planes stay in cache.
// Any shapes, no allocation.
#include <algorithm>
#include <cstring>
#include <optional>

#include "backends/cpu/gemm.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/planes.h"
#include "backends/cpu/problem.h"
#include "base/aligned_buffer.h"
#include "base/parallel.h"
#include "ops/conv.h"

namespace hone::cpu {

namespace {

constexpr int64_t kBandFloats = 512 * 1024;

int64_t aligned(int64_t floats) { return (floats + 15) / 16 * 16; }

// The sizes of one run and where things lie in the workspace:
// [offsets of a group's taps][W, packed, unless it is constant][planes of a band][scratch of the product]
struct ConvLayout {
  Planes planes;
  int64_t images, group, channels, filters;  // channels and filters of one group
  int64_t band;                              // output rows done at once
  GemmSize band_size;                        // of one group
  int64_t offsets_floats, weights_floats, planes_floats, total_floats;

  ConvLayout(const WindowGeometry& geometry, int64_t group_count, std::span<const int64_t> x,
             std::span<const int64_t> w, bool constant_weights, int threads)
      : planes(geometry), images(x[0]), group(group_count), channels(w[1]), filters(w[0] / group_count) {
    const bool is_input = planes.is_input();
    const int64_t row = channels * planes.phases_y * planes.phases_x * planes.pitch;
    const int64_t halo = planes.phase_rows(0);
    const int64_t fitting = std::max(kBandFloats / std::max<int64_t>(row, 1) - halo, std::max<int64_t>(4, 2 * halo));
    band = is_input ? planes.out_height : std::min(fitting, planes.out_height);
    const int64_t k = channels * planes.taps();
    band_size = {filters, positions(band), k};
    offsets_floats = aligned(2 * k);
    weights_floats = constant_weights ? 0 : aligned(group * packed_left_floats(filters, k));
    planes_floats = is_input ? 0 : aligned(channels * planes.plane_floats(band));
    total_floats = offsets_floats + weights_floats + planes_floats + scratch_floats(threads, band);
    // The last band is lower, and may be cut into other tasks.
    const int64_t rest = planes.out_height % band;
    if (rest != 0) {
      total_floats =
          std::max(total_floats, offsets_floats + weights_floats + planes_floats + scratch_floats(threads, rest));
    }
  }
  int64_t scratch_floats(int threads, int64_t rows) const {
    return gemm_scratch_floats(threads, {filters, positions(rows), band_size.k}, {}, target(nullptr));
  }
  // Rows of the output start at `data`.
  GemmTarget target(float* data) const {
    const bool whole_lines = planes.pitch == planes.out_width;
    return {.data = data,
            .row_stride = planes.out_height * planes.out_width,
            .pitch = whole_lines ? 0 : planes.pitch,
            .width = planes.out_width};
  }
  // Columns of the product for `rows` output rows: whole lines of the planes but for the last.
  int64_t positions(int64_t rows) const { return (rows - 1) * planes.pitch + planes.out_width; }
};

class ConvGemmKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> create(const Problem& problem, const Config&,
                                                std::span<const TensorView> constants) {
    auto kernel = std::unique_ptr<ConvGemmKernel>(new ConvGemmKernel(problem));
    if (constants[1].present()) HONE_TRY(kernel->pack_constant(constants[1]));
    return std::unique_ptr<Kernel>(std::move(kernel));
  }

  size_t workspace_bytes(const KernelArgs& args) const override {
    const Result<WindowGeometry> geometry = conv_geometry(op(), args.inputs[0].dims, args.inputs[1].dims);
    if (!geometry.ok() || args.outputs[0].count() == 0) return 0;  // run() will say so
    return static_cast<size_t>(layout_of(*geometry, args).total_floats) * sizeof(float);
  }

  Status run(const KernelArgs& args) const override {
    HONE_ASSIGN(const WindowGeometry geometry, conv_geometry(op(), args.inputs[0].dims, args.inputs[1].dims));
    if (args.outputs[0].count() == 0) return {};
    const ConvLayout layout = layout_of(geometry, args);
    auto* const offsets = reinterpret_cast<int64_t*>(args.workspace);
    float* const floats = reinterpret_cast<float*>(args.workspace) + layout.offsets_floats;
    const float* weights = packed_.get();
    if (weights == nullptr) {
      pack(args.inputs[1].as<const float>(), layout.group, layout.filters, layout.band_size.k, floats);
      weights = floats;
    }
    for (int64_t i = 0; i < layout.images * layout.group; ++i) {
      run_group(layout, args, i / layout.group, i % layout.group, weights, offsets, floats + layout.weights_floats);
    }
    return {};
  }

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };

  explicit ConvGemmKernel(const Problem& problem) : op_(problem.op), threads_(problem.threads) {}

  const Conv& op() const { return static_cast<const Conv&>(*op_); }

  ConvLayout layout_of(const WindowGeometry& geometry, const KernelArgs& args) const {
    return {geometry, op().group, args.inputs[0].dims, args.inputs[1].dims, packed_ != nullptr, threads_};
  }

  void pack(const float* weights, int64_t group, int64_t filters, int64_t k, float* to) const {
    for (int64_t g = 0; g < group; ++g) {
      pack_left(threads_, weights + g * filters * k, k, 1, 1, filters, k, to + g * packed_left_floats(filters, k));
    }
  }

  Status pack_constant(const TensorView& w) {
    const int64_t group = op().group;
    if (w.rank() < 3 || group < 1 || w.dims[0] % group != 0) return invalid_model("W doesn't fit the groups");
    const int64_t filters = w.dims[0] / group, k = w.dims[0] == 0 ? 0 : w.count() / w.dims[0];
    const auto bytes = static_cast<size_t>(aligned(group * packed_left_floats(filters, k)) + 16) * sizeof(float);
    packed_.reset(static_cast<float*>(std::aligned_alloc(64, bytes / 64 * 64)));
    if (packed_ == nullptr) return resource_error("out of memory for the packed weights of a convolution");
    pack(w.as<const float>(), group, filters, k, packed_.get());
    return {};
  }

  void run_group(const ConvLayout& layout, const KernelArgs& args, int64_t image, int64_t group, const float* weights,
                 int64_t* offsets, float* scratch) const {
    const Planes& planes = layout.planes;
    const int64_t in_plane = planes.in_height * planes.in_width, out_plane = planes.out_height * planes.out_width;
    const float* const x =
        args.inputs[0].as<const float>() + (image * layout.group + group) * layout.channels * in_plane;
    float* const y = args.outputs[0].as<float>() + (image * layout.group + group) * layout.filters * out_plane;
    const float* const own_weights = weights + group * packed_left_floats(layout.filters, layout.band_size.k);
    const float* const bias = has_input(args, 2) ? args.inputs[2].as<const float>() + group * layout.filters : nullptr;
    const bool is_input = planes.is_input();
    for (int64_t first = 0; first < planes.out_height; first += layout.band) {
      const int64_t rows = std::min(layout.band, planes.out_height - first);
      const int64_t plane = is_input ? in_plane : planes.plane_floats(rows);
      set_offsets(layout, plane, rows, offsets);
      if (!is_input) fill_planes(layout, x, first, rows, scratch);
      const GemmSize size{layout.filters, layout.positions(rows), layout.band_size.k};
      gemm(threads_, size, {.packed = own_weights}, {.base = is_input ? x : scratch, .offsets = offsets},
           {.rows = bias}, layout.target(y + first * planes.out_width), scratch + layout.planes_floats);
    }
  }

  static void set_offsets(const ConvLayout& layout, int64_t plane, int64_t rows, int64_t* offsets) {
    const Planes& planes = layout.planes;
    for (int64_t i = 0; i < planes.kernel_y; ++i) {
      for (int64_t j = 0; j < planes.kernel_x; ++j) {
        int64_t offset = planes.tap_offset(i, j, rows);
        for (int64_t c = 0; c < layout.channels; ++c, offset += plane) {
          offsets[c * planes.taps() + i * planes.kernel_x + j] = offset;
        }
      }
    }
  }

  void fill_planes(const ConvLayout& layout, const float* x, int64_t first, int64_t rows, float* to) const {
    const Planes& planes = layout.planes;
    const int64_t plane = planes.plane_floats(rows);
    parallel_for(threads_, layout.channels, 8192 / (plane + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        planes.fill(x + c * planes.in_height * planes.in_width, first, rows, to + c * plane);
      }
    });
  }

  OpPtr op_;
  int threads_;
  std::unique_ptr<float, Free> packed_;  // W of all groups; null: W comes at run time
};

Result<std::vector<Config>> conv_gemm_candidates(const Problem& problem, const DeviceInfo&) {
  HONE_TRY(expect_all(problem, DataType::kFloat32));
  HONE_TRY(check_reasonable(static_cast<const Conv&>(*problem.op)));
  const size_t rank = problem.inputs[0].type.shape.size();
  if (rank != 3 && rank != 4) return unsupported("takes one or two spatial axes");
  return one_way();
}

}  // namespace

const KernelDef kConvGemm = {.name = "cpu.conv.gemm",
                             .op = "Conv",
                             .version = 1,
                             .shapes = ShapeSupport::kAny,
                             .candidates = conv_gemm_candidates,
                             .create = ConvGemmKernel::create};

}  // namespace hone::cpu
