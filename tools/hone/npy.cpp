#include "tools/hone/npy.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>

#include "tools/hone/zip.h"

namespace hone::cli {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kSuffix = ".npy";
constexpr size_t kHeaderAlignment = 64;

Status damaged(std::string_view what) { return invalid_argument("the .npy data are damaged: " + std::string(what)); }

struct TypeCode {
  DataType dtype;
  std::string_view code;  // without byte order
};

constexpr TypeCode kTypes[] = {
    {DataType::kFloat32, "f4"},  {DataType::kFloat64, "f8"}, {DataType::kFloat16, "f2"}, {DataType::kInt8, "i1"},
    {DataType::kInt16, "i2"},    {DataType::kInt32, "i4"},   {DataType::kInt64, "i8"},   {DataType::kUint8, "u1"},
    {DataType::kUint16, "u2"},   {DataType::kUint32, "u4"},  {DataType::kUint64, "u8"},  {DataType::kBool, "b1"},
    {DataType::kBFloat16, "V2"},
};

struct Header {
  DataType dtype = DataType::kUndefined;
  bool swapped = false, fortran = false;
  std::vector<int64_t> dims;
  bool has_descr = false, has_order = false, has_shape = false;
};

// Reads the header: a Python literal such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Result<Header> parse() {
    Header header;
    if (!take('{')) return damaged("the header isn't a dictionary");
    while (!take('}')) {
      const std::optional<std::string> key = quoted();
      if (!key || !take(':')) return damaged("the header's keys can't be read");
      HONE_TRY(field(*key, header));
      if (!take(',') && peek() != '}') return damaged("the header's fields can't be told apart");
    }
    if (!header.has_descr || !header.has_order || !header.has_shape) return damaged("the header lacks a field");
    return header;
  }

 private:
  Status field(const std::string& key, Header& header) {
    if (key == "descr") {
      header.has_descr = true;
      return descr(header);
    }
    if (key == "fortran_order") {
      header.has_order = true;
      header.fortran = take_word("True");
      return header.fortran || take_word("False") ? Status() : damaged("fortran_order is neither True nor False");
    }
    if (key == "shape") {
      header.has_shape = true;
      return shape(header.dims);
    }
    return damaged("the header has an unknown field");
  }

  Status descr(Header& header) {
    const std::optional<std::string> text = quoted();
    if (!text) return unsupported("arrays of records aren't supported; save the fields one by one");
    std::string_view code = *text;
    if (!code.empty() && std::string_view("<>=|").find(code[0]) != std::string_view::npos) {
      header.swapped = code[0] == '>';
      code.remove_prefix(1);
    }
    for (const TypeCode& type : kTypes) {
      if (type.code == code) header.dtype = type.dtype;
    }
    if (header.dtype != DataType::kUndefined) return {};
    if (code == "O") return unsupported("arrays of Python objects aren't read; save numbers");
    return unsupported("arrays of type '" + *text + "' aren't supported");
  }

  Status shape(std::vector<int64_t>& dims) {
    if (!take('(')) return damaged("the shape isn't a tuple");
    while (!take(')')) {
      skip_blanks();
      int64_t value = 0;
      size_t digits = 0;
      while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 && ++digits < 19) {
        value = value * 10 + (text_[at_++] - '0');
      }
      if (digits == 0 || digits == 19) return damaged("the shape can't be read");
      take('L');  // long integers of Python 2
      dims.push_back(value);
      if (dims.size() > kMaxRank) return unsupported("arrays of more than 8 dimensions aren't supported");
      if (!take(',') && peek() != ')') return damaged("the shape can't be read");
    }
    return {};
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    const bool there = peek() == c;
    if (there) ++at_;
    return there;
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    const bool there = text_.substr(at_, word.size()) == word;
    if (there) at_ += word.size();
    return there;
  }
  std::optional<std::string> quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return std::nullopt;
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string inner(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return inner;
  }

  std::string_view text_;
  size_t at_ = 0;
};

void swap_bytes(std::byte* data, size_t count, size_t size) {
  for (size_t i = 0; i < count; ++i) std::reverse(data + i * size, data + (i + 1) * size);
}

// From column-major to row-major.
void reorder(const std::byte* from, std::byte* to, std::span<const int64_t> dims, size_t size) {
  const size_t count = static_cast<size_t>(count_of(dims));
  Extents strides = Extents::filled(dims.size(), 1);
  for (size_t i = 1; i < dims.size(); ++i) strides[i] = strides[i - 1] * dims[i - 1];
  Extents position = Extents::filled(dims.size(), 0);
  int64_t source = 0;
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(to + i * size, from + static_cast<size_t>(source) * size, size);
    for (size_t axis = dims.size(); axis-- > 0;) {
      source += strides[axis];
      if (++position[axis] < dims[axis]) break;
      source -= strides[axis] * dims[axis];
      position[axis] = 0;
    }
  }
}

}  // namespace

