#include "onnx/graph_importer.h"

#include <algorithm>
#include <deque>
#include <map>

#include "onnx/execution_order.h"
#include "onnx/functions.h"
#include "onnx/importers.h"
#include "onnx/value_types.h"

namespace hone::onnx {

namespace {

// Calls within calls, and calls at all: functions that call each other twice grow like powers of two.
constexpr size_t kMaxCallDepth = 100;
constexpr size_t kMaxCalls = size_t{1} << 20;

// Where nodes are being imported: the graph, or one call of a function.
struct Scope {
  const Function* function = nullptr;  // null: the graph
  const std::vector<OnnxNode>* nodes = nullptr;
  const std::vector<uint32_t>* order = nullptr;
  size_t next = 0;                                       // position in `order`
  std::string prefix;                                    // of names made here
  std::map<std::string_view, Value*> values;             // by their name in this scope; null: absent
  std::map<std::string_view, std::string> output_names;  // in the graph, of the function's outputs
  AttrMap attributes;                                    // of the call
  const OnnxNode* call = nullptr;

  const OnnxNode& node() const { return (*nodes)[(*order)[next]]; }
};

class GraphImporter {
 public:
  GraphImporter(const Model& model, const Functions& functions, GraphBuilder& builder)
      : model_(model), functions_(functions), builder_(builder) {}

  Status run();

 private:
  Status add_initializers(Scope& scope);
  Status add_inputs(Scope& scope);
  Status add_outputs(const Scope& scope);
  Status import_nodes();
  Status import_node(Scope& scope, const OnnxNode& node);
  Status enter_function(const Function& function, const OnnxNode& call);
  Status bind_parameters(const Function& function, const Scope& caller, Scope& scope);
  Status leave_function();
  Result<std::vector<Value*>> operands(const Scope& scope, const OnnxNode& node) const;
  Result<AttrMap> attributes(const Scope& scope, const OnnxNode& node) const;
  std::string graph_name(const Scope& scope, std::string_view name);
  Result<const std::vector<uint32_t>*> order_of(const Function& function);

