// What an operator is: a name, attributes and type inference. For those who add operators.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hone/dim.h"
#include "hone/status.h"
#include "hone/tensor.h"

namespace hone {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

// One attribute's value. Bools and enumerations travel as integers and strings.
using AttrValue = std::variant<int64_t, float, std::string, Ints, Floats, Strings, Tensor>;

// Attributes in the order in which the op lists them (or the ONNX file wrote them).
using AttrMap = std::vector<std::pair<std::string, AttrValue>>;

// An enumeration with names: specialise with `static constexpr std::pair<std::string_view, E> kNames[]`.
template <class E>
struct EnumNames;

// Collects what `OpT::attributes` lists, into an AttrMap.
class AttrWriter {
 public:
  template <class T>
  void operator()(std::string_view name, const T& value);
  AttrMap take() && { return std::move(attrs_); }

 private:
  AttrMap attrs_;
};

// Hands attributes to what `OpT::attributes` lists. An attribute that isn't in the map keeps its default, one of the
// wrong type or an unknown enumerator is an error, and so is, in finish(), one that nobody asked for.
class AttrReader {
 public:
  explicit AttrReader(const AttrMap& attrs) : attrs_(attrs), used_(attrs.size(), false) {}
  template <class T>
  void operator()(std::string_view name, T& value);
  Status finish() &&;

 private:
  const AttrValue* find(std::string_view name);
  // The scalar kinds; a list of length one serves as a scalar.
  void read(std::string_view name, int64_t& value);
  void read(std::string_view name, float& value);
  void read(std::string_view name, std::string& value);
  void read(std::string_view name, Ints& value);
  void read(std::string_view name, Floats& value);
  void read(std::string_view name, Strings& value);
  void read(std::string_view name, Tensor& value);
  void fail(std::string_view name, std::string_view why);

  const AttrMap& attrs_;
  std::vector<bool> used_;
  Status status_;
};

// One operand as inference sees it.
struct InferOperand {
  bool present = false;
  TensorType type;
  // Contents known now: a constant, or a run-time value once shapes are being set. Null: not known.
  const Tensor* constant = nullptr;
  // The contents of a small integer tensor (rank 0 or 1), as expressions, where they are known.
  std::optional<std::vector<Dim>> elements;
};

struct InferResult {
  TensorType type;
  // Set for small integer tensors whose contents follow from shapes (Shape, and arithmetic on its results).
  std::optional<std::vector<Dim>> elements;
};

// What an inference assumed of two dimensions that it couldn't compare. Checked when shapes are set.
struct DimRequirement {
  enum class Kind : uint8_t { kEqual, kBroadcastable };  // broadcastable: equal, or one of them 1
  Kind kind = Kind::kEqual;
  Dim a, b;
};

// Where an inference gets symbols from. Absent (null) when everything must be known: at run time, when a node's
// shapes are computed from the contents of its operands.
class SymbolSource {
 public:
  virtual ~SymbolSource() = default;
  // The contents of operand `input` decide a shape: returns its elements as expressions, made of new symbols where
  // necessary. Nothing when the number of elements isn't known. Marks the operand as a host value.
  virtual std::optional<std::vector<Dim>> elements(size_t input) = 0;
  // Marks operand `input` as a host value without making symbols.
  virtual void need_contents(size_t input) = 0;
  // A dimension that this same inference computes once the host values are known.
  virtual Dim resolved_later(std::string_view hint) = 0;
  // A dimension that the kernel counts while it runs; never above `bound`.
  virtual Dim counted(const Dim& bound, std::string_view hint) = 0;
};

// The conversation between one operator's infer() and its caller. One thread.
class InferContext {
 public:
  InferContext(std::span<const InferOperand> inputs, size_t num_outputs, SymbolSource* symbols)
      : inputs_(inputs), outputs_(num_outputs), symbols_(symbols) {}

  size_t num_inputs() const { return inputs_.size(); }
  size_t num_outputs() const { return outputs_.size(); }
  // False past the end too, so that trailing optional operands need no other check.
  bool has_input(size_t i) const { return i < inputs_.size() && inputs_[i].present; }
  const TensorType& input(size_t i) const { return inputs_[i].type; }
  DataType dtype(size_t i) const { return inputs_[i].type.dtype; }
  const Shape& shape(size_t i) const { return inputs_[i].type.shape; }
  size_t rank(size_t i) const { return inputs_[i].type.shape.size(); }

  // Contents of operand i when they are known now, else null; then they become host values, and infer() describes
  // what it can't tell by resolved_later(). For operands that decide shapes (or axes) only.
  const Tensor* contents(size_t i);
  // Integer contents as a list of expressions (a scalar gives one); nothing if even their number is unknown.
  std::optional<std::vector<Dim>> elements(size_t i);
  // Elements if they are known already, without asking for them: for operators that pass shape arithmetic on.
  const std::optional<std::vector<Dim>>& known_elements(size_t i) const { return inputs_[i].elements; }
  // Integer contents as numbers when all are known now.
  std::optional<Ints> constant_ints(size_t i);

  // Outputs that the node doesn't have are ignored.
  void set_output(size_t i, DataType dtype, Shape shape) { set_output(i, TensorType{dtype, std::move(shape)}); }
  void set_output(size_t i, TensorType type) {
    if (i < outputs_.size()) outputs_[i].type = std::move(type);
  }
  void set_elements(size_t i, std::vector<Dim> elements) {
    if (i < outputs_.size()) outputs_[i].elements = std::move(elements);
  }

