#include "graph/text_dims.h"

#include "base/escape.h"
#include "graph/text_literal.h"
#include "ops/operand.h"

namespace hone {

namespace {

// Above what Dim itself allows.
constexpr int kMaxDepth = 200;
constexpr size_t kMaxTerms = 256;

// A sum by halves: adding one term after the other would copy the sum for each of them.
Dim sum_of(std::span<const Dim> terms) {
  if (terms.size() == 1) return terms[0];
  return sum_of(terms.first(terms.size() / 2)) + sum_of(terms.subspan(terms.size() / 2));
}

}  // namespace

void DimReader::declare(const std::string& name, Dim symbol) {
  if (!symbols_.emplace(name, std::move(symbol)).second)
    reader_.fail("the symbol " + quoted(name) + " is declared twice");
}

Dim DimReader::find(const std::string& name) {
  const auto it = symbols_.find(name);
  if (it != symbols_.end()) return it->second;
  reader_.fail("the symbol " + quoted(name) + " isn't declared");
  return 0;
}

Dim DimReader::read() {
  Dim dim = read_sum(0);
  if (reader_.ok() && dim.is_invalid()) reader_.fail("a dimension overflows, divides by zero or is too long");
  return dim;
}

Dim DimReader::read_sum(int depth) {
  if (depth > kMaxDepth) {
    reader_.fail("a dimension is nested too deeply");
    return 0;
  }
  std::vector<Dim> terms;
  Dim sign = reader_.accept("-") ? -1 : 1;
  while (reader_.ok()) {
    terms.push_back(sign * read_product(depth));
    if (terms.size() > kMaxTerms) reader_.fail("a dimension has too many terms");
    if (reader_.at("-")) {
      sign = -1;
    } else if (reader_.at("+")) {
      sign = 1;
    } else {
      break;
    }
    reader_.accept(reader_.at("-") ? "-" : "+");
  }
  return reader_.ok() ? sum_of(terms) : Dim(0);
}

Dim DimReader::read_product(int depth) {
  Dim product = read_factor(depth);
  for (size_t factors = 1; reader_.accept("*"); ++factors) {
    if (factors == kMaxTerms) reader_.fail("a dimension has too many factors");
    product = product * read_factor(depth);
  }
  return product;
}

Dim DimReader::read_factor(int depth) {
  if (reader_.kind() == TextReader::Kind::kNumber) return reader_.take_integer();
  if (reader_.kind() == TextReader::Kind::kString) return find(reader_.take_string());
  const std::string name(reader_.take_word("a dimension"));
  if (!reader_.ok()) return 0;
  return is_dim_word(name) ? read_call(name, depth) : find(name);
}

Dim DimReader::read_call(std::string_view function, int depth) {
  reader_.expect("(");
  const Dim a = read_sum(depth + 1);
  reader_.expect(",");
  const Dim b = read_sum(depth + 1);
  reader_.expect(")");
  if (function == "floordiv") return floor_div(a, b);
  if (function == "ceildiv") return ceil_div(a, b);
  if (function == "mod") return mod(a, b);
  if (function == "min") return min(a, b);
  if (function == "max") return max(a, b);
  return broadcast(a, b);
}

TensorType DimReader::read_type() {
  TensorType type;
  const std::string name(reader_.take_word("an element type"));
  const std::optional<DataType> dtype = data_type_from_name(name);
  if (!dtype) reader_.fail("'" + name + "' isn't an element type");
  type.dtype = dtype.value_or(DataType::kUndefined);
  reader_.expect("[");
  if (reader_.accept("]")) return type;
  do {
    type.shape.push_back(read());
    if (type.shape.back().is_const() && type.shape.back().value() < 0) reader_.fail("a dimension is negative");
    if (type.shape.size() > kMaxRank) reader_.fail("a type's rank is above " + std::to_string(kMaxRank));
  } while (reader_.accept(","));
  reader_.expect("]");
  return type;
}

std::vector<Dim> DimReader::read_elements() {
  std::vector<Dim> elements;
  reader_.expect("(");
  if (reader_.accept(")")) return elements;
  do {
    elements.push_back(reader_.accept("invalid") ? Dim::invalid() : read());
    if (elements.size() > static_cast<size_t>(kMaxFollowedElements)) reader_.fail("a value has too many elements");
  } while (reader_.accept(","));
  reader_.expect(")");
  return elements;
}

ValueSpec DimReader::read_spec() {
  ValueSpec spec;
  if (reader_.accept("sequence")) spec.type.kind = ValueType::Kind::kSequence;
  if (reader_.accept("optional")) spec.type.kind = ValueType::Kind::kOptional;
  const bool wrapped = spec.type.kind != ValueType::Kind::kTensor;
  if (wrapped) reader_.expect("(");
  spec.type.tensor = read_type();
  if (wrapped) reader_.expect(")");
  spec.host = reader_.accept("host");
  if (reader_.accept("=")) spec.elements = read_elements();
  return spec;
}

DimRequirement DimReader::read_requirement() {
  DimRequirement requirement;
  requirement.a = read();
  if (reader_.accept("~")) {
    requirement.kind = DimRequirement::Kind::kBroadcastable;
  } else {
    reader_.expect("==");
  }
  requirement.b = read();
  return requirement;
}

}  // namespace hone
