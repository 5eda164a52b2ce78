#include "support/engines.h"

#include <gtest/gtest.h>

#include "api/engine/targets.h"
#include "compiler/lower.h"
#include "graph/text.h"
#include "ops/op_list.h"
#include "plan/engine_file.h"

namespace hone::test {

Result<std::vector<std::byte>> engine_bytes(Graph& graph, const EngineRecipe& recipe) {
  WeightsWriter writer;
  HONE_ASSIGN(const auto backends, backends_for(recipe.device));
  HONE_ASSIGN(const DeviceInfo device, device_info_for(recipe.device, recipe.threads));
  HONE_ASSIGN(Plan plan,
              lower(graph, {backends, device, [&](const Tensor& tensor) { return writer.index_of(tensor); }}));
  EngineImage image;
  image.tuned.push_back({device, {}});
  std::vector<Profile> profiles = recipe.profiles;
  if (profiles.empty()) profiles.emplace_back();
  for (const Profile& profile : profiles) {
    plan.profile = profile;
    image.tuned[0].plans.push_back(plan);
  }
  const std::vector<std::byte> weights = writer.bytes();
  for (const WeightsWriter::Block& block : writer.blocks()) image.weight_blocks.push_back({block.offset, block.bytes});
  image.weights = weights;
  return serialize_engine(image);
}

Result<Engine> make_engine(Graph& graph, const EngineRecipe& recipe) {
  HONE_ASSIGN(const std::vector<std::byte> bytes, engine_bytes(graph, recipe));
  return Engine::from_bytes(bytes, {.threads = recipe.threads});
}

namespace {

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status().message();
    std::abort();
  }
  return *std::move(result);
}

}  // namespace

Value* GraphMaker::input(const std::string& name, DataType dtype, const std::vector<std::string>& dims) {
  Shape shape;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis].find_first_not_of("0123456789") == std::string::npos) {
      shape.emplace_back(std::stoll(dims[axis]));
      continue;
    }
    SymbolId id = 0;
    while (id < graph_.symbols().size() && graph_.symbols()[id].name != dims[axis]) ++id;
    if (id == graph_.symbols().size()) {
      graph_.add_symbol(
          {.name = dims[axis], .kind = Symbol::Kind::kInputDim, .value = name, .index = static_cast<uint32_t>(axis)});
    }
    shape.push_back(Dim::symbol(id, true));
  }
  return must(graph_.add_input(name, {ValueType::Kind::kTensor, {dtype, shape}}));
}

Value* GraphMaker::constant(const std::string& name, Tensor tensor) {
  return must(graph_.add_constant(name, std::move(tensor)));
}

Value* GraphMaker::node(const std::string& op, std::vector<Value*> inputs, const std::string& name,
                        const AttrMap& attrs, size_t num_outputs) {
  std::vector<std::string> outputs = {name};
  for (size_t i = 1; i < num_outputs; ++i) outputs.push_back(name + "." + std::to_string(i));
  return must(graph_.add_node(name, must(make_op(op, attrs)), std::move(inputs), std::move(outputs)))->output();
}

void GraphMaker::output(Value* value, const std::string& name) {
  graph_.add_output(name.empty() ? value->name() : name, value);
}

}  // namespace hone::test
