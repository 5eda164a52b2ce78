// Random small graphs give the same results before and after the canonical passes, and after any number of rewrites.
#include <gtest/gtest.h>

#include <cmath>

#include "backends/reference/backend.h"
#include "graph/text.h"
#include "graph/verifier.h"
#include "ops/op_list.h"
#include "passes/pipeline.h"
#include "support/graph_run.h"
#include "support/tensors.h"

namespace hone {
namespace {

using test::Random;

// Draws a graph over one image input of an open batch size. Every node is one that some pass looks at.
class GraphDrawer {
 public:
  GraphDrawer(uint64_t seed, DataType dtype) : random_(seed), dtype_(dtype) {}

  Graph draw(int nodes) {
    const SymbolId batch = graph_.add_symbol({.name = "N", .kind = Symbol::Kind::kInputDim, .value = "x", .bound = 0});
    const TensorType type = {dtype_, {Dim::symbol(batch, true), 2, 6, 5}};
    images_.push_back(*graph_.add_input("x", {ValueType::Kind::kTensor, type}));
    constant_images_.push_back(constant({1, 2, 6, 5}));
    for (int i = 0; i < nodes; ++i) add_random_node();
    for (size_t i = 0; i < images_.size(); i += 1 + static_cast<size_t>(random_.integer(0, 3))) {
      graph_.add_output("image" + std::to_string(i), images_[i]);
    }
    graph_.add_output("last", images_.back());
    return std::move(graph_);
  }

 private:
  using Maker = void (GraphDrawer::*)();

  bool coin() { return random_.bits() % 2 == 0; }

  template <class T>
  T pick(const std::vector<T>& list) {
    // The latest are the likeliest, so that chains grow.
    const int64_t last = static_cast<int64_t>(list.size()) - 1;
    return list[static_cast<size_t>(std::max(random_.integer(0, last), random_.integer(0, last)))];
  }

  Value* tensor(Tensor contents) { return *graph_.add_constant("", std::move(contents)); }
  Value* constant(const Extents& dims) { return tensor(test::uniform(-1, 1)(dtype_, dims, random_)); }
  Value* scalar(double value) { return tensor(test::tensor_from_doubles(dtype_, {}, std::span(&value, 1))); }
  Value* ints(const Ints& values) {
    const auto count = static_cast<int64_t>(values.size());
    return tensor(Tensor::of<int64_t>(values, std::span(&count, 1)));
  }

  Value* node(const char* op, std::vector<Value*> inputs, const AttrMap& attributes = {}, size_t outputs = 1) {
    Result<Node*> made =
        graph_.add_node("", *make_op(op, attributes), std::move(inputs), std::vector<std::string>(outputs));
    EXPECT_TRUE(made.ok()) << made.status().message();
    return (*made)->output();
  }

  static int64_t channels(const Value* image) { return image->shape()[1].value(); }
  static int64_t size(const Value* image, size_t axis) { return image->shape()[axis].value(); }

  void keep(Value* image) { images_.push_back(image); }

