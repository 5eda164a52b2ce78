#include "onnx/wire.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "onnx/test_model.h"

namespace hone::onnx {
namespace {

using test::Message;

Status read_all(std::string_view bytes, std::vector<int64_t>* integers = nullptr) {
  WireReader reader(bytes, bytes.data());
  while (reader.next()) {
    for (int64_t value = 0; integers != nullptr && reader.next_integer(value);) integers->push_back(value);
  }
  return std::move(reader).finish();
}

TEST(WireReader, ReadsIntegersPackedAndAlone) {
  std::vector<int64_t> values;
  const Message message =
      Message().integer(1, -3).packed_integers<int64_t>(1, {7, INT64_MIN, INT64_MAX}).integer(1, 300);
  ASSERT_TRUE(read_all(message.bytes(), &values).ok());
  EXPECT_EQ(values, (std::vector<int64_t>{-3, 7, INT64_MIN, INT64_MAX, 300}));
}

TEST(WireReader, ReadsFloatsPackedAndAlone) {
  const Message message = Message().single(4, 1.5f).packed_singles(4, {-2.0f, 3.25f});
  WireReader reader(message.bytes(), message.bytes().data());
  std::vector<float> values;
  while (reader.next()) {
    for (float value = 0; reader.next_single(value);) values.push_back(value);
  }
  EXPECT_TRUE(std::move(reader).finish().ok());
  EXPECT_EQ(values, (std::vector<float>{1.5f, -2.0f, 3.25f}));
}

TEST(WireReader, NamesTheByteOfWhatIsMalformed) {
  const std::string good = Message().integer(1, 5).bytes();
  const std::string cases[] = {
      good + std::string("\x0a\x05"
                         "abc",
                         5),                                                       // 5 bytes claimed, 3 there
      good + std::string("\x0a", 1),                                               // no length
      good + std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12),  // varint of 11 bytes
      good + std::string("\x0d\x01\x02", 3),                                       // fixed32 of 2 bytes
      good + std::string("\x0b", 1),                                               // a group
      good + std::string("\x00\x01", 2),                                           // field 0
      good + std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),      // length 2^64 - 1
      good + std::string("\x0a\x80\x80\x80\x80\x10"
                         "a",
                         7),  // length 2^32, which narrows to 0
  };
  for (const std::string& bytes : cases) {
    const Status status = read_all(bytes);
    EXPECT_EQ(status.code(), Code::kInvalidModel);
    EXPECT_NE(status.message().find("at byte 2"), std::string::npos) << status.message();
  }
}

TEST(WireReader, RefusesFieldsOfTheWrongKind) {
  const std::string text = Message().text(1, "abc").bytes(), number = Message().integer(1, 5).bytes();
  WireReader a(text, text.data());
  ASSERT_TRUE(a.next());
  EXPECT_EQ(a.integer(), 0);
  EXPECT_FALSE(a.next());
  EXPECT_EQ(std::move(a).finish().code(), Code::kInvalidModel);
  WireReader b(number, number.data());
  ASSERT_TRUE(b.next());
  EXPECT_EQ(b.bytes(), "");
  EXPECT_EQ(std::move(b).finish().code(), Code::kInvalidModel);
}

TEST(WireReader, RefusesFieldsOfFourGigabytes) {
  constexpr size_t kSize = (size_t{4} << 30) + 4096;
  void* memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) GTEST_SKIP() << "no address space for 4 GiB";
  const std::string header("\x0a\x80\x80\x80\x80\x10", 6);  // field 1, length 2^32
  std::memcpy(memory, header.data(), header.size());
  const Status status = read_all({static_cast<const char*>(memory), kSize});
  ::munmap(memory, kSize);
  EXPECT_EQ(status.code(), Code::kInvalidModel);
  EXPECT_NE(status.message().find("below 4 GiB"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace hone::onnx
