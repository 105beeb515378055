#include "inference/sampler.h"

#include <QtTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

using namespace hearth;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const SamplingOptions kPlain{.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0};

std::vector<float> randomLogits(size_t n, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> logits(n);
  for (float& logit : logits) logit = normal(generator);
  return logits;
}

/// The rules of SamplingOptions, by sorting everything and without sharing code with the sampler:
/// the probability of each id. No penalties, no bias.
std::vector<double> exactDistribution(const std::vector<float>& logits,
                                      const SamplingOptions& options) {
  const size_t n = logits.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  size_t kept = options.top_k > 0 ? std::min(n, static_cast<size_t>(options.top_k)) : n;

  std::vector<double> p(n, 0.0);
  double total = 0;
  for (size_t i = 0; i < kept; ++i) {
    total += p[order[i]] =
        std::exp((double{logits[order[i]]} - logits[order[0]]) / options.temperature);
  }
  double reached = 0;
  size_t nucleus = 0;
  while (nucleus < kept && (nucleus == 0 || reached < options.top_p * total)) {
    reached += p[order[nucleus++]];
  }
  if (options.top_p < 1) kept = nucleus;
  double left = 0;
  for (size_t i = 0; i < n; ++i) {
    const bool dropped = i >= kept || p[order[i]] < options.min_p * p[order[0]];
    if (dropped) p[order[i]] = 0;
    left += p[order[i]];
  }
  for (double& value : p) value /= left;
  return p;
}

int32_t sampleOnce(const std::vector<float>& logits, const SamplingOptions& options,
                   std::span<const int32_t> history = {}, uint64_t position = 0) {
  return Sampler(options).sample(logits, history, position);
}

}  // namespace