  void identity() { keep(node("Identity", {pick(images_)})); }
  void dropout() { keep(node("Dropout", {pick(images_)}, {}, 2)); }
  void cast() {
    Value* image = pick(images_);
    Value* wide = node("Cast", {image}, {{"to", int64_t{static_cast<int64_t>(DataType::kFloat64)}}});
    keep(node("Cast", {wide}, {{"to", static_cast<int64_t>(dtype_)}}));
  }
  void add() {
    Value* image = pick(images_);
    for (Value* other : images_) {
      if (other->shape() == image->shape() && coin()) return keep(node("Add", {image, other}));
    }
    keep(node("Add", {image, scalar(0)}));
  }
  void affine() {
    Value* image = pick(images_);
    const char* ops[] = {"Mul", "Add", "Sub", "Div"};
    const char* op = ops[random_.integer(0, 3)];
    const Extents shapes[] = {{}, {1}, {channels(image), 1, 1}, {1, channels(image), 1, 1}, {size(image, 3)}};
    Tensor number = test::uniform(0.5, 2)(dtype_, shapes[random_.integer(0, 4)], random_);
    std::vector<Value*> operands = {image, tensor(std::move(number))};
    if (op != std::string("Div") && coin()) std::swap(operands[0], operands[1]);
    keep(node(op, operands));
  }
  void neutral() {
    Value* image = pick(images_);
    keep(coin() ? node("Mul", {image, scalar(1)}) : node("Sub", {image, scalar(0)}));
  }
  void activation() {
    const char* ops[] = {"Relu", "Sigmoid", "Tanh", "HardSwish"};
    keep(node(ops[random_.integer(0, 3)], {pick(images_)}));
  }
  void silu() {
    Value* image = pick(images_);
    Value* gate = node("Sigmoid", {image});
    keep(coin() ? node("Mul", {image, gate}) : node("Mul", {gate, image}));
    if (random_.integer(0, 4) == 0) keep(gate);
  }
  void hard_swish() {
    Value* image = pick(images_);
    Value* clipped = node("Clip", {node("Add", {image, scalar(3)}), scalar(0), scalar(6)});
    if (coin()) return keep(node("Mul", {image, node("Div", {clipped, scalar(6)})}));
    keep(node("Div", {node("Mul", {clipped, image}), scalar(6)}));
  }
  void pad() {
    const bool zeros = coin();
    const auto amount = [&] { return zeros ? 0 : random_.integer(0, 2); };
    Value* pads = ints({0, 0, amount(), amount(), 0, 0, amount(), amount()});
    keep(node("Pad", {pick(images_), pads}));
  }
  // A pad that nobody but one window reads.
  void padded_window() {
    Value* image = pick(images_);
    Value* padded = node("Pad", {image, ints({0, 0, random_.integer(0, 1), 1, 0, 0, 1, random_.integer(0, 2)})});
    if (coin()) return conv_of(padded);
    keep(node("AveragePool", {padded}, {{"kernel_shape", Ints{3, 3}}, {"count_include_pad", int64_t{coin()}}}));
  }
  void conv() { conv_of(pick(images_)); }
  void conv_of(Value* image) {
    const int64_t groups = channels(image) % 2 == 0 && coin() ? 2 : 1, outputs = groups * random_.integer(1, 2);
    const int64_t side = coin() || size(image, 2) < 2 || size(image, 3) < 2 ? 1 : 2, border = random_.integer(0, 1);
    std::vector<Value*> operands = {image, constant({outputs, channels(image) / groups, side, side})};
    if (coin()) operands.push_back(constant({outputs}));
    keep(node("Conv", operands, {{"group", groups}, {"pads", Ints(4, border)}}));
  }
  void conv_transpose() {
    Value* image = pick(images_);
    if (size(image, 2) > 8) return identity();
    const int64_t outputs = random_.integer(1, 3);
    keep(node("ConvTranspose", {image, constant({channels(image), outputs, 2, 2}), constant({outputs})}));
  }
  void batch_norm() {
    Value* image = pick(images_);
    const Extents dims = {channels(image)};
    Value* variance = tensor(test::uniform(0.5, 2)(dtype_, dims, random_));
    keep(node("BatchNormalization", {image, constant(dims), constant(dims), constant(dims), variance}));
  }
  void pool() {
    Value* image = pick(images_);
    if (size(image, 2) < 3 || size(image, 3) < 3) return identity();
    const Ints kernel = {3, 3}, pads = Ints(4, random_.integer(0, 1));
    if (coin()) return keep(node("MaxPool", {image}, {{"kernel_shape", kernel}, {"pads", pads}}));
    keep(node("AveragePool", {image},
              {{"kernel_shape", kernel}, {"pads", pads}, {"count_include_pad", int64_t{coin()}}}));
  }
  void transpose() {
    const Ints perms[] = {{0, 1, 3, 2}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 1, 2, 3}};
    keep(node("Transpose", {pick(images_)}, {{"perm", perms[random_.integer(0, 3)]}}));
  }
  // To two axes and back; half of the time through the operand's own shape.
  void reshape() {
    Value* image = pick(images_);
    Value* flat = node("Reshape", {image, ints({0, -1})});
    if (coin()) return keep(node("Reshape", {flat, node("Shape", {image})}));
    keep(node("Reshape", {flat, ints({-1, channels(image), size(image, 2), size(image, 3)})}));
  }
  void linear() {
    Value* image = pick(images_);
    const int64_t inputs = channels(image) * size(image, 2) * size(image, 3);
    if (inputs > 400) return identity();
    Value* flat = node("Flatten", {image});
    Value* made = coin() ? node("MatMul", {flat, constant({inputs, 4})})
                         : node("Gemm", {flat, constant({4, inputs}), constant({1, 4})},
                                {{"transB", int64_t{1}}, {"alpha", 0.5f}, {"beta", 2.0f}});
    made = node(coin() ? "Add" : "Mul", {made, constant({4})});
    keep(node("Reshape", {made, ints({-1, 1, 2, 2})}));
  }
  void expand() {
    Value* image = pick(images_);
    keep(node("Expand", {image, node("Shape", {image})}));
  }
  void slice() {
    Value* image = pick(images_);
    const bool whole = coin() || size(image, 2) < 2;
    keep(node("Slice", {image, ints({whole ? 0 : 1}), ints({INT64_MAX}), ints({2})}));
  }
  void concat() {
    Value* image = pick(images_);
    if (channels(image) > 6) return identity();
    keep(coin() ? node("Concat", {image}, {{"axis", int64_t{1}}})
                : node("Concat", {image, image}, {{"axis", int64_t{1}}}));
  }
  void constants() {
    Value* a = pick(constant_images_);
    constant_images_.push_back(node(coin() ? "Tanh" : "Neg", {a}));
    for (Value* image : images_) {
      const bool fits = channels(image) == 2 && size(image, 2) == 6 && size(image, 3) == 5;
      if (fits && coin()) return keep(node("Mul", {image, constant_images_.back()}));
    }
  }