  const Model& model_;
  const Functions& functions_;
  GraphBuilder& builder_;
  std::deque<Scope> scopes_;  // the innermost last; a stack of its own, so that no file can exhaust the thread's
  std::map<const Function*, std::vector<uint32_t>> orders_;
  size_t calls_ = 0;
};

Status in_node(Status status, std::string_view prefix, const OnnxNode& node) {
  // The graph says itself which node it refused.
  if (status.message().starts_with("in node '")) return status;
  const std::string_view label = node.name.empty() && !node.outputs.empty() ? node.outputs.front() : node.name;
  return std::move(status).with_context("in node '" + std::string(prefix) + std::string(label) + "' (" +
                                        std::string(node.op_type) + ")");
}

Status GraphImporter::run() {
  Scope main{.nodes = &model_.graph.nodes};
  for (const OnnxNode& node : model_.graph.nodes) {
    for (const std::string_view output : node.outputs) builder_.reserve(output);
  }
  for (const ValueInfo& input : model_.graph.inputs) builder_.reserve(input.name);
  for (const Initializer& initializer : model_.graph.initializers) builder_.reserve(initializer.name);
  HONE_TRY(add_initializers(main));
  HONE_TRY(add_inputs(main));
  std::set<std::string_view> given;
  for (const auto& [name, value] : main.values) given.insert(name);
  HONE_ASSIGN(orders_[nullptr], execution_order(model_.graph.nodes, given));
  const std::vector<uint32_t>& order = orders_[nullptr];
  main.order = &order;
  if (!std::is_sorted(order.begin(), order.end())) builder_.remark("the nodes weren't in execution order");
  scopes_.push_back(std::move(main));
  HONE_TRY(import_nodes());
  return add_outputs(scopes_.front());
}

Status GraphImporter::add_initializers(Scope& scope) {
  for (const Initializer& initializer : model_.graph.initializers) {
    if (initializer.name.empty()) return invalid_model("an initializer has no name");
    if (scope.values.contains(initializer.name)) {
      return invalid_model("there are two initializers '" + std::string(initializer.name) + "'");
    }
    HONE_ASSIGN(Value* const value, builder_.add_constant(std::string(initializer.name), initializer.tensor));
    scope.values.emplace(initializer.name, value);
  }
  return {};
}

Status GraphImporter::add_inputs(Scope& scope) {
  InputTypes types(builder_.graph());
  std::set<std::string_view> seen;
  for (const ValueInfo& input : model_.graph.inputs) {
    if (input.name.empty()) return invalid_model("a graph input has no name");
    if (!seen.insert(input.name).second) {
      return invalid_model("there are two graph inputs '" + std::string(input.name) + "'");
    }
    // An input with an initializer is a default that nobody needs to give: a constant.
    if (scope.values.contains(input.name)) continue;
    HONE_ASSIGN(TensorType type, types.read(input).with_context("input '" + std::string(input.name) + "'"));
    HONE_ASSIGN(Value* const value,
                builder_.graph().add_input(std::string(input.name), {ValueType::Kind::kTensor, std::move(type)}));
    scope.values.emplace(input.name, value);
  }
  return {};
}

Status GraphImporter::add_outputs(const Scope& scope) {
  if (model_.graph.outputs.empty()) return invalid_model("the graph has no outputs");
  std::set<std::string_view> seen;
  for (const ValueInfo& output : model_.graph.outputs) {
    const auto it = scope.values.find(output.name);
    if (it == scope.values.end() || it->second == nullptr) {
      return invalid_model("nothing makes the graph's output '" + std::string(output.name) + "'");
    }
    if (!seen.insert(output.name).second) {
      return invalid_model("there are two graph outputs '" + std::string(output.name) + "'");
    }
    HONE_ASSIGN(const std::string remark, compare_with_declared(builder_.graph(), *it->second, output));
    if (!remark.empty()) builder_.remark(remark);
    builder_.graph().add_output(std::string(output.name), it->second);
  }
  return {};
}

Status GraphImporter::import_nodes() {
  while (true) {
    Scope& scope = scopes_.back();
    if (scope.next == scope.order->size()) {
      if (scopes_.size() == 1) return {};
      HONE_TRY(leave_function());
      continue;
    }
    const OnnxNode& node = scope.node();
    ++scope.next;
    const Function* function = functions_.find(node);
    Status status = function != nullptr ? enter_function(*function, node) : import_node(scope, node);
    if (!status.ok()) return in_node(std::move(status), scope.prefix, node);
  }
}

std::string GraphImporter::graph_name(const Scope& scope, std::string_view name) {
  if (scope.function == nullptr || name.empty()) return std::string(name);
  const auto it = scope.output_names.find(name);
  return it != scope.output_names.end() ? it->second : builder_.fresh_name(scope.prefix + std::string(name));
}

Result<std::vector<Value*>> GraphImporter::operands(const Scope& scope, const OnnxNode& node) const {
  std::vector<Value*> operands;
  for (const std::string_view input : node.inputs) {
    const auto it = scope.values.find(input);
    if (!input.empty() && it == scope.values.end()) {
      return invalid_model("reads '" + std::string(input) + "', which its maker left out");
    }
    operands.push_back(input.empty() ? nullptr : it->second);
  }
  return operands;
}

Result<AttrMap> GraphImporter::attributes(const Scope& scope, const OnnxNode& node) const {
  AttrMap attributes;
  std::set<std::string_view> seen;
  for (const Attribute& attribute : node.attributes) {
    const std::string name(attribute.name);
    if (!seen.insert(attribute.name).second) return invalid_model("attribute '" + name + "' is given twice");
    if (attribute.reference.empty()) {
      if (!has_value(attribute.type)) {
        return unsupported("attribute '" + name + "' is of type " + std::string(name_of(attribute.type)));
      }
      attributes.emplace_back(name, attribute.value);
      continue;
    }
    if (scope.function == nullptr) {
      return invalid_model("attribute '" + name + "' refers to one of a function, but this isn't in a function");
    }
    for (const auto& [known, value] : scope.attributes) {
      if (known == attribute.reference) attributes.emplace_back(name, value);
    }
  }
  return attributes;
}

Status GraphImporter::import_node(Scope& scope, const OnnxNode& node) {
  const bool makes_nothing = std::all_of(node.outputs.begin(), node.outputs.end(), [](auto o) { return o.empty(); });
  if (makes_nothing) return {};
  const OpImporter* importer = find_importer(node.domain, node.op_type);
  HONE_ASSIGN(const int64_t opset, opset_of(node, scope.function, model_));
  HONE_ASSIGN(std::vector<Value*> inputs, operands(scope, node));
  HONE_ASSIGN(AttrMap attrs, attributes(scope, node));
  std::vector<std::string> outputs;
  for (const std::string_view output : node.outputs) outputs.push_back(graph_name(scope, output));
  const std::string name = node.name.empty() ? "" : scope.prefix + std::string(node.name);
  NodeImport import(builder_, name, node.op_type, opset, std::move(inputs), std::move(outputs), std::move(attrs));
  // A hint for memory reuse, gone since version 6.
  if (node.domain.empty() && opset < 6) import.drop("consumed_inputs");
  HONE_TRY(importer->import(import));
  for (size_t i = 0; i < import.num_outputs(); ++i) {
    if (import.has_output(i) && import.results()[i] != nullptr) scope.values[node.outputs[i]] = import.results()[i];
  }
  return {};
}

Result<const std::vector<uint32_t>*> GraphImporter::order_of(const Function& function) {
  if (const auto it = orders_.find(&function); it != orders_.end()) return &it->second;
  const std::set<std::string_view> given(function.inputs.begin(), function.inputs.end());
  HONE_ASSIGN(orders_[&function], execution_order(function.nodes, given));
  return &orders_[&function];
}

Status GraphImporter::bind_parameters(const Function& function, const Scope& caller, Scope& scope) {
  const OnnxNode& call = *scope.call;
  HONE_ASSIGN(const std::vector<Value*> inputs, operands(caller, call));
  if (inputs.size() > function.inputs.size() || call.outputs.size() > function.outputs.size()) {
    return invalid_model("passes " + std::to_string(inputs.size()) + " inputs and takes " +
                         std::to_string(call.outputs.size()) + " outputs; the function has " +
                         std::to_string(function.inputs.size()) + " and " + std::to_string(function.outputs.size()));
  }
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    scope.values[function.inputs[i]] = i < inputs.size() ? inputs[i] : nullptr;
  }
  HONE_ASSIGN(const AttrMap given, attributes(caller, call));
  const auto known = [&](std::string_view name) {
    return std::find(function.attributes.begin(), function.attributes.end(), name) != function.attributes.end() ||
           std::any_of(function.defaults.begin(), function.defaults.end(),
                       [&](const Attribute& a) { return a.name == name; });
  };
  for (const auto& [name, value] : given) {
    if (!known(name)) return invalid_model("attribute '" + name + "' is unknown to the function");
  }
  scope.attributes = given;
  for (const Attribute& attribute : function.defaults) {
    const bool is_given =
        std::any_of(given.begin(), given.end(), [&](const auto& a) { return a.first == attribute.name; });
    if (!is_given && has_value(attribute.type)) scope.attributes.emplace_back(attribute.name, attribute.value);
  }
  return {};
}

Status GraphImporter::enter_function(const Function& function, const OnnxNode& call) {
  if (scopes_.size() > kMaxCallDepth) {
    return unsupported("function calls are nested more than " + std::to_string(kMaxCallDepth) + " deep");
  }
  if (++calls_ > kMaxCalls) return unsupported("there are more than " + std::to_string(kMaxCalls) + " function calls");
  for (const Scope& scope : scopes_) {
    if (scope.function == &function) {
      return invalid_model("function '" + std::string(function.name) + "' calls itself, directly or through others");
    }
  }
  Scope& caller = scopes_.back();
  Scope scope{.function = &function, .nodes = &function.nodes, .call = &call};
  HONE_ASSIGN(scope.order, order_of(function).with_context("function '" + std::string(function.name) + "'"));
  const std::string_view label = call.name.empty() && !call.outputs.empty() ? call.outputs.front() : call.name;
  scope.prefix = caller.prefix + std::string(label) + "/";
  HONE_TRY(bind_parameters(function, caller, scope));
  for (size_t i = 0; i < call.outputs.size(); ++i) {
    if (!call.outputs[i].empty()) {
      scope.output_names.try_emplace(function.outputs[i], graph_name(caller, call.outputs[i]));
    }
  }
  scopes_.push_back(std::move(scope));
  return {};
}

Status GraphImporter::leave_function() {
  const Scope scope = std::move(scopes_.back());
  scopes_.pop_back();
  Scope& caller = scopes_.back();
  for (size_t i = 0; i < scope.call->outputs.size(); ++i) {
    if (scope.call->outputs[i].empty()) continue;
    const std::string_view name = scope.function->outputs[i];
    const auto it = scope.values.find(name);
    if (it == scope.values.end() || it->second == nullptr) {
      return in_node(invalid_model("function '" + std::string(scope.function->name) + "' doesn't make its output '" +
                                   std::string(name) + "'"),
                     caller.prefix, *scope.call);
    }
    caller.values[scope.call->outputs[i]] = it->second;
  }
  return {};
}

void add_metadata(const Model& model, GraphBuilder& builder) {
  auto& metadata = builder.graph().metadata();
  for (const auto& [key, value] : model.metadata) {
    if (!metadata.emplace(key, value).second) builder.remark("metadata '" + std::string(key) + "' is given twice");
  }
  const auto add = [&](const char* key, std::string_view value) {
    if (!value.empty()) metadata.emplace(key, value);
  };
  add("onnx.producer", model.producer_name);
  add("onnx.producer_version", model.producer_version);
  add("onnx.domain", model.domain);
  if (model.model_version != 0) add("onnx.model_version", std::to_string(model.model_version));
  if (const auto it = model.opsets.find(""); it != model.opsets.end()) add("onnx.opset", std::to_string(it->second));
}

}  // namespace

Result<Graph> build_graph(const Model& model, MemoryBudget& budget, const Log& log) {
  HONE_ASSIGN(const Functions functions, Functions::index(model));
  HONE_TRY(check_supported(model, functions));
  Graph graph;
  graph.set_name(std::string(model.graph.name));
  GraphBuilder builder(graph, budget, log);
  if (model.has_training_info) builder.remark("the model's training information is ignored");
  add_metadata(model, builder);
  HONE_TRY(GraphImporter(model, functions, builder).run());
  return graph;
}

}  // namespace hone::onnx
