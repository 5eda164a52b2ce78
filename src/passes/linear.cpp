#include "passes/linear.h"

#include <algorithm>
#include <cmath>

#include "ops/conv.h"
#include "ops/matmul.h"
#include "passes/tensors.h"

namespace hone {

std::optional<Linear> Linear::match(Node& node) {
  constexpr std::string_view kNames[] = {"Conv", "ConvTranspose", "Gemm", "MatMul"};  // in the order of Kind
  const auto name = std::find(std::begin(kNames), std::end(kNames), node.op().name());
  if (name == std::end(kNames) || node.body() != nullptr) return std::nullopt;
  const Tensor* weights = constant_operand(node, 1);
  if (weights == nullptr || !is_floating(weights->dtype())) return std::nullopt;
  Linear linear;
  linear.kind_ = static_cast<Kind>(name - std::begin(kNames));
  linear.node_ = &node;
  linear.weights_ = *to_doubles(*weights);
  const bool sound = linear.read_shape() && linear.groups_fit() && linear.read_bias() &&
                     all_finite(weights->dtype(), linear.weights_) && all_finite(weights->dtype(), linear.bias_);
  return sound ? std::optional(std::move(linear)) : std::nullopt;
}

bool Linear::read_shape() {
  const Extents& dims = node_->input(1)->constant().dims();
  const auto dim = [&](size_t i) { return static_cast<size_t>(dims[i]); };
  if (dims.size() < 2 || weights_.empty()) return false;
  switch (kind_) {
    case Kind::kConv:
      groups_ = static_cast<size_t>(static_cast<const Conv&>(node_->op()).group);
      output_channels_ = dim(0);
      input_channels_ = dim(1) * groups_;
      taps_ = weights_.size() / (dim(0) * dim(1));
      return true;
    case Kind::kConvTranspose:
      groups_ = static_cast<size_t>(static_cast<const ConvTranspose&>(node_->op()).group);
      output_channels_ = dim(1) * groups_;
      input_channels_ = dim(0);
      taps_ = weights_.size() / (dim(0) * dim(1));
      return true;
    case Kind::kGemm: {
      const auto& op = static_cast<const Gemm&>(node_->op());
      transposed_ = op.transB;
      alpha_ = static_cast<double>(op.alpha);
      output_channels_ = dim(transposed_ ? 0 : 1);
      input_channels_ = dim(transposed_ ? 1 : 0);
      input_axis_ = op.transA ? 0 : 1;
      return true;
    }
    case Kind::kMatMul:
      output_channels_ = dim(dims.size() - 1);
      input_channels_ = dim(dims.size() - 2);
      if (node_->input(0)->rank() < 2) return false;
      output_axis_ = node_->output()->rank() - 1;
      input_axis_ = node_->input(0)->rank() - 1;
      return true;
  }
  return false;
}

bool Linear::groups_fit() const {
  return groups_ > 0 && output_channels_ % groups_ == 0 && input_channels_ % groups_ == 0;
}

bool Linear::read_bias() {
  if (node_->input(2) == nullptr) return true;
  const Tensor* bias = constant_operand(*node_, 2);
  const std::optional<std::vector<double>> numbers = bias != nullptr ? to_doubles(*bias) : std::nullopt;
  if (!numbers) return false;
  bias_ = *numbers;
  if (kind_ != Kind::kGemm) return bias_.size() == output_channels_;
  // Gemm's C broadcasts to [M, N]: it must not depend on the row.
  const Extents& dims = bias->dims();
  if (dims.size() == 2 && dims[0] != 1) return false;
  if (bias_.size() == 1) bias_.resize(output_channels_, bias_.front());
  for (double& value : bias_) value *= static_cast<double>(static_cast<const Gemm&>(node_->op()).beta);
  return bias_.size() == output_channels_;
}

Linear::Channels Linear::channels_of(size_t weight) const {
  const size_t pair = weight / taps_;
  switch (kind_) {
    case Kind::kConv: {
      const size_t per_group = input_channels_ / groups_, output = pair / per_group;
      return {output, output / (output_channels_ / groups_) * per_group + pair % per_group};
    }
    case Kind::kConvTranspose: {
      const size_t per_group = output_channels_ / groups_, input = pair / per_group;
      return {input / (input_channels_ / groups_) * per_group + pair % per_group, input};
    }
    case Kind::kGemm:
      if (transposed_) return {weight / input_channels_, weight % input_channels_};
      return {weight % output_channels_, weight / output_channels_};
    case Kind::kMatMul: return {weight % output_channels_, weight / output_channels_ % input_channels_};
  }
  return {};
}

bool Linear::takes_bias() const {
  if (kind_ != Kind::kMatMul) return true;
  // As a Gemm.
  return node_->input(0)->rank() == 2 && node_->input(1)->rank() == 2;
}

bool Linear::sees_padding() const {
  if (kind_ == Kind::kConvTranspose) return true;  // fewer taps reach the border
  if (kind_ != Kind::kConv) return false;
  const auto& op = static_cast<const Conv&>(node_->op());
  const bool zeros = std::all_of(op.pads.begin(), op.pads.end(), [](int64_t pad) { return pad == 0; });
  return op.is_same() || (op.auto_pad == AutoPad::kNotSet && !zeros);
}

bool Linear::apply_after(const Affine& affine) {
  if (affine.shifts() && !takes_bias()) return false;
  for (size_t i = 0; i < weights_.size(); ++i) weights_[i] *= affine.scale[channels_of(i).output];
  if (bias_.empty() && affine.shifts()) bias_.resize(output_channels_, 0);
  for (size_t c = 0; c < bias_.size(); ++c) bias_[c] = bias_[c] * affine.scale[c] + affine.shift[c];
  return true;
}

bool Linear::apply_before(const Affine& affine) {
  if (affine.shifts() && (!takes_bias() || sees_padding())) return false;
  if (bias_.empty() && affine.shifts()) bias_.resize(output_channels_, 0);
  for (size_t i = 0; i < weights_.size(); ++i) {
    const Channels link = channels_of(i);
    if (!bias_.empty()) bias_[link.output] += alpha_ * weights_[i] * affine.shift[link.input];
    weights_[i] *= affine.scale[link.input];
  }
  return true;
}

OpPtr Linear::new_op(bool with_bias) const {
  if (kind_ == Kind::kMatMul && with_bias) return std::make_shared<Gemm>();
  if (kind_ != Kind::kGemm) return node_->op_ptr();
  auto gemm = std::make_shared<Gemm>(static_cast<const Gemm&>(node_->op()));
  gemm->beta = 1;
  return gemm;
}

Result<Node*> Linear::build(GraphEditor& editor, Node* position, Value* data, PassContext& context) const {
  const Tensor& old = node_->input(1)->constant();
  const DataType dtype = old.dtype();
  const auto bytes = static_cast<int64_t>((weights_.size() + bias_.size()) * bytes_of(dtype));
  if (!all_finite(dtype, weights_) || !all_finite(dtype, bias_) || !context.reserve(bytes) || !context.rewrite()) {
    return nullptr;
  }
  HONE_ASSIGN(Tensor weights, from_doubles(dtype, old.dims(), weights_));
  HONE_ASSIGN(Value* const weight_value, editor.add_constant(node_->input(1)->name(), std::move(weights)));
  std::vector<Value*> inputs = {data, weight_value};
  if (!bias_.empty()) {
    HONE_ASSIGN(Tensor bias, from_doubles(dtype, {static_cast<int64_t>(output_channels_)}, bias_));
    const std::string hint = node_->input(2) != nullptr ? node_->input(2)->name() : node_->input(1)->name() + "_bias";
    HONE_ASSIGN(Value* const bias_value, editor.add_constant(hint, std::move(bias)));
    inputs.push_back(bias_value);
  }
  return editor.insert_before(position, node_->name(), new_op(!bias_.empty()), std::move(inputs));
}

}  // namespace hone
