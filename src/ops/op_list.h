// Every built-in operator.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "hone/op.h"

namespace hone {

std::span<const OpFactory> builtin_ops();

// How readers of saved operators make them; null for unknown names. Passed in, so that plugins' operators load too.
using OpMaker = std::unique_ptr<Op> (*)(std::string_view name);

// A new operator with default attributes; null for unknown names.
std::unique_ptr<Op> make_op(std::string_view name);

// A new operator of that name with these attributes.
Result<OpPtr> make_op(std::string_view name, const AttrMap& attrs);

}  // namespace hone
