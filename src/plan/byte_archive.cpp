#include "plan/byte_archive.h"

#include "plan/plan_fields.h"

namespace hone {

namespace {

constexpr uint8_t kConstantTag = 0;  // the other tags are DimExpr::Kind, whose 0 (kInvalid) is never stored

bool is_sum_or_product(DimExpr::Kind kind) { return kind == DimExpr::Kind::kSum || kind == DimExpr::Kind::kProduct; }

// What a sum or product may hold in normal form. Anything else would make rebuilding multiply out, at any cost.
bool is_normal_argument(DimExpr::Kind kind, const Dim& arg) {
  if (arg.is_const() || arg.is_invalid()) return false;
  if (arg.expr()->kind == DimExpr::Kind::kSum) return false;
  return kind == DimExpr::Kind::kSum || arg.expr()->kind != DimExpr::Kind::kProduct;
}

}  // namespace

void ByteWriter::fail(std::string message) {
  if (status_.ok()) status_ = unsupported(std::move(message));
}

void ByteWriter::write_count(size_t count) {
  if (count > UINT32_MAX) fail("a list of " + std::to_string(count) + " items is too long for an engine file");
  write(static_cast<uint32_t>(count));
}

void ByteWriter::write(const std::string& text) {
  write_count(text.size());
  raw(text.data(), text.size());
}

void ByteWriter::write(const std::vector<std::byte>& bytes) {
  write_count(bytes.size());
  raw(bytes.data(), bytes.size());
}

void ByteWriter::write(const Dim& dim) {
  int nodes = 0;
  write_dim(dim, 0, nodes);
}

void ByteWriter::write_dim(const Dim& dim, int depth, int& nodes) {
  if (depth > kMaxDimDepth || ++nodes > kMaxDimNodes) {
    return fail("a dimension's expression is too large for an engine file (more than " + std::to_string(kMaxDimDepth) +
                " levels or " + std::to_string(kMaxDimNodes) + " terms); fix some input shapes with --shape");
  }
  if (dim.is_const()) return (*this)(kConstantTag, dim.value());
  if (dim.is_invalid()) return fail("a dimension is invalid");
  const DimExpr& expr = *dim.expr();
  write(expr.kind);
  if (expr.kind == DimExpr::Kind::kSymbol) return (*this)(expr.symbol, expr.nonnegative);
  if (is_sum_or_product(expr.kind)) (*this)(expr.value, static_cast<uint16_t>(expr.args.size()));
  for (const Dim& arg : expr.args) write_dim(arg, depth + 1, nodes);
}

void ByteWriter::write(const Tensor& tensor) {
  const Ints dims(tensor.dims().begin(), tensor.dims().end());
  (*this)(tensor.dtype(), dims);
  if (tensor.dtype() == DataType::kString) return write(tensor.strings());
  raw(tensor.data(), tensor.bytes());
}

void ByteWriter::write(const AttrValue& value) {
  write(static_cast<uint8_t>(value.index()));
  std::visit([this](const auto& held) { write(held); }, value);
}

void ByteWriter::write(const OpPtr& op) {
  if (op == nullptr) return fail("a step has no operator");
  (*this)(std::string(op->name()), op->describe());
}

void ByteWriter::write(const std::shared_ptr<const Body>& body) {
  write(body != nullptr);
  if (body != nullptr) write(*body);
}

Status ByteReader::finish() && {
  if (ok() && !left_.empty()) fail(std::to_string(left_.size()) + " bytes are left over");
  return std::move(status_);
}

void ByteReader::fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
  left_ = {};
}

bool ByteReader::raw(void* data, size_t size) {
  if (size > left_.size()) {
    fail("the data end too early");
    return false;
  }
  if (size != 0) std::memcpy(data, left_.data(), size);
  left_ = left_.subspan(size);
  return true;
}

size_t ByteReader::read_count() {
  uint32_t count = 0;
  read(count);
  if (count <= left_.size()) return count;  // every item takes at least a byte
  fail("a list claims " + std::to_string(count) + " items where " + std::to_string(left_.size()) + " bytes are left");
  return 0;
}

void ByteReader::read(bool& value) {
  uint8_t number = 0;
  read(number);
  if (number > 1) fail("a yes-or-no field holds " + std::to_string(number));
  value = number == 1;
}

void ByteReader::read(std::string& text) {
  text.resize(read_count());
  raw(text.data(), text.size());
}

