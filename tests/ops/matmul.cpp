// MatMul, Gemm and Einsum.
#include <limits>
#include <map>

#include "ops/naive.h"
#include "support/op_case.h"

namespace hone::test {

using enum DataType;

namespace {

constexpr DataType kTypes[] = {kFloat32, kFloat64, kFloat16, kBFloat16, kInt32, kInt64, kUint32, kUint64};
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Other backends sum in float32, in another order.
Tolerance sums(DataType t) { return t == kFloat16 || t == kBFloat16 ? Tolerance{2e-2, 2e-2} : Tolerance{1e-4, 1e-4}; }

// The sum over every letter's positions of the product of the operands, whose axes the terms name; broadcast axes of
// size 1 included. At most kMaxRank letters. "ij,jk->ik".
Independent sum_of_products(std::vector<std::string> terms, std::string result) {
  return [terms, result](std::span<const Tensor> inputs) {
    std::map<char, int64_t> sizes;
    std::vector<Array> operands;
    for (size_t i = 0; i < terms.size(); ++i) {
      operands.emplace_back(inputs[i]);
      for (size_t axis = 0; axis < terms[i].size(); ++axis) {
        int64_t& size = sizes.try_emplace(terms[i][axis], 1).first->second;
        if (inputs[i].dims()[axis] != 1) size = inputs[i].dims()[axis];
      }
    }
    EXPECT_LE(sizes.size(), kMaxRank);
    Extents all, out;
    std::map<char, size_t> place;
    for (const auto& [letter, size] : sizes) {
      place[letter] = all.size();
      all.push_back(size);
    }
    const auto pick = [&](const std::string& term, const Extents& at) {
      Extents picked;
      for (const char letter : term) picked.push_back(at[place[letter]]);
      return picked;
    };
    for (const char letter : result) out.push_back(sizes[letter]);
    Array y(out);
    for_each_position(all, [&](const Extents& at) {
      double product = 1;
      for (size_t i = 0; i < terms.size(); ++i) product *= operands[i].broadcast(pick(terms[i], at));
      y[pick(result, at)] += product;
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
}

OpCase matmul(DataType t, Extents a, Extents b, std::vector<std::string> terms, std::string result) {
  return {.name = terms[0] + "," + terms[1] + "->" + result,
          .op = "MatMul",
          .inputs = {random(t, a), constant(random(t, b))},
          .independent = sum_of_products(terms, result),
          .backend_tolerance = sums(t)};
}

}  // namespace

TEST(MatMul, Shapes) {
  std::vector<OpCase> cases;
  for (const DataType t : kTypes) {
    cases.push_back(matmul(t, {5, 7}, {7, 3}, {"mk", "kn"}, "mn"));
    cases.push_back(matmul(t, {2, 5, 7}, {2, 7, 3}, {"bmk", "bkn"}, "bmn"));
  }
  const auto add = [&](Extents a, Extents b, std::vector<std::string> terms, std::string result) {
    cases.push_back(matmul(kFloat32, a, b, std::move(terms), std::move(result)));
  };
  add({7}, {7}, {"k", "k"}, "");
  add({7}, {7, 3}, {"k", "kn"}, "n");
  add({5, 7}, {7}, {"mk", "k"}, "m");
  add({7}, {2, 3, 7, 4}, {"k", "abkn"}, "abn");
  add({2, 3, 4, 7}, {7}, {"abmk", "k"}, "abm");
  add({2, 3, 4, 7}, {7, 5}, {"abmk", "kn"}, "abmn");
  add({4, 7}, {2, 3, 7, 5}, {"mk", "abkn"}, "abmn");
  add({2, 1, 4, 7}, {1, 3, 7, 5}, {"abmk", "abkn"}, "abmn");
  add({3, 4, 7}, {2, 1, 7, 5}, {"bmk", "abkn"}, "abmn");
  add({1, 4, 7}, {3, 7, 5}, {"bmk", "bkn"}, "bmn");
  add({1, 2, 1, 2, 1, 3, 4}, {2, 1, 2, 1, 2, 4, 2}, {"abcdemk", "abcdekn"}, "abcdemn");
  add({1, 1}, {1, 1}, {"mk", "kn"}, "mn");
  add({3, 2}, {2, 700}, {"mk", "kn"}, "mn");
  add({64, 48}, {48, 80}, {"mk", "kn"}, "mn");
  add({3, 0}, {0, 4}, {"mk", "kn"}, "mn");
  add({0, 3}, {3, 4}, {"mk", "kn"}, "mn");
  add({2, 3}, {3, 0}, {"mk", "kn"}, "mn");
  add({0, 2, 3}, {1, 3, 4}, {"bmk", "bkn"}, "bmn");
  add({0}, {0}, {"k", "k"}, "");
  check_cases(cases);
}

TEST(MatMul, Special) {
  constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();
  check_cases({
      {.name = "int32 wraps",
       .op = "MatMul",
       .inputs = {given(tensor<int32_t>({1, 2}, {kLargest, 1})), given(tensor<int32_t>({2, 1}, {2, 5}))},
       .expected = {tensor<int32_t>({1, 1}, {3})}},
      {.name = "uint32 wraps",
       .op = "MatMul",
       .inputs = {given(tensor<uint32_t>({1, 2}, {0xffffffffu, 1})), given(tensor<uint32_t>({2, 1}, {2, 5}))},
       .expected = {tensor<uint32_t>({1, 1}, {3})}},
      {.name = "int64 exact",
       .op = "MatMul",
       .inputs = {given(tensor<int64_t>({1, 2}, {(int64_t{1} << 60) + 1, -1})), given(tensor<int64_t>({2, 1}, {1, 2}))},
       .expected = {tensor<int64_t>({1, 1}, {(int64_t{1} << 60) - 1})}},
      {.name = "no overflow in between",
       .op = "MatMul",
       .inputs = {given(tensor<Half>({1, 2}, {60000.f, 60000.f})), given(tensor<Half>({2, 1}, {1.f, -0.5f}))},
       .expected = {tensor<Half>({1, 1}, {30000.f})}},
      {.name = "NaN and infinities",
       .op = "MatMul",
       .inputs = {given(tensor<float>({2, 2}, {kInf, 0, kNaN, 1})), given(tensor<float>({2, 2}, {1, 0, 1, 1}))},
       .expected = {tensor<float>({2, 2}, {kInf, kNaN, kNaN, kNaN})}},
  });
}

TEST(MatMul, Refused) {
  const auto bad = [](std::string name, CaseOperand a, CaseOperand b, std::string message) {
    return OpCase{
        .name = std::move(name), .op = "MatMul", .inputs = {std::move(a), std::move(b)}, .refused = std::move(message)};
  };
  check_cases({
      bad("other depth", random(kFloat32, {2, 3}), random(kFloat32, {4, 2}), "must be equal: 3 and 4"),
      bad("other batch", random(kFloat32, {2, 2, 3}), random(kFloat32, {3, 3, 2}), "can't be broadcast"),
      bad("scalar", random(kFloat32, {}), random(kFloat32, {3}), "operand 0 is a scalar"),
      bad("mixed types", random(kFloat32, {2, 3}), random(kFloat64, {3, 2}), "differ in type"),
      bad("bytes", random(kInt8, {2, 3}), random(kInt8, {3, 2}), "operand 0 has the type int8"),
  });
}

namespace {

// alpha * A' * B' + beta * C on doubles.
Independent gemm(double alpha, double beta, bool trans_a, bool trans_b) {
  return [=](std::span<const Tensor> inputs) {
    const Array a(inputs[0]), b(inputs[1]);
    const int64_t depth = a.dims()[trans_a ? 0 : 1];
    Array y(Extents{a.dims()[trans_a ? 1 : 0], b.dims()[trans_b ? 0 : 1]});
    for_each_position(y.dims(), [&](const Extents& at) {
      double sum = 0;
      for (int64_t k = 0; k < depth; ++k) {
        const double left = trans_a ? a[{k, at[0]}] : a[{at[0], k}];
        sum += left * (trans_b ? b[{at[1], k}] : b[{k, at[1]}]);
      }
      y[at] = alpha * sum;
      if (inputs.size() > 2 && inputs[2].defined()) y[at] += beta * Array(inputs[2]).broadcast(at);
    });
    return std::vector<Tensor>{y.tensor(inputs[0].dtype())};
  };
}

}  // namespace

TEST(Gemm, Cases) {
  std::vector<OpCase> cases;
  for (const DataType t : kTypes) {
    cases.push_back({.name = "plain",
                     .op = "Gemm",
                     .inputs = {random(t, {4, 5}), constant(random(t, {5, 3}))},
                     .independent = gemm(1, 1, false, false),
                     .backend_tolerance = sums(t)});
    cases.push_back({.name = "scaled",
                     .op = "Gemm",
                     .attributes = {{"alpha", 2.f}, {"beta", 3.f}, {"transB", int64_t{1}}},
                     .inputs = {random(t, {4, 5}), constant(random(t, {3, 5})), constant(random(t, {3}))},
                     .independent = gemm(2, 3, false, true),
                     .backend_tolerance = sums(t)});
  }
  for (const bool trans_a : {false, true}) {
    for (const bool trans_b : {false, true}) {
      for (const Extents& c :
           {Extents{4, 3}, Extents{1, 3}, Extents{4, 1}, Extents{1, 1}, Extents{3}, Extents{1}, Extents{}}) {
        cases.push_back({.name = "C " + to_string(c),
                         .op = "Gemm",
                         .attributes = {{"alpha", 0.5f},
                                        {"beta", -1.5f},
                                        {"transA", int64_t{trans_a}},
                                        {"transB", int64_t{trans_b}}},
                         .inputs = {random(kFloat32, trans_a ? Extents{5, 4} : Extents{4, 5}),
                                    constant(random(kFloat32, trans_b ? Extents{3, 5} : Extents{5, 3})),
                                    constant(random(kFloat32, c))},
                         .independent = gemm(0.5, -1.5, trans_a, trans_b),
                         .backend_tolerance = sums(kFloat32)});
      }
    }
  }
  const auto add = [&](std::string name, Extents a, Extents b, bool trans_b) {
    cases.push_back({.name = std::move(name),
                     .op = "Gemm",
                     .attributes = {{"transB", int64_t{trans_b}}},
                     .inputs = {random(kFloat32, a), constant(random(kFloat32, b))},
                     .independent = gemm(1, 1, false, trans_b),
                     .backend_tolerance = sums(kFloat32)});
  };
  add("wide", {3, 20}, {20, 700}, false);
  add("wide, transposed", {3, 20}, {700, 20}, true);
  add("no depth", {3, 0}, {0, 4}, false);
  add("no rows", {0, 3}, {3, 4}, false);
  cases.push_back({.name = "no depth, bias",
                   .op = "Gemm",
                   .inputs = {random(kFloat32, {3, 0}), random(kFloat32, {0, 4}), random(kFloat32, {4})},
                   .independent = gemm(1, 1, false, false)});
  check_cases(cases);
}

TEST(Gemm, Special) {
  const auto ones = given(tensor<float>({1, 1}, {1}));
  check_cases({
      {.name = "beta 0 hides C",
       .op = "Gemm",
       .attributes = {{"beta", 0.f}},
       .inputs = {ones, ones, given(tensor<float>({1}, {kNaN}))},
       .expected = {tensor<float>({1, 1}, {1})}},
      {.name = "an integer times a fraction truncates",
       .op = "Gemm",
       .attributes = {{"alpha", 0.5f}},
       .inputs = {given(tensor<int32_t>({1, 1}, {-7})), given(tensor<int32_t>({1, 1}, {1}))},
       .expected = {tensor<int32_t>({1, 1}, {-3})}},
      {.name = "absent C", .op = "Gemm", .inputs = {ones, ones, absent()}, .expected = {tensor<float>({1, 1}, {1})}},
  });
}

TEST(Gemm, Refused) {
  const auto bad = [](std::string name, AttrMap attributes, Extents a, Extents b, Extents c, std::string message) {
    return OpCase{.name = std::move(name),
                  .op = "Gemm",
                  .attributes = std::move(attributes),
                  .inputs = {random(kFloat32, a), random(kFloat32, b), random(kFloat32, c)},
                  .refused = std::move(message)};
  };
  check_cases({
      bad("other depth", {}, {2, 3}, {4, 2}, {2}, "must be equal: 3 and 4"),
      bad("other depth, transposed", {{"transA", int64_t{1}}}, {2, 3}, {3, 2}, {2}, "must be equal: 2 and 3"),
      bad("rank 3", {}, {1, 2, 3}, {3, 2}, {2}, "rank 3"),
      bad("C of rank 3", {}, {2, 3}, {3, 2}, {1, 1, 2}, "operand 2 has rank 3"),
      bad("C that doesn't broadcast", {}, {2, 3}, {3, 2}, {3}, "broadcast"),
      bad("C that would grow the result", {}, {2, 3}, {3, 1}, {2}, "must be equal: 2 and 1"),
  });
}

namespace {

// A case whose terms the independent sum gets with the ellipsis spelled out.
OpCase einsum(std::string equation, std::vector<Extents> operands, std::vector<std::string> terms, std::string result,
              DataType t = kFloat32) {
  OpCase op_case{.name = equation,
                 .op = "Einsum",
                 .attributes = {{"equation", equation}},
                 .independent = sum_of_products(std::move(terms), std::move(result)),
                 .backend_tolerance = sums(t)};
  for (const Extents& dims : operands) op_case.inputs.push_back(random(t, dims));
  return op_case;
}

}  // namespace

TEST(Einsum, Equations) {
  std::vector<OpCase> cases;
  for (const DataType t :
       {kFloat32, kFloat64, kFloat16, kBFloat16, kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64}) {
    const Generator small = uniform(0, 2);
    OpCase every = einsum("ij,jk->ik", {{2, 3}, {3, 4}}, {"ij", "jk"}, "ik", t);
    for (CaseOperand& operand : every.inputs) operand.generate = small;
    cases.push_back(every);
  }
  for (const OpCase& more : {
           einsum("ij->ji", {{2, 3}}, {"ij"}, "ji"),
           einsum("ij->", {{2, 3}}, {"ij"}, ""),
           einsum("ij->j", {{2, 3}}, {"ij"}, "j"),
           einsum("ii->i", {{3, 3}}, {"ii"}, "i"),
           einsum("ii", {{3, 3}}, {"ii"}, ""),
           einsum("iij->j", {{3, 3, 2}}, {"iij"}, "j"),
           einsum("bii->bi", {{2, 3, 3}}, {"bii"}, "bi"),
           einsum("i,i->", {{5}, {5}}, {"i", "i"}, ""),
           einsum("i,j->ij", {{3}, {4}}, {"i", "j"}, "ij"),
           einsum("i,j", {{3}, {4}}, {"i", "j"}, "ij"),
           einsum("ba", {{2, 3}}, {"ba"}, "ab"),
           einsum("aB", {{2, 3}}, {"aB"}, "Ba"),
           einsum("bij,bjk->bik", {{2, 3, 4}, {2, 4, 5}}, {"bij", "bjk"}, "bik"),
           einsum("bij,bjk", {{2, 3, 4}, {2, 4, 5}}, {"bij", "bjk"}, "ik"),
           einsum("bhid,bhjd->bhij", {{2, 2, 3, 300}, {2, 2, 4, 300}}, {"bhid", "bhjd"}, "bhij"),
           einsum("ij,jk,kl->il", {{2, 3}, {3, 4}, {4, 2}}, {"ij", "jk", "kl"}, "il"),
           einsum("a,ab,b,b->", {{3}, {3, 4}, {4}, {4}}, {"a", "ab", "b", "b"}, ""),
           einsum(" i j , j k -> k i ", {{2, 3}, {3, 4}}, {"ij", "jk"}, "ki"),
           einsum(",i->i", {{}, {4}}, {"", "i"}, "i"),
           einsum("->", {{}}, {""}, ""),
           einsum(",", {{}, {}}, {"", ""}, ""),
           einsum("...ij,...jk->...ik", {{2, 3, 4, 5}, {2, 3, 5, 2}}, {"abij", "abjk"}, "abik"),
           einsum("...ij,...jk", {{2, 4, 5}, {2, 5, 2}}, {"aij", "ajk"}, "aik"),
           einsum("...ij,jk->ik...", {{2, 3, 4, 5}, {5, 2}}, {"abij", "jk"}, "ikab"),
           einsum("...i,...i->...", {{2, 3, 4}, {3, 4}}, {"abi", "bi"}, "ab"),
           einsum("i...,i...->...", {{4, 2, 1}, {4, 3}}, {"iab", "ib"}, "ab"),
           einsum("...i->i", {{2, 3, 4}}, {"abi"}, "i"),
           einsum("...->...", {{2, 3}}, {"ab"}, "ab"),
           einsum("...", {{2, 3}}, {"ab"}, "ab"),
           einsum("...ii->...i", {{2, 3, 3}}, {"aii"}, "ai"),
           einsum("...i->...i", {{4}}, {"i"}, "i"),
           einsum("i,i->i", {{1}, {4}}, {"i", "i"}, "i"),
           einsum("ij,ij->ij", {{1, 4}, {3, 1}}, {"ij", "ij"}, "ij"),
           einsum("ij,jk->ik", {{2, 0}, {0, 3}}, {"ij", "jk"}, "ik"),
           einsum("ij,jk->ik", {{0, 2}, {2, 3}}, {"ij", "jk"}, "ik"),
           einsum("abcdefgh->hgfedcba", {{1, 2, 1, 2, 1, 2, 1, 3}}, {"abcdefgh"}, "hgfedcba"),
           einsum("ab,cd,ef,gh->a", {{2, 2}, {2, 2}, {2, 2}, {2, 2}}, {"ab", "cd", "ef", "gh"}, "a"),
       }) {
    cases.push_back(more);
  }
  check_cases(cases);
}

TEST(Einsum, Refused) {
  const auto bad = [](std::string equation, std::vector<Extents> operands, std::string message) {
    OpCase op_case{
        .name = equation, .op = "Einsum", .attributes = {{"equation", equation}}, .refused = std::move(message)};
    for (const Extents& dims : operands) op_case.inputs.push_back(random(kFloat32, dims));
    return op_case;
  };
  check_cases({
      bad("ij,jk->ik", {{2, 3}}, "has 1 operands"),
      bad("ij->ij", {{2, 3}, {2}}, "has 2 operands"),
      bad("ij", {{2, 3, 4}}, "its term is 'ij'"),
      bad("...ij", {{2}}, "its term is '...ij'"),
      bad("ij,jk->ik", {{2, 3}, {4, 2}}, "can't be broadcast"),
      bad("ii->i", {{2, 3}}, "with the same letter"),
      bad("i->j", {{2}}, "no operand has"),
      bad("i->ii", {{2}}, "named before"),
      bad("i1", {{2, 3}}, "letters, spaces"),
      bad("i..j", {{2, 3}}, "letters, spaces"),
      bad("...i...", {{2, 3}}, "at most one"),
      bad("i->i->i", {{2}}, "letters, spaces"),
      bad("i-i", {{2, 3}}, "letters, spaces"),
      bad("abcd,efgh,i->abcdefghi", {{1, 1, 1, 1}, {1, 1, 1, 1}, {1}}, "more than 8 axes"),
      bad("abcd,efgh,i", {{1, 1, 1, 1}, {1, 1, 1, 1}, {1}}, "more than 8 axes"),
      bad(std::string(1000, ','), {{}}, "more than 256 terms"),
      {.name = "bool",
       .op = "Einsum",
       .attributes = {{"equation", "i"}},
       .inputs = {random(kBool, {2})},
       .refused = "operand 0 has the type bool"},
      {.name = "no equation", .op = "Einsum", .inputs = {random(kFloat32, {2})}, .refused = "its term is ''"},
  });
}

}  // namespace hone::test