class SamplerTest : public QObject {
  Q_OBJECT
 private slots:
  void drawsFollowTheExactDistribution_data() {
    QTest::addColumn<double>("temperature");
    QTest::addColumn<int>("top_k");
    QTest::addColumn<double>("top_p");
    QTest::addColumn<double>("min_p");
    QTest::addColumn<int>("n_vocab");
    QTest::newRow("plain") << 1.0 << 0 << 1.0 << 0.0 << 12;
    QTest::newRow("cold") << 0.5 << 0 << 1.0 << 0.0 << 12;
    QTest::newRow("hot") << 2.5 << 0 << 1.0 << 0.0 << 12;
    QTest::newRow("top-k") << 1.0 << 4 << 1.0 << 0.0 << 40;
    QTest::newRow("top-p") << 1.0 << 0 << 0.8 << 0.0 << 40;
    QTest::newRow("min-p") << 1.0 << 0 << 1.0 << 0.1 << 40;
    QTest::newRow("all") << 1.3 << 20 << 0.9 << 0.05 << 40;
    QTest::newRow("wide nucleus") << 3.0 << 0 << 0.97 << 0.0 << 700;
  }
  void drawsFollowTheExactDistribution() {
    QFETCH(double, temperature);
    QFETCH(int, top_k);
    QFETCH(double, top_p);
    QFETCH(double, min_p);
    QFETCH(int, n_vocab);
    const SamplingOptions options{.temperature = static_cast<float>(temperature),
                                  .top_k = top_k,
                                  .top_p = static_cast<float>(top_p),
                                  .min_p = static_cast<float>(min_p),
                                  .seed = 7};
    const auto logits = randomLogits(static_cast<size_t>(n_vocab), 11);
    const auto expected = exactDistribution(logits, options);

    constexpr int kDraws = 40000;
    Sampler sampler(options);
    std::vector<int> counts(logits.size());
    for (uint64_t i = 0; i < kDraws; ++i)
      ++counts[static_cast<size_t>(sampler.sample(logits, {}, i))];

    double chi_square = 0, rare_expected = 0, rare_count = 0;
    int cells = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (expected[i] == 0)
        QVERIFY2(counts[i] == 0, qPrintable(QString("id %1 was ruled out").arg(i)));
      const double want = expected[i] * kDraws;
      if (want < 5) {  // too few for the normal approximation: one cell for all of them
        rare_expected += want;
        rare_count += counts[i];
        continue;
      }
      chi_square += (counts[i] - want) * (counts[i] - want) / want;
      ++cells;
    }
    if (rare_expected >= 5) {
      chi_square += (rare_count - rare_expected) * (rare_count - rare_expected) / rare_expected;
      ++cells;
    }
    // Mean dof, variance 2 dof: five deviations. Seed and draws are fixed, so this never flickers.
    const double dof = cells - 1;
    const double limit = dof + 5 * std::sqrt(2 * dof);
    QVERIFY2(
        chi_square < limit,
        qPrintable(
            QString("chi-square %1 over %2 (%3 cells)").arg(chi_square).arg(limit).arg(cells)));
  }

  void drawIsKeyedBySeedAndPosition() {
    const auto logits = randomLogits(200, 3);
    SamplingOptions options = kPlain;
    options.seed = 42;
    Sampler forwards(options), backwards(options);
    std::map<uint64_t, int32_t> first;
    for (uint64_t position = 0; position < 100; ++position) {
      first[position] = forwards.sample(logits, {}, position);
    }
    for (uint64_t position = 100; position-- > 0;) {
      QCOMPARE(backwards.sample(logits, {}, position), first[position]);
    }
    options.seed = 43;
    int same = 0;
    for (const auto& [position, id] : first)
      same += sampleOnce(logits, options, {}, position) == id;
    QVERIFY2(same < 30, qPrintable(QString("%1 of 100 draws equal under another seed").arg(same)));
  }

  void uniformDrawsAreUniformOverSeedsAndPositions() {
    for (const bool vary_seed : {false, true}) {
      std::array<int, 64> cells{};
      constexpr int kDraws = 64000;
      for (uint64_t i = 0; i < kDraws; ++i) {
        const double u = vary_seed ? uniformDraw(i, 5) : uniformDraw(5, i);
        QVERIFY(u >= 0 && u < 1);
        ++cells[static_cast<size_t>(u * 64)];
      }
      double chi_square = 0;
      for (const int count : cells) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
      QVERIFY2(chi_square < 63 + 5 * std::sqrt(126.0), qPrintable(QString::number(chi_square)));
    }
  }

  void neighbouringSeedsDoNotShiftEachOther() {
    int equal = 0;
    for (uint64_t i = 0; i < 1000; ++i) {
      for (uint64_t shift = 0; shift < 4; ++shift)
        equal += uniformDraw(1, i + shift) == uniformDraw(2, i);
    }
    QCOMPARE(equal, 0);
  }

  void greedyTakesLowestIdOnTies() {
    SamplingOptions options;
    options.temperature = 0;
    QCOMPARE(sampleOnce({1, 3, 3, 2, 3}, options), 1);
    options.temperature = -1;
    QCOMPARE(sampleOnce({4, 3, 4}, options), 0);
  }

  void tinyTemperatureIsGreedyWithoutOverflow() {
    SamplingOptions options = kPlain;
    options.temperature = 1e-42f;  // subnormal
    for (uint64_t i = 0; i < 50; ++i) QCOMPARE(sampleOnce({1, 5, 4.9999f, 2}, options, {}, i), 1);
  }

  void topKOfOneIsGreedy() {
    SamplingOptions options = kPlain;
    options.top_k = 1;
    for (uint64_t i = 0; i < 50; ++i) QCOMPARE(sampleOnce({1, 3, 3, 2}, options, {}, i), 1);
  }

  void topKBeyondVocabularyKeepsAll() {
    const auto logits = randomLogits(30, 5);
    SamplingOptions all = kPlain, wide = kPlain;
    wide.top_k = 1000;
    for (uint64_t i = 0; i < 200; ++i) {
      QCOMPARE(sampleOnce(logits, wide, {}, i), sampleOnce(logits, all, {}, i));
    }
  }

  void topPOfZeroKeepsTheLikeliest() {
    SamplingOptions options = kPlain;
    options.top_p = 0;
    for (uint64_t i = 0; i < 50; ++i) QCOMPARE(sampleOnce({1, 3, 2.9f}, options, {}, i), 1);
  }

  void minPAboveOneKeepsTheLikeliest() {
    SamplingOptions options = kPlain;
    options.min_p = 7;
    for (uint64_t i = 0; i < 50; ++i) QCOMPARE(sampleOnce({1, 3, 2.9f}, options, {}, i), 1);
  }

  void repetitionPenaltyDividesPositiveAndMultipliesNegative() {
    SamplingOptions options;
    options.temperature = 0;
    options.repetition_penalty = 2;
    const std::vector<int32_t> history = {0, 0};
    QCOMPARE(sampleOnce({3, 1.4f}, options, history), 0);  // 1.5 > 1.4: applied once, not twice
    QCOMPARE(sampleOnce({3, 1.6f}, options, history), 1);
    QCOMPARE(sampleOnce({-1, -1.9f}, options, history), 1);  // -2 < -1.9
    QCOMPARE(sampleOnce({-1, -2.1f}, options, history), 0);
  }

  void presenceCountsOnceAndFrequencyEachTime() {
    SamplingOptions options;
    options.temperature = 0;
    options.presence_penalty = 1;
    QCOMPARE(sampleOnce({3, 2.1f}, options, std::vector<int32_t>{0, 0, 0}), 1);
    QCOMPARE(sampleOnce({3, 1.9f}, options, std::vector<int32_t>{0, 0, 0}), 0);
    options.presence_penalty = 0;
    options.frequency_penalty = 1;
    QCOMPARE(sampleOnce({3, 0.1f}, options, std::vector<int32_t>{0, 0, 0}), 1);
    QCOMPARE(sampleOnce({3, -0.1f}, options, std::vector<int32_t>{0, 0, 0}), 0);
  }

  void penaltiesForgetWhatLeftTheWindow() {
    SamplingOptions options;
    options.temperature = 0;
    options.frequency_penalty = 1;
    options.penalty_window = 2;
    const std::vector<int32_t> history = {0, 0, 0, 1, 2};
    QCOMPARE(sampleOnce({3, 2.5f, 2.5f}, options, history), 0);
    options.penalty_window = -1;
    QCOMPARE(sampleOnce({3, 2.5f, 2.4f}, options, history), 1);
    options.penalty_window = 0;
    QCOMPARE(sampleOnce({3, 2.5f, 2.4f}, options, history), 0);
  }

  void penaltiesLeaveNoTraceForTheNextCall() {
    SamplingOptions options;
    options.temperature = 0;
    options.frequency_penalty = 1;
    Sampler sampler(options);
    for (int call = 0; call < 3; ++call) {
      QCOMPARE(sampler.sample(std::vector<float>{3, 1.5f}, std::vector<int32_t>{0, 0}, 0), 1);
      QCOMPARE(sampler.sample(std::vector<float>{3, 1.5f}, {}, 0), 0);
    }
  }

  void idsOutsideTheVocabularyAreIgnored() {
    SamplingOptions options;
    options.temperature = 0;
    options.frequency_penalty = 1;
    options.logit_bias = {{-1, 5.0f}, {2, 5.0f}, {INT32_MAX, 5.0f}};
    QCOMPARE(sampleOnce({1, 2}, options, std::vector<int32_t>{-5, 2, INT32_MAX}), 1);
  }

  void biasIsAddedBeforePenalties() {
    SamplingOptions options;
    options.temperature = 0;
    options.logit_bias = {{0, 5.0f}};
    QCOMPARE(sampleOnce({-1, 3}, options), 0);
    options.repetition_penalty = 2;  // (-1 + 5) / 2 = 2; the other order gives -1 * 2 + 5 = 3
    QCOMPARE(sampleOnce({-1, 2.5f}, options, std::vector<int32_t>{0}), 1);
  }

  void bannedTokenIsNeverDrawn() {
    SamplingOptions options = kPlain;
    options.logit_bias = {{1, -kInfinity}};
    for (uint64_t i = 0; i < 500; ++i) QVERIFY(sampleOnce({0, 20, 0}, options, {}, i) != 1);
  }

  void nanCountsAsBanned() {
    const float nan = std::nanf("");
    for (const float temperature : {0.0f, 1.0f}) {
      SamplingOptions options = kPlain;
      options.temperature = temperature;
      for (uint64_t i = 0; i < 50; ++i) {
        QCOMPARE(sampleOnce({nan, -50, nan}, options, {}, i), 1);
        QCOMPARE(sampleOnce({nan, nan, nan}, options, {}, i), 0);
        QCOMPARE(sampleOnce({-kInfinity, -kInfinity}, options, {}, i), 0);
      }
    }
  }

  void infinityIsChosenBeforeAllOthers() {
    for (const float temperature : {0.0f, 1.0f}) {
      SamplingOptions options;
      options.temperature = temperature;
      for (uint64_t i = 0; i < 50; ++i)
        QCOMPARE(sampleOnce({1e30f, kInfinity, 0}, options, {}, i), 1);
    }
  }

  void senselessOptionsSwitchTheirRuleOff() {
    const float nan = std::nanf("");
    const SamplingOptions senseless{.temperature = 1,
                                    .top_k = -3,
                                    .top_p = nan,
                                    .min_p = nan,
                                    .repetition_penalty = 0,
                                    .presence_penalty = nan,
                                    .frequency_penalty = kInfinity,
                                    .logit_bias = {{0, nan}}};
    const auto logits = randomLogits(30, 9);
    const std::vector<int32_t> history = {0, 1, 2};
    for (uint64_t i = 0; i < 200; ++i) {
      QCOMPARE(sampleOnce(logits, senseless, history, i), sampleOnce(logits, kPlain, history, i));
    }
    SamplingOptions greedy = kPlain;
    greedy.temperature = nan;
    QCOMPARE(sampleOnce({1, 2, 0}, greedy), 1);
  }

  void leavesLogitsUntouched() {
    const auto logits = randomLogits(50, 21);
    auto copy = logits;
    SamplingOptions options;
    options.repetition_penalty = 3;
    sampleOnce(copy, options, std::vector<int32_t>{1, 2, 3});
    QCOMPARE(copy, logits);
  }
};

QTEST_APPLESS_MAIN(SamplerTest)
#include "sampler_test.moc"
