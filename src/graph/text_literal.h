// Literals of the graph's text form: the parts that print without a graph.
#pragma once

#include <string>
#include <string_view>

#include "hone/op.h"

namespace hone {

// Larger contents go to the weights block or, without one, are left out.
inline constexpr int64_t kMaxInlineElements = 16;

// The shortest decimal that reads back as the same bits, always with a sign that it isn't an integer ("1.0").
std::string print_float(float value);
std::string print_float(double value);

// "float32[2,3](1.0, ...)" with all of its contents.
std::string print_tensor(const Tensor& tensor);
// "float32[2,3]".
std::string print_tensor_type(const Tensor& tensor);

std::string print_attribute(const AttrValue& value);

// Whether a name may stand without quotes after '%' (values), alone (operators, attributes), or in a dimension.
bool is_bare_value(std::string_view name);
bool is_bare_name(std::string_view name);
bool is_bare_symbol(std::string_view name);

// Words of dimension expressions, which no bare symbol may be.
bool is_dim_word(std::string_view name);

}  // namespace hone
