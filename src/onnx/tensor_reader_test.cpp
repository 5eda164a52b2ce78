#include "onnx/tensor_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "hone/onnx_value.h"
#include "onnx/test_model.h"

namespace hone::onnx {
namespace {

using test::bytes_of_values;
using test::Message;

Result<Tensor> read(const Message& message) {
  const auto* data = reinterpret_cast<const std::byte*>(message.bytes().data());
  return read_onnx_tensor(std::span(data, message.bytes().size()));
}

std::string bytes_of(const Tensor& tensor) { return {reinterpret_cast<const char*>(tensor.data()), tensor.bytes()}; }

Message typed(DataType dtype, const std::vector<int64_t>& dims) { return test::tensor("t", dtype, dims); }

TEST(OnnxValue, EveryTypeSurvivesARoundTrip) {
  std::mt19937 random(7);
  for (int type = 1; type < kDataTypeCount; ++type) {
    const auto dtype = static_cast<DataType>(type);
    if (dtype == DataType::kString) continue;
    Tensor tensor = *Tensor::make(dtype, std::vector<int64_t>{3, 5});
    for (size_t i = 0; i < tensor.bytes(); ++i) {
      tensor.mutable_data()[i] = static_cast<std::byte>(dtype == DataType::kBool ? random() % 2 : random());
    }
    std::string name;
    const Result<Tensor> back = read_onnx_tensor(write_onnx_tensor(tensor, "weight"), &name);
    ASSERT_TRUE(back.ok()) << name_of(dtype) << ": " << back.status().message();
    EXPECT_EQ(name, "weight");
    EXPECT_EQ(back->dtype(), dtype);
    EXPECT_EQ(back->dims(), tensor.dims());
    EXPECT_EQ(bytes_of(*back), bytes_of(tensor)) << name_of(dtype);
  }
}

TEST(OnnxValue, StringsSurviveARoundTrip) {
  const std::vector<std::string> strings = {"", "a", std::string("nul\0in", 6), "ünïcode"};
  const Result<Tensor> back = read_onnx_tensor(write_onnx_tensor(Tensor::of_strings({2, 2}, strings), ""));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(back->strings(), strings);
  EXPECT_EQ(back->dims(), Extents({2, 2}));
}

TEST(OnnxValue, EmptyAndScalarTensors) {
  const Result<Tensor> empty = read(typed(DataType::kFloat32, {0, 3}));
  ASSERT_TRUE(empty.ok()) << empty.status().message();
  EXPECT_EQ(empty->count(), 0);
  const Result<Tensor> scalar = read(typed(DataType::kFloat32, {}).single(4, 2.5f));
  ASSERT_TRUE(scalar.ok()) << scalar.status().message();
  EXPECT_EQ(scalar->values<float>()[0], 2.5f);
}

TEST(TensorReader, TypedContents) {
  struct Case {
    Message message;
    std::string expected;
  };
  using D = DataType;
  const Case cases[] = {
      {typed(D::kFloat32, {2}).packed_singles(4, {1.5f, -2.0f}), bytes_of_values<float>({1.5f, -2.0f})},
      {typed(D::kComplex64, {1}).packed_singles(4, {1.5f, -2.0f}), bytes_of_values<float>({1.5f, -2.0f})},
      {typed(D::kFloat64, {2}).packed_doubles(10, {1.5, -2.0}), bytes_of_values<double>({1.5, -2.0})},
      {typed(D::kComplex128, {1}).packed_doubles(10, {1.5, -2.0}), bytes_of_values<double>({1.5, -2.0})},
      {typed(D::kInt32, {2}).packed_integers<int>(5, {-7, 9}), bytes_of_values<int32_t>({-7, 9})},
      {typed(D::kInt16, {2}).packed_integers<int>(5, {-7, 9}), bytes_of_values<int16_t>({-7, 9})},
      {typed(D::kInt8, {2}).packed_integers<int>(5, {-128, 127}), bytes_of_values<int8_t>({-128, 127})},
      {typed(D::kUint8, {2}).packed_integers<int>(5, {0, 255}), bytes_of_values<uint8_t>({0, 255})},
      {typed(D::kUint16, {2}).packed_integers<int>(5, {1, 65535}), bytes_of_values<uint16_t>({1, 65535})},
      {typed(D::kBool, {3}).packed_integers<int>(5, {1, 0, 2}), bytes_of_values<uint8_t>({1, 0, 1})},
      {typed(D::kFloat16, {2}).packed_integers<int>(5, {0x3c00, 0xc000}), bytes_of_values<uint16_t>({0x3c00, 0xc000})},
      {typed(D::kBFloat16, {1}).packed_integers<int>(5, {0x3f80}), bytes_of_values<uint16_t>({0x3f80})},
      {typed(D::kFloat8E5M2, {2}).packed_integers<int>(5, {0x3c, 0xff}), bytes_of_values<uint8_t>({0x3c, 0xff})},
      {typed(D::kInt4, {3}).packed_integers<int>(5, {0x21, 0x0f}), bytes_of_values<uint8_t>({0x21, 0x0f})},
      {typed(D::kUint2, {5}).packed_integers<int>(5, {0xe4, 0x01}), bytes_of_values<uint8_t>({0xe4, 0x01})},
      {typed(D::kInt64, {2}).packed_integers<int64_t>(7, {INT64_MIN, 5}), bytes_of_values<int64_t>({INT64_MIN, 5})},
      {typed(D::kUint64, {1}).packed_integers<int64_t>(11, {-1}), bytes_of_values<uint64_t>({UINT64_MAX})},
      {typed(D::kUint32, {1}).packed_integers<int64_t>(11, {4294967295}), bytes_of_values<uint32_t>({4294967295u})},
  };
  for (const Case& c : cases) {
    const Result<Tensor> tensor = read(c.message);
    ASSERT_TRUE(tensor.ok()) << tensor.status().message();
    EXPECT_EQ(bytes_of(*tensor), c.expected) << name_of(tensor->dtype());
  }
}

TEST(TensorReader, UnpackedContentsInSeveralPieces) {
  Message message = typed(DataType::kInt32, {4}).integer(5, 1).packed_integers<int>(5, {-2, 3}).integer(5, 4);
  const Result<Tensor> tensor = read(message);
  ASSERT_TRUE(tensor.ok()) << tensor.status().message();
  EXPECT_EQ(bytes_of(*tensor), bytes_of_values<int32_t>({1, -2, 3, 4}));
}

TEST(TensorReader, RefusesWhatContradictsItself) {
  using D = DataType;
  const std::string four = bytes_of_values<float>({1, 2, 3, 4});
  const Message external = Message().text(1, "location").text(2, "w.bin");
  const std::pair<Message, const char*> cases[] = {
      {typed(D::kFloat32, {4}).text(9, four).packed_singles(4, {1, 2, 3, 4}), "more than one place"},
      {typed(D::kFloat32, {4}).text(9, four).message(13, external).integer(14, 1), "more than one place"},
      {typed(D::kFloat32, {5}).text(9, four), "raw_data has 16 bytes, but float32[5] needs 20"},
      {typed(D::kFloat32, {3}).text(9, four), "raw_data has 16 bytes, but float32[3] needs 12"},
      {typed(D::kFloat32, {3}).packed_singles(4, {1, 2}), "less than the 3 values"},
      {typed(D::kFloat32, {1}).packed_singles(4, {1, 2}), "more than the 1 values"},
      {typed(D::kFloat32, {0}).packed_singles(4, {1}), "more than the 0 values"},
      {typed(D::kFloat32, {2}), "has no contents"},
      {typed(D::kFloat32, {2}).packed_integers<int>(7, {1, 2}), "belong into float_data"},
      {typed(D::kInt64, {2}).packed_integers<int>(5, {1, 2}), "belong into int64_data"},
      {typed(D::kInt8, {1}).packed_integers<int>(5, {256}), "doesn't fit 8 bits"},
      {typed(D::kInt8, {1}).packed_integers<int>(5, {-129}), "doesn't fit 8 bits"},
      {typed(D::kInt4, {3}).packed_integers<int>(5, {1}), "less than the 2 values"},
      {typed(D::kString, {1}).text(9, "abc"), "belong into string_data"},
      {typed(D::kString, {2}).text(6, "abc"), "less than the 2 values"},
      {typed(D::kString, {INT64_MAX}), "less than"},
      {typed(D::kFloat32, {-1}).text(9, ""), "is negative"},
      {typed(D::kFloat32, {0, -5}), "is negative"},
      {typed(D::kFloat32, {int64_t{1} << 62, 4}).text(9, four), "more than 2^63 - 1"},
      {typed(D::kFloat32, {int64_t{1} << 62}).text(9, four), "exceed"},
      {typed(D::kFloat32, {int64_t{1} << 40}).packed_singles(4, {1}), "less than"},
      {typed(D::kUndefined, {1}).text(9, "a"), "no data_type"},
      {typed(static_cast<D>(99), {1}).text(9, "a"), "unknown data_type 99"},
      {typed(D::kFloat32, {1}).message(3, Message().integer(1, 0)).text(9, "abcd"), "segments"},
      {typed(D::kFloat32, {1}).text(1, "\xff"), "malformed protobuf"},
      {typed(D::kFloat32, std::vector<int64_t>(9, 1)).text(9, "abcd"), "has rank 9"},
      {typed(D::kFloat32, {1}).message(13, external).integer(14, 1), "only initializers may"},
  };
  for (const auto& [message, expected] : cases) {
    const Result<Tensor> tensor = read(message);
    ASSERT_FALSE(tensor.ok()) << expected;
    EXPECT_NE(tensor.status().message().find(expected), std::string::npos) << tensor.status().message();
    EXPECT_NE(tensor.status().message().find("tensor 't'"), std::string::npos) << tensor.status().message();
  }
}

TEST(TensorReader, ZeroTimesHugeAllocatesNothing) {
  const Result<Tensor> tensor = read(typed(DataType::kFloat32, {0, int64_t{1} << 62, int64_t{1} << 40}));
  // Legal or refused, but nothing else.
  if (tensor.ok()) {
    EXPECT_EQ(tensor->count(), 0);
  }
}

TEST(TensorReader, CutAnywhereIsAnErrorOrATensor) {
  const Message whole = typed(DataType::kInt32, {2, 3}).packed_integers<int>(5, {1, -2, 300, 4, 5, 6});
  for (size_t n = 0; n < whole.bytes().size(); ++n) {
    const Result<Tensor> tensor = read(Message().raw(std::string_view(whole.bytes()).substr(0, n)));
    EXPECT_FALSE(tensor.ok()) << n;
  }
}

}  // namespace
}  // namespace hone::onnx
