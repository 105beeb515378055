// What the machine can do at best, for the bench to compare with.

namespace hearth::cpu {
namespace {

uint64_t readMemory(const uint8_t* memory, int64_t bytes) {
  Vec sums[4] = {zero(), zero(), zero(), zero()};
  const auto* floats = reinterpret_cast<const float*>(memory);
  const int64_t count = bytes / static_cast<int64_t>(sizeof(float));
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    for (int k = 0; k < 4; ++k) sums[k] = add(sums[k], load(floats + i + 16 * k));
  }
  for (; i + 16 <= count; i += 16) sums[0] = add(sums[0], load(floats + i));
  const float total = reduceAdd(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
  return __builtin_bit_cast(uint32_t, total);
}

constexpr int kChains = 12;  // independent, to cover the latency of one multiply-add

double peakF32(int64_t rounds, float* sink) {
  Vec sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = set1(static_cast<float>(c));
  const Vec a = set1(*sink), b = set1(0.5f);
  for (int64_t i = 0; i < rounds; ++i) {
    for (int c = 0; c < kChains; ++c) sums[c] = fma(sums[c], b, a);
  }
  Vec total = zero();
  for (int c = 0; c < kChains; ++c) total = add(total, sums[c]);
  *sink = reduceAdd(total);
  return static_cast<double>(rounds) * kChains * 32.0;
}

double peakInt8(int64_t rounds, int32_t* sink) {
  IntVec sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = setInt(static_cast<int8_t>(c));
  const IntVec a = setInt(static_cast<int8_t>(*sink & 7)), b = setInt(3);
  for (int64_t i = 0; i < rounds; ++i) {
    for (int c = 0; c < kChains; ++c) sums[c] = intMultiplyAdd(sums[c], a, b);
  }
  int32_t total = 0;
  for (int c = 0; c < kChains; ++c) total ^= firstInt(sums[c]);
  *sink = total;
  return static_cast<double>(rounds) * kChains * kIntOps;
}

}  // namespace
}  // namespace hearth::cpu
