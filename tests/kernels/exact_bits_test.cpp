// Exact mode: the bits of a result depend on the model and the tokens before it, on nothing else.
#include <QTest>
#include <cmath>
#include <limits>

#include "kernels/reference/reference.h"
#include "small_model.h"

using namespace hearth;
using namespace hearth::testing;

class ExactBitsTest : public QObject {
  Q_OBJECT

 private slots:
  void chunkingAndThreadsChangeNoBit_data();
  void chunkingAndThreadsChangeNoBit();
  void longContextOfOneTokenSteps();
  void wholeModelMatchesTheReference_data();
  void wholeModelMatchesTheReference();
  void comparisonSeesNansAndMissingNumbers();
};

namespace {

/// Empty when no number `differs` from the expected one.
template <class Number, class Differs>
QString differences(const std::vector<float>& got, const std::vector<Number>& expected, Differs differs) {
  if (got.size() != expected.size()) {
    return QString("%1 logits instead of %2").arg(got.size()).arg(expected.size());
  }
  size_t count = 0, worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!differs(got[i], expected[i])) continue;
    const auto distance = std::fabs(got[i] - expected[i]), largest = std::fabs(got[worst] - expected[worst]);
    // Of several NaNs the first is the worst.
    if (++count == 1 || (!std::isnan(largest) && !(distance <= largest))) worst = i;
  }
  if (count == 0) return {};
  return QString("%1 of %2 logits differ, worst at %3: %4 instead of %5")
      .arg(count).arg(expected.size()).arg(worst).arg(got[worst], 0, 'g', 9).arg(expected[worst], 0, 'g', 9);
}

QString difference(const std::vector<float>& got, const std::vector<float>& expected) {
  return differences(got, expected, [](float a, float b) { return std::memcmp(&a, &b, sizeof a) != 0; });
}

/// Empty when each number lies within `tolerance` of the expected one. A NaN lies nowhere.
QString fartherThan(double tolerance, const std::vector<float>& got, const std::vector<double>& expected) {
  return differences(got, expected, [=](float a, double b) { return !(std::fabs(a - b) < tolerance); });
}

std::unique_ptr<Device> open(Isa isa, int n_threads) {
  auto device = openCpuDevice({n_threads, isa});
  return device ? *std::move(device) : nullptr;
}

std::vector<double> referenceLogits(const SmallModel& model, const std::vector<int32_t>& ids) {
  const auto n = static_cast<int32_t>(ids.size());
  ReferencePlan plan(model.plan(Precision::exact, n, n));
  ReferenceKv kv = ReferenceKv::like(model.kvShape(Dtype::f32));
  std::vector<int32_t> rows;
  for (int32_t i = 0; i < n; ++i) rows.push_back(i);
  plan.run({ids, rows, rows, 0, {}, nullptr}, kv);
  const auto logits = plan.at(plan.plan().logits);
  return {logits.begin(), logits.end()};
}

}  // namespace

void ExactBitsTest::chunkingAndThreadsChangeNoBit_data() {
  QTest::addColumn<int>("weight");
  QTest::addColumn<int>("isa");
  for (const Dtype weight : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0}) {
    for (const auto& [name, isa] : {std::pair{"scalar", Isa::scalar}, std::pair{"AVX2", Isa::avx2},
                                    std::pair{"AVX-512", Isa::avx512}}) {
      QTest::addRow("%s, %s", dtypeName(weight), name) << int(weight) << int(isa);
    }
  }
}

void ExactBitsTest::chunkingAndThreadsChangeNoBit() {
  QFETCH(int, weight);
  QFETCH(int, isa);
  auto single = open(static_cast<Isa>(isa), 1);
  if (!single) QSKIP("this processor lacks the instruction set");
  const SmallModel model({.weight = static_cast<Dtype>(weight)});
  const auto ids = someIds(75, model.shape().n_vocab);
  const auto expected = allLogits(model, *single, Precision::exact, Dtype::f32, ids, {75});
  for (const int n_threads : {1, 2, 3}) {
    auto device = open(static_cast<Isa>(isa), n_threads);
    for (const std::vector<int32_t>& chunks : {std::vector<int32_t>{1}, {2}, {3, 8, 1}, {32}, {75}}) {
      const auto got = allLogits(model, *device, Precision::exact, Dtype::f32, ids, chunks);
      const QString wrong = difference(got, expected);
      QVERIFY2(wrong.isEmpty(), qPrintable(QString("%1 threads, chunks of %2…: %3")
                                               .arg(n_threads).arg(chunks[0]).arg(wrong)));
    }
  }
}

// Past one segment of keys, steps of few tokens share the segments out among the threads.
void ExactBitsTest::longContextOfOneTokenSteps() {
  const SmallModel model({.n_layers = 1});
  const auto ids = someIds(790, model.shape().n_vocab);
  const auto expected = allLogits(model, *open(Isa::best, 1), Precision::exact, Dtype::f32, ids, {100});
  for (const int n_threads : {2, 3}) {
    for (const std::vector<int32_t>& chunks : {std::vector<int32_t>{250, 1, 2, 3, 1, 4}, {763, 1}, {9}}) {
      const auto got = allLogits(model, *open(Isa::best, n_threads), Precision::exact, Dtype::f32, ids, chunks);
      const QString wrong = difference(got, expected);
      QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }
  }
}

void ExactBitsTest::wholeModelMatchesTheReference_data() {
  QTest::addColumn<int>("weight");
  for (const Dtype weight : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0}) {
    QTest::addRow("%s", dtypeName(weight)) << int(weight);
  }
}

void ExactBitsTest::wholeModelMatchesTheReference() {
  QFETCH(int, weight);
  const SmallModel model({.weight = static_cast<Dtype>(weight)});
  const auto ids = someIds(40, model.shape().n_vocab);
  const auto expected = referenceLogits(model, ids);
  const auto got = allLogits(model, *open(Isa::best, 2), Precision::exact, Dtype::f32, ids, {17});
  // The logits of this model have a standard deviation near 10; each layer adds some tens of epsilon.
  const QString wrong = fartherThan(2e-4, got, expected);
  QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
}

void ExactBitsTest::comparisonSeesNansAndMissingNumbers() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  QVERIFY(fartherThan(0.1, {1, 2, 3}, {1, 2.05, 3}).isEmpty());
  QCOMPARE(fartherThan(0.1, {1, 9, nan, 7}, {1, 2, 3, 3}),
           QString("3 of 4 logits differ, worst at 2: nan instead of 3"));
  QCOMPARE(fartherThan(0.1, {1, 9, 5}, {1, 2, 3}), QString("2 of 3 logits differ, worst at 1: 9 instead of 2"));
  QCOMPARE(fartherThan(0.1, {1}, {1, 2}), QString("1 logits instead of 2"));
  QCOMPARE(difference({1, nan}, {1, 2}), QString("1 of 2 logits differ, worst at 1: nan instead of 2"));
  QCOMPARE(difference({1, 2, 3}, {1, 2}), QString("3 logits instead of 2"));
}

QTEST_APPLESS_MAIN(ExactBitsTest)
#include "exact_bits_test.moc"
