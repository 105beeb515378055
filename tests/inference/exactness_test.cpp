// Exact mode promises bits: the same logits however the work was cut, cached or spread over
// threads, and never far from the float64 reference.
#include <QtTest>

#include <random>

#include "inference/graph.h"
#include "kernels/base/check.h"
#include "kernels/reference/reference.h"
#include "tests/inference/test_model.h"

using namespace hearth;
using namespace hearth::test;

namespace {

std::vector<int32_t> randomIds(size_t n, int32_t n_vocab) {
  std::mt19937 generator(17);
  std::vector<int32_t> ids(n);
  for (int32_t& id : ids) id = static_cast<int32_t>(generator() % static_cast<uint32_t>(n_vocab));
  return ids;
}

/// Leaves constants where they lie, which is what the reference reads. Runs nothing.
class HostConstants final : public Device {
 public:
  DeviceInfo info() const override { return {}; }
  Result<std::unique_ptr<Buffer>> allocate(size_t) override {
    failCheck("unused", __FILE__, __LINE__);
  }
  Result<OwnedConstant> upload(const TensorView& host) override {
    return OwnedConstant{
        {host.data, host.dtype, static_cast<int32_t>(host.rows), static_cast<int32_t>(host.cols)},
        nullptr};
  }
  Result<std::unique_ptr<CompiledPlan>> compile(Plan) override {
    failCheck("unused", __FILE__, __LINE__);
  }
};

/// The same plan in float64: logits of every token. [ids.size(), n_vocab]
std::vector<float> referenceLogits(const std::string& model, std::span<const int32_t> ids) {
  const auto file = openFixture(model);
  const ModelConfig& c = file->config;
  HostConstants device;
  const auto weights = loadWeights(device, *file);
  if (!weights) qFatal("%s", weights.error().message.c_str());
  const auto n = static_cast<int32_t>(ids.size());
  ReferencePlan plan(recordLlama(c, *weights, {.max_tokens = n, .max_outputs = n}));

  const KvBinding kv{.n_layers = c.n_layers,
                     .n_kv_heads = c.n_kv_heads,
                     .head_dim = c.head_dim,
                     .capacity_rows = n};
  ReferenceKv memory = ReferenceKv::like(kv);
  std::vector<int32_t> rows(ids.size());
  for (int32_t i = 0; i < n; ++i) rows[static_cast<size_t>(i)] = i;
  plan.run({.token_ids = ids, .positions = rows, .out_rows = rows, .kv = kv}, memory);
  const auto logits = plan.at(plan.plan().logits);
  return {logits.begin(), logits.end()};
}

/// All logits of `ids`, run in steps of `chunk` tokens.
std::vector<float> inChunks(TestModel& m, std::span<const int32_t> ids, size_t chunk) {
  const auto state = m.newSequence();
  std::vector<float> logits;
  for (size_t done = 0; done < ids.size(); done += chunk) {
    const auto part = m.all(*state, ids.subspan(done, std::min(chunk, ids.size() - done)));
    logits.insert(logits.end(), part.begin(), part.end());
  }
  return logits;
}

}  // namespace

class ExactnessTest : public QObject {
  Q_OBJECT

  static void addModels() {
    QTest::addColumn<QString>("model");
    for (const char* model :
         {"stories260K-f32.gguf", "stories260K-f16.gguf", "stories260K-bf16.gguf",
          "stories260K-ff192-q8_0.gguf", "stories260K-ff192-q4_0.gguf",
          "stories260K-hf-bf16-sharded", "llama-untied-f32.gguf", "llama3-rope-tiny-f32.gguf",
          "llama3-rope-tiny-hf", "llama-rope-linear-tiny-f32.gguf", "llama-rope-linear-tiny-hf",
          "llama-d256-q8_0.gguf"}) {
      QTest::newRow(model) << QString(model);
    }
  }

 private slots:
  void logitsMatchFloat64Reference_data() { addModels(); }
  void logitsMatchFloat64Reference() {
    QFETCH(QString, model);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel m(model.toStdString());
    const auto ids = randomIds(90, m.model->config().n_vocab);
    const auto wrong =
        difference(m.all(*m.newSequence(), ids), referenceLogits(model.toStdString(), ids), 2e-4);
    QVERIFY2(wrong.isEmpty(), wrong);
  }