  void add_random_node() {
    constexpr Maker kMakers[] = {
        &GraphDrawer::identity,      &GraphDrawer::dropout,    &GraphDrawer::cast,       &GraphDrawer::add,
        &GraphDrawer::affine,        &GraphDrawer::affine,     &GraphDrawer::neutral,    &GraphDrawer::activation,
        &GraphDrawer::silu,          &GraphDrawer::hard_swish, &GraphDrawer::pad,        &GraphDrawer::conv,
        &GraphDrawer::padded_window, &GraphDrawer::batch_norm, &GraphDrawer::pool,       &GraphDrawer::transpose,
        &GraphDrawer::reshape,       &GraphDrawer::linear,     &GraphDrawer::expand,     &GraphDrawer::slice,
        &GraphDrawer::concat,        &GraphDrawer::constants,  &GraphDrawer::batch_norm, &GraphDrawer::conv_transpose};
    (this->*kMakers[random_.integer(0, std::size(kMakers) - 1)])();
  }

  Random random_;
  DataType dtype_;
  Graph graph_;
  std::vector<Value*> images_, constant_images_;
};

PassContext context_with_reference() {
  PassContext context;
  context.evaluate = reference::evaluate;
  return context;
}

// Differences are measured against each output's largest magnitude: folding changes the order of sums.
void expect_same_outputs(const std::map<std::string, Tensor>& actual, const std::map<std::string, Tensor>& expected,
                         double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    SCOPED_TRACE(name);
    double largest = 1;
    for (const double value : test::to_doubles(tensor)) largest = std::max(largest, std::fabs(value));
    EXPECT_TRUE(test::tensors_close(actual.at(name), tensor, {0, tolerance * largest}));
  }
}

// Counts the rewrites of each pass into `rewrites`.
void check(uint64_t seed, DataType dtype, double tolerance, std::map<std::string, int64_t>& rewrites) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed + 1000000);
  const Extents dims = {random.integer(1, 3), 2, 6, 5};
  const std::map<std::string, Tensor> inputs = {{"x", test::uniform(-4, 4)(dtype, dims, random)}};
  Graph original = GraphDrawer(seed, dtype).draw(12);
  const auto expected = test::run_graph(original, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status().message();

  Graph graph = GraphDrawer(seed, dtype).draw(12);
  PassContext context = context_with_reference();
  if (seed % 2 == 1) context.max_rewrites = random.integer(0, 12);
  PassReport report;
  const Status status = run_passes(graph, context, &report);
  ASSERT_TRUE(status.ok()) << status.message() << "\n" << print_graph(original);
  for (const auto& [pass, count] : report.rewrites) rewrites[pass] += count;
  const auto actual = test::run_graph(graph, inputs);
  ASSERT_TRUE(actual.ok()) << actual.status().message();
  expect_same_outputs(*actual, *expected, tolerance);
  if (testing::Test::HasFailure()) FAIL() << print_graph(original) << print_graph(graph);

  // The portable part of an engine: the text and the weights are the graph.
  WeightsWriter weights;
  const std::string text = print_graph(graph, &weights);
  const std::vector<std::byte> bytes = weights.bytes();
  const Result<Graph> loaded = parse_graph(text, bytes, nullptr, make_op);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message() << "\n" << text;
  ASSERT_TRUE(verify(*loaded).ok()) << verify(*loaded).message() << "\n" << text;
  WeightsWriter again;
  EXPECT_EQ(print_graph(*loaded, &again), text);
  const auto reloaded = test::run_graph(*loaded, inputs);
  ASSERT_TRUE(reloaded.ok()) << reloaded.status().message();
  for (const auto& [name, tensor] : *actual) EXPECT_TRUE(test::tensors_identical(reloaded->at(name), tensor));
}

TEST(Passes, RandomGraphsKeepTheirResults) {
  std::map<std::string, int64_t> rewrites;
  for (uint64_t seed = 0; seed < 250 && !HasFailure(); ++seed) check(seed, DataType::kFloat32, 1e-4, rewrites);
  for (const Pass& pass : canonical_passes()) EXPECT_GE(rewrites[pass.name], 20) << pass.name;
}

TEST(Passes, RandomGraphsOfHalvesKeepTheirResults) {
  std::map<std::string, int64_t> rewrites;
  for (uint64_t seed = 1000; seed < 1100 && !HasFailure(); ++seed) check(seed, DataType::kFloat16, 2e-2, rewrites);
}

}  // namespace
}  // namespace hone
