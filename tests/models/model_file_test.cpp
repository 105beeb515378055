// Model files: both formats give the same model, and what cannot be used is refused by name.
#include <QtTest>

#include <cstring>

#include "models/model_file.h"

using namespace hearth;
namespace fs = std::filesystem;

namespace {
fs::path data(const char* name) { return fs::path(HEARTH_TEST_DATA) / "models" / name; }
}  // namespace

#define OPEN(variable, path)                                            \
  auto variable##_result = openModelFile(path);                         \
  QVERIFY2(variable##_result, variable##_result ? "" : variable##_result.error().message.c_str()); \
  ModelFile& variable = *variable##_result

class ModelFileTest : public QObject {
  Q_OBJECT
 private slots:
  void opensEveryReadableFixture_data();
  void opensEveryReadableFixture();
};

void ModelFileTest::opensEveryReadableFixture_data() {
  QTest::addColumn<QString>("name");
  for (const char* name : {"stories260K-f32.gguf", "stories260K-f16.gguf", "stories260K-bf16.gguf",
                           "stories260K-ff192-q8_0.gguf", "stories260K-ff192-q4_0.gguf", "stories260K-hf",
                           "stories260K-hf-bf16-sharded", "llama-untied-f32.gguf",
                           "llama3-rope-tiny-f32.gguf", "llama3-rope-tiny-hf",
                           "llama-rope-linear-tiny-f32.gguf", "llama-rope-linear-tiny-hf"}) {
    QTest::newRow(name) << name;
  }
}

void ModelFileTest::opensEveryReadableFixture() {
  QFETCH(QString, name);
  OPEN(model, data(name.toUtf8().constData()));
  QCOMPARE(model.config.n_vocab, 512);
  QCOMPARE(model.config.architecture, std::string("llama"));
  QVERIFY(model.tensor("token_embd.weight", 512, model.config.dim));
}

QTEST_APPLESS_MAIN(ModelFileTest)
#include "model_file_test.moc"
