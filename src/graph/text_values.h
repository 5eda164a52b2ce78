// Reads the graph-free parts of the text form: attributes and tensors.
#pragma once

#include <memory>
#include <span>

#include "graph/text_reader.h"
#include "hone/op.h"

namespace hone {

// The weights block of a text, and what keeps it alive.
struct TextWeights {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// Failures are the reader's; the result then means nothing.
Tensor read_tensor(TextReader& reader, const TextWeights& weights);
// `{name=value, ...}`, or nothing when no brace follows.
AttrMap read_attributes(TextReader& reader, const TextWeights& weights);

}  // namespace hone
