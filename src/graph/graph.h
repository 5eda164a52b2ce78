// The graph: values and nodes in execution order, with symbols for dimensions that aren't numbers yet.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/symbol_merges.h"
#include "hone/dim.h"
#include "hone/op.h"
#include "hone/tensor.h"

namespace hone {

class Node;
class Graph;
class GraphEditor;
struct GraphText;

// One operand slot of one node that reads a value.
struct Use {
  Node* node = nullptr;
  size_t index = 0;
};

// A tensor in the graph: an input, a constant, or an output of a node. Addresses are stable while it lives.
class Value {
 public:
  const std::string& name() const { return name_; }
  const ValueType& type() const { return type_; }
  DataType dtype() const { return type_.tensor.dtype; }
  const Shape& shape() const { return type_.tensor.shape; }
  size_t rank() const { return type_.tensor.shape.size(); }

  // Null for inputs and constants.
  Node* producer() const { return producer_; }
  size_t producer_index() const { return producer_index_; }
  const std::vector<Use>& users() const { return users_; }

  bool is_constant() const { return constant_.defined(); }
  const Tensor& constant() const { return constant_; }

  // Contents of a small integer tensor as expressions, where known.
  const std::optional<std::vector<Dim>>& elements() const { return elements_; }
  // Its contents decide shapes: they must be on the host before the steps that need them.
  bool is_host_value() const { return host_value_; }
  bool is_output() const { return !output_indices_.empty(); }

 private:
  friend class Graph;
  friend class GraphEditor;
  friend class GraphSymbols;
  friend struct GraphText;
  // Both keep the node's use_slots_ up.
  void add_user(Node* node, size_t index);
  void remove_user(Node* node, size_t index);

  std::string name_;
  ValueType type_;
  Node* producer_ = nullptr;
  size_t producer_index_ = 0;
  std::vector<Use> users_;
  Tensor constant_;
  std::optional<std::vector<Dim>> elements_;
  bool host_value_ = false;
  std::vector<size_t> output_indices_;  // where it is among the graph's outputs
};

// One application of an operator. A fused node has a body, and its operator is just its name and attributes.
class Node {
 public:
  const std::string& name() const { return name_; }
  const Op& op() const { return *op_; }
  const OpPtr& op_ptr() const { return op_; }
  const std::shared_ptr<const Body>& body() const { return body_; }
  // Null entries are absent optional operands.
  const std::vector<Value*>& inputs() const { return inputs_; }
  Value* input(size_t i) const { return i < inputs_.size() ? inputs_[i] : nullptr; }
  // Every output exists, used or not.
  const std::vector<Value*>& outputs() const { return outputs_; }
  Value* output(size_t i = 0) const { return outputs_[i]; }
  // What inference assumed; checked when shapes are set.
  const std::vector<DimRequirement>& requirements() const { return requirements_; }
  // Removed by an editor that still lives: reads nothing, and nothing reads it.
  bool is_dead() const { return dead_; }

