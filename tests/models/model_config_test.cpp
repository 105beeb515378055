// Rotary frequencies by their published formulas, and configurations that no model can have.
#include <QtTest>

#include <cmath>
#include <limits>

#include "models/model_config.h"

using namespace hearth;

namespace {

ModelConfig goodConfig() {
  ModelConfig config;
  config.architecture = "llama";
  config.n_vocab = 512;
  config.n_ctx_train = 512;
  config.dim = 64;
  config.n_layers = 2;
  config.n_heads = 8;
  config.n_kv_heads = 4;
  config.head_dim = 8;
  config.ffn_dim = 172;
  config.rope.rotary_dim = 8;
  return config;
}

void compareClose(const std::vector<double>& actual, const std::vector<double>& expected) {
  QCOMPARE(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    if (std::abs(actual[i] - expected[i]) <= 1e-12 * expected[i]) continue;
    QFAIL(QString("[%1]: %2 is not %3").arg(i).arg(actual[i], 0, 'g', 17).arg(expected[i], 0, 'g', 17).toUtf8());
  }
}

}  // namespace

class ModelConfigTest : public QObject {
  Q_OBJECT
 private slots:
  void plainFrequenciesFallGeometrically();
  void linearScalingDividesEveryFrequency();
  void llama3ScalingStretchesLongWavesOnly();
  void divisorsOfTheFileApply();
  void acceptsARealConfiguration();
  void refusesImpossibleNumbersByName_data();
  void refusesImpossibleNumbersByName();
};

void ModelConfigTest::plainFrequenciesFallGeometrically() {
  compareClose(ropeFrequencies(goodConfig().rope), {1.0, 0.1, 0.01, 0.001});
}

void ModelConfigTest::linearScalingDividesEveryFrequency() {
  RopeConfig rope = goodConfig().rope;
  rope.scaling = RopeScaling::linear;
  rope.factor = 4.0f;
  compareClose(ropeFrequencies(rope), {0.25, 0.025, 0.0025, 0.00025});
}

void ModelConfigTest::llama3ScalingStretchesLongWavesOnly() {
  RopeConfig rope = goodConfig().rope;
  rope.scaling = RopeScaling::llama3;
  rope.factor = 8.0f;
  rope.original_max_position_embeddings = 128;
  // Wavelengths 6.3, 63, 628, 6283 against 128/4 = 32 and 128/1 = 128: kept, blended, divided twice.
  const double smooth = (128.0 / (20.0 * M_PI) - 1.0) / 3.0;
  const double blended = (1.0 - smooth) * 0.1 / 8.0 + smooth * 0.1;
  compareClose(ropeFrequencies(rope), {1.0, blended, 0.01 / 8.0, 0.001 / 8.0});
}

void ModelConfigTest::divisorsOfTheFileApply() {
  RopeConfig rope = goodConfig().rope;
  rope.frequency_divisors = {1.0f, 2.0f, 4.0f, 8.0f};
  compareClose(ropeFrequencies(rope), {1.0, 0.05, 0.0025, 0.000125});
}

void ModelConfigTest::acceptsARealConfiguration() {
  const Status status = validateConfig(goodConfig(), "good");
  QVERIFY2(status, status ? "" : status.error().message.c_str());
}

using Change = void (*)(ModelConfig&);
Q_DECLARE_METATYPE(Change)

void ModelConfigTest::refusesImpossibleNumbersByName_data() {
  QTest::addColumn<Change>("change");
  QTest::addColumn<QString>("part");
  const struct { Change change; const char* part; } cases[] = {
      {[](ModelConfig& c) { c.n_vocab = 0; }, "vocabulary size is 0"},
      {[](ModelConfig& c) { c.n_ctx_train = 0; }, "context length is 0"},
      {[](ModelConfig& c) { c.dim = -1; }, "embedding length is -1"},
      {[](ModelConfig& c) { c.n_layers = 1 << 20; }, "number of layers is 1048576"},
      {[](ModelConfig& c) { c.n_heads = 0; }, "number of attention heads is 0"},
      {[](ModelConfig& c) { c.n_kv_heads = 0; }, "number of key/value heads is 0"},
      {[](ModelConfig& c) { c.n_kv_heads = 16; }, "do not divide among 16"},
      {[](ModelConfig& c) { c.head_dim = 9; }, "head dimension 9 is odd"},
      {[](ModelConfig& c) { c.n_heads = c.n_kv_heads = c.head_dim = 1 << 20; }, "width of all attention heads is"},
      {[](ModelConfig& c) { c.ffn_dim = 0; }, "feed-forward length is 0"},
      {[](ModelConfig& c) { c.rms_norm_eps = -1; }, "RMS norm epsilon is -1"},
      {[](ModelConfig& c) { c.rms_norm_eps = NAN; }, "RMS norm epsilon is"},
      {[](ModelConfig& c) { c.rope.rotary_dim = 10; }, "rotary dimension 10 does not fit heads of 8"},
      {[](ModelConfig& c) { c.rope.rotary_dim = 3; }, "rotary dimension 3"},
      {[](ModelConfig& c) { c.rope.rotary_dim = 0; }, "rotary dimension 0"},
      {[](ModelConfig& c) { c.rope.theta = 0; }, "rope theta is 0"},
      {[](ModelConfig& c) { c.rope.factor = INFINITY; }, "rope scaling factor is inf"},
      {[](ModelConfig& c) { c.rope.scaling = RopeScaling::llama3; }, "llama3 rope scaling with"},
      {[](ModelConfig& c) { c.rope.frequency_divisors = {1, 1, 1}; }, "3 values for 4 rotating pairs"},
      {[](ModelConfig& c) { c.rope.frequency_divisors = {1, 1, 0, 1}; }, "rope_freqs.weight[2] is 0"},
  };
  for (const auto& one : cases) QTest::newRow(one.part) << one.change << one.part;
}

void ModelConfigTest::refusesImpossibleNumbersByName() {
  QFETCH(Change, change);
  QFETCH(QString, part);
  ModelConfig config = goodConfig();
  change(config);
  const Status status = validateConfig(config, "bad.gguf");
  QVERIFY2(!status, qPrintable(part));
  QVERIFY2(status.error().message.find(part.toStdString()) != std::string::npos, status.error().message.c_str());
  QCOMPARE(int(status.error().code), int(ErrorCode::bad_file));
}

QTEST_APPLESS_MAIN(ModelConfigTest)
#include "model_config_test.moc"
