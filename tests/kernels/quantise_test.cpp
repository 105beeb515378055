#include "kernels/base/quantise.h"

#include <QTest>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "kernels/base/blocks.h"
#include "kernels/base/half.h"

using namespace hearth;

class QuantiseTest : public QObject {
  Q_OBJECT

 private slots:
  void everyF16SurvivesTheWayThroughF32();
  void f16RoundsToNearestEven();
  void everyBf16SurvivesTheWayThroughF32();
  void bf16RoundsToNearestEven();
  void q8BlockFollowsTheFormula();
  void q4BlockFollowsTheFormula();
  void blocksStayWithinHalfAStep_data();
  void blocksStayWithinHalfAStep();
  void zeroBlocksStayZero_data() { blockTypes(); }
  void zeroBlocksStayZero();
  void infinitiesAndNansBecomeNan_data() { blockTypes(); }
  void infinitiesAndNansBecomeNan();
  void tiniestAndLargestNumbersAreDefined_data() { blockTypes(); }
  void tiniestAndLargestNumbersAreDefined();

 private:
  void blockTypes() {
    QTest::addColumn<int>("type");
    for (const Dtype type : {Dtype::q8_0, Dtype::q4_0, Dtype::a8}) {
      QTest::addRow("%s", dtypeName(type)) << static_cast<int>(type);
    }
  }
};

namespace {

std::vector<float> throughType(Dtype type, const std::vector<float>& values) {
  const auto cols = static_cast<int64_t>(values.size());
  std::vector<std::byte> row(rowBytes(type, cols));
  std::vector<float> back(values.size());
  quantiseRow(type, values.data(), cols, row.data());
  dequantiseRow(type, row.data(), cols, back.data());
  return back;
}

/// The two neighbours of `value` among the numbers that `toF32` can make, searched by bisection of
/// the magnitude; `value` must be finite, positive and below the largest.
template <class ToF32>
uint16_t nearestEven(float value, uint16_t largest, ToF32 toF32) {
  uint16_t low = 0, high = largest;
  while (low + 1 < high) {
    const auto middle = static_cast<uint16_t>((low + high) / 2);
    (toF32(middle) <= value ? low : high) = middle;
  }
  const double below = double{value} - toF32(low), above = toF32(high) - double{value};
  if (below != above) return below < above ? low : high;
  return low % 2 == 0 ? low : high;
}

}  // namespace

void QuantiseTest::everyF16SurvivesTheWayThroughF32() {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = f16ToF32(half);
    if (std::isnan(value)) {
      QVERIFY(std::isnan(f16ToF32(f32ToF16(value))));
    } else {
      QCOMPARE(f32ToF16(value), half);
    }
  }
}

void QuantiseTest::f16RoundsToNearestEven() {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponent(-25.5f, 15.9f);
  for (int i = 0; i < 20000; ++i) {
    const float value = std::exp2(exponent(random));
    QCOMPARE(f32ToF16(value), nearestEven(value, 0x7BFF, f16ToF32));
  }
  // Exactly half way between two neighbours, for each pair of them.
  for (uint16_t bits = 0; bits < 0x7BFF; ++bits) {
    const float middle = (f16ToF32(bits) + f16ToF32(static_cast<uint16_t>(bits + 1))) / 2;
    QCOMPARE(f32ToF16(middle), static_cast<uint16_t>(bits + bits % 2));
  }
  QCOMPARE(f32ToF16(65519.996f), uint16_t{0x7BFF});
  QCOMPARE(f32ToF16(65520.0f), uint16_t{0x7C00});
}

void QuantiseTest::everyBf16SurvivesTheWayThroughF32() {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = bf16ToF32(half);
    if (std::isnan(value)) {
      QVERIFY(std::isnan(bf16ToF32(f32ToBf16(value))));
    } else {
      QCOMPARE(f32ToBf16(value), half);
    }
  }
}

void QuantiseTest::bf16RoundsToNearestEven() {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> exponent(-120.0f, 120.0f);
  for (int i = 0; i < 20000; ++i) {
    const float value = std::exp2(exponent(random));
    QCOMPARE(f32ToBf16(value), nearestEven(value, 0x7F7F, bf16ToF32));
  }
}

