// How far fast mode is from exact, measured on the fixture text against the bounds of the design:
// mean KL divergence and perplexity.
#include <QTemporaryDir>
#include <QtTest>

#include "models/gguf/random_model.h"
#include "models/tokenizer/tokenizer.h"
#include "tests/inference/test_model.h"

using namespace hearth;
using namespace hearth::test;

namespace {

constexpr size_t kContext = 256;

/// The fixture text cut into whole contexts, each starting with the beginning-of-sequence token.
std::vector<std::vector<int32_t>> storyContexts(const ModelFile& file) {
  auto tokenizer = loadTokenizer(file.tokenizer);
  if (!tokenizer) qFatal("%s", tokenizer.error().message.c_str());
  const auto ids =
      (*tokenizer)
          ->encode(readText(std::filesystem::path(HEARTH_TEST_DATA) / "text" / "story.txt"), {});
  std::vector<std::vector<int32_t>> contexts;
  for (size_t start = 0; start + kContext <= ids.size(); start += kContext) {
    contexts.emplace_back(ids.begin() + static_cast<ptrdiff_t>(start),
                          ids.begin() + static_cast<ptrdiff_t>(start + kContext));
    contexts.back()[0] = (*tokenizer)->bosId();
  }
  return contexts;
}

struct Distance {
  double mean_kl = 0;           // nats, KL(exact ‖ fast)
  double perplexity_ratio = 0;  // fast over exact
};

Distance measure(TestModel& exact, TestModel& fast) {
  double kl = 0, log_ratio = 0;
  size_t positions = 0, scored = 0;
  for (const auto& ids : storyContexts(exact.model->file())) {
    const auto p_logits = exact.all(*exact.newSequence(), ids);
    const auto q_logits = fast.all(*fast.newSequence(), ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto p = logSoftmax(std::span(p_logits).subspan(i * exact.nVocab(), exact.nVocab()));
      const auto q = logSoftmax(std::span(q_logits).subspan(i * exact.nVocab(), exact.nVocab()));
      for (size_t token = 0; token < p.size(); ++token)
        kl += std::exp(p[token]) * (p[token] - q[token]);
      ++positions;
      if (i + 1 == ids.size()) continue;
      const auto next = static_cast<size_t>(ids[i + 1]);
      log_ratio += p[next] - q[next];
      ++scored;
    }
  }
  return {kl / static_cast<double>(positions), std::exp(log_ratio / static_cast<double>(scored))};
}

}  // namespace

class FastModeTest : public QObject {
  Q_OBJECT

  /// A model with heads of 32 in a type that no fixture has such heads in. The same weights every
  /// time; as wide as makes logits differ by some 1.5, as those of trained models do.
  QString randomModel(Dtype type) {
    const auto path = std::filesystem::path(dir_.path().toStdString()) / (std::string("random-") + dtypeName(type));
    const auto shape = parseModelShape("dim=128,layers=2,heads=4,kv_heads=2,ffn=192,vocab=512,ctx=256");
    if (!shape) qFatal("%s", shape.error().message.c_str());
    RandomModelOptions options;
    options.weight_type = type;
    options.sigma = 0.13f;
    options.seed = 3;
    const Status written = writeRandomModel(*shape, options, path);
    if (!written) qFatal("%s", written.error().message.c_str());
    return QString::fromStdString(path.string());
  }

  QTemporaryDir dir_;

 private slots:
  void staysWithinItsBound_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<int>("kv_type");
    QTest::addColumn<double>("kl_bound");
    const auto add = [](const QString& model, Dtype kv_type, double kl_bound) {
      const std::string name = std::filesystem::path(model.toStdString()).filename().string();
      QTest::newRow(fmt::format("{}, {} KV", name, dtypeName(kv_type)).c_str())
          << model << static_cast<int>(kv_type) << kl_bound;
    };
    add("stories260K-f32.gguf", Dtype::f16, 1e-3);
    add("stories260K-f16.gguf", Dtype::f16, 1e-3);
    add("stories260K-bf16.gguf", Dtype::f16, 1e-3);
    add("stories260K-hf-bf16-sharded", Dtype::f16, 1e-3);
    add("stories260K-ff192-q8_0.gguf", Dtype::f16, 1e-3);
    add("stories260K-ff192-q8_0.gguf", Dtype::f32, 1e-3);
    add("stories260K-ff192-q4_0.gguf", Dtype::f16, 5e-3);
    add("stories260K-ff192-q4_0.gguf", Dtype::f32, 5e-3);
    add("llama-untied-f32.gguf", Dtype::f16, 1e-3);
    add("llama-rope-linear-tiny-f32.gguf", Dtype::f16, 1e-3);
    add("llama3-rope-tiny-f32.gguf", Dtype::f16, 1e-3);
    add("llama3-rope-tiny-f32.gguf", Dtype::q8_0, 1e-3);
    add("llama3-rope-tiny-hf", Dtype::q8_0, 1e-3);
    const QString q8_0 = randomModel(Dtype::q8_0), q4_0 = randomModel(Dtype::q4_0);
    add(q8_0, Dtype::q8_0, 1e-3);
    add(q4_0, Dtype::q8_0, 5e-3);
    add("llama-d256-f32.gguf", Dtype::f16, 1e-3);
    add("llama-d256-f32.gguf", Dtype::q8_0, 1e-3);
    add("llama-d256-q8_0.gguf", Dtype::f16, 1e-3);
    add("llama-d256-q8_0.gguf", Dtype::q8_0, 1e-3);
  }
  void staysWithinItsBound() {
    QFETCH(QString, model);
    QFETCH(int, kv_type);
    QFETCH(double, kl_bound);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel exact(model.toStdString());
    TestModel fast(model.toStdString(),
                   {.precision = Precision::fast, .kv_type = static_cast<Dtype>(kv_type)});
    const Distance distance = measure(exact, fast);
    qInfo("mean KL %.3g nats, perplexity x %.6f", distance.mean_kl, distance.perplexity_ratio);
    QVERIFY2(distance.mean_kl <= kl_bound, qPrintable(QString::number(distance.mean_kl)));
    QVERIFY2(std::abs(distance.perplexity_ratio - 1) <= 0.01,
             qPrintable(QString::number(distance.perplexity_ratio)));
  }

  void quantisedActivationsAreReallyUsed() {
    // Guards the test above: two exact models would pass it.
    TestModel exact("stories260K-ff192-q8_0.gguf");
    TestModel fast("stories260K-ff192-q8_0.gguf",
                   {.precision = Precision::fast, .kv_type = Dtype::f32});
    const Distance distance = measure(exact, fast);
    QVERIFY2(distance.mean_kl > 1e-8, qPrintable(QString::number(distance.mean_kl)));
  }
};

QTEST_GUILESS_MAIN(FastModeTest)
#include "fast_mode_test.moc"
