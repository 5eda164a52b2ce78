#include "tools/hone/npy.h"

#include <gtest/gtest.h>

#include <random>

#include "tools/hone/zip.h"

namespace hone::cli {
namespace {

std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// Written by NumPy.
// numpy.save(numpy.asfortranarray(numpy.arange(6, dtype='<i2').reshape(2, 3)))
constexpr std::string_view kFortran =
    "934e554d5059010076007b276465736372273a20273c6932272c2027666f727472616e5f6f72646572273a20547275652c202773686170"
    "65273a2028322c2033292c207d202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20202020202020202020202020202020200a000003000100040002000500";
// numpy.save(numpy.array([1.5, -2.0], dtype='>f8'))
constexpr std::string_view kBigEndian =
    "934e554d5059010076007b276465736372273a20273e6638272c2027666f727472616e5f6f72646572273a2046616c73652c2027736861"
    "7065273a2028322c292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20202020202020202020202020202020200a3ff8000000000000c000000000000000";
// numpy.save(numpy.float16(0.5))
constexpr std::string_view kScalar =
    "934e554d5059010076007b276465736372273a20273c6632272c2027666f727472616e5f6f72646572273a2046616c73652c2027736861"
    "7065273a2028292c207d202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20202020202020202020202020202020200a0038";
// numpy.savez_compressed(a=numpy.arange(20, dtype=numpy.int64), b=numpy.array([True, False]))
constexpr std::string_view kCompressed =
    "504b03042d000000080000002100e3cd64c0ffffffffffffffff05001400612e6e70790100100020010000000000007900000000000000"
    "9bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402"
    "f91a46063a9a3a0ab50ae4032e06286084d24c509a194ab340695628cd06a5d9a1340794e684d23003b9a1340f94e685d27c509a1f4a0b"
    "406941282d04a585a13400504b03042d000000080000002100ee19bb5dffffffffffffffff05001400622e6e7079010010008200000000"
    "00000046000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e9364a8aea3a09e965f54529498179f5f94920a12774b"
    "cc294e058a17672416a402f91a463a9a3a0ab50a14002e460600504b01022d032d000000080000002100e3cd64c0790000002001000005"
    "0000000000000000000000800100000000612e6e7079504b01022d032d000000080000002100ee19bb5d46000000820000000500000000"
    "000000000000008001b0000000622e6e7079504b05060000000002000200660000002d0100000000";
// numpy.savez(x=numpy.zeros((0, 3), numpy.float32))
constexpr std::string_view kEmptyArray =
    "504b03042d000000000000002100a3685277ffffffffffffffff05001400782e6e70790100100080000000000000008000000000000000"
    "934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c2027736861"
    "7065273a2028302c2033292c207d2020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20202020202020202020202020202020200a504b01022d032d000000000000002100a36852778000000080000000050000000000000000"
    "000000800100000000782e6e7079504b0506000000000100010033000000b70000000000";

std::vector<int64_t> dims_of(const Tensor& tensor) { return {tensor.dims().begin(), tensor.dims().end()}; }

TEST(Npy, ReadsWhatNumPyWrites) {
  const Result<Tensor> fortran = parse_npy(from_hex(kFortran));
  ASSERT_TRUE(fortran.ok()) << fortran.status().message();
  EXPECT_EQ(dims_of(*fortran), (std::vector<int64_t>{2, 3}));
  for (int16_t i = 0; i < 6; ++i) EXPECT_EQ(fortran->values<int16_t>()[static_cast<size_t>(i)], i);

  const Result<Tensor> big = parse_npy(from_hex(kBigEndian));
  ASSERT_TRUE(big.ok());
  EXPECT_EQ(big->values<double>()[0], 1.5);
  EXPECT_EQ(big->values<double>()[1], -2.0);

  const Result<Tensor> scalar = parse_npy(from_hex(kScalar));
  ASSERT_TRUE(scalar.ok());
  EXPECT_EQ(scalar->dims().size(), 0U);
  EXPECT_EQ(static_cast<float>(scalar->values<Half>()[0]), 0.5F);
}

TEST(Npz, ReadsWhatNumPyWrites) {
  const std::vector<std::byte> archive = from_hex(kCompressed);
  EXPECT_TRUE(is_npz(archive));
  const Result<std::vector<std::string>> names = npz_names(archive);
  ASSERT_TRUE(names.ok()) << names.status().message();
  EXPECT_EQ(*names, (std::vector<std::string>{"a", "b"}));
  const Result<Tensor> a = read_npz(archive, "a");
  ASSERT_TRUE(a.ok()) << a.status().message();
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(a->values<int64_t>()[i], static_cast<int64_t>(i));
  EXPECT_EQ(read_npz(archive, "c").status().code(), Code::kNotFound);

  const Result<Tensor> empty = read_npz(from_hex(kEmptyArray), "x");
  ASSERT_TRUE(empty.ok()) << empty.status().message();
  EXPECT_EQ(dims_of(*empty), (std::vector<int64_t>{0, 3}));
}

TEST(Npy, EveryTypeComesBack) {
  std::mt19937 random(1);
  for (int type = 0; type < kDataTypeCount; ++type) {
    const auto dtype = static_cast<DataType>(type);
    if (!is_computable(dtype)) continue;
    for (const std::vector<int64_t>& dims : {std::vector<int64_t>{}, {5}, {2, 3}, {1, 0, 4}}) {
      Result<Tensor> tensor = Tensor::make(dtype, dims);
      ASSERT_TRUE(tensor.ok());
      for (size_t i = 0; i < tensor->bytes(); ++i) {
        tensor->mutable_data()[i] = static_cast<std::byte>(dtype == DataType::kBool ? random() % 2 : random());
      }
      const Result<std::vector<std::byte>> bytes = write_npy(*tensor);
      ASSERT_TRUE(bytes.ok());
      const Result<Tensor> back = parse_npy(*bytes);
      ASSERT_TRUE(back.ok()) << back.status().message();
      EXPECT_EQ(back->dtype(), dtype);
      EXPECT_EQ(dims_of(*back), dims);
      EXPECT_TRUE(std::equal(back->data(), back->data() + back->bytes(), tensor->data()));
    }
  }
}

TEST(Npy, ExactBytesOfAHeader) {
  const Result<std::vector<std::byte>> bytes = write_npy(Tensor::vector<float>({1, 2, 3}));
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(bytes->size(), 128U + 12);
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), 128);
  EXPECT_EQ(text.substr(10, 60), "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }   ");
  EXPECT_EQ(text.back(), '\n');
}

