// GGUF: good files are read back as written; no damaged file is believed, and none crashes.
#include <QtTest>

#include <cstdlib>
#include <new>
#include <random>

#include "models/gguf/ggml_types.h"
#include "models/gguf/gguf_file.h"
#include "models/gguf/gguf_vocabulary.h"
#include "models/gguf/gguf_writer.h"
#include "tests/models/exact_bytes.h"

using namespace hearth;

namespace {

thread_local size_t largest_request = 0;  // bytes asked of `new` since it was set to 0

void* counted(size_t bytes) {
  largest_request = std::max(largest_request, bytes);
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// Every allocation of this program is seen, so that "refused before allocation" can be tested.
void* operator new(size_t bytes) { return counted(bytes); }
void* operator new[](size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace {

constexpr uint64_t kMany = 1 << 16;  // more elements than any array here has

/// A whole small file: every kind of value, two matrices and a vector.
GgufWriter smallWriter() {
  GgufWriter writer;
  writer.setString("general.architecture", "llama");
  writer.setInteger("llama.block_count", 7);
  writer.setNumber("llama.eps", 0.5f);
  writer.setBoolean("flag", true);
  const std::vector<std::string> texts = {"<unk>", "", "▁the"};
  const std::vector<float> scores = {0.0f, -1.0f, -2.5f};
  const std::vector<int32_t> types = {2, 3, 1};
  writer.setString("tokenizer.ggml.model", "llama");
  writer.setStrings("tokenizer.ggml.tokens", texts);
  writer.setNumbers("tokenizer.ggml.scores", scores);
  writer.setIntegers("tokenizer.ggml.token_type", types);
  writer.declareTensor("a.weight", Dtype::f32, 3, 4);
  writer.declareTensor("b.weight", Dtype::q8_0, 2, 64);
  writer.declareTensor("c", Dtype::f16, 0, 5);
  return writer;
}

std::string smallFile() {
  const GgufWriter writer = smallWriter();
  std::string bytes = writer.header();
  for (uint64_t i = 0; i < writer.dataBytes(); ++i) bytes += static_cast<char>(i * 7);
  return bytes;
}

Result<GgufFile> parse(const ExactBytes& bytes) { return GgufFile::parse(bytes.span(), "small.gguf"); }

/// Where `text` stands in `bytes`; the test is wrong if it is not there.
size_t find(const std::string& bytes, std::string_view text) {
  const size_t at = bytes.find(text);
  if (at == std::string::npos) qFatal("\"%s\" is not in the file", std::string(text).c_str());
  return at;
}

template <class T>
void put(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

/// Byte of the n_dims field of a tensor.
size_t tensorAt(const std::string& bytes, std::string_view name) {
  return bytes.rfind(name) + name.size();
}

void expectError(const std::string& bytes, ErrorCode code, const char* part) {
  const ExactBytes exact(bytes);
  const auto file = parse(exact);
  QVERIFY2(!file, part);
  QVERIFY2(file.error().message.find(part) != std::string::npos, file.error().message.c_str());
  QVERIFY2(file.error().message.starts_with("small.gguf: "), file.error().message.c_str());
  QCOMPARE(int(file.error().code), int(code));
}

/// Reads everything that a parsed file offers, so that a wrong span is touched.
uint64_t touchEverything(const GgufFile& file) {
  uint64_t sum = 0;
  for (const auto& [key, value] : file.metadata()) {
    (void)file.integer(key);
    (void)file.number(key);
    if (const auto texts = file.strings(key, kMany)) {
      for (const std::string_view text : *texts) for (const char c : text) sum += static_cast<uint8_t>(c);
    }
    if (const auto numbers = file.numbers(key, kMany)) sum += numbers->size();
    if (const auto text = file.string(key)) for (const char c : *text) sum += static_cast<uint8_t>(c);
  }
  for (const GgufTensor& tensor : file.tensors()) {
    for (const std::byte b : tensor.data) sum += static_cast<uint64_t>(b);
  }
  (void)readGgufVocabulary(file, "small.gguf");
  return sum;
}

}  // namespace

class GgufFileTest : public QObject {
  Q_OBJECT
 private slots:
  void readsBackWhatTheWriterWrote();
  void refusesEveryPrefix();
  void refusesEveryHeaderPrefixOfRealFiles();
  void survivesMutatedBytes();
  void refusesWrongMagicVersionAndByteOrder();
  void refusesCountsThatTheFileCannotHold();
  void refusesArraysLongerThanTheirReaderWantsBeforeAllocation();
  void refusesMoreKeysTensorsAndTextThanItKeeps();
  void refusesDuplicateKeysAndTensors();
  void refusesOverlappingTensors();
  void refusesMisalignedAndDistantOffsets();
  void refusesImpossibleShapes();
  void refusesBadAlignment();
  void refusesDeeplyNestedArrays();
  void refusesNamesThatAreNoText();
  void namesTheKeyOfAWrongKind();
  void acceptsVersionTwo();
  void keepsTensorsOfUnknownTypesWithoutData();
  void refusesVocabularyIdsOutsideTheVocabulary();
};

void GgufFileTest::readsBackWhatTheWriterWrote() {
  const ExactBytes bytes(smallFile());
  const auto file = parse(bytes);
  QVERIFY2(file, file ? "" : file.error().message.c_str());
  QCOMPARE(file->version(), 3u);
  QCOMPARE(*file->string("general.architecture"), std::string_view("llama"));
  QCOMPARE(*file->integer("llama.block_count"), int64_t{7});
  QCOMPARE(*file->number("llama.eps"), 0.5);
  QCOMPARE(*file->number("llama.block_count"), 7.0);
  QCOMPARE(file->boolean("flag"), std::optional<bool>(true));
  const auto texts = *file->strings("tokenizer.ggml.tokens", 3);
  QCOMPARE(texts.size(), size_t{3});
  QCOMPARE(texts[1], std::string_view(""));
  QCOMPARE(texts[2], std::string_view("▁the"));
  QCOMPARE((*file->numbers("tokenizer.ggml.scores", 3))[2], -2.5);
  QCOMPARE(file->tensors().size(), size_t{3});
  const GgufTensor& b = file->tensors()[1];
  QCOMPARE(b.name, std::string_view("b.weight"));
  QCOMPARE(b.shape, (std::vector<uint64_t>{64, 2}));
  QCOMPARE(b.data.size(), size_t{2 * 2 * 34});
  QCOMPARE(static_cast<uint8_t>(b.data[0]), static_cast<uint8_t>(64 * 7));  // a takes 48, padded to 64
  QCOMPARE(file->tensors()[2].data.size(), size_t{10});
}

void GgufFileTest::refusesEveryPrefix() {
  const std::string whole = smallFile();
  const size_t needed = whole.size() - (GgufWriter::padded(10) - 10);  // the last padding may be cut
  for (size_t n = 0; n < needed; ++n) {
    const ExactBytes exact(std::string_view(whole).substr(0, n));
    const auto file = parse(exact);
    QVERIFY2(!file, QByteArray::number(qulonglong(n)).constData());
    QCOMPARE(int(file.error().code), int(ErrorCode::bad_file));
  }
}

void GgufFileTest::refusesEveryHeaderPrefixOfRealFiles() {
  const std::string whole = readBytes(HEARTH_TEST_DATA "/models/stories260K-ff192-q4_0.gguf");
  QVERIFY(whole.size() > 100000);
  // Beyond the header every length is the same case; primes keep the loop short and unaligned.
  for (size_t n = 0; n < whole.size(); n += n < 512 ? 1 : n < 20000 ? 101 : 4999) {
    const ExactBytes exact(std::string_view(whole).substr(0, n));
    QVERIFY2(!parse(exact), QByteArray::number(qulonglong(n)).constData());
  }
  const ExactBytes exact(whole);
  QVERIFY(parse(exact));
}

void GgufFileTest::survivesMutatedBytes() {
  const std::string whole = smallFile();
  std::mt19937 random(20240607);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = whole;
    for (uint32_t i = 0; i < 1 + random() % 4; ++i) {
      const size_t at = random() % bytes.size();
      constexpr uint8_t kEdges[] = {0, 1, 0x7F, 0x80, 0xFF, 9, 8, 32};
      bytes[at] = static_cast<char>(random() % 2 ? random() : kEdges[random() % 8]);
    }
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    const ExactBytes exact(bytes);
    const auto file = parse(exact);
    if (!file) continue;
    ++accepted;
    touchEverything(*file);
  }
  QVERIFY2(accepted > 100, "the mutations never left a readable file: the test shows nothing");
  QVERIFY2(accepted < 20000, "the mutations never broke a file: the test shows nothing");
}

void GgufFileTest::refusesWrongMagicVersionAndByteOrder() {
  std::string bytes = smallFile();
  bytes[0] = 'X';
  expectError(bytes, ErrorCode::bad_file, "not a GGUF file (it begins with \"XGUF\")");
  bytes = smallFile();
  put<uint32_t>(bytes, 4, 4);
  expectError(bytes, ErrorCode::unsupported, "version 4");
  put<uint32_t>(bytes, 4, 1);
  expectError(bytes, ErrorCode::unsupported, "version 1");
  put<uint32_t>(bytes, 4, 0x03000000);
  expectError(bytes, ErrorCode::unsupported, "big-endian");
}

void GgufFileTest::refusesCountsThatTheFileCannotHold() {
  for (const uint64_t count : {uint64_t{1} << 20, uint64_t{1} << 63, ~uint64_t{0}}) {
    std::string bytes = smallFile();
    put(bytes, 8, count);
    expectError(bytes, ErrorCode::bad_file, "tensors, more than the file holds");
    bytes = smallFile();
    put(bytes, 16, count);
    expectError(bytes, ErrorCode::bad_file, "metadata keys, more than the file holds");
    bytes = smallFile();  // array: key, type 9, element type, count
    put(bytes, find(bytes, "tokenizer.ggml.scores") + 21 + 8, count);
    expectError(bytes, ErrorCode::bad_file, "key tokenizer.ggml.scores claims");
    bytes = smallFile();
    put(bytes, find(bytes, "tokenizer.ggml.tokens") + 21 + 8, count);
    expectError(bytes, ErrorCode::bad_file, "key tokenizer.ggml.tokens claims");
    bytes = smallFile();
    put(bytes, find(bytes, "general.architecture") + 20 + 4, count);
    expectError(bytes, ErrorCode::bad_file, "the text of key general.architecture");
  }
}

void GgufFileTest::refusesArraysLongerThanTheirReaderWantsBeforeAllocation() {
  constexpr uint64_t kCount = 1 << 20;
  const std::vector<std::string> texts = {"<unk>", "a", "b"};
  GgufWriter writer;
  writer.setString("tokenizer.ggml.model", "llama");
  writer.setStrings("tokenizer.ggml.tokens", texts);
  writer.setNumbers("tokenizer.ggml.scores", std::vector<float>());
  std::string bytes = writer.header();
  // The empty array becomes one of `kCount` bytes: eight times as much when unpacked to numbers.
  const size_t at = find(bytes, "tokenizer.ggml.scores") + 21 + 4;
  put<uint32_t>(bytes, at, static_cast<uint32_t>(GgufType::u8));
  put<uint64_t>(bytes, at + 4, kCount);
  bytes.insert(at + 12, std::string(kCount, '\0'));
  const ExactBytes exact(bytes);
  const auto file = parse(exact);
  QVERIFY2(file, file ? "" : file.error().message.c_str());

  largest_request = 0;
  const auto vocabulary = readGgufVocabulary(*file, "small.gguf");
  const auto strings = file->strings("tokenizer.ggml.tokens", 2);
  const size_t largest = largest_request;
  QVERIFY(!vocabulary && !strings);
  QCOMPARE(int(vocabulary.error().code), int(ErrorCode::bad_file));
  QVERIFY2(vocabulary.error().message.find("key tokenizer.ggml.scores has 1048576 elements, but at most 3") !=
               std::string::npos, vocabulary.error().message.c_str());
  QVERIFY2(largest < 4096, QByteArray::number(qulonglong(largest)).constData());
  largest_request = 0;  // the counter counts
  QVERIFY(file->numbers("tokenizer.ggml.scores", kCount));
  QVERIFY(largest_request >= kCount * sizeof(double));
}

void GgufFileTest::refusesMoreKeysTensorsAndTextThanItKeeps() {
  // Files long enough to hold what they claim.
  std::string bytes = smallFile() + std::string((1 << 17) * 14, '\0');
  put<uint64_t>(bytes, 16, (1 << 16) + 1);
  expectError(bytes, ErrorCode::bad_file, "65537 metadata keys and 3 tensors; at most 65536 and 1048576");
  bytes = smallFile() + std::string(((1 << 20) + 1) * 41, '\0');
  put<uint64_t>(bytes, 8, (1 << 20) + 1);
  expectError(bytes, ErrorCode::bad_file, "1048577 tensors; at most 65536 and 1048576");
  GgufWriter writer;
  writer.setString("general.name", std::string((1 << 24) + 1, 'x'));
  expectError(writer.header(), ErrorCode::bad_file, "key general.name: a text of 16777217 bytes");
}

void GgufFileTest::refusesDuplicateKeysAndTensors() {
  std::string bytes = smallFile();
  GgufWriter writer = smallWriter();
  writer.setBoolean("flag", false);
  expectError(writer.header() + std::string(writer.dataBytes(), '\0'), ErrorCode::bad_file,
              "key flag appears twice");
  bytes[tensorAt(bytes, "b.weight") - 8] = 'a';
  expectError(bytes, ErrorCode::bad_file, "tensor a.weight appears twice");
}

void GgufFileTest::refusesOverlappingTensors() {
  std::string bytes = smallFile();
  const size_t offset_at = tensorAt(bytes, "b.weight") + 4 + 2 * 8 + 4;
  put<uint64_t>(bytes, offset_at, 32);  // a.weight takes 48 bytes
  expectError(bytes, ErrorCode::bad_file, "tensors a.weight and b.weight overlap at data byte 32");
}

void GgufFileTest::refusesMisalignedAndDistantOffsets() {
  const std::string good = smallFile();
  const size_t offset_at = tensorAt(good, "b.weight") + 4 + 2 * 8 + 4;
  std::string bytes = good;
  put<uint64_t>(bytes, offset_at, 65);
  expectError(bytes, ErrorCode::bad_file, "tensor b.weight: offset 65");
  for (const uint64_t far : {uint64_t{1} << 40, uint64_t{0} - 32, (uint64_t{1} << 63)}) {
    bytes = good;
    put<uint64_t>(bytes, offset_at, far);
    expectError(bytes, ErrorCode::bad_file, "tensor b.weight needs 136 bytes");
  }
}

void GgufFileTest::refusesImpossibleShapes() {
  const std::string good = smallFile();
  const size_t dims_at = tensorAt(good, "a.weight");
  const struct { uint64_t cols, rows; const char* part; } cases[] = {
      {0, 3, "dimension of 0"},
      {4, 0, "dimension of 0"},
      {~uint64_t{0}, 3, "dimension of 18446744073709551615"},
      {uint64_t{1} << 62, 4, "is larger than the file"},
      {uint64_t{1} << 32, uint64_t{1} << 32, "is larger than the file"},  // the product wraps to 0
      {4, uint64_t{1} << 62, "is larger than the file"},
  };
  for (const auto& one : cases) {
    std::string bytes = good;
    put(bytes, dims_at + 4, one.cols);
    put(bytes, dims_at + 12, one.rows);
    expectError(bytes, ErrorCode::bad_file, one.part);
  }
  for (const uint32_t n_dims : {0u, 5u, ~0u}) {
    std::string bytes = good;
    put(bytes, dims_at, n_dims);
    expectError(bytes, ErrorCode::bad_file, "tensor a.weight has");
  }
  std::string bytes = good;
  put<uint64_t>(bytes, tensorAt(good, "b.weight") + 4, 63);
  expectError(bytes, ErrorCode::bad_file, "rows of 63 elements do not divide into Q8_0 blocks of 32");
}

void GgufFileTest::refusesBadAlignment() {
  for (const uint32_t alignment : {0u, 3u, 48u, 1u << 30}) {
    GgufWriter writer = smallWriter();
    writer.setInteger("general.alignment", alignment);
    expectError(writer.header() + std::string(writer.dataBytes(), '\0'), ErrorCode::bad_file,
                "general.alignment");
  }
}

void GgufFileTest::refusesDeeplyNestedArrays() {
  std::string header = GgufWriter().header();
  put<uint64_t>(header, 16, 1);  // one key
  const auto append = [&header](auto value) {
    header.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  append(uint64_t{4});
  header += "deep";
  append(uint32_t{9});
  for (int i = 0; i < 100000; ++i) {
    append(uint32_t{9});
    append(uint64_t{1});
  }
  expectError(header, ErrorCode::bad_file, "key deep: arrays nested deeper than 4");
}

void GgufFileTest::refusesNamesThatAreNoText() {
  std::string bytes = smallFile();
  bytes[find(bytes, "flag")] = '\xFF';
  expectError(bytes, ErrorCode::bad_file, "is not text");
  bytes = smallFile();
  bytes[find(bytes, "flag")] = '\n';
  expectError(bytes, ErrorCode::bad_file, "is not text");
}

void GgufFileTest::namesTheKeyOfAWrongKind() {
  const ExactBytes bytes(smallFile());
  const auto file = parse(bytes);
  QVERIFY(file);
  QCOMPARE(int(file->integer("general.architecture").error().code), int(ErrorCode::bad_file));
  QVERIFY(file->integer("general.architecture").error().message.find("key general.architecture is a string") !=
          std::string::npos);
  QCOMPARE(int(file->integer("no.such.key").error().code), int(ErrorCode::not_found));
  QVERIFY(!file->strings("tokenizer.ggml.scores", kMany));
  QVERIFY(!file->numbers("tokenizer.ggml.tokens", kMany));
  QCOMPARE(file->boolean("llama.block_count"), std::optional<bool>());
}

void GgufFileTest::acceptsVersionTwo() {
  std::string bytes = smallFile();
  put<uint32_t>(bytes, 4, 2);
  const ExactBytes exact(bytes);
  const auto file = parse(exact);
  QVERIFY(file);
  QCOMPARE(file->version(), 2u);
}

void GgufFileTest::keepsTensorsOfUnknownTypesWithoutData() {
  std::string bytes = smallFile();
  put<uint32_t>(bytes, tensorAt(bytes, "a.weight") + 4 + 2 * 8, 77);
  const ExactBytes exact(bytes);
  const auto file = parse(exact);
  QVERIFY2(file, file ? "" : file.error().message.c_str());
  QCOMPARE(file->tensors()[0].type, 77u);
  QVERIFY(file->tensors()[0].data.empty());
  QCOMPARE(ggmlTypeName(77), std::string("number 77"));
  QCOMPARE(ggmlTypeName(12), std::string("Q4_K"));
}

void GgufFileTest::refusesVocabularyIdsOutsideTheVocabulary() {
  GgufWriter writer = smallWriter();
  writer.setInteger("tokenizer.ggml.bos_token_id", 3);
  const ExactBytes bytes(writer.header() + std::string(writer.dataBytes(), '\0'));
  const auto file = parse(bytes);
  QVERIFY(file);
  const auto vocabulary = readGgufVocabulary(*file, "small.gguf");
  QVERIFY(!vocabulary);
  QVERIFY2(vocabulary.error().message.find("tokenizer.ggml.bos_token_id is 3") != std::string::npos,
           vocabulary.error().message.c_str());
}

QTEST_APPLESS_MAIN(GgufFileTest)
#include "gguf_file_test.moc"
