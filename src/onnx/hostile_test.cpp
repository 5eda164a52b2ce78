// Files made to break the importer: cut, huge, deep, endless.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "onnx/test_model.h"

namespace hone::onnx {
namespace {

using namespace test;

std::string small_model() {
  TestModel model;
  model.graph.nodes = {node("Constant", {}, {"c"}, {attr("value", floats("t", {3}, {1, 2, 3}))}, "const"),
                       node("Add", {"x", "c"}, {"h"}, {}, "add"),
                       node("Own", {"h"}, {"y"}, {attr("k", 2)}, "call", "own")};
  model.graph.inputs = {value("x", {"N", 3})};
  model.graph.initializers = {ints("i", {2}, {1, 2})};
  model.graph.outputs = {value("y", {"N", 3})};
  model.functions = {Message()
                         .text(1, "Own")
                         .text(4, "a")
                         .text(5, "b")
                         .text(6, "k")
                         .text(10, "own")
                         .message(7, node("LeakyRelu", {"a"}, {"b"}, {attr("alpha", 0.5f)}))
                         .message(9, opset("", 17))};
  model.more_opsets = {opset("own", 1)};
  return model.bytes();
}

TEST(Hostile, CutAnywhere) {
  const std::string whole = small_model();
  ASSERT_TRUE(import_bytes(whole).ok()) << error_of(import_bytes(whole));
  for (size_t n = 0; n < whole.size(); ++n) {
    const Result<Graph> graph = import_bytes(whole.substr(0, n));
    // What is cut off behind the last field that matters may be missed by nobody.
    if (!graph.ok()) {
      EXPECT_NE(error_of(graph), "");
    }
  }
  EXPECT_NE(error_of(import_bytes("")).find("is empty"), std::string::npos);
}

TEST(Hostile, AnyByteChanged) {
  const std::string whole = small_model();
  for (size_t n = 0; n < whole.size(); ++n) {
    for (const int change : {1, 2, 8, 0x40, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[n] = static_cast<char>(bytes[n] ^ change);
      (void)import_bytes(bytes, {.max_load_memory_bytes = 1 << 24});
    }
  }
}

// Runs `f` on a thread with a stack of 256 KiB, half of what an alpine thread has and a 32nd of the usual.
void on_small_stack(void (*f)()) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
  pthread_t thread;
  const auto run = [](void* function) -> void* {
    reinterpret_cast<void (*)()>(function)();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, reinterpret_cast<void*>(f)), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TestModel chain(int length, bool backwards) {
  TestModel model;
  for (int i = 0; i < length; ++i) {
    const int k = backwards ? length - 1 - i : i;
    model.graph.nodes.push_back(node("Relu", {"v" + std::to_string(k)}, {"v" + std::to_string(k + 1)}));
  }
  model.graph.inputs = {value("v0", {"N"})};
  model.graph.outputs = {untyped("v" + std::to_string(length))};
  return model;
}

TEST(Hostile, LongChainsNeedNoStack) {
  on_small_stack([] {
    for (const bool backwards : {false, true}) {
      const Result<Graph> graph = import_model(chain(100'000, backwards));
      ASSERT_TRUE(graph.ok()) << error_of(graph);
      EXPECT_EQ(graph->node_count(), 100'000u);
    }
  });
}

TEST(Hostile, NamesThatClashWithMadeUpOnes) {
  // The importer would call its constant "s/axes", "s/axes_1" and so on: all taken.
  TestModel model =
      one_node(9, node("Unsqueeze", {"x"}, {"y"}, {attr("axes", std::vector<int64_t>{0})}, "s"), {value("x", {2})});
  model.graph.nodes.push_back(node("Relu", {"y"}, {"s/axes"}));
  for (int i = 1; i < 50; ++i) model.graph.nodes.push_back(node("Relu", {"y"}, {"s/axes_" + std::to_string(i)}));
  const Result<Graph> graph = import_model(model);
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_FALSE(graph->find_value("s/axes")->is_constant());
}

Message function_named(const std::string& name, const std::vector<Message>& nodes) {
  Message function = Message().text(1, name).text(4, "a").text(5, "b").text(10, "own");
  for (const Message& made : nodes) function.message(7, made);
  return function.message(9, opset("", 17)).message(9, opset("own", 1));
}

TEST(Hostile, FunctionsThatCallThemselves) {
  TestModel model = one_node(17, node("F", {"x"}, {"y"}, {}, "call", "own"), {value("x", {2})});
  model.functions = {function_named("F", {node("G", {"a"}, {"b"}, {}, "g", "own")}),
                     function_named("G", {node("F", {"a"}, {"b"}, {}, "f", "own")})};
  EXPECT_NE(error_of(import_model(model)).find("function 'F' calls itself"), std::string::npos);
}

TEST(Hostile, FunctionsThatGrowLikePowersOfTwo) {
  TestModel model = one_node(17, node("F0", {"x"}, {"y"}, {}, "call", "own"), {value("x", {2})});
  for (int i = 0; i < 60; ++i) {
    const std::string next = "F" + std::to_string(i + 1);
    model.functions.push_back(function_named(
        "F" + std::to_string(i), {node(next, {"a"}, {"m"}, {}, "l", "own"), node(next, {"m"}, {"b"}, {}, "r", "own")}));
  }
  model.functions.push_back(function_named("F60", {node("Relu", {"a"}, {"b"})}));
  const Result<Graph> graph = import_model(model, {.max_load_memory_bytes = 64 << 20});
  EXPECT_EQ(graph.status().code(), Code::kResource) << error_of(graph);
}

TEST(Hostile, DeepCalls) {
  TestModel model = one_node(17, node("F0", {"x"}, {"y"}, {}, "call", "own"), {value("x", {2})});
  for (int i = 0; i < 300; ++i) {
    model.functions.push_back(
        function_named("F" + std::to_string(i), {node("F" + std::to_string(i + 1), {"a"}, {"b"}, {}, "c", "own")}));
  }
  model.functions.push_back(function_named("F300", {node("Relu", {"a"}, {"b"})}));
  EXPECT_NE(error_of(import_model(model)).find("nested more than"), std::string::npos);
}

TEST(Hostile, TheMemoryLimitComesBeforeTheMemory) {
  const std::string bytes = chain(20'000, false).bytes();
  EXPECT_TRUE(import_bytes(bytes).ok());
  const Result<Graph> graph = import_bytes(bytes, {.max_load_memory_bytes = 8 << 20});
  EXPECT_EQ(graph.status().code(), Code::kResource);
  EXPECT_NE(error_of(graph).find("the limit is 8388608"), std::string::npos) << error_of(graph);
  // A misaligned tensor would be copied.
  TestModel weights =
      one_node(17, node("Relu", {"w"}, {"y"}), {}, {floats("w", {1 << 18}, std::vector<float>(1 << 18, 0.5f))});
  int refused = 0;
  for (size_t offset = 0; offset < 4; ++offset) {
    const Result<Graph> shifted =
        import_bytes(weights.bytes(), {.max_load_memory_bytes = 1 << 20}, std::nullopt, offset);
    refused += shifted.ok() ? 0 : 1;
    if (!shifted.ok()) {
      EXPECT_EQ(shifted.status().code(), Code::kResource);
    }
  }
  EXPECT_EQ(refused, 3);
}

// Two bytes of file for each node, and a long list of contents that shape arithmetic would copy from node to node.
TEST(Hostile, SmallFilesThatWantMuchMemory) {
  std::string nodes;
  for (int i = 0; i < 1'000'000; ++i) nodes += Message().message(1, Message()).bytes();
  const std::string empty_nodes = Message().integer(1, 8).text(7, nodes).message(8, opset("", 17)).bytes();
  EXPECT_EQ(import_bytes(empty_nodes, {.max_load_memory_bytes = 64 << 20}).status().code(), Code::kResource);

  TestModel model;
  model.graph.initializers = {ints("v0", {1024}, std::vector<int64_t>(1024, 3))};
  for (int i = 0; i < 5000; ++i) {
    model.graph.nodes.push_back(node("Identity", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)}));
  }
  model.graph.outputs = {untyped("v5000")};
  EXPECT_EQ(import_model(model, {.max_load_memory_bytes = 64 << 20}).status().code(), Code::kResource);
}

}  // namespace
}  // namespace hone::onnx
