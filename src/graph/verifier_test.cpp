#include "graph/verifier.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "ops/op_list.h"

namespace hone {
namespace {

// What verify() says of a text, whose types are taken as written.
std::string verdict(std::string_view text) {
  const Result<Graph> graph = parse_graph(text, {}, nullptr, make_op);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? verify(*graph).message() : "";
}

constexpr const char* kHead = "graph \"\" symbol N = dim 0 of %x input %x: float32[N,2]\n";

bool refuses(const std::string& tail, std::string_view reason) {
  const std::string message = verdict(kHead + tail);
  EXPECT_NE(message.find(reason), std::string::npos) << tail << "\n" << message;
  return !message.empty();
}

TEST(Verifier, AcceptsSoundGraphs) {
  EXPECT_EQ(verdict(std::string(kHead) + "%y = Relu(%x) # float32[N,2] output %y output %x"), "");
  // Dimensions that may turn out equal are not an error.
  EXPECT_EQ(verdict(std::string(kHead) + "symbol M = dim 0 of %z input %z: float32[M,2]\n"
                                         "%y = Relu(%x) # float32[M,2] output %y"),
            "");
}

TEST(Verifier, RefusesTypesThatInferenceContradicts) {
  refuses("%y = Relu(%x) # float16[N,2]", "instead of float32[N,2]");
  refuses("%y = Relu(%x) # float32[N,3]", "instead of float32[N,2]");
  refuses("%y = Relu(%x) # float32[N + 1,2]", "instead of float32[N,2]");
  refuses("%y = Relu(%x) # float32[N,2,1]", "instead of float32[N,2]");
  refuses("%y = Relu(%x) # sequence(float32[N,2])", "instead of");
  refuses("%y = Add(%x, %x, %x) # float32[N,2]", "in node 'y' (Add)");
  refuses("%y = SiLU(%x) body { $1 = Sigmoid($0) return $1 } # float32[N,3]", "instead of float32[N,2]");
}

TEST(Verifier, RefusesSymbolsWithoutTheirOwner) {
  refuses("symbol M = dim 0 of %z %y = Relu(%x) # float32[M,2]", "which doesn't exist");
  refuses("symbol M = dim 1 of %x %y = Relu(%x) # float32[M,2]", "isn't dimension 1 of the input");
  refuses("symbol M = resolved 0 of %x %y = Relu(%x) # float32[M,2]", "isn't a dimension of");
  refuses("symbol M = element 0 of %x %y = Relu(%x) # float32[M,2]", "isn't element 0 of the host value");
  EXPECT_EQ(verdict(std::string(kHead) + "symbol M = counted 0 of %y bound M <= N %y = Relu(%x) # float32[M,2]"), "");
  refuses(
      "symbol M = counted 0 of %y symbol K = counted 0 of %y bound M <= K + 1 bound K <= M\n"
      "%y = Relu(%x) # float32[M,2]",
      "goes in a circle");
}

TEST(Verifier, RefusesOutputsThatShareAName) {
  refuses("output %x as \"y\" output %x as \"y\"", "two outputs have the name 'y'");
}

TEST(Verifier, RefusesElementsThatDontFit) {
  refuses("input %k: int64[2] = (1,2,3)", "known elements");
  refuses("input %k: int64[2,1] = (1,2)", "known elements");
}

}  // namespace
}  // namespace hone
