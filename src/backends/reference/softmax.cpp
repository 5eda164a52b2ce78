// Softmax, LogSoftmax and Hardmax: each line along the axis on its own, in float64.
#include "ops/softmax.h"

#include <cmath>

#include "backends/reference/kernels.h"
#include "backends/reference/numeric.h"
#include "base/dispatch.h"
#include "base/parallel.h"

namespace hone::reference {

namespace {

// The lines along one axis of a tensor: `count` elements, `step` apart.
struct Lines {
  int64_t count, step, total;
  int64_t start(int64_t line) const { return line / step * step * count + line % step; }
};

Result<Lines> lines_of(const TensorView& x, int64_t axis) {
  HONE_ASSIGN(const int64_t at, InferContext::normalize_axis(axis, x.rank()));
  const auto i = static_cast<size_t>(at);
  const int64_t step = count_of(std::span(x.dims.data() + i + 1, x.rank() - i - 1));
  return Lines{x.dims[i], step, x.count() == 0 ? 0 : x.count() / x.dims[i]};
}

// One line of the operand.
template <class T>
struct Line {
  const T* data;
  int64_t count, step;
  double at(int64_t i) const { return to_double(data[i * step]); }
};

// The largest element, and the sum of exp(x - largest). A NaN makes both NaN.
struct Exponentials {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
};

template <class T>
Exponentials exponentials(const Line<T>& line) {
  Exponentials e;
  for (int64_t i = 0; i < line.count; ++i) {
    const double x = line.at(i);
    if (x > e.largest || x != x) e.largest = x;
    if (x != x) break;
  }
  for (int64_t i = 0; i < line.count; ++i) e.sum += std::exp(line.at(i) - e.largest);
  return e;
}

// What each operator computes once for a line (`summary`), and then for an element (`value`).
struct SoftmaxLine {
  template <class T>
  static Exponentials summary(const Line<T>& line) {
    return exponentials(line);
  }
  template <class T>
  static double value(const Line<T>& line, const Exponentials& e, int64_t i) {
    return std::exp(line.at(i) - e.largest) / e.sum;
  }
};

struct LogSoftmaxLine {
  template <class T>
  static Exponentials summary(const Line<T>& line) {
    Exponentials e = exponentials(line);
    e.sum = std::log(e.sum);
    return e;
  }
  template <class T>
  static double value(const Line<T>& line, const Exponentials& e, int64_t i) {
    return line.at(i) - e.largest - e.sum;
  }
};

struct HardmaxLine {
  // The position of the first largest element; a NaN is larger than every number.
  template <class T>
  static int64_t summary(const Line<T>& line) {
    int64_t best = 0;
    for (int64_t i = 1; i < line.count; ++i) {
      const double x = line.at(i), largest = line.at(best);
      if (x > largest || (x != x && largest == largest)) best = i;
    }
    return best;
  }
  template <class T>
  static double value(const Line<T>&, int64_t best, int64_t i) {
    return i == best ? 1 : 0;
  }
};

template <class OpT, class Function>
Status run_lines(const OpT& op, const KernelArgs& args) {
  HONE_ASSIGN(const Lines lines, lines_of(args.inputs[0], op.axis));
  HONE_TRY(expect_output(args, 0, args.inputs[0].dims));
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    const T* x = args.inputs[0].as<const T>();
    T* y = args.outputs[0].as<T>();
    const int64_t grain = std::max<int64_t>(1, 4096 / std::max<int64_t>(1, lines.count));
    parallel_for(args.device->threads, lines.total, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t start = lines.start(i);
        const Line<T> line{x + start, lines.count, lines.step};
        const auto summary = Function::summary(line);
        for (int64_t k = 0; k < lines.count; ++k) {
          y[start + k * lines.step] = saturate<T>(Function::value(line, summary, k));
        }
      }
    });
    return Status();
  });
}

template <class OpT, class Function>
Status sample_lines(const OpT& op, const KernelArgs& args, std::span<const int64_t> positions, std::span<double> out) {
  HONE_ASSIGN(const Lines lines, lines_of(args.inputs[0], op.axis));
  return visit_type(args.inputs[0].dtype, FloatTypes{}, [&]<class T>() {
    for (size_t i = 0; i < positions.size(); ++i) {
      const int64_t inner = positions[i] % lines.step, k = positions[i] / lines.step % lines.count;
      const int64_t start = positions[i] / lines.step / lines.count * lines.count * lines.step + inner;
      const Line<T> line{args.inputs[0].as<const T>() + start, lines.count, lines.step};
      out[i] = to_double(saturate<T>(Function::value(line, Function::summary(line), k)));
    }
    return Status();
  });
}

}  // namespace

const KernelDef kSoftmax =
    kReferenceKernel<Softmax, run_lines<Softmax, SoftmaxLine>, NoFunction{}, sample_lines<Softmax, SoftmaxLine>>;
const KernelDef kLogSoftmax = kReferenceKernel<LogSoftmax, run_lines<LogSoftmax, LogSoftmaxLine>, NoFunction{},
                                               sample_lines<LogSoftmax, LogSoftmaxLine>>;
const KernelDef kHardmax =
    kReferenceKernel<Hardmax, run_lines<Hardmax, HardmaxLine>, NoFunction{}, sample_lines<Hardmax, HardmaxLine>>;

}  // namespace hone::reference