void ByteReader::read(std::vector<std::byte>& bytes) {
  bytes.resize(read_count());
  raw(bytes.data(), bytes.size());
}

void ByteReader::read(Dim& dim) {
  int nodes = 0;
  dim = read_dim(0, nodes);
}

Dim ByteReader::read_dim(int depth, int& nodes) {
  if (depth > kMaxDimDepth || ++nodes > kMaxDimNodes) {
    fail("a dimension's expression is nested too deeply or too long");
    return 0;
  }
  uint8_t tag = 0;
  read(tag);
  if (tag == kConstantTag) {
    int64_t value = 0;
    read(value);
    return value;
  }
  if (tag > static_cast<uint8_t>(DimExpr::Kind::kBroadcast)) {
    fail("a dimension has the unknown kind " + std::to_string(tag));
    return 0;
  }
  DimExpr expr{.kind = static_cast<DimExpr::Kind>(tag)};
  if (expr.kind == DimExpr::Kind::kSymbol) {
    (*this)(expr.symbol, expr.nonnegative);
  } else if (is_sum_or_product(expr.kind)) {
    uint16_t count = 0;
    (*this)(expr.value, count);
    read_dim_args(expr, count, depth, nodes);
  } else {
    read_dim_args(expr, 2, depth, nodes);
  }
  if (!ok()) return 0;
  Dim dim = rebuild_dim(expr);
  if (dim.is_invalid()) fail("a dimension can't be computed");
  return dim;
}

void ByteReader::read_dim_args(DimExpr& expr, size_t count, int depth, int& nodes) {
  for (size_t i = 0; i < count && ok(); ++i) {
    Dim arg = read_dim(depth + 1, nodes);
    if (ok() && is_sum_or_product(expr.kind) && !is_normal_argument(expr.kind, arg)) {
      fail("a dimension isn't in normal form");
    }
    expr.args.push_back(std::move(arg));
  }
}

void ByteReader::read(Tensor& tensor) {
  DataType dtype = DataType::kUndefined;
  Ints dims;
  (*this)(dtype, dims);
  if (!ok()) return;
  const Result<int64_t> count = checked_count(dims);
  if (!count.ok() || dims.size() > kMaxRank) return fail("a tensor has the impossible shape " + to_string(dims));
  if (dtype == DataType::kString) {
    Strings strings;
    read(strings);
    if (static_cast<int64_t>(strings.size()) != *count) return fail("a tensor has the wrong number of strings");
    tensor = Tensor::of_strings(Extents(dims), std::move(strings));
    return;
  }
  const Result<size_t> bytes = checked_bytes(dtype, *count);
  if (!bytes.ok() || *bytes > left_.size()) return fail("a tensor is larger than the file");
  Result<Tensor> made = Tensor::make(dtype, dims);
  if (!made.ok()) return fail(std::move(made).status());
  raw(made->mutable_data(), *bytes);
  tensor = *std::move(made);
}

namespace {

// Default-constructs alternative `index`.
template <size_t... I>
bool emplace_alternative(AttrValue& value, size_t index, std::index_sequence<I...>) {
  return ((index == I ? (value.emplace<I>(), true) : false) || ...);
}

}  // namespace

void ByteReader::read(AttrValue& value) {
  uint8_t index = 0;
  read(index);
  if (!emplace_alternative(value, index, std::make_index_sequence<std::variant_size_v<AttrValue>>())) {
    return fail("an attribute has the unknown kind " + std::to_string(index));
  }
  std::visit([this](auto& held) { read(held); }, value);
}

void ByteReader::read(OpPtr& op) {
  std::string name;
  AttrMap attrs;
  (*this)(name, attrs);
  if (!ok()) return;
  std::unique_ptr<Op> made = make_op_(name);
  if (made == nullptr) {
    return fail(Status(Code::kIncompatibleEngine, "it needs the operator '" + name + "', which isn't there"));
  }
  if (Status status = made->read(attrs); !status.ok()) {
    return fail(Status(Code::kIncompatibleEngine, "operator '" + name + "': " + status.message()));
  }
  op = std::move(made);
}

void ByteReader::read(std::shared_ptr<const Body>& body) {
  bool present = false;
  read(present);
  if (!present) return;
  Body made;
  read(made);
  body = std::make_shared<const Body>(std::move(made));
}

}  // namespace hone