std::vector<std::byte> with_header(const std::string& header, size_t data_bytes) {
  std::string text = "\x93NUMPY";
  text += {'\x01', '\x00', static_cast<char>(header.size()), '\x00'};
  text += header;
  const auto raw = std::as_bytes(std::span(text));
  std::vector<std::byte> bytes(raw.begin(), raw.end());
  bytes.resize(bytes.size() + data_bytes);
  return bytes;
}

TEST(Npy, RefusesWhatItCannotRead) {
  const auto refused = [](const std::string& header, size_t data_bytes, std::string_view part) {
    const Result<Tensor> tensor = parse_npy(with_header(header, data_bytes));
    EXPECT_FALSE(tensor.ok()) << header;
    EXPECT_NE(tensor.status().message().find(part), std::string::npos) << tensor.status().message();
  };
  refused("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8, "Python objects");
  refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "records");
  refused("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "'<c8'");
  refused("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }", 4, "neither");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 4, "asks for 8 bytes");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4, "shape");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,9999999999,), }", 4, "2^63");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 4, "shape");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 4, "8 dimensions");
  refused("{'descr': '<f4', 'fortran_order': False}", 4, "lacks");
  refused("{'descr': '<f4'", 4, "header");
  refused("", 4, "dictionary");
  EXPECT_FALSE(parse_npy({}).ok());
}

TEST(Npz, DamagedArchivesAreErrors) {
  for (const std::string_view hex : {kCompressed, kEmptyArray}) {
    const std::vector<std::byte> archive = from_hex(hex);
    const auto read_all = [](const std::vector<std::byte>& bytes) {
      const Result<std::vector<ZipEntry>> entries = list_zip(bytes);
      if (!entries.ok()) return;
      for (const ZipEntry& entry : *entries) {
        const Result<std::vector<std::byte>> contents = read_zip_entry(bytes, entry);
        if (contents.ok()) (void)parse_npy(*contents).ok();
      }
    };
    for (size_t size = 0; size < archive.size(); ++size) {
      read_all({archive.begin(), archive.begin() + static_cast<ptrdiff_t>(size)});
    }
    for (size_t i = 0; i < archive.size(); ++i) {
      for (const int flip : {1, 0x80, 0xff}) {
        std::vector<std::byte> changed = archive;
        changed[i] ^= static_cast<std::byte>(flip);
        read_all(changed);
      }
    }
  }
}

TEST(Npz, FlippedContentsAreFound) {
  std::vector<std::byte> archive = from_hex(kCompressed);
  archive[60] ^= std::byte{4};
  EXPECT_FALSE(read_npz(archive, "a").ok());
}

TEST(Npz, BombsAreRefusedBeforeMemoryIsTaken) {
  std::vector<std::byte> archive = from_hex(kCompressed);
  const Result<std::vector<ZipEntry>> entries = list_zip(archive);
  ASSERT_TRUE(entries.ok());
  ZipEntry entry = entries->front();
  entry.bytes = uint64_t{1} << 50;
  EXPECT_NE(read_zip_entry(archive, entry).status().message().find("claims"), std::string::npos);
}

TEST(Npz, ComesBackStoredAndCompressed) {
  const std::vector<NamedTensor> tensors = {{"x", Tensor::vector<float>({1, -2.5F, 3})},
                                            {"name with / and \xc3\xa9", Tensor::scalar<int64_t>(7)},
                                            {"none", Tensor::vector<int8_t>({})}};
  for (const bool compressed : {false, true}) {
    const Result<std::vector<std::byte>> bytes = write_npz(tensors, compressed);
    ASSERT_TRUE(bytes.ok());
    for (const NamedTensor& named : tensors) {
      const Result<Tensor> back = read_npz(*bytes, named.name);
      ASSERT_TRUE(back.ok()) << back.status().message();
      EXPECT_EQ(back->dtype(), named.tensor.dtype());
      EXPECT_TRUE(std::equal(back->data(), back->data() + back->bytes(), named.tensor.data()));
    }
  }
}

}  // namespace
}  // namespace hone::cli