void QuantiseTest::q8BlockFollowsTheFormula() {
  std::vector<float> values(32, 0.0f);
  values[0] = -12.7f;
  values[1] = 0.05f;   // half a step: rounds away from zero
  values[2] = -0.149f;
  values[31] = 6.35f;
  BlockQ8_0 block;
  quantiseRow(Dtype::q8_0, values.data(), 32, &block);
  QCOMPARE(f16ToF32(block.scale), f16ToF32(f32ToF16(0.1f)));
  QCOMPARE(int(block.q[0]), -127);
  QCOMPARE(int(block.q[2]), -1);
  QVERIFY(block.q[31] == 63 || block.q[31] == 64);
  QCOMPARE(int(block.q[15]), 0);
}

void QuantiseTest::q4BlockFollowsTheFormula() {
  std::vector<float> values(32, 0.0f);
  values[3] = 8.0f;    // the extreme is positive: d is negative, its code 0
  values[4] = -7.0f;   // code 15
  values[20] = 3.4f;   // high nibble of byte 4: code 8 - 3 = 5
  BlockQ4_0 block;
  quantiseRow(Dtype::q4_0, values.data(), 32, &block);
  QCOMPARE(f16ToF32(block.scale), -1.0f);
  QCOMPARE(block.q[3] & 15, 0);
  QCOMPARE(block.q[4] & 15, 15);
  QCOMPARE(block.q[4] >> 4, 5);
  QCOMPARE(block.q[0] & 15, 8);
}

void QuantiseTest::blocksStayWithinHalfAStep_data() {
  QTest::addColumn<int>("type");
  QTest::addColumn<double>("step");  // of the largest magnitude
  // The scale is a binary16: normal ones are good to 2^-11, subnormal ones to 2^-25 absolutely, which
  // is why the smallest amplitude below keeps them normal.
  QTest::addRow("Q8_0") << int(Dtype::q8_0) << (0.501 / 127 + 0x1p-11);
  QTest::addRow("A8") << int(Dtype::a8) << 0.501 / 127;
  // Codes reach to 7 on the far side of the extreme: a whole step may be missing there.
  QTest::addRow("Q4_0") << int(Dtype::q4_0) << (1.0 / 8 + 0x1p-11);
}

void QuantiseTest::blocksStayWithinHalfAStep() {
  QFETCH(int, type);
  QFETCH(double, step);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (int i = 0; i < 500; ++i) {
    std::vector<float> values(32);
    const float amplitude = std::exp2(static_cast<float>(i % 16 - 5));
    for (float& v : values) v = amplitude * normal(random);
    float top = 0;
    for (const float v : values) top = std::max(top, std::fabs(v));
    const auto back = throughType(static_cast<Dtype>(type), values);
    for (size_t j = 0; j < values.size(); ++j) {
      const double difference = std::fabs(double{back[j]} - values[j]);
      QVERIFY2(difference <= step * top,
               qPrintable(QString("element %1: %2 became %3, largest %4")
                              .arg(j).arg(values[j]).arg(back[j]).arg(top)));
    }
  }
}

void QuantiseTest::zeroBlocksStayZero() {
  QFETCH(int, type);
  for (const float v : throughType(static_cast<Dtype>(type), std::vector<float>(64, -0.0f))) {
    QCOMPARE(v, 0.0f);
  }
}

void QuantiseTest::infinitiesAndNansBecomeNan() {
  QFETCH(int, type);
  for (const float bad : {std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> values(64, 1.0f);
    values[5] = bad;
    const auto back = throughType(static_cast<Dtype>(type), values);
    for (size_t i = 0; i < 32; ++i) QVERIFY(std::isnan(back[i]));
    for (size_t i = 32; i < 64; ++i) QVERIFY(std::fabs(back[i] - 1.0f) < 0.01f);
  }
}

void QuantiseTest::tiniestAndLargestNumbersAreDefined() {
  QFETCH(int, type);
  for (const float v : {1e-45f, -1e-40f, 1e-38f, 3e38f, -3.4028235e38f}) {
    std::vector<float> values(32, v / 3);
    values[7] = v;
    const auto back = throughType(static_cast<Dtype>(type), values);
    // The scale of the file types is a binary16: what it cannot hold becomes 0, infinite or NaN.
    for (const float b : back) QVERIFY(!std::isfinite(b) || std::fabs(b) <= std::fabs(v) * 1.2f);
  }
}

QTEST_APPLESS_MAIN(QuantiseTest)
#include "quantise_test.moc"
