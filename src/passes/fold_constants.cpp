#include <algorithm>

#include "base/dispatch.h"
#include "graph/infer.h"
#include "ops/operand.h"
#include "passes/pass.h"
#include "passes/work.h"

namespace hone {

namespace {

// Larger results are folded only if the operands aren't much smaller: filling memory from a few numbers is faster than
// reading it, and a file of a kilobyte can ask for any size.
constexpr int64_t kSmallBytes = int64_t{16} << 20;
constexpr int64_t kMaxGrowth = 4;

bool is_used(const Value* value) { return !value->users().empty() || value->is_output(); }

Status replace_by_constant(GraphEditor& editor, Value* value, Tensor tensor) {
  HONE_ASSIGN(Value* const constant, editor.add_constant(value->name(), std::move(tensor)));
  return editor.replace(value, constant);
}

// The tensor that a value's elements make, if all are numbers.
std::optional<Tensor> tensor_of_elements(const Value& value) {
  if (!value.elements() || !is_const(*value.elements()) || !is_const(value.shape())) return std::nullopt;
  const std::vector<Dim>& elements = *value.elements();
  Extents dims;
  for (const Dim& dim : value.shape()) dims.push_back(dim.value());
  Result<Tensor> tensor = Tensor::make(value.dtype(), dims);
  if (!tensor.ok() || tensor->count() != static_cast<int64_t>(elements.size())) return std::nullopt;
  const Status status = visit_type(value.dtype(), IntTypes{}, [&]<class T>() {
    auto* out = reinterpret_cast<T*>(tensor->mutable_data());
    for (const Dim& element : elements) {
      if (!std::in_range<T>(element.value())) return unsupported("an element is out of range");
      *out++ = static_cast<T>(element.value());
    }
    return Status();
  });
  if (!status.ok()) return std::nullopt;
  return *std::move(tensor);
}

// What evaluating a node makes, known before.
struct Size {
  int64_t input_bytes = 0, output_bytes = 0;
};

std::optional<int64_t> bytes_of_type(const TensorType& type) {
  std::vector<int64_t> dims;
  for (const Dim& dim : type.shape) dims.push_back(dim.value());
  const Result<int64_t> count = checked_count(dims);
  if (!count.ok() || dims.size() > kMaxRank) return std::nullopt;
  const Result<size_t> bytes = checked_bytes(type.dtype, *count);
  if (!bytes.ok()) return std::nullopt;
  return static_cast<int64_t>(*bytes);
}

std::optional<Size> size_of(std::span<const InferOperand> operands, std::span<const TensorType> results) {
  Size size;
  for (const InferOperand& operand : operands) {
    if (operand.present) size.input_bytes += static_cast<int64_t>(operand.constant->bytes());
  }
  for (const TensorType& type : results) {
    const std::optional<int64_t> bytes = bytes_of_type(type);
    if (!bytes || __builtin_add_overflow(size.output_bytes, *bytes, &size.output_bytes)) return std::nullopt;
  }
  return size;
}

class Folder {
 public:
  Folder(Graph& graph, PassContext& context) : editor_(graph), context_(context) {}

  Result<bool> visit(Node* node) {
    HONE_ASSIGN(bool changed, refine(node));
    for (Value* output : std::vector<Value*>(node->outputs())) {
      if (!is_used(output)) continue;
      std::optional<Tensor> tensor = tensor_of_elements(*output);
      if (!tensor || !context_.rewrite()) continue;
      HONE_TRY(replace_by_constant(editor_, output, *std::move(tensor)));
      changed = true;
    }
    if (node->is_dead() || !is_foldable(*node)) return changed;
    HONE_ASSIGN(const bool folded, fold(node));
    return changed || folded;
  }

 private:
  // Operands may have become constant, which can tell dimensions.
  Result<bool> refine(Node* node) {
    const bool complete = std::all_of(node->outputs().begin(), node->outputs().end(), [](const Value* output) {
      const bool followed = output->elements() || output->rank() > 1 || !is_integer(output->dtype());
      return followed && is_const(output->shape());
    });
    return complete ? Result<bool>(false) : editor_.refine(node);
  }

  bool is_foldable(const Node& node) const {
    return context_.evaluate && std::all_of(node.inputs().begin(), node.inputs().end(), [](const Value* input) {
             return input == nullptr || (input->is_constant() && is_computable(input->dtype()));
           });
  }

  Result<bool> fold(Node* node) {
    std::vector<InferOperand> operands;
    std::vector<Tensor> tensors;
    for (const Value* input : node->inputs()) {
      operands.push_back(infer_operand(input));
      tensors.push_back(input == nullptr ? Tensor() : input->constant());
    }
    const Result<std::vector<TensorType>> types =
        infer_concrete(node->op(), node->body().get(), operands, node->outputs().size());
    if (!types.ok()) return skip(*node, types.status().message());
    const std::optional<Size> size = size_of(operands, *types);
    if (!size) return skip(*node, "its size overflows");
    if (size->output_bytes > kSmallBytes && size->output_bytes / kMaxGrowth > size->input_bytes) return false;
    if (!context_.spend(evaluation_work(node->op(), node->body().get(), operands, *types))) {
      return skip(*node, "it would take too long");
    }
    if (!context_.reserve(size->output_bytes)) {
      return skip(*node, "its result of " + std::to_string(size->output_bytes) +
                             " bytes would exceed the memory budget of " +
                             std::to_string(context_.memory_budget_bytes) + " bytes");
    }
    if (!context_.rewrite()) return false;
    Result<std::vector<Tensor>> results = context_.evaluate(node->op_ptr(), tensors, types->size(), node->body());
    if (!results.ok()) return skip(*node, results.status().message());
    const std::vector<Value*> outputs = node->outputs();
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (is_used(outputs[i])) HONE_TRY(replace_by_constant(editor_, outputs[i], std::move((*results)[i])));
    }
    return true;
  }

  // The node stays; running it tells what is wrong with it.
  Result<bool> skip(const Node& node, const std::string& why) {
    context_.remark(describe(node) + " isn't folded: " + why);
    return false;
  }

  GraphEditor editor_;
  PassContext& context_;
};

}  // namespace

Result<bool> fold_constants(Graph& graph, PassContext& context) {
  Folder folder(graph, context);
  return for_each_node(graph, [&](Node* node) { return folder.visit(node); });
}

}  // namespace hone