  void greedyIdsMatchFloat64Reference_data() { addModels(); }
  void greedyIdsMatchFloat64Reference() {
    QFETCH(QString, model);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel m(model.toStdString());
    std::vector<int32_t> ids = randomIds(6, m.model->config().n_vocab), next = ids;
    const auto state = m.newSequence();
    while (ids.size() < 100) {
      next = {argmax(m.last(*state, next))};
      ids.push_back(next[0]);
    }
    const auto reference = referenceLogits(model.toStdString(), ids);
    for (size_t i = 5; i + 1 < ids.size(); ++i) {
      const auto row = std::span(reference).subspan(i * m.nVocab(), m.nVocab());
      const float lead =
          row[static_cast<size_t>(argmax(row))] - row[static_cast<size_t>(ids[i + 1])];
      QVERIFY2(lead < 1e-3f, qPrintable(QString("token %1 after %2 tokens is %3 behind the best")
                                            .arg(ids[i + 1])
                                            .arg(i + 1)
                                            .arg(lead)));
    }
  }

  void chunkingChangesNoBit_data() { addModels(); }
  void chunkingChangesNoBit() {
    QFETCH(QString, model);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel m(model.toStdString());
    const auto ids = randomIds(301, m.model->config().n_vocab);
    const auto whole = inChunks(m, ids, 512);
    for (const size_t chunk : {1, 3, 8, 64, 200}) {
      const auto wrong = bitDifference(inChunks(m, ids, chunk), whole);
      QVERIFY2(wrong.isEmpty(),
               "chunks of " + QByteArray::number(static_cast<int>(chunk)) + ": " + wrong);
    }
  }

  void lastLogitsEqualThoseOfAll_data() { addModels(); }
  void lastLogitsEqualThoseOfAll() {
    QFETCH(QString, model);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel m(model.toStdString());
    const auto ids = randomIds(77, m.model->config().n_vocab);
    const auto all = m.all(*m.newSequence(), ids);
    const auto wrong =
        bitDifference(m.last(*m.newSequence(), ids), std::span(all).last(m.nVocab()));
    QVERIFY2(wrong.isEmpty(), wrong);
  }

  void truncatedCacheGivesTheBitsOfAFreshOne_data() { addModels(); }
  void truncatedCacheGivesTheBitsOfAFreshOne() {
    QFETCH(QString, model);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    TestModel m(model.toStdString());
    const auto ids = randomIds(120, m.model->config().n_vocab);
    const auto fresh = m.last(*m.newSequence(), std::span(ids).first(100));

    const auto state = m.newSequence();
    m.last(*state, ids);
    for (const int32_t kept : {99, 64, 1, 0}) {
      state->truncate(kept);
      const auto rest = std::span(ids).first(100).subspan(static_cast<size_t>(kept));
      const auto wrong = bitDifference(m.last(*state, rest), fresh);
      QVERIFY2(wrong.isEmpty(), "after " + QByteArray::number(kept) + ": " + wrong);
    }
  }

  void threadCountChangesNoBit_data() { addModels(); }
  void threadCountChangesNoBit() {
    QFETCH(QString, model);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    std::vector<float> one_thread;
    for (const int n_threads : {1, 2, 3}) {
      TestModel m(model.toStdString(), kExact, {.n_threads = n_threads});
      const auto logits = m.all(*m.newSequence(), randomIds(70, m.model->config().n_vocab));
      if (n_threads == 1) one_thread = logits;
      const auto wrong = bitDifference(logits, one_thread);
      QVERIFY2(wrong.isEmpty(), QByteArray::number(n_threads) + " threads: " + wrong);
    }
  }

  void instructionSetsAgreeButForRounding_data() { addModels(); }
  void instructionSetsAgreeButForRounding() {
    QFETCH(QString, model);
    if (findModel(model.toStdString()).empty())
      QSKIP("needs the larger fixtures (HEARTH_FIXTURES)");
    std::vector<float> scalar;
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
      if (!openCpuDevice({.isa = isa})) continue;  // this processor lacks it
      TestModel m(model.toStdString(), kExact, {.isa = isa});
      const auto ids = randomIds(70, m.model->config().n_vocab);
      const auto logits = inChunks(m, ids, 64);
      if (isa == Isa::scalar) scalar = logits;
      const QByteArray which = "isa " + QByteArray::number(static_cast<int>(isa)) + ": ";
      const auto far = difference(logits, scalar, 2e-4);
      QVERIFY2(far.isEmpty(), which + far);
      // Chunks keep their promise on each of them, not only on the best one here.
      const auto wrong = bitDifference(inChunks(m, ids, 5), logits);
      QVERIFY2(wrong.isEmpty(), which + wrong);
    }
  }
};

QTEST_GUILESS_MAIN(ExactnessTest)
#include "exactness_test.moc"
