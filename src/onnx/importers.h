// Which ONNX operators can be imported, and how.
#pragma once

#include <string_view>

#include "onnx/node_import.h"

namespace hone::onnx {

// Turns one ONNX node of any version into operators in their newest form: gives each output its value. Errors need no
// context; the caller adds the node's name.
using ImportFunction = Status (*)(NodeImport& node);

struct OpImporter {
  std::string_view domain;  // "" for ai.onnx
  std::string_view name;    // op_type
  ImportFunction import;
  // The operator it becomes, if that isn't one of the same name; "-": none.
  std::string_view target = {};
};

// Null for unknown operators.
const OpImporter* find_importer(std::string_view domain, std::string_view op_type);

// Whether there is an importer, and the operator that it makes.
bool can_import(std::string_view domain, std::string_view op_type);

}  // namespace hone::onnx