 private:
  friend class Graph;
  friend class Value;
  friend class GraphEditor;
  friend class GraphSymbols;
  friend struct GraphText;
  std::string name_;
  OpPtr op_;
  std::shared_ptr<const Body> body_;
  std::vector<Value*> inputs_;
  std::vector<size_t> use_slots_;  // for each operand, where its value's users_ have this use
  std::vector<Value*> outputs_;
  std::vector<DimRequirement> requirements_;
  std::list<std::unique_ptr<Node>>::iterator position_;  // in the graph's list
  bool dead_ = false;
};

// What a symbol stands for.
struct Symbol {
  enum class Kind : uint8_t {
    kInputDim,   // dimension `index` of graph input `value`
    kHostValue,  // element `index` of `value`, known when shapes are set (or once its producer ran)
    kResolved,   // a dimension of `value` that its producer's infer() tells once host values are known
    kCounted,    // a dimension of `value` that its producer's kernel counts; at most `bound`
  };
  std::string name;
  Kind kind = Kind::kInputDim;
  std::string value;   // the value's name
  uint32_t index = 0;  // axis, or element
  Dim bound;           // kCounted
};

// Owns everything. Moves, doesn't copy. One thread at a time.
class Graph {
 public:
  Graph() = default;
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;

  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }
  // Key-value pairs of the model file (class names, normalisation ...), carried into the engine.
  std::map<std::string, std::string>& metadata() { return metadata_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  const std::vector<Value*>& inputs() const { return inputs_; }
  const std::vector<Value*>& outputs() const { return outputs_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  // In execution order: operands are produced before they are read.
  std::vector<Node*> nodes() const;
  size_t node_count() const { return nodes_.size(); }
  std::vector<Value*> constants() const;
  // Null when there is none.
  Value* find_value(std::string_view name) const;

  const std::vector<Symbol>& symbols() const { return symbols_; }
  std::string symbol_name(SymbolId id) const;
  // Which of them a type, an element, a requirement or the bound of a used one mentions.
  std::vector<bool> used_symbols() const;
  std::string to_string(const Dim& dim) const;
  std::string to_string(const Shape& shape) const;      // "[N,3,640,640]"
  std::string to_string(const TensorType& type) const;  // "float32[N,3,640,640]"

  // Building. Names must be new (an empty one gets a number); errors otherwise.
  SymbolId add_symbol(Symbol symbol);
  Result<Value*> add_input(std::string name, ValueType type);
  Result<Value*> add_constant(std::string name, Tensor tensor);
  // Infers the outputs' types. `outputs` gives their names (empty: made up), and their number.
  Result<Node*> add_node(std::string name, OpPtr op, std::vector<Value*> inputs, std::vector<std::string> outputs,
                         std::shared_ptr<const Body> body = nullptr);
  // The same value may be an output twice, under two names.
  void add_output(std::string name, Value* value);

 private:
  friend class GraphEditor;
  friend class GraphSymbols;
  friend struct GraphText;
  Result<Value*> add_value(std::string name, ValueType type);
  std::string unique_name(std::string_view wish);
  Result<std::unique_ptr<Node>> make_node(std::string name, OpPtr op, std::vector<Value*> inputs,
                                          std::vector<std::string> outputs, std::shared_ptr<const Body> body);
  // Parts of make_node: the outputs as values, then their types.
  Status add_results(Node& node, std::vector<std::string> names);
  Status infer_results(Node& node);

  std::string name_;
  std::map<std::string, std::string> metadata_;
  std::list<std::unique_ptr<Node>> nodes_;
  std::map<std::string, std::unique_ptr<Value>, std::less<>> values_;
  std::vector<Value*> inputs_;
  std::vector<Value*> outputs_;
  std::vector<std::string> output_names_;
  std::vector<Symbol> symbols_;
  std::unordered_set<std::string> symbol_names_;
  uint64_t next_number_ = 0;  // for made-up names
};

// The only way to change a finished graph. What an edit leaves unread goes at once, but pointers to it stay valid until
// finish() or the editor's end, so that a walk over nodes() may edit as it goes and skip dead nodes. When edits replace
// many symbols, dimensions may mention replaced ones until then.
class GraphEditor {
 public:
  explicit GraphEditor(Graph& graph) : graph_(graph) {}
  ~GraphEditor() { apply_merges(); }
  GraphEditor(const GraphEditor&) = delete;
  GraphEditor& operator=(const GraphEditor&) = delete;

  Result<Value*> add_constant(std::string_view name_hint, Tensor tensor);
  // Puts a node before `position` (execution order). Names are hints and made unique.
  Result<Node*> insert_before(Node* position, std::string_view name_hint, OpPtr op, std::vector<Value*> inputs,
                              size_t num_outputs = 1);
  // All readers of `value`, graph outputs too, read `by` instead. Types and ranks must be equal and dimensions not
  // provably different; `by` must be computed before the readers of `value`. Symbols of one that the other knows
  // better are replaced everywhere; dimensions that stay different to the eye become requirements of the readers.
  Status replace(Value* value, Value* by);
  // Makes `nodes` (execution order) one node, in the place of the last, whose body they become. Only the last one's
  // outputs may be read from outside. Operands are the values that `nodes` read from outside in order of first use,
  // but constants of one element become constants of the body.
  Result<Node*> fuse(OpPtr op, const std::vector<Node*>& nodes, std::string_view name_hint);
  // Undoes fuse(): the body's steps become nodes again.
  Status inline_body(Node* node);
  // Infers the node's types again, now that its operands may be better known, and replaces the symbols it resolves
  // everywhere. Errors: what inference finds. Returns whether anything was learned.
  Result<bool> refine(Node* node);
  // Removes nodes and constants that nobody reads, and frees what was removed before. Returns whether this call found
  // any.
  bool finish();
  // Marks as host values those that inference asks for now or whose elements a dimension mentions, and no others.
  void update_host_values();
  // Removes symbols that nothing mentions and numbers the rest anew, in the same order.
  void drop_unused_symbols();

 private:
  // Whether replace() may do it.
  Status check_replaceable(const Value& value, const Value& by) const;
  // Both are the same number: a symbol may take the other's place. Returns whether one did.
  bool merge(const Dim& a, const Dim& b);
  // merge() for a whole value. Returns pairs of dimensions that stay different to the eye.
  std::vector<DimRequirement> merge_values(const Value& value, const Value& by);
  // `by` becomes the owner of the symbols that stand for the elements of `value`.
  void inherit_elements(const Value& value, Value& by);
  // Rewrites the graph if it is time to: rarely enough to keep many merges linear.
  void apply_some_merges();
  void apply_merges();
  // Rewrites every dimension in the graph.
  void substitute(const std::function<std::optional<Dim>(SymbolId)>& replacement);
  // Parts of refine(): what a fresh inference says more than the graph.
  bool learn(Dim& known, const Dim& fresh);
  bool learn_elements(Value& value, const InferResult& fresh);
  // Whether its elements are the symbols that were made for them.
  bool has_own_elements(const Value& value) const;
  Node* insert(Node* position, std::unique_ptr<Node> node);
  // Removes what is dead now that `value` lost its readers.
  void collect(Value* value);
  void bury(Value* value);
  void bury(Node* node);

  Graph& graph_;
  std::vector<std::unique_ptr<Node>> dead_nodes_;
  std::vector<std::unique_ptr<Value>> dead_values_;
  SymbolMerges merges_;  // not applied yet
  size_t applied_merges_ = 0;
};

}  // namespace hone
