// Reads the parts of the text form that mention symbols: dimensions and types.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"
#include "graph/text_reader.h"

namespace hone {

// A value's type with what else the text says of it.
struct ValueSpec {
  ValueType type;
  bool host = false;
  std::optional<std::vector<Dim>> elements;
};

// Knows the symbols declared so far. Failures are the reader's; the result then means nothing.
class DimReader {
 public:
  explicit DimReader(TextReader& reader) : reader_(reader) {}

  // What dimensions may mention from now on.
  void declare(const std::string& name, Dim symbol);
  // The symbol of that name; fails on names that weren't declared.
  Dim find(const std::string& name);

  // Fails on dimensions that overflow or are too large.
  Dim read();
  // A shape's dimensions, none of them negative numbers.
  TensorType read_type();
  ValueSpec read_spec();
  DimRequirement read_requirement();

 private:
  Dim read_sum(int depth);
  Dim read_product(int depth);
  Dim read_factor(int depth);
  Dim read_call(std::string_view function, int depth);
  std::vector<Dim> read_elements();

  TextReader& reader_;
  std::unordered_map<std::string, Dim> symbols_;
};

}  // namespace hone
