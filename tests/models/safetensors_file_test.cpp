// safetensors: good files are read, damaged ones are refused by name, and none crashes.
#include <QtTest>

#include <random>

#include "models/safetensors/safetensors_file.h"
#include "tests/models/exact_bytes.h"

using namespace hearth;

namespace {

std::string withHeader(const std::string& json, size_t data_bytes) {
  const uint64_t length = json.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
  return bytes + json + std::string(data_bytes, '\5');
}

const std::string kGood =
    R"({"__metadata__":{"format":"pt"},)"
    R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
    R"("b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}  )";
std::string smallFile() { return withHeader(kGood, 32); }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) qFatal("\"%s\" is not there", std::string(from).c_str());
  return text.replace(at, from.size(), to);
}

void expectError(const std::string& bytes, const char* part) {
  const ExactBytes exact(bytes);
  const auto file = SafetensorsFile::parse(exact.span(), "small.safetensors");
  QVERIFY2(!file, part);
  QVERIFY2(file.error().message.find(part) != std::string::npos, file.error().message.c_str());
  QCOMPARE(int(file.error().code), int(ErrorCode::bad_file));
}

}  // namespace

class SafetensorsFileTest : public QObject {
  Q_OBJECT
 private slots:
  void readsTensorsInPlace();
  void refusesEveryPrefix();
  void refusesEveryPrefixOfARealHeader();
  void survivesMutatedBytes();
  void refusesHeaderLengthsBeyondTheFile();
  void refusesOverlapsHolesAndTails();
  void refusesShapesThatDoNotFitTheBytes();
  void refusesHeadersOfAnotherForm_data();
  void refusesHeadersOfAnotherForm();
  void refusesHostileNesting();
};

void SafetensorsFileTest::readsTensorsInPlace() {
  const ExactBytes bytes(smallFile());
  const auto file = SafetensorsFile::parse(bytes.span(), "small");
  QVERIFY2(file, file ? "" : file.error().message.c_str());
  QCOMPARE(file->tensors().size(), size_t{2});
  QCOMPARE(file->tensors()[0].name, std::string("a"));
  QCOMPARE(file->tensors()[0].shape, (std::vector<uint64_t>{2, 3}));
  QCOMPARE(file->tensors()[1].dtype, std::string("BF16"));
  QCOMPARE(file->tensors()[1].data.size(), size_t{8});
  QVERIFY(file->tensors()[1].data.data() == bytes.span().data() + 8 + kGood.size() + 24);
}

void SafetensorsFileTest::refusesEveryPrefix() {
  const std::string whole = smallFile();
  for (size_t n = 0; n < whole.size(); ++n) {
    const ExactBytes exact(std::string_view(whole).substr(0, n));
    QVERIFY2(!SafetensorsFile::parse(exact.span(), "small"), QByteArray::number(qulonglong(n)).constData());
  }
}

void SafetensorsFileTest::refusesEveryPrefixOfARealHeader() {
  const std::string whole = readBytes(HEARTH_TEST_DATA "/models/stories260K-hf/model.safetensors");
  QVERIFY(whole.size() > 100000);
  for (size_t n = 0; n < whole.size(); n += n < 8192 ? 13 : 30011) {
    const ExactBytes exact(std::string_view(whole).substr(0, n));
    QVERIFY(!SafetensorsFile::parse(exact.span(), "real"));
    // The same, when the length field has been cut to match: the JSON itself ends early.
    if (n < 9) continue;
    std::string cut = whole.substr(0, n);
    const uint64_t length = n - 8;
    std::memcpy(cut.data(), &length, sizeof(length));
    const ExactBytes shorter(cut);
    QVERIFY(!SafetensorsFile::parse(shorter.span(), "real"));
  }
}