  Dim resolved_later(std::string_view hint);
  Dim counted(const Dim& bound, std::string_view hint);

  // Both must be the same number: an error if they provably differ, recorded if it can't be told.
  Status require_equal(const Dim& a, const Dim& b, std::string_view what);
  // ONNX (NumPy) broadcasting of one pair of dimensions, and of whole shapes aligned at the right.
  Result<Dim> broadcast_dim(const Dim& a, const Dim& b);
  Result<Shape> broadcast_shapes(const Shape& a, const Shape& b);

  // Checks on operands; the messages name the operand by number.
  Status expect_inputs(size_t min, size_t max) const;  // operands 0..min-1 must be present
  Status expect_rank(size_t i, size_t rank) const;
  Status expect_same_dtype(size_t a, size_t b) const;
  Status expect_dtype(size_t i, std::initializer_list<DataType> allowed) const;
  // `axis` in [-rank, rank) made nonnegative.
  static Result<int64_t> normalize_axis(int64_t axis, size_t rank);

  // For the caller of infer().
  std::vector<InferResult>& outputs() { return outputs_; }
  const std::vector<DimRequirement>& requirements() const { return requirements_; }

 private:
  std::span<const InferOperand> inputs_;
  std::vector<InferResult> outputs_;
  std::vector<DimRequirement> requirements_;
  SymbolSource* symbols_;
};

// An operator with its attributes. Immutable once read; threads share it.
class Op {
 public:
  virtual ~Op() = default;
  virtual std::string_view name() const = 0;
  // Sets every output's type, or says why the operands don't fit.
  virtual Status infer(InferContext& ctx) const = 0;
  virtual AttrMap describe() const = 0;
  // Attributes by name; checks what can be checked without operands.
  virtual Status read(const AttrMap& attrs) = 0;
};

using OpPtr = std::shared_ptr<const Op>;

// Implements everything but infer() from T::kName and
//   static void attributes(auto& self, auto& visit) { visit("axis", self.axis); ... }
// A T without attributes lists none. T may define `Status check() const` for what read() should refuse.
template <class T>
class OpBase : public Op {
 public:
  std::string_view name() const override { return T::kName; }
  AttrMap describe() const override {
    AttrWriter writer;
    T::attributes(static_cast<const T&>(*this), writer);
    return std::move(writer).take();
  }
  Status read(const AttrMap& attrs) override {
    AttrReader reader(attrs);
    T::attributes(static_cast<T&>(*this), reader);
    HONE_TRY(std::move(reader).finish());
    return check_if_defined(static_cast<const T&>(*this));
  }
  static void attributes(auto&, auto&) {}

 private:
  static Status check_if_defined(const auto& op) {
    if constexpr (requires { op.check(); }) {
      return op.check();
    } else {
      return {};
    }
  }
};

// The op as one of its own type, or null when it is another.
template <class T>
const T* op_cast(const Op& op) {
  return op.name() == T::kName ? static_cast<const T*>(&op) : nullptr;
}

// The operators there are: name -> factory. Built-in ones come from src/ops/op_list.inc.
struct OpFactory {
  std::string_view name;
  std::unique_ptr<Op> (*make)();
};

// What a fused node stands for: operators in execution order over numbered values. Values 0..inputs-1 are the
// node's operands, then the constants, then the steps' outputs in order.
struct Body {
  struct Step {
    OpPtr op;
    std::vector<int32_t> operands;  // value numbers; -1: absent
    std::vector<TensorType> types;  // of the outputs
  };
  uint32_t num_inputs = 0;
  std::vector<Tensor> constants;
  std::vector<Step> steps;
  std::vector<int32_t> results;  // value numbers, one for each output of the node
};

template <class T>
void AttrWriter::operator()(std::string_view name, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    for (const auto& [text, enumerator] : EnumNames<T>::kNames) {
      if (enumerator == value) attrs_.emplace_back(name, std::string(text));
    }
  } else if constexpr (std::is_same_v<T, bool>) {
    attrs_.emplace_back(name, int64_t{value});
  } else if constexpr (requires { value.has_value(); }) {
    if (value) (*this)(name, *value);
  } else if constexpr (std::is_same_v<T, Tensor>) {
    if (value.defined()) attrs_.emplace_back(name, value);
  } else {
    attrs_.emplace_back(name, value);
  }
}

template <class T>
void AttrReader::operator()(std::string_view name, T& value) {
  if constexpr (std::is_enum_v<T>) {
    std::string text;
    for (const auto& [known, enumerator] : EnumNames<T>::kNames) {
      if (enumerator == value) text = known;
    }
    read(name, text);
    for (const auto& [known, enumerator] : EnumNames<T>::kNames) {
      if (known == text) {
        value = enumerator;
        return;
      }
    }
    fail(name, "has the unknown value '" + text + "'");
  } else if constexpr (std::is_same_v<T, bool>) {
    int64_t number = value;
    read(name, number);
    value = number != 0;
  } else if constexpr (requires { value.has_value(); }) {
    if (find(name) == nullptr) return;
    typename T::value_type inner{};
    (*this)(name, inner);
    value = std::move(inner);
  } else {
    read(name, value);
  }
}

}  // namespace hone
