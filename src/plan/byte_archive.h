// Little-endian bytes to values and back. One template per direction walks the same list of fields (plan_fields.h).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hone/dim.h"
#include "hone/op.h"
#include "hone/status.h"
#include "plan/engine_file.h"

namespace hone {

static_assert(std::endian::native == std::endian::little, "engine files are little-endian; swap bytes here elsewhere");

// Specialised for each struct of the file: static void visit(auto& archive, auto& object) { archive(object.a, ...); }
template <class T>
struct Fields;

// How many enumerators an enumeration of the file has; they count from 0.
template <class E>
inline constexpr int kEnumeratorCount = 0;

// Bounds on one dimension expression: nesting, and nodes of the whole tree.
inline constexpr int kMaxDimDepth = 200;
inline constexpr int kMaxDimNodes = 4096;

template <class T>
inline constexpr bool kIsPlainNumber = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

// Appends to a byte vector. Fails only on what a reader would refuse.
class ByteWriter {
 public:
  template <class... Ts>
  void operator()(const Ts&... values) {
    (write(values), ...);
  }
  Status status() const { return status_; }
  std::vector<std::byte> take() && { return std::move(bytes_); }

 private:
  void raw(const void* data, size_t size) {
    const auto* begin = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }
  void write_count(size_t count);
  void write_dim(const Dim& dim, int depth, int& nodes);
  void fail(std::string message);

  template <class T>
  requires kIsPlainNumber<T>
  void write(T value) { raw(&value, sizeof(value)); }
  template <class E>
  requires std::is_enum_v<E>
  void write(E value) { write(static_cast<uint8_t>(value)); }
  template <class T>
  requires requires { sizeof(Fields<T>); }
  void write(const T& object) { Fields<T>::visit(*this, object); }
  template <class T>
  void write(const std::vector<T>& list) {
    write_count(list.size());
    for (const T& item : list) write(item);
  }
  template <class K, class V>
  void write(const std::map<K, V>& map) {
    write_count(map.size());
    for (const auto& [key, value] : map) (*this)(key, value);
  }
  void write(bool value) { write(static_cast<uint8_t>(value)); }
  void write(const std::string& text);
  void write(const std::vector<std::byte>& bytes);
  void write(const Dim& dim);
  void write(const Tensor& tensor);
  void write(const AttrValue& value);
  void write(const OpPtr& op);
  void write(const std::shared_ptr<const Body>& body);

  std::vector<std::byte> bytes_;
  Status status_;
};

// Takes values off the front of a span. After a failure everything reads as zero or empty. Allocates in proportion to
// what was really there: a count larger than the bytes left fails at once, and lists grow as their items arrive.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, OpMaker make_op) : left_(bytes), make_op_(make_op) {}

  template <class... Ts>
  void operator()(Ts&... values) {
    (read(values), ...);
  }
  bool ok() const { return status_.ok(); }
  // Fails too when bytes are left over.
  Status finish() &&;

 private:
  bool raw(void* data, size_t size);
  size_t read_count();
  Dim read_dim(int depth, int& nodes);
  void read_dim_args(DimExpr& expr, size_t count, int depth, int& nodes);
  void fail(std::string message) { fail(corrupt_engine(std::move(message))); }
  void fail(Status status);

  template <class T>
  requires kIsPlainNumber<T>
  void read(T& value) {
    if (!raw(&value, sizeof(value))) value = 0;
  }
  template <class E>
  requires std::is_enum_v<E>
  void read(E& value) {
    static_assert(kEnumeratorCount<E> > 0);
    uint8_t number = 0;
    read(number);
    if (number >= kEnumeratorCount<E>) {
      fail("an enumeration has the unknown value " + std::to_string(number));
      number = 0;
    }
    value = static_cast<E>(number);
  }
  template <class T>
  requires requires { sizeof(Fields<T>); }
  void read(T& object) { Fields<T>::visit(*this, object); }
  template <class T>
  void read(std::vector<T>& list) {
    for (size_t i = read_count(); i > 0 && ok(); --i) {
      T item{};
      read(item);
      list.push_back(std::move(item));
    }
  }
  template <class K, class V>
  void read(std::map<K, V>& map) {
    for (size_t i = read_count(); i > 0 && ok(); --i) {
      K key{};
      V value{};
      (*this)(key, value);
      if (!map.emplace(std::move(key), std::move(value)).second) fail("a name is listed twice");
    }
  }
  void read(bool& value);
  void read(std::string& text);
  void read(std::vector<std::byte>& bytes);
  void read(Dim& dim);
  void read(Tensor& tensor);
  void read(AttrValue& value);
  void read(OpPtr& op);
  void read(std::shared_ptr<const Body>& body);

  std::span<const std::byte> left_;
  OpMaker make_op_;
  Status status_;
};

}  // namespace hone
