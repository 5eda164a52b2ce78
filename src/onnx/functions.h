// A model's own functions by name.
#pragma once

#include <map>
#include <tuple>

#include "onnx/model.h"

namespace hone::onnx {

class Functions {
 public:
  // An error if two have the same domain, name and overload. `model` outlives it.
  static Result<Functions> index(const Model& model);
  // The function that a node calls; null when its operator isn't one of the model's functions.
  const Function* find(const OnnxNode& node) const;

 private:
  using Key = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::map<Key, const Function*> by_name_;
};

// Version of the operator set that a node's domain means in a function, or in the graph itself (null). Domains that
// nobody imports count as version 1, except the default one: an error.
Result<int64_t> opset_of(const OnnxNode& node, const Function* function, const Model& model);

// Refuses, all at once and with node names, what can't be imported: operators in the graph and in the functions it
// calls, and operator sets and file versions that are too old or too new.
Status check_supported(const Model& model, const Functions& functions);

}  // namespace hone::onnx
