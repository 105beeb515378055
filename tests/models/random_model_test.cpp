// Models with random weights: valid files, the same for the same seed, and nothing left on failure.
#include <QTemporaryDir>
#include <QtTest>

#include <sys/resource.h>

#include <cmath>
#include <csignal>

#include "kernels/base/quantise.h"
#include "models/gguf/random_model.h"
#include "models/model_file.h"
#include "models/tokenizer/tokenizer.h"
#include "tests/models/exact_bytes.h"

using namespace hearth;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSmall = "dim=64,layers=2,heads=4,kv_heads=2,ffn=96,vocab=1000,ctx=128";

RandomModelOptions optionsOf(Dtype type, uint64_t seed = 1) {
  RandomModelOptions options;
  options.weight_type = type;
  options.seed = seed;
  return options;
}

size_t entries(const fs::path& folder) {
  return size_t(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

class RandomModelTest : public QObject {
  Q_OBJECT
 private slots:
  void everyTypeOpensAndHasNormalWeights_data();
  void everyTypeOpensAndHasNormalWeights();
  void sameSeedGivesTheSameBytes();
  void vocabularyReadsTextAndBytes();
  void tiedModelsHaveNoOutputMatrix();
  void knowsTheNamedShapes();
  void refusesShapesByTheirPart_data();
  void refusesShapesByTheirPart();
  void refusesWidthsThatDoNotFitTheType();
  void leavesNothingBehindWhenTheDiskIsFull();
  void leavesTheOldFileWhenCancelled();
};

void RandomModelTest::everyTypeOpensAndHasNormalWeights_data() {
  QTest::addColumn<QString>("type");
  for (const char* type : {"F32", "f16", "BF16", "Q8_0", "q4_0"}) QTest::newRow(type) << type;
}

void RandomModelTest::everyTypeOpensAndHasNormalWeights() {
  QFETCH(QString, type);
  QTemporaryDir dir;
  const fs::path path = fs::path(dir.path().toStdString()) / "model.gguf";
  const auto dtype = parseWeightType(type.toStdString());
  QVERIFY(dtype);
  const Status status = writeRandomModel(*parseModelShape(kSmall), optionsOf(*dtype), path);
  QVERIFY2(status, status ? "" : status.error().message.c_str());
  const auto model = openModelFile(path);
  QVERIFY2(model, model ? "" : model.error().message.c_str());
  QCOMPARE(model->config.n_vocab, 1000);
  QCOMPARE(model->config.n_kv_heads, 2);
  QCOMPARE(model->config.ffn_dim, 96);
  const TensorView embedding = *model->tensor("token_embd.weight", 1000, 64);
  QCOMPARE(embedding.dtype, *dtype);
  double sum = 0, squares = 0, largest = 0;
  std::vector<float> row(64);
  for (int64_t r = 0; r < embedding.rows; ++r) {
    dequantiseRow(embedding.dtype, embedding.row(r), 64, row.data());
    for (const float x : row) {
      sum += x;
      squares += double{x} * x;
      largest = std::max(largest, std::abs(double{x}));
    }
  }
  const double sigma = std::sqrt(squares / 64000);
  QVERIFY2(std::abs(sum / 64000) < 4 * 0.02 / std::sqrt(64000.0), QByteArray::number(sum / 64000).constData());
  QVERIFY2(std::abs(sigma / 0.02 - 1) < 0.02, QByteArray::number(sigma).constData());
  QVERIFY2(largest > 3.5 * 0.02 && largest < 6 * 0.02, QByteArray::number(largest).constData());
  const TensorView norm = *model->tensor("blk.1.ffn_norm.weight", 1, 64);
  QCOMPARE(static_cast<const float*>(norm.data)[63], 1.0f);
}

void RandomModelTest::sameSeedGivesTheSameBytes() {
  QTemporaryDir dir;
  const fs::path folder = dir.path().toStdString();
  const ModelConfig shape = *parseModelShape(kSmall);
  QVERIFY(writeRandomModel(shape, optionsOf(Dtype::q8_0, 1), folder / "a"));
  QVERIFY(writeRandomModel(shape, optionsOf(Dtype::q8_0, 1), folder / "b"));
  QVERIFY(writeRandomModel(shape, optionsOf(Dtype::q8_0, 2), folder / "c"));
  QVERIFY(readBytes(folder / "a") == readBytes(folder / "b"));
  QVERIFY(readBytes(folder / "a") != readBytes(folder / "c"));
}

void RandomModelTest::vocabularyReadsTextAndBytes() {
  QTemporaryDir dir;
  const fs::path path = fs::path(dir.path().toStdString()) / "model.gguf";
  QVERIFY(writeRandomModel(*parseModelShape(kSmall), optionsOf(Dtype::f16), path));
  const auto tokenizer = loadTokenizer(openModelFile(path)->tokenizer);
  QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
  QCOMPARE((*tokenizer)->nVocab(), 1000);
  const std::string text = "an ox, 你好\n\x01!";
  const auto ids = (*tokenizer)->encode(text, {});
  QCOMPARE(ids[0], 1);
  QCOMPARE((*tokenizer)->decode(ids), text);
  QCOMPARE((*tokenizer)->vocabularyText(ids[1]), std::string("▁an"));
  QVERIFY((*tokenizer)->isEndOfGeneration(2));
}

void RandomModelTest::tiedModelsHaveNoOutputMatrix() {
  QTemporaryDir dir;
  const fs::path path = fs::path(dir.path().toStdString()) / "model.gguf";
  QVERIFY(writeRandomModel(*parseModelShape(std::string(kSmall) + ",tied=1"), optionsOf(Dtype::f16), path));
  const auto model = openModelFile(path);
  QVERIFY(model && model->config.tied_embeddings && !model->tensors.contains("output.weight"));
}

void RandomModelTest::knowsTheNamedShapes() {
  const ModelConfig tiny = *parseModelShape("tinyllama-1.1b");
  QCOMPARE(tiny.dim, 2048);
  QCOMPARE(tiny.n_layers, 22);
  QCOMPARE(tiny.ffn_dim, 5632);
  QCOMPARE(tiny.n_kv_heads, 4);
  QCOMPARE(tiny.head_dim, 64);
  const ModelConfig large = *parseModelShape("llama-8b");
  QCOMPARE(large.dim, 4096);
  QCOMPARE(large.n_vocab, 128256);
  QCOMPARE(large.head_dim, 128);
  QCOMPARE(large.rope.theta, 500000.0f);
}

void RandomModelTest::refusesShapesByTheirPart_data() {
  QTest::addColumn<QString>("shape");
  QTest::addColumn<QString>("part");
  const char* const cases[][2] = {{"llama-9000b", "\"llama-9000b\""}, {"dim=64,depth=2", "\"depth=2\""},
                                  {"dim=many", "\"dim=many\""}, {"dim=", "\"dim=\""}, {"dim=64x", "\"dim=64x\""},
                                  {"dim=99999999999", "\"dim=99999999999\""}, {"", "is 0"},
                                  {"dim=64,layers=2,heads=3,kv_heads=2,ffn=8", "do not divide"},
                                  {"dim=64,layers=2,heads=4", "feed-forward length is 0"}};
  for (const auto& one : cases) QTest::newRow(one[0]) << one[0] << one[1];
}

void RandomModelTest::refusesShapesByTheirPart() {
  QFETCH(QString, shape);
  QFETCH(QString, part);
  const auto config = parseModelShape(shape.toStdString());
  QVERIFY(!config);
  QCOMPARE(int(config.error().code), int(ErrorCode::invalid_argument));
  QVERIFY2(config.error().message.find(part.toStdString()) != std::string::npos, config.error().message.c_str());
}

void RandomModelTest::refusesWidthsThatDoNotFitTheType() {
  QTemporaryDir dir;
  const fs::path folder = dir.path().toStdString();
  const ModelConfig odd = *parseModelShape("dim=64,layers=1,heads=4,ffn=172,vocab=300");
  const Status status = writeRandomModel(odd, optionsOf(Dtype::q4_0), folder / "m.gguf");
  QVERIFY(!status);
  QVERIFY(status.error().message.find("blk.0.ffn_down.weight has rows of 172 elements") != std::string::npos);
  QVERIFY(writeRandomModel(odd, optionsOf(Dtype::bf16), folder / "m.gguf"));
  const ModelConfig few = *parseModelShape("dim=64,layers=1,heads=4,ffn=64,vocab=258");
  QCOMPARE(int(writeRandomModel(few, optionsOf(Dtype::f16), folder / "n.gguf").error().code),
           int(ErrorCode::invalid_argument));
  QVERIFY(!parseWeightType("Q4_K"));
}

void RandomModelTest::leavesNothingBehindWhenTheDiskIsFull() {
  QTemporaryDir dir;
  const fs::path folder = dir.path().toStdString();
  // A limit on file sizes stands for the full disk: the write fails in the middle in the same way.
  rlimit old {};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{100'000, old.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const Status status = writeRandomModel(*parseModelShape(kSmall), optionsOf(Dtype::f32), folder / "m.gguf");
  setrlimit(RLIMIT_FSIZE, &old);
  QVERIFY(!status);
  QCOMPARE(int(status.error().code), int(ErrorCode::disk_full));
  QVERIFY(status.error().message.find("m.gguf") != std::string::npos);
  QCOMPARE(entries(folder), size_t{0});
  const auto huge = parseModelShape("dim=1048576,layers=1000,heads=64,ffn=1048576");
  QVERIFY(huge);
  const Status refused = writeRandomModel(*huge, optionsOf(Dtype::f32), folder / "m.gguf");
  QCOMPARE(int(refused.error().code), int(ErrorCode::disk_full));
  QVERIFY2(refused.error().message.find("but the disk has") != std::string::npos, refused.error().message.c_str());
  QCOMPARE(entries(folder), size_t{0});
  QCOMPARE(int(writeRandomModel(*parseModelShape(kSmall), optionsOf(Dtype::f32), folder / "no" / "m").error().code),
           int(ErrorCode::not_found));
}

void RandomModelTest::leavesTheOldFileWhenCancelled() {
  QTemporaryDir dir;
  const fs::path folder = dir.path().toStdString();
  writeBytes(folder / "m.gguf", "old");
  RandomModelOptions options = optionsOf(Dtype::f32);
  options.progress = [](uint64_t done, uint64_t total) { return done < total; };
  QCOMPARE(int(writeRandomModel(*parseModelShape(kSmall), options, folder / "m.gguf").error().code),
           int(ErrorCode::cancelled));
  QCOMPARE(readBytes(folder / "m.gguf"), std::string("old"));
  QCOMPARE(entries(folder), size_t{1});
}

QTEST_APPLESS_MAIN(RandomModelTest)
#include "random_model_test.moc"
