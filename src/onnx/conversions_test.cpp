// Each operator that older versions wrote differently, in its old forms.
#include <gtest/gtest.h>

#include "onnx/test_model.h"

namespace hone::onnx {
namespace {

using namespace test;
using IntList = std::vector<int64_t>;
using FloatList = std::vector<float>;

// "Slice(x,[1],[2],[0]) " for each node: the operator with its attributes, operands as names or constant contents.
class Describe {
 public:
  static std::string graph(const Graph& graph) {
    std::string text;
    for (const Node* node : graph.nodes()) {
      text += (text.empty() ? "" : " ") + std::string(node->op().name()) + "(";
      for (size_t i = 0; i < node->inputs().size(); ++i) text += (i ? "," : "") + operand(node->input(i));
      text += ")";
    }
    return text;
  }

  static std::string attribute(const Graph& graph, std::string_view wanted) {
    for (const auto& [name, value] : graph.nodes().back()->op().describe()) {
      if (name != wanted) continue;
      if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
      if (const auto* text = std::get_if<std::string>(&value)) return *text;
      if (const auto* real = std::get_if<float>(&value)) return std::to_string(*real);
    }
    return "none";
  }

 private:
  static std::string operand(const Value* value) {
    if (value == nullptr) return "-";
    if (!value->is_constant()) return value->name();
    std::string text = "[";
    const Tensor& tensor = value->constant();
    const auto list = [&](auto values) {
      for (size_t i = 0; i < values.size(); ++i) {
        std::string number = std::to_string(values[i]);
        if (number.find('.') != std::string::npos) number.erase(number.find_last_not_of('0') + 1);
        text += (i ? "," : "") + number;
      }
    };
    if (tensor.dtype() == DataType::kInt64) list(tensor.values<int64_t>());
    if (tensor.dtype() == DataType::kInt32) list(tensor.values<int32_t>());
    if (tensor.dtype() == DataType::kFloat32) list(tensor.values<float>());
    return text + "]";
  }
};

const Message kX = value("x", {2, 3, 4});

struct Case {
  int64_t version;
  Message node;
  std::string expected;  // the graph, or a part of the error
  std::vector<Message> more = {};
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    std::vector<Message> inputs = {kX};
    inputs.insert(inputs.end(), c.more.begin(), c.more.end());
    const Result<Graph> graph = import_model(one_node(c.version, c.node, inputs));
    if (graph.ok()) {
      EXPECT_EQ(Describe::graph(*graph), c.expected);
    } else {
      EXPECT_NE(error_of(graph).find(c.expected), std::string::npos) << error_of(graph) << "\nexpected: " << c.expected;
    }
  }
}

TEST(Conversions, BroadcastingBeforeVersion7) {
  const std::vector<Message> last = {value("b", {4})}, middle = {value("b", {3})}, first = {value("b", {2, 3})};
  check({
      {6, node("Add", {"x", "b"}, {"y"}, {attr("broadcast", 1)}, "n"), "Add(x,b)", last},
      {6, node("Mul", {"x", "b"}, {"y"}, {attr("broadcast", 1), attr("axis", 2)}, "n"), "Mul(x,b)", last},
      {6, node("Sub", {"x", "b"}, {"y"}, {attr("broadcast", 1), attr("axis", 1)}, "n"),
       "Unsqueeze(b,[1]) Sub(x,n/Unsqueeze)", middle},
      {1,
       node("Div", {"x", "b"}, {"y"}, {attr("broadcast", 1), attr("axis", -2), attr("consumed_inputs", IntList{0})},
            "n"),
       "Unsqueeze(b,[1]) Div(x,n/Unsqueeze)", middle},
      {1, node("Pow", {"x", "b"}, {"y"}, {attr("broadcast", 1), attr("axis", 0)}, "n"),
       "Unsqueeze(b,[2]) Pow(x,n/Unsqueeze)", first},
      {1, node("Less", {"x", "b"}, {"y"}, {attr("broadcast", 1), attr("axis", 0)}, "n"),
       "Unsqueeze(b,[2]) Less(x,n/Unsqueeze)", first},
      {1, node("Greater", {"x", "b"}, {"y"}, {attr("broadcast", 1)}, "n"), "Greater(x,b)", last},
      {6, node("Add", {"x", "b"}, {"y"}, {attr("broadcast", 1), attr("axis", 3)}, "n"), "axis 3 doesn't place", last},
      {6, node("Add", {"x", "b"}, {"y"}, {attr("broadcast", 1), attr("axis", 2)}, "n"), "axis 2 doesn't place", first},
      {7, node("Add", {"x", "b"}, {"y"}, {attr("broadcast", 1)}, "n"), "attribute 'broadcast'", last},
      {6, node("PRelu", {"x", "b"}, {"y"}, {}, "n"), "Unsqueeze(b,[1]) PRelu(x,n/Unsqueeze)", middle},
      {7, node("PRelu", {"x", "b"}, {"y"}, {}, "n"), "PRelu(x,b)", last},
  });
  const Message gemm = node("Gemm", {"a", "b", "c"}, {"y"}, {attr("broadcast", 1)}, "n");
  const Result<Graph> graph =
      import_model(one_node(6, gemm, {value("a", {2, 3}), value("b", {3, 4}), value("c", {4})}));
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(Describe::graph(*graph), "Gemm(a,b,c)");
}

TEST(Conversions, AttributesThatBecameOperands) {
  check({
      {1, node("Reshape", {"x"}, {"y"}, {attr("shape", IntList{0, -1})}, "n"), "Reshape(x,[0,-1])"},
      {5, node("Reshape", {"x"}, {"y"}, {attr("shape", IntList{0, -1})}, "n"), "attribute 'shape'"},
      {1, node("Reshape", {"x"}, {"y"}, {}, "n"), "attribute 'shape' is missing"},
      {11, node("Unsqueeze", {"x"}, {"y"}, {attr("axes", IntList{0, 4})}, "n"), "Unsqueeze(x,[0,4])"},
      {11, node("Unsqueeze", {"x"}, {"y"}, {attr("axes", IntList{-1})}, "n"), "Unsqueeze(x,[-1])"},
      {1, node("Unsqueeze", {"x"}, {"y"}, {}, "n"), "attribute 'axes' is missing"},
      {11, node("Squeeze", {"z"}, {"y"}, {attr("axes", IntList{1})}, "n"), "Squeeze(z,[1])", {value("z", {2, 1, 1})}},
      {11, node("Squeeze", {"z"}, {"y"}, {}, "n"), "Squeeze(z)", {value("z", {2, 1, 1})}},
      {1,
       node("Slice", {"x"}, {"y"}, {attr("starts", IntList{1}), attr("ends", IntList{99}), attr("axes", IntList{2})}),
       "Slice(x,[1],[99],[2])"},
      {9, node("Slice", {"x"}, {"y"}, {attr("starts", IntList{0, 1}), attr("ends", IntList{1, -1})}, "n"),
       "Slice(x,[0,1],[1,-1])"},
      {9, node("Slice", {"x"}, {"y"}, {attr("ends", IntList{1})}, "n"), "'starts' and 'ends' are needed"},
      {1, node("Pad", {"x"}, {"y"}, {attr("paddings", IntList{0, 0, 1, 0, 0, 2})}, "n"), "Pad(x,[0,0,1,0,0,2])"},
      {10, node("Pad", {"x"}, {"y"}, {attr("pads", IntList{0, 0, 1, 0, 0, 2}), attr("value", 1.5f)}, "n"),
       "Pad(x,[0,0,1,0,0,2],[1.5])"},
      {10, node("Pad", {"x"}, {"y"}, {attr("mode", "edge")}, "n"), "the pads is missing"},
      {1, node("TopK", {"x"}, {"y"}, {attr("k", 2), attr("axis", 1)}, "n"), "TopK(x,[2])"},
      {9, node("TopK", {"x"}, {"y"}, {}, "n"), "attribute 'k' is missing"},
      {11, node("ReduceMean", {"x"}, {"y"}, {attr("axes", IntList{1, 2}), attr("keepdims", 0)}, "n"),
       "ReduceMean(x,[1,2])"},
      {13, node("ReduceMax", {"x"}, {"y"}, {attr("axes", IntList{-1})}, "n"), "ReduceMax(x,[-1])"},
      {17, node("ReduceMean", {"x"}, {"y"}, {}, "n"), "ReduceMean(x)"},
      {18, node("ReduceMean", {"x"}, {"y"}, {attr("axes", IntList{1})}, "n"), "attribute 'axes'"},
      {12, node("ReduceSum", {"x"}, {"y"}, {attr("axes", IntList{0})}, "n"), "ReduceSum(x,[0])"},
      {13, node("ReduceSum", {"x"}, {"y"}, {attr("axes", IntList{0})}, "n"), "attribute 'axes'"},
      {6, node("Clip", {"x"}, {"y"}, {attr("min", 0.0f), attr("max", 6.0f)}, "n"), "Clip(x,[0.],[6.])"},
      {1, node("Clip", {"x"}, {"y"}, {attr("min", 0.0f)}, "n"), "Clip(x,[0.],-)"},
      {10, node("Clip", {"x"}, {"y"}, {attr("min", 0.0f)}, "n"),
       "Clip(x,[0.],[340282346638528859811704183484516925440.])"},
      {6, node("Tile", {"x", "r"}, {"y"}, {}, "n"), "Tile(x,r)", {value("r", {3}, DataType::kInt64)}},
      {3, node("Concat", {"x", "x"}, {"y"}, {}, "n"), "Concat(x,x)"},
      {4, node("Concat", {"x", "x"}, {"y"}, {}, "n"), "axis"},
  });
}

TEST(Conversions, Split) {
  const auto import = [](int64_t version, const std::vector<Message>& attributes,
                         const std::vector<std::string>& outputs) {
    return import_model(
        one_node(version, node("Split", {"x"}, outputs, attributes, "n"), {value("x", {6, 3})}, {}, {outputs[0]}));
  };
  Result<Graph> graph = import(2, {attr("split", IntList{1, 2, 3})}, {"a", "b", "c"});
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(Describe::graph(*graph), "Split(x,[1,2,3])");
  graph = import(11, {}, {"a", "b", "c"});
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(Describe::graph(*graph), "Split(x)");
  EXPECT_EQ(Describe::attribute(*graph, "num_outputs"), "3");
  EXPECT_EQ(graph->to_string(graph->find_value("b")->shape()), "[2,3]");
  // A part that nobody wants is a part nevertheless.
  graph = import(13, {}, {"a", "b", ""});
  ASSERT_TRUE(graph.ok()) << error_of(graph);
  EXPECT_EQ(graph->to_string(graph->find_value("a")->shape()), "[2,3]");
  EXPECT_NE(error_of(import(18, {attr("num_outputs", 4)}, {"a", "b"})).find("num_outputs is 4, but there are 2"),
            std::string::npos);
}

TEST(Conversions, SoftmaxBeforeVersion13) {
  check({
      {11, node("Softmax", {"x"}, {"y"}, {attr("axis", 2)}, "n"), "Softmax(x)"},
      {11, node("Softmax", {"x"}, {"y"}, {attr("axis", -1)}, "n"), "Softmax(x)"},
      {1, node("Softmax", {"x"}, {"y"}, {}, "n"), "Shape(x) Flatten(x) Softmax(n/Flatten) Reshape(n/Softmax,n/Shape)"},
      {11, node("LogSoftmax", {"x"}, {"y"}, {attr("axis", 0)}, "n"),
       "Shape(x) Flatten(x) LogSoftmax(n/Flatten) Reshape(n/LogSoftmax,n/Shape)"},
      {11, node("Softmax", {"z"}, {"y"}, {attr("axis", 1)}, "n"), "Softmax(z)", {value("z", {1, 1000, 1, 1})}},
      {11, node("Softmax", {"x"}, {"y"}, {attr("axis", 3)}, "n"), "axis 3 is outside"},
      {13, node("Softmax", {"x"}, {"y"}, {attr("axis", 1)}, "n"), "Softmax(x)"},
  });
}

TEST(Conversions, Resampling) {
  const std::vector<Message> image = {value("i", {1, 2, 4, 4})};
  check({
      {1, node("Upsample", {"i"}, {"y"}, {attr("height_scale", 2.0f), attr("width_scale", 3.0f)}, "n"),
       "Resize(i,-,[1.,1.,2.,3.])", image},
      {7, node("Upsample", {"i"}, {"y"}, {attr("scales", FloatList{1, 1, 2, 2})}, "n"), "Resize(i,-,[1.,1.,2.,2.])",
       image},
      {9, node("Upsample", {"i", "s"}, {"y"}, {}, "n"), "operand", {image[0], value("s", {4, 4})}},
      {8, node("Upsample", {"i"}, {"y"}, {}, "n"), "attribute 'scales' is missing", image},
  });
  const auto resize_10 = [&](const FloatList& scales) {
    const Result<Graph> graph =
        import_model(one_node(10, node("Resize", {"i", "s"}, {"y"}, {}, "n"), image, {floats("s", {4}, scales)}));
    return graph.ok() ? Describe::graph(*graph) + " " + Describe::attribute(*graph, "nearest_mode") + " " +
                            Describe::attribute(*graph, "coordinate_transformation_mode")
                      : error_of(graph);
  };
  EXPECT_EQ(resize_10({1, 1, 2, 2}), "Resize(i,-,[1.,1.,2.,2.]) floor asymmetric");
  EXPECT_EQ(resize_10({1, 1, 0.5f, 0.5f}), "Resize(i,-,[1.,1.,0.5,0.5]) ceil asymmetric");
  EXPECT_EQ(resize_10({1, 1, 2, 0.5f}), "Resize(i,-,[1.,1.,1.,0.5]) Resize(n/Resize,-,[1.,1.,2.,1.]) floor asymmetric");
  const Message sample = node("GridSample", {"i", "g"}, {"y"}, {attr("mode", "bicubic")}, "n");
  const std::vector<Message> inputs = {image[0], value("g", {1, 3, 3, 2})};
  const Result<Graph> sampled = import_model(one_node(16, sample, inputs));
  ASSERT_TRUE(sampled.ok()) << error_of(sampled);
  EXPECT_EQ(Describe::attribute(*sampled, "mode"), "cubic");
  EXPECT_FALSE(import_model(one_node(20, sample, inputs)).ok());
}

TEST(Conversions, Cast) {
  const auto to = [](int64_t version, const Message& type) {
    const Result<Graph> graph = import_model(one_node(version, node("Cast", {"x"}, {"y"}, {type}, "n"), {kX}));
    return graph.ok() ? std::string(name_of(graph->outputs()[0]->dtype())) : error_of(graph);
  };
  EXPECT_EQ(to(1, attr("to", "INT64")), "int64");
  EXPECT_EQ(to(5, attr("to", "DOUBLE")), "float64");
  EXPECT_EQ(to(6, attr("to", 10)), "float16");
  EXPECT_NE(to(1, attr("to", "FLOAT99")).find("names no type: 'FLOAT99'"), std::string::npos);
}

TEST(Conversions, BatchNormalization) {
  const std::vector<Message> channel = {value("s", {3}), value("b", {3}), value("m", {3}), value("v", {3})};
  const std::vector<std::string> operands = {"x", "s", "b", "m", "v"};
  check({
      {1, node("BatchNormalization", operands, {"y"}, {attr("consumed_inputs", IntList{0}), attr("is_test", 1)}, "n"),
       "BatchNormalization(x,s,b,m,v)", channel},
      {7, node("BatchNormalization", operands, {"y"}, {attr("spatial", 1)}, "n"), "BatchNormalization(x,s,b,m,v)",
       channel},
      {9, node("BatchNormalization", operands, {"y"}, {attr("spatial", 1)}, "n"), "BatchNormalization(x,s,b,m,v)",
       channel},
      {9, node("BatchNormalization", operands, {"y", "m1", "v1"}, {}, "n"), "export the model for inference", channel},
      {15, node("BatchNormalization", operands, {"y"}, {attr("spatial", 1)}, "n"), "attribute 'spatial'", channel},
  });
  std::vector<Message> each;
  for (const char* name : {"s", "b", "m", "v"}) each.push_back(value(name, {3, 4}));
  check({{7, node("BatchNormalization", operands, {"y"}, {attr("spatial", 0), attr("epsilon", 0.5f)}, "n"),
          "Add(v,[0.5]) Sqrt(n/Add) Sub(x,m) Div(n/Sub,n/Sqrt) Mul(n/Div,s) Add(n/Mul,b)", each}});
}

TEST(Conversions, Dropout) {
  check({
      {1, node("Dropout", {"x"}, {"y"}, {attr("is_test", 1), attr("ratio", 0.3f)}, "n"), "Dropout(x)"},
      {10, node("Dropout", {"x"}, {"y", "m"}, {attr("ratio", 0.3f)}, "n"), "Dropout(x)"},
      {7, node("Dropout", {"x"}, {"y", "m"}, {}, "n"), "Dropout(x) Cast(n/Dropout_1)"},
      {12, node("Dropout", {"x"}, {"y"}, {attr("ratio", 0.3f)}, "n"), "attribute 'ratio'"},
  });
}

TEST(Conversions, Constants) {
  const auto constant = [](const Message& attribute) -> Result<Tensor> {
    Result<Graph> graph = import_model(one_node(17, node("Constant", {}, {"y"}, {attribute}, "n"), {}));
    if (!graph.ok()) return graph.status();
    return graph->find_value("y")->constant();
  };
  EXPECT_EQ(constant(attr("value", ints("", {2}, {4, 5})))->values<int64_t>()[1], 5);
  EXPECT_EQ(constant(attr("value_int", 7))->values<int64_t>()[0], 7);
  EXPECT_EQ(constant(attr("value_int", 7))->dims(), Extents());
  EXPECT_EQ(constant(attr("value_ints", IntList{7, 8}))->values<int64_t>()[1], 8);
  EXPECT_EQ(constant(attr("value_float", 1.5f))->values<float>()[0], 1.5f);
  EXPECT_EQ(constant(attr("value_floats", FloatList{1.5f, 2.5f}))->dims(), Extents({2}));
  EXPECT_EQ(constant(attr("value_string", "abc"))->strings()[0], "abc");
  EXPECT_EQ(constant(attribute("value_strings", 8).text(9, "a").text(9, "b"))->strings()[1], "b");
  EXPECT_FALSE(constant(attr("value_int", 1.5f)).ok());
  EXPECT_FALSE(constant(attr("weight", 1)).ok());
}

TEST(Conversions, TensorRtPlugins) {
  const std::vector<Message> attributes = {attr("score_threshold", 0.25f),
                                           attribute("iou_threshold", 6).packed_singles(7, {0.45f}),
                                           attribute("max_output_boxes", 7).packed_integers<int>(8, {100}),
                                           attr("background_class", -1),
                                           attr("score_activation", 0),
                                           attr("box_coding", 1),
                                           attr("plugin_version", "1"),
                                           attr("plugin_namespace", "")};
  for (const char* domain : {"", "TRT"}) {
    TestModel model = one_node(12, node("EfficientNMS_TRT", {"b", "s"}, {"n", "boxes"}, attributes, "nms", domain),
                               {value("b", {1, 200, 4}), value("s", {1, 200, 80})}, {}, {"n", "boxes"});
    const Result<Graph> graph = import_model(model);
    ASSERT_TRUE(graph.ok()) << error_of(graph);
    EXPECT_EQ(graph->nodes()[0]->outputs().size(), 4u);
    EXPECT_EQ(graph->to_string(graph->find_value("boxes")->type().tensor), "float32[1,100,4]");
  }
}

}  // namespace
}  // namespace hone::onnx