void SafetensorsFileTest::survivesMutatedBytes() {
  const std::string whole = smallFile();
  std::mt19937 random(77);
  int accepted = 0;
  uint64_t sum = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = whole;
    for (uint32_t i = 0; i < 1 + random() % 3; ++i) {
      constexpr std::string_view kJson = "{}[]\",:0129e-. \\u";
      const size_t at = random() % bytes.size();
      bytes[at] = random() % 2 ? static_cast<char>(random()) : kJson[random() % kJson.size()];
    }
    const ExactBytes exact(bytes);
    const auto file = SafetensorsFile::parse(exact.span(), "mutated");
    if (!file) continue;
    ++accepted;
    for (const SafetensorsTensor& tensor : file->tensors()) {
      for (const std::byte b : tensor.data) sum += static_cast<uint64_t>(b);
    }
  }
  QVERIFY2(accepted > 100 && accepted < 20000 && sum > 0, QByteArray::number(accepted).constData());
}

void SafetensorsFileTest::refusesHeaderLengthsBeyondTheFile() {
  for (const uint64_t length : {uint64_t{1} << 20, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    std::string bytes = smallFile();
    std::memcpy(bytes.data(), &length, sizeof(length));
    expectError(bytes, "the header claims");
  }
}

void SafetensorsFileTest::refusesOverlapsHolesAndTails() {
  expectError(withHeader(replaced(kGood, "[24,32]", "[20,28]"), 32), "tensor b begins at data byte 20, inside the one before");
  expectError(withHeader(replaced(kGood, "[24,32]", "[26,34]"), 34), "leaving a hole from byte 24");
  expectError(withHeader(kGood, 33), "the tensors end at data byte 32, but there are 33");
  expectError(withHeader(replaced(kGood, "[24,32]", "[24,40]"), 32), "tensor b lies at data bytes 24 to 40");
  expectError(withHeader(replaced(kGood, "[0,24]", "[24,0]"), 32), "tensor a lies at");
  expectError(withHeader(replaced(kGood, "[24,32]", "[24,18446744073709551615]"), 32), "tensor b lies at");
}

void SafetensorsFileTest::refusesShapesThatDoNotFitTheBytes() {
  expectError(withHeader(replaced(kGood, "[2,3]", "[2,4]"), 32), "tensor a [2, 4] F32 does not take the 24 bytes");
  expectError(withHeader(replaced(kGood, "[2,3]", "[4294967296,4294967296]"), 32), "does not take");
  expectError(withHeader(replaced(kGood, "[2,3]", "[18446744073709551615,3]"), 32), "does not take");
  expectError(withHeader(replaced(kGood, "\"F32\"", "\"X32\""), 32), "tensor a has unknown type \"X32\"");
}

void SafetensorsFileTest::refusesHeadersOfAnotherForm_data() {
  QTest::addColumn<QByteArray>("json");
  const char* const forms[] = {
      "", "[]", "5", "null", "{\"a\":5}", "{\"a\":[]}", "{\"a\":{}}", "{\"a\":null}",
      R"({"a":{"dtype":"F32","shape":[1]}})",
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})",
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})",
      R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})",
      R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})",
      R"({"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}})",
      R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})",
      R"({"a":{"dtype":{},"shape":[1],"data_offsets":[0,4]}})",
      R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}})",
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})",
      R"({"__metadata__":{"format":{}},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      R"({"__metadata__":["format"],"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} trailing)",
  };
  for (const char* form : forms) QTest::newRow(form) << QByteArray(form);
}

void SafetensorsFileTest::refusesHeadersOfAnotherForm() {
  QFETCH(QByteArray, json);
  expectError(withHeader(json.toStdString(), 4), "small.safetensors: ");
}

void SafetensorsFileTest::refusesHostileNesting() {
  expectError(withHeader(std::string(1'000'000, '['), 0), "small.safetensors: ");
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  expectError(withHeader(objects, 0), "tensor a: ");
}

QTEST_APPLESS_MAIN(SafetensorsFileTest)
#include "safetensors_file_test.moc"
