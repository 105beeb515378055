// Exact mode against logits, greedy ids and perplexities that other programs computed.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QtTest>

#include "models/tokenizer/tokenizer.h"
#include "tests/inference/test_model.h"
#include "tests/support/npy.h"

using namespace hearth;
using namespace hearth::test;

namespace {

constexpr double kTolerance = 1e-3;  // in logits whose standard deviation is 2 to 7
constexpr int kPromptOfAllPositions = 4;

std::filesystem::path goldenPath(const std::string& name) {
  return std::filesystem::path(HEARTH_TEST_DATA) / "golden" / name;
}

QJsonObject readJson(const std::filesystem::path& path) {
  const QJsonDocument document = QJsonDocument::fromJson(QByteArray::fromStdString(readText(path)));
  if (!document.isObject()) qFatal("%s cannot be read", path.c_str());
  return document.object();
}

std::vector<int32_t> toIds(const QJsonValue& value) {
  std::vector<int32_t> ids;
  for (const QJsonValue& id : value.toArray()) ids.push_back(id.toInt());
  return ids;
}

struct Prompt {
  std::vector<int32_t> ids;
  std::vector<int32_t> greedy_ids;
  std::vector<double> greedy_top2_gap;  // logit distance of winner and runner-up
};

std::vector<Prompt> goldenPrompts(const std::string& golden) {
  std::vector<Prompt> prompts;
  for (const QJsonValue& value : readJson(goldenPath(golden + ".json"))["prompts"].toArray()) {
    const QJsonObject object = value.toObject();
    Prompt prompt{toIds(object["ids"]), toIds(object["greedy_ids"]), {}};
    for (const QJsonValue& gap : object["greedy_top2_gap"].toArray()) {
      prompt.greedy_top2_gap.push_back(gap.toDouble());
    }
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

/// Below which gap between winner and runner-up the golden greedy ids say nothing. llama.cpp rounds
/// the activations of quantised models: its own distance from float64 is recorded, and each of the
/// two logits may be off by as much. (test exactness_test compares greedy ids with float64.)
double nearTie(const std::string& golden) {
  if (golden.find("-q") == std::string::npos) return kTolerance;
  return 2 * readJson(goldenPath(golden + ".json"))["maxdiff_llamacpp_vs_ref64_all"].toDouble();
}

/// The float64 decoder's result, or llama.cpp's where weights are float32: the two agree to 2e-5.
NpyArray goldenLogits(const std::string& golden, const std::string& which) {
  for (const std::string& name : {golden + ".ref64." + which, golden + "." + which}) {
    if (auto array = readNpy(goldenPath(name + ".npy"))) return *array;
  }
  qFatal("no golden %s logits of %s", which.c_str(), golden.c_str());
}

bool hasAllPositions(const std::string& golden) {
  return std::filesystem::exists(goldenPath(golden + ".ref64.all.npy")) ||
         (golden.ends_with("-f32") && std::filesystem::exists(goldenPath(golden + ".all.npy")));
}

/// exp(mean negative log-likelihood), chunked and scored as llama-perplexity does: chunks of
/// `context` tokens, each starting with `bos`, scored on predictions made in its second half.
double perplexity(TestModel& m, std::vector<int32_t> ids, int32_t bos, size_t context) {
  double sum = 0;
  size_t scored = 0;
  for (size_t start = 0; start + context <= ids.size(); start += context) {
    ids[start] = bos;
    const auto state = m.newSequence();
    const auto logits = m.all(*state, std::span(ids).subspan(start, context));
    for (size_t i = context / 2; i + 1 < context; ++i) {
      const auto row = std::span(logits).subspan(i * m.nVocab(), m.nVocab());
      sum -= logSoftmax(row)[static_cast<size_t>(ids[start + i + 1])];
      ++scored;
    }
  }
  return std::exp(sum / static_cast<double>(scored));
}

}  // namespace

class GoldenTest : public QObject {
  Q_OBJECT

  static void addModels() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("golden");
    const auto add = [](const char* model, const char* golden) {
      QTest::newRow(model) << QString(model) << QString(golden);
    };
    add("stories260K-f32.gguf", "stories260K-f32");
    add("stories260K-hf", "stories260K-f32");
    add("stories260K-f16.gguf", "stories260K-f16");
    add("stories260K-bf16.gguf", "stories260K-bf16");
    add("stories260K-hf-bf16-sharded", "stories260K-hf-bf16-sharded");
    add("stories260K-ff192-q8_0.gguf", "stories260K-ff192-q8_0");
    add("stories260K-ff192-q4_0.gguf", "stories260K-ff192-q4_0");
    add("llama-untied-f32.gguf", "llama-untied-f32");
    add("llama3-rope-tiny-f32.gguf", "llama3-rope-tiny-f32");
    add("llama3-rope-tiny-hf", "llama3-rope-tiny-f32");
    add("llama-rope-linear-tiny-f32.gguf", "llama-rope-linear-tiny-f32");
    add("llama-rope-linear-tiny-hf", "llama-rope-linear-tiny-f32");
    add("llama-d256-f32.gguf", "llama-d256-f32");
    add("llama-d256-q8_0.gguf", "llama-d256-q8_0");
  }

 private slots:
  void lastLogitsMatchReference_data() { addModels(); }
  void lastLogitsMatchReference() {
    QFETCH(QString, model);
    QFETCH(QString, golden);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel m(model.toStdString());
    const auto expected = goldenLogits(golden.toStdString(), "last");
    const auto prompts = goldenPrompts(golden.toStdString());
    QCOMPARE(prompts.size(), size_t{6});
    for (size_t i = 0; i < prompts.size(); ++i) {
      const auto logits = m.last(*m.newSequence(), prompts[i].ids);
      const auto wrong = difference(logits, expected.row(static_cast<int64_t>(i)), kTolerance);
      QVERIFY2(wrong.isEmpty(), "prompt " + QByteArray::number(static_cast<int>(i)) + ": " + wrong);
    }
  }

  void allPositionsMatchReference_data() { addModels(); }
  void allPositionsMatchReference() {
    QFETCH(QString, model);
    QFETCH(QString, golden);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    if (!hasAllPositions(golden.toStdString()))
      QSKIP("no float64 logits of all positions exist for it");
    TestModel m(model.toStdString());
    const auto expected = goldenLogits(golden.toStdString(), "all");
    const auto prompts = goldenPrompts(golden.toStdString());
    const auto logits = m.all(*m.newSequence(), prompts[kPromptOfAllPositions].ids);
    const auto wrong = difference(logits, expected.values, kTolerance);
    QVERIFY2(wrong.isEmpty(), wrong);
  }

  void greedyIdsMatchUpToTheFirstNearTie_data() { addModels(); }
  void greedyIdsMatchUpToTheFirstNearTie() {
    QFETCH(QString, model);
    QFETCH(QString, golden);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel m(model.toStdString());
    const double near_tie = nearTie(golden.toStdString());
    size_t compared = 0;
    for (const Prompt& prompt : goldenPrompts(golden.toStdString())) {
      const auto state = m.newSequence();
      std::vector<int32_t> next = prompt.ids;
      QCOMPARE(prompt.greedy_ids.size(), prompt.greedy_top2_gap.size());
      for (size_t step = 0; step < prompt.greedy_ids.size(); ++step) {
        if (prompt.greedy_top2_gap[step] < near_tie) break;
        next = {argmax(m.last(*state, next))};
        QVERIFY2(next[0] == prompt.greedy_ids[step],
                 qPrintable(QString("step %1: %2 instead of %3, gap %4")
                                .arg(step)
                                .arg(next[0])
                                .arg(prompt.greedy_ids[step])
                                .arg(prompt.greedy_top2_gap[step])));
        ++compared;
      }
    }
    QVERIFY2(compared >= 4, qPrintable(QString("only %1 steps were compared").arg(compared)));
  }

  void perplexityMatches_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("golden");
    QTest::addColumn<double>("tolerance");  // relative
    const auto add = [](const char* model, const char* golden, double tolerance) {
      QTest::newRow(model) << QString(model) << QString(golden) << tolerance;
    };
    // llama.cpp prints four digits; on 16-bit and quantised weights it rounds its activations.
    add("stories260K-f32.gguf", "stories260K-f32.ref64", 1e-6);
    add("stories260K-hf", "stories260K-f32", 1e-3);
    add("stories260K-f16.gguf", "stories260K-f16", 1e-3);
    add("stories260K-bf16.gguf", "stories260K-bf16", 1e-3);
    add("stories260K-hf-bf16-sharded", "stories260K-bf16", 1e-3);
    add("stories260K-ff192-q8_0.gguf", "stories260K-ff192-q8_0", 1e-2);
    add("stories260K-ff192-q4_0.gguf", "stories260K-ff192-q4_0", 1e-2);
    add("llama-untied-f32.gguf", "llama-untied-f32", 1e-3);
    add("llama3-rope-tiny-hf", "llama3-rope-tiny-f32", 1e-3);
    add("llama-rope-linear-tiny-hf", "llama-rope-linear-tiny-f32", 1e-3);
    add("llama-d256-f32.gguf", "llama-d256-f32", 1e-3);
    add("llama-d256-q8_0.gguf", "llama-d256-q8_0", 1e-2);
  }
  void perplexityMatches() {
    QFETCH(QString, model);
    QFETCH(QString, golden);
    QFETCH(double, tolerance);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel m(model.toStdString());
    auto tokenizer = loadTokenizer(m.model->file().tokenizer);
    if (!tokenizer) QFAIL(tokenizer.error().message.c_str());
    const auto text = readText(std::filesystem::path(HEARTH_TEST_DATA) / "text" / "story.txt");
    const auto ids = (*tokenizer)->encode(text, {});
    QCOMPARE(ids.size(), size_t{1522});

    const QJsonObject all = readJson(goldenPath("perplexity.json"));
    QVERIFY2(all.contains(golden), qPrintable(golden));
    const double expected = all[golden].toObject()["ppl"].toDouble();
    const double actual = perplexity(m, ids, (*tokenizer)->bosId(), 256);
    QVERIFY2(
        std::abs(actual / expected - 1) < tolerance,
        qPrintable(QString("%1 instead of %2").arg(actual, 0, 'g', 9).arg(expected, 0, 'g', 9)));
  }
};

QTEST_GUILESS_MAIN(GoldenTest)
#include "golden_test.moc"
