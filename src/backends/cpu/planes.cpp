#include "backends/cpu/planes.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/simd.h"

namespace hone::cpu {

namespace {

HONE_SIMD void copy_every(const float* __restrict from, int64_t step, float* __restrict to, int64_t n) {
  if (step == 2) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[2 * i];
    return;
  }
  for (int64_t i = 0; i < n; ++i) to[i] = from[step * i];
}

// Where tap i of one axis is found: a phase, and how far into it.
struct TapPlace {
  int64_t phase, offset;
};

TapPlace tap_place(int64_t i, int64_t kernel, int64_t dilation, int64_t stride) {
  if (kernel <= stride) return {i, 0};
  return {i * dilation % stride, i * dilation / stride};
}

int64_t phase_start(int64_t phase, int64_t kernel, int64_t dilation, int64_t stride) {
  return kernel <= stride ? phase * dilation : phase;
}

int64_t div_up(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : 0; }

}  // namespace

Planes::Planes(const WindowGeometry& g) {
  const size_t x = g.rank() - 1;
  in_width = g.input[x];
  out_width = g.output[x];
  kernel_x = g.kernel[x];
  stride_x = g.strides[x];
  dilation_x = g.dilations[x];
  pad_left = g.pads_begin[x];
  in_height = out_height = 1;
  if (x > 0) {
    in_height = g.input[0];
    out_height = g.output[0];
    kernel_y = g.kernel[0];
    stride_y = g.strides[0];
    dilation_y = g.dilations[0];
    pad_top = g.pads_begin[0];
  }
  phases_y = std::min(kernel_y, stride_y);
  phases_x = std::min(kernel_x, stride_x);
  pitch = out_width + (kernel_x <= stride_x ? 0 : (kernel_x - 1) * dilation_x / stride_x);
}

Status check_reasonable(const Window& window) {
  constexpr int64_t kMaxStep = 64, kMaxPad = 4096;
  for (const Ints* list : {&window.strides, &window.dilations, &window.pads}) {
    const int64_t most = list == &window.pads ? kMaxPad : kMaxStep;
    if (std::any_of(list->begin(), list->end(), [&](int64_t v) { return v > most; })) {
      return unsupported("takes strides and dilations up to 64 and pads up to 4096 only");
    }
  }
  return {};
}

int64_t Planes::phase_rows(int64_t rows) const {
  return rows + (kernel_y <= stride_y ? 0 : (kernel_y - 1) * dilation_y / stride_y);
}

int64_t Planes::tap_offset(int64_t i, int64_t j, int64_t rows) const {
  const TapPlace y = tap_place(i, kernel_y, dilation_y, stride_y), x = tap_place(j, kernel_x, dilation_x, stride_x);
  return ((y.phase * phases_x + x.phase) * phase_rows(rows) + y.offset) * pitch + x.offset;
}

bool Planes::is_input() const {
  return stride_y == 1 && stride_x == 1 && pad_top == 0 && pad_left == 0 && pitch == in_width &&
         phase_rows(out_height) == in_height;
}

void Planes::fill(const float* in, int64_t first, int64_t rows, float* plane) const {
  const int64_t height = phase_rows(rows);
  for (int64_t phase = 0; phase < phases_y * phases_x; ++phase) {
    const int64_t p = phase_start(phase / phases_x, kernel_y, dilation_y, stride_y);
    const int64_t q = phase_start(phase % phases_x, kernel_x, dilation_x, stride_x);
    // Columns [begin, end) of the phase lie inside the input.
    const int64_t begin = std::min(div_up(pad_left - q, stride_x), pitch);
    const int64_t end = std::clamp(div_up(in_width + pad_left - q, stride_x), begin, pitch);
    float* row = plane + phase * height * pitch;
    for (int64_t i = 0; i < height; ++i, row += pitch) {
      const int64_t y = (first + i) * stride_y + p - pad_top;
      if (y < 0 || y >= in_height) {
        std::fill_n(row, pitch, 0.f);
        continue;
      }
      std::fill_n(row, begin, 0.f);
      std::fill_n(row + end, pitch - end, 0.f);
      const float* const from = in + y * in_width + begin * stride_x + q - pad_left;
      if (stride_x == 1) {
        std::memcpy(row + begin, from, static_cast<size_t>(end - begin) * sizeof(float));
      } else {
        copy_every(from, stride_x, row + begin, end - begin);
      }
    }
  }
}

}  // namespace hone::cpu
