#include "hone/op.h"

#include <algorithm>

namespace hone {

namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string operand(size_t i) { return "operand " + std::to_string(i); }

}  // namespace

const AttrValue* AttrReader::find(std::string_view name) {
  for (size_t i = 0; i < attrs_.size(); ++i) {
    if (attrs_[i].first == name) {
      used_[i] = true;
      return &attrs_[i].second;
    }
  }
  return nullptr;
}

void AttrReader::fail(std::string_view name, std::string_view why) {
  if (status_.ok()) status_ = invalid_model("attribute " + quoted(name) + " " + std::string(why));
}

namespace {

// Takes the scalar T, or the only element of a list of T, out of an attribute.
template <class T, class List>
bool take_scalar(const AttrValue& attr, T& value) {
  if (const T* scalar = std::get_if<T>(&attr)) {
    value = *scalar;
    return true;
  }
  const List* list = std::get_if<List>(&attr);
  if (list == nullptr || list->size() != 1) return false;
  value = list->front();
  return true;
}

template <class T>
bool take(const AttrValue& attr, T& value) {
  const T* stored = std::get_if<T>(&attr);
  if (stored != nullptr) value = *stored;
  return stored != nullptr;
}

}  // namespace

void AttrReader::read(std::string_view name, int64_t& value) {
  const AttrValue* attr = find(name);
  if (attr && !take_scalar<int64_t, Ints>(*attr, value)) fail(name, "must be an integer");
}

void AttrReader::read(std::string_view name, float& value) {
  const AttrValue* attr = find(name);
  if (attr && !take_scalar<float, Floats>(*attr, value)) fail(name, "must be a float");
}

void AttrReader::read(std::string_view name, std::string& value) {
  const AttrValue* attr = find(name);
  if (attr && !take_scalar<std::string, Strings>(*attr, value)) fail(name, "must be a string");
}

void AttrReader::read(std::string_view name, Ints& value) {
  const AttrValue* attr = find(name);
  if (attr && !take(*attr, value)) fail(name, "must be a list of integers");
}

void AttrReader::read(std::string_view name, Floats& value) {
  const AttrValue* attr = find(name);
  if (attr && !take(*attr, value)) fail(name, "must be a list of floats");
}

void AttrReader::read(std::string_view name, Strings& value) {
  const AttrValue* attr = find(name);
  if (attr && !take(*attr, value)) fail(name, "must be a list of strings");
}

void AttrReader::read(std::string_view name, Tensor& value) {
  const AttrValue* attr = find(name);
  if (attr && !take(*attr, value)) fail(name, "must be a tensor");
}

Status AttrReader::finish() && {
  for (size_t i = 0; i < attrs_.size(); ++i) {
    if (!used_[i]) fail(attrs_[i].first, "is unknown to this operator");
  }
  return std::move(status_);
}

const Tensor* InferContext::contents(size_t i) {
  if (!has_input(i)) return nullptr;
  if (inputs_[i].constant == nullptr && symbols_ != nullptr) symbols_->need_contents(i);
  return inputs_[i].constant;
}

std::optional<std::vector<Dim>> InferContext::elements(size_t i) {
  if (!has_input(i)) return std::nullopt;
  if (inputs_[i].elements) return inputs_[i].elements;
  if (symbols_ == nullptr) return std::nullopt;
  return symbols_->elements(i);
}

std::optional<Ints> InferContext::constant_ints(size_t i) {
  const std::optional<std::vector<Dim>> dims = elements(i);
  if (!dims) return std::nullopt;
  Ints values;
  for (const Dim& dim : *dims) {
    if (!dim.is_const()) return std::nullopt;
    values.push_back(dim.value());
  }
  return values;
}

Dim InferContext::resolved_later(std::string_view hint) {
  return symbols_ == nullptr ? Dim::invalid() : symbols_->resolved_later(hint);
}

Dim InferContext::counted(const Dim& bound, std::string_view hint) {
  // With everything known but the count itself, the bound is the answer.
  return symbols_ == nullptr ? bound : symbols_->counted(bound, hint);
}

Status InferContext::require_equal(const Dim& a, const Dim& b, std::string_view what) {
  if (a == b) return {};
  const Dim difference = a - b;
  if (difference.is_const() && difference.value() != 0) {
    return invalid_model(std::string(what) + " must be equal: " +
                         (a.is_const() && b.is_const()
                              ? std::to_string(a.value()) + " and " + std::to_string(b.value())
                              : "they always differ by " + std::to_string(difference.value())));
  }
  requirements_.push_back({DimRequirement::Kind::kEqual, a, b});
  return {};
}

Result<Dim> InferContext::broadcast_dim(const Dim& a, const Dim& b) {
  if (a == b || a == Dim(1) || b == Dim(1)) return broadcast(a, b);
  if (a.is_const() && b.is_const()) {
    return invalid_model("dimensions " + std::to_string(a.value()) + " and " + std::to_string(b.value()) +
                         " can't be broadcast");
  }
  requirements_.push_back({DimRequirement::Kind::kBroadcastable, a, b});
  return broadcast(a, b);
}

Result<Shape> InferContext::broadcast_shapes(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); ++i) {
    const Dim x = i < a.size() ? a[a.size() - 1 - i] : Dim(1);
    const Dim y = i < b.size() ? b[b.size() - 1 - i] : Dim(1);
    HONE_ASSIGN(out[out.size() - 1 - i], broadcast_dim(x, y));
  }
  return out;
}

Status InferContext::expect_inputs(size_t min, size_t max) const {
  if (inputs_.size() > max) {
    return invalid_model("has " + std::to_string(inputs_.size()) + " operands, at most " + std::to_string(max) +
                         " are allowed");
  }
  for (size_t i = 0; i < min; ++i) {
    if (!has_input(i)) return invalid_model(operand(i) + " is missing");
  }
  return {};
}

Status InferContext::expect_rank(size_t i, size_t expected) const {
  if (rank(i) == expected) return {};
  return invalid_model(operand(i) + " has rank " + std::to_string(rank(i)) + ", expected " + std::to_string(expected));
}

Status InferContext::expect_same_dtype(size_t a, size_t b) const {
  if (dtype(a) == dtype(b)) return {};
  return invalid_model("operands " + std::to_string(a) + " and " + std::to_string(b) +
                       " differ in type: " + std::string(name_of(dtype(a))) + " and " + std::string(name_of(dtype(b))));
}

Status InferContext::expect_dtype(size_t i, std::initializer_list<DataType> allowed) const {
  if (std::find(allowed.begin(), allowed.end(), dtype(i)) != allowed.end()) return {};
  return invalid_model(operand(i) + " has the type " + std::string(name_of(dtype(i))) + ", which isn't allowed here");
}

Result<int64_t> InferContext::normalize_axis(int64_t axis, size_t rank) {
  const int64_t r = static_cast<int64_t>(rank);
  if (axis < -r || axis >= r) {
    return invalid_model("axis " + std::to_string(axis) + " is outside [-" + std::to_string(r) + ", " +
                         std::to_string(r) + ")");
  }
  return axis < 0 ? axis + r : axis;
}

}  // namespace hone
