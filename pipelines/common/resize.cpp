#include "pipelines/common/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace hone {
namespace {

constexpr int kChannels = 3;
constexpr int kWeightBits = 11;
constexpr float kOne = 1 << kWeightBits;

// One output coordinate: its two source coordinates (the second one clamped) and their weights.
struct Tap {
  int first = 0, second = 0;
  int weight_first = 0, weight_second = 0;
};

int round_weight(float weight) { return static_cast<int>(std::lrintf(weight * kOne)); }

// The taps along x clamp the position, so that the border pixel has the whole weight. Those along y clamp the rows
// only: the two products are truncated one by one, which makes a difference.
std::vector<Tap> make_taps(int from, int to, bool clamp_position) {
  std::vector<Tap> taps(static_cast<size_t>(to));
  const double scale = 1.0 / (static_cast<double>(to) / from);
  for (int i = 0; i < to; ++i) {
    float position = static_cast<float>((i + 0.5) * scale - 0.5);
    int first = static_cast<int>(std::floor(position));
    position -= static_cast<float>(first);
    if (clamp_position && first < 0) first = 0, position = 0;
    if (clamp_position && first >= from - 1) first = from - 1, position = 0;
    taps[static_cast<size_t>(i)] = {std::clamp(first, 0, from - 1), std::clamp(first + 1, 0, from - 1),
                                    round_weight(1.0f - position), round_weight(position)};
  }
  return taps;
}

void resize_row(const uint8_t* from, std::span<const Tap> taps, int* out) {
  for (const Tap& tap : taps) {
    const uint8_t* a = from + tap.first * kChannels;
    const uint8_t* b = from + tap.second * kChannels;
    for (int c = 0; c < kChannels; ++c) *out++ = a[c] * tap.weight_first + b[c] * tap.weight_second;
  }
}

void blend_rows(const int* above, const int* below, const Tap& tap, int count, uint8_t* out) {
  const int weight_above = tap.weight_first, weight_below = tap.weight_second;
  for (int i = 0; i < count; ++i) {
    const int sum = ((weight_above * (above[i] >> 4)) >> 16) + ((weight_below * (below[i] >> 4)) >> 16);
    out[i] = static_cast<uint8_t>((sum + 2) >> 2);
  }
}

// Keeps the two source rows that were resized last.
class RowCache {
 public:
  RowCache(const ImageView& from, std::span<const Tap> taps) : from_(from), taps_(taps) {
    for (auto& row : rows_) row.resize(taps.size() * kChannels);
  }

  // Valid until `row` was asked for two other rows.
  const int* row(int y) {
    for (size_t i = 0; i < 2; ++i) {
      if (held_[i] == y) return last_ = i, rows_[i].data();
    }
    last_ = 1 - last_;
    held_[last_] = y;
    resize_row(from_.row(y), taps_, rows_[last_].data());
    return rows_[last_].data();
  }

 private:
  ImageView from_;
  std::span<const Tap> taps_;
  std::array<std::vector<int>, 2> rows_;
  std::array<int, 2> held_ = {-1, -1};
  size_t last_ = 1;
};

void halve(const ImageView& from, Image& to, int left, int top, int width, int height) {
  for (int y = 0; y < height; ++y) {
    const uint8_t* a = from.row(2 * y);
    const uint8_t* b = from.row(2 * y + 1);
    uint8_t* out = to.pixel(left, top + y);
    for (int x = 0; x < width; ++x, a += 2 * kChannels, b += 2 * kChannels) {
      for (int c = 0; c < kChannels; ++c) {
        *out++ = static_cast<uint8_t>((a[c] + a[c + kChannels] + b[c] + b[c + kChannels] + 2) >> 2);
      }
    }
  }
}

}  // namespace

Status resize_into(const ImageView& from, Image& to, int left, int top, int width, int height) {
  if (from.empty()) return invalid_argument("resizing an empty picture");
  if (width < 1 || height < 1 || left < 0 || top < 0 || left > to.width() - width || top > to.height() - height) {
    return invalid_argument("resizing to " + std::to_string(width) + " x " + std::to_string(height) + " pixels at (" +
                            std::to_string(left) + ", " + std::to_string(top) + ") of a picture of " +
                            std::to_string(to.width()) + " x " + std::to_string(to.height()));
  }
  if (from.width == width && from.height == height) {
    for (int y = 0; y < height; ++y) std::memcpy(to.pixel(left, top + y), from.row(y), size_t(width) * kChannels);
    return {};
  }
  if (from.width == 2 * width && from.height == 2 * height) {
    halve(from, to, left, top, width, height);
    return {};
  }
  const std::vector<Tap> columns = make_taps(from.width, width, true);
  const std::vector<Tap> rows = make_taps(from.height, height, false);
  RowCache cache(from, columns);
  for (int y = 0; y < height; ++y) {
    const Tap& tap = rows[static_cast<size_t>(y)];
    const int* above = cache.row(tap.first);
    const int* below = cache.row(tap.second);
    blend_rows(above, below, tap, width * kChannels, to.pixel(left, top + y));
  }
  return {};
}

Result<Image> resize(const ImageView& from, int width, int height) {
  HONE_ASSIGN(Image to, Image::make(width, height));
  HONE_TRY(resize_into(from, to, 0, 0, width, height));
  return to;
}

}  // namespace hone
