// Engines from graphs made in code, without an ONNX file.
#pragma once

#include <string>

#include "graph/graph.h"
#include "hone/engine.h"
#include "plan/plan.h"

namespace hone::test {

struct EngineRecipe {
  std::string device = "reference";
  std::vector<Profile> profiles;  // none: one open plan
  int threads = 1;
};

// Lowers the graph (changing it) and loads the result as an engine file from memory.
Result<std::vector<std::byte>> engine_bytes(Graph& graph, const EngineRecipe& recipe = {});
Result<Engine> make_engine(Graph& graph, const EngineRecipe& recipe = {});

// A graph that can be written down: names are values. Aborts the test on errors.
class GraphMaker {
 public:
  Value* input(const std::string& name, DataType dtype, const std::vector<std::string>& dims);
  Value* constant(const std::string& name, Tensor tensor);
  // Returns the first output, named `name`; more outputs are named name.1, name.2 ...
  Value* node(const std::string& op, std::vector<Value*> inputs, const std::string& name, const AttrMap& attrs = {},
              size_t num_outputs = 1);
  void output(Value* value, const std::string& name = "");
  Graph& graph() { return graph_; }

 private:
  Graph graph_;
};

}  // namespace hone::test