Result<Tensor> parse_npy(std::span<const std::byte> bytes) {
  const auto text = std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.substr(0, kMagic.size()) != kMagic || bytes.size() < 10) return invalid_argument("this isn't a .npy file");
  const int version = static_cast<int>(bytes[6]);
  if (version < 1 || version > 3) return unsupported(".npy format version " + std::to_string(version) + " isn't known");
  const size_t start = version == 1 ? 10 : 12;
  size_t header_bytes = 0;
  if (bytes.size() < start) return damaged("they are too short");
  std::memcpy(&header_bytes, bytes.data() + 8, start - 8);
  if (header_bytes > bytes.size() - start) return damaged("the header is longer than the file");
  HONE_ASSIGN(Header header, HeaderParser(text.substr(start, header_bytes)).parse());
  const std::span<const std::byte> data = bytes.subspan(start + header_bytes);
  HONE_ASSIGN(const int64_t count, checked_count(header.dims));
  HONE_ASSIGN(const size_t size, checked_bytes(header.dtype, count));
  if (data.size() != size) {
    return damaged("the shape asks for " + std::to_string(size) + " bytes, there are " + std::to_string(data.size()));
  }
  HONE_ASSIGN(Tensor tensor, Tensor::make(header.dtype, header.dims));
  if (size == 0) return tensor;
  const size_t element = bytes_of(header.dtype);
  if (header.fortran) {
    reorder(data.data(), tensor.mutable_data(), header.dims, element);
  } else {
    std::memcpy(tensor.mutable_data(), data.data(), size);
  }
  if (header.swapped) swap_bytes(tensor.mutable_data(), static_cast<size_t>(count), element);
  if (header.dtype == DataType::kBool) {
    // A bool is 0 or 1; NumPy takes whatever isn't 0 for true.
    std::byte* values = tensor.mutable_data();
    std::transform(values, values + size, values, [](std::byte b) { return b == std::byte{0} ? b : std::byte{1}; });
  }
  return tensor;
}

Result<std::vector<std::byte>> write_npy(const Tensor& tensor) {
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeCode& known) { return known.dtype == tensor.dtype(); });
  if (type == std::end(kTypes)) {
    return unsupported("NumPy files can't hold elements of type " + std::string(name_of(tensor.dtype())));
  }
  const char order = bytes_of(type->dtype) == 1 ? '|' : '<';
  std::string header =
      "{'descr': '" + std::string(1, order) + std::string(type->code) + "', 'fortran_order': False, 'shape': (";
  for (const int64_t dim : tensor.dims()) header += std::to_string(dim) + ", ";
  if (tensor.dims().size() > 1) header.resize(header.size() - 2);
  if (tensor.dims().size() == 1) header.pop_back();
  header += "), }";
  const size_t used = kMagic.size() + 4 + header.size() + 1;
  header += std::string((kHeaderAlignment - used % kHeaderAlignment) % kHeaderAlignment, ' ') + "\n";
  std::string start(kMagic);
  start += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  start += header;
  std::vector<std::byte> out(start.size() + tensor.bytes());
  std::memcpy(out.data(), start.data(), start.size());
  if (tensor.bytes() != 0) std::memcpy(out.data() + start.size(), tensor.data(), tensor.bytes());
  return out;
}

bool is_npz(std::span<const std::byte> bytes) {
  constexpr std::string_view kStarts[] = {"PK\x03\x04", "PK\x05\x06"};  // the second: an empty archive
  const auto text = std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with(kStarts[0]) || text.starts_with(kStarts[1]);
}

Result<std::vector<std::string>> npz_names(std::span<const std::byte> bytes) {
  HONE_ASSIGN(const std::vector<ZipEntry> entries, list_zip(bytes));
  std::vector<std::string> names;
  for (const ZipEntry& entry : entries) {
    names.push_back(entry.name.ends_with(kSuffix) ? entry.name.substr(0, entry.name.size() - kSuffix.size())
                                                  : entry.name);
  }
  return names;
}

Result<Tensor> read_npz(std::span<const std::byte> bytes, const std::string& name) {
  HONE_ASSIGN(const std::vector<ZipEntry> entries, list_zip(bytes));
  for (const ZipEntry& entry : entries) {
    if (entry.name != name && entry.name != name + std::string(kSuffix)) continue;
    HONE_ASSIGN(const std::vector<std::byte> contents, read_zip_entry(bytes, entry));
    return parse_npy(contents).with_context("array '" + name + "'");
  }
  return Status(Code::kNotFound, "the archive has no array '" + name + "'");
}

Result<std::vector<std::byte>> write_npz(std::span<const NamedTensor> tensors, bool compressed) {
  std::vector<ZipFile> files;
  for (const NamedTensor& named : tensors) {
    HONE_ASSIGN(std::vector<std::byte> bytes, write_npy(named.tensor).with_context("'" + named.name + "'"));
    files.push_back({named.name + std::string(kSuffix), std::move(bytes)});
  }
  return write_zip(files, compressed);
}

}  // namespace hone::cli
