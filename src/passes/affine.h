// Scales and shifts by channel: y = scale[c] * x + shift[c].
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace hone {

struct Affine {
  std::vector<double> scale, shift;  // one for each channel, all finite

  bool shifts() const;
};

// What `node` does to one operand, where that is all it does: BatchNormalization, or Add, Sub, Mul and Div with a
// constant that has one element, or one for each channel.
struct AffineNode {
  Value* data = nullptr;  // the operand; the output has its type
  Affine affine;
};

// Whether it is one of those operators at all: cheap, unlike what follows.
bool may_be_affine(const Node& node);

// Channels lie along `axis` of the data, which has `channels` of them there.
std::optional<AffineNode> match_affine(const Node& node, size_t axis, size_t channels);

}  // namespace hone
