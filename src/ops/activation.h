// Functions of one floating operand: mathematical functions, roundings and activations.
#pragma once

#include "ops/elementwise.h"

namespace hone {

struct Exp final : UnaryOp<Exp> {
  static constexpr const char* kName = "Exp";
};
struct Log final : UnaryOp<Log> {
  static constexpr const char* kName = "Log";
};
struct Sqrt final : UnaryOp<Sqrt> {
  static constexpr const char* kName = "Sqrt";
};
struct Reciprocal final : UnaryOp<Reciprocal> {
  static constexpr const char* kName = "Reciprocal";
};
struct Erf final : UnaryOp<Erf> {
  static constexpr const char* kName = "Erf";
};
struct Sin final : UnaryOp<Sin> {
  static constexpr const char* kName = "Sin";
};
struct Cos final : UnaryOp<Cos> {
  static constexpr const char* kName = "Cos";
};
struct Tan final : UnaryOp<Tan> {
  static constexpr const char* kName = "Tan";
};
struct Asin final : UnaryOp<Asin> {
  static constexpr const char* kName = "Asin";
};
struct Acos final : UnaryOp<Acos> {
  static constexpr const char* kName = "Acos";
};
struct Atan final : UnaryOp<Atan> {
  static constexpr const char* kName = "Atan";
};
struct Sinh final : UnaryOp<Sinh> {
  static constexpr const char* kName = "Sinh";
};
struct Cosh final : UnaryOp<Cosh> {
  static constexpr const char* kName = "Cosh";
};
struct Tanh final : UnaryOp<Tanh> {
  static constexpr const char* kName = "Tanh";
};
struct Asinh final : UnaryOp<Asinh> {
  static constexpr const char* kName = "Asinh";
};
struct Acosh final : UnaryOp<Acosh> {
  static constexpr const char* kName = "Acosh";
};
struct Atanh final : UnaryOp<Atanh> {
  static constexpr const char* kName = "Atanh";
};
struct Floor final : UnaryOp<Floor> {
  static constexpr const char* kName = "Floor";
};
struct Ceil final : UnaryOp<Ceil> {
  static constexpr const char* kName = "Ceil";
};
// Halves go to the even neighbour.
struct Round final : UnaryOp<Round> {
  static constexpr const char* kName = "Round";
};

// max(0, x)
struct Relu final : UnaryOp<Relu, kSignedTypes> {
  static constexpr const char* kName = "Relu";
  static std::optional<Dim> follow(const Dim& a) { return max(a, 0); }
};
// x where x >= 0, alpha * x elsewhere
struct LeakyRelu final : UnaryOp<LeakyRelu> {
  static constexpr const char* kName = "LeakyRelu";
  float alpha = 0.01f;
  static void attributes(auto& self, auto& v) { v("alpha", self.alpha); }
};
// x where x > alpha, 0 elsewhere
struct ThresholdedRelu final : UnaryOp<ThresholdedRelu> {
  static constexpr const char* kName = "ThresholdedRelu";
  float alpha = 1;
  static void attributes(auto& self, auto& v) { v("alpha", self.alpha); }
};
// x where x >= 0, alpha * (e^x - 1) elsewhere
struct Elu final : UnaryOp<Elu> {
  static constexpr const char* kName = "Elu";
  float alpha = 1;
  static void attributes(auto& self, auto& v) { v("alpha", self.alpha); }
};
// gamma * x where x > 0, gamma * alpha * (e^x - 1) elsewhere
struct Selu final : UnaryOp<Selu> {
  static constexpr const char* kName = "Selu";
  float alpha = 1.67326319217681884765625f, gamma = 1.05070102214813232421875f;
  static void attributes(auto& self, auto& v) {
    v("alpha", self.alpha);
    v("gamma", self.gamma);
  }
};
// max(0, x) + min(0, alpha * (e^(x / alpha) - 1))
struct Celu final : UnaryOp<Celu, TypeSet{DataType::kFloat32}> {
  static constexpr const char* kName = "Celu";
  float alpha = 1;
  static void attributes(auto& self, auto& v) { v("alpha", self.alpha); }
};
// 1 / (1 + e^-x)
struct Sigmoid final : UnaryOp<Sigmoid> {
  static constexpr const char* kName = "Sigmoid";
};
// max(0, min(1, alpha * x + beta))
struct HardSigmoid final : UnaryOp<HardSigmoid> {
  static constexpr const char* kName = "HardSigmoid";
  float alpha = 0.2f, beta = 0.5f;
  static void attributes(auto& self, auto& v) {
    v("alpha", self.alpha);
    v("beta", self.beta);
  }
};
// x * max(0, min(1, x / 6 + 1/2))
struct HardSwish final : UnaryOp<HardSwish> {
  static constexpr const char* kName = "HardSwish";
};
// x * sigmoid(x). Not in ONNX: what Sigmoid and Mul become together.
struct SiLU final : UnaryOp<SiLU> {
  static constexpr const char* kName = "SiLU";
};
// x * sigmoid(alpha * x)
struct Swish final : UnaryOp<Swish> {
  static constexpr const char* kName = "Swish";
  float alpha = 1;
  static void attributes(auto& self, auto& v) { v("alpha", self.alpha); }
};
// log(1 + e^x)
struct Softplus final : UnaryOp<Softplus> {
  static constexpr const char* kName = "Softplus";
};
// x / (1 + |x|)
struct Softsign final : UnaryOp<Softsign> {
  static constexpr const char* kName = "Softsign";
};
// x * tanh(softplus(x))
struct Mish final : UnaryOp<Mish> {
  static constexpr const char* kName = "Mish";
};

enum class GeluForm : uint8_t { kExact, kTanh };

template <>
struct EnumNames<GeluForm> {
  static constexpr std::pair<std::string_view, GeluForm> kNames[] = {{"none", GeluForm::kExact},
                                                                     {"tanh", GeluForm::kTanh}};
};

// x / 2 * (1 + erf(x / sqrt(2))), or x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
struct Gelu final : UnaryOp<Gelu> {
  static constexpr const char* kName = "Gelu";
  GeluForm approximate = GeluForm::kExact;
  static void attributes(auto& self, auto& v) { v("approximate", self.approximate); }
};

}  // namespace hone
