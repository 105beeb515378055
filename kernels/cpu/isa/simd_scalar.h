// The scalar twin: sixteen floats as an array, in plain C++ that any processor runs.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace hearth::cpu {
namespace {

constexpr int kTileTokens = 1;
constexpr int kTileRows = 1;

struct Vec { float lane[16]; };

template <class Function>
inline Vec each(Function f) {
  Vec out;
  for (int i = 0; i < 16; ++i) out.lane[i] = f(i);
  return out;
}

inline Vec zero() { return each([](int) { return 0.0f; }); }
inline Vec set1(float x) { return each([x](int) { return x; }); }
inline Vec load(const float* p) { return each([p](int i) { return p[i]; }); }
inline Vec loadFirst(const float* p, int n) {
  return each([p, n](int i) { return i < n ? p[i] : 0.0f; });
}
inline void storeFirst(float* p, const Vec& a, int n) {
  for (int i = 0; i < n; ++i) p[i] = a.lane[i];
}
inline void store(float* p, const Vec& a) { storeFirst(p, a, 16); }
inline Vec add(const Vec& a, const Vec& b) { return each([&](int i) { return a.lane[i] + b.lane[i]; }); }
inline Vec sub(const Vec& a, const Vec& b) { return each([&](int i) { return a.lane[i] - b.lane[i]; }); }
inline Vec mul(const Vec& a, const Vec& b) { return each([&](int i) { return a.lane[i] * b.lane[i]; }); }
inline Vec div(const Vec& a, const Vec& b) { return each([&](int i) { return a.lane[i] / b.lane[i]; }); }
/// Two roundings where the vector units have one.
inline Vec fma(const Vec& a, const Vec& b, const Vec& c) {
  return each([&](int i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
}
// The second operand wins when either is NaN, as x86 instructions have it.
inline Vec max(const Vec& a, const Vec& b) {
  return each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline Vec min(const Vec& a, const Vec& b) {
  return each([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline Vec absolute(const Vec& a) { return each([&](int i) { return __builtin_fabsf(a.lane[i]); }); }
// Adding 1.5 · 2^23 leaves no bits for a fraction; larger numbers have none to lose.
inline float roundEven(float x) {
  if (!(__builtin_fabsf(x) < 0x1p22f)) return x;
  const float shifted = x + 0x1.8p23f;
  return shifted - 0x1.8p23f;
}
inline Vec roundEven(const Vec& a) { return each([&](int i) { return roundEven(a.lane[i]); }); }
/// 2^n for integral n in [-126, 127]; anything (but no undefined conversion) for other numbers.
inline Vec powerOfTwo(const Vec& n) {
  return each([&](int i) {
    if (!(n.lane[i] >= -126.0f && n.lane[i] <= 127.0f)) return 1.0f;
    return __builtin_bit_cast(float, static_cast<uint32_t>(static_cast<int>(n.lane[i]) + 127) << 23);
  });
}

inline float reduceAdd(const Vec& a) {
  float x[8];
  for (int i = 0; i < 8; ++i) x[i] = a.lane[i] + a.lane[i + 8];
  for (int i = 0; i < 4; ++i) x[i] += x[i + 4];
  x[0] += x[2];
  x[1] += x[3];
  return x[0] + x[1];
}
inline float reduceMax(const Vec& a) {
  float top = a.lane[0];
  for (int i = 1; i < 16; ++i) top = a.lane[i] > top ? a.lane[i] : top;
  return top;
}

// binary16 by hand: kernels/base/half.h has inline functions, which must not be shared from here.
inline float scaleOf(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 31u, fraction = bits & 1023u;
  if (exponent == 31u) return __builtin_bit_cast(float, sign | 0x7F800000u | (fraction << 13));
  if (exponent != 0u) {
    return __builtin_bit_cast(float, sign | ((exponent + 112u) << 23) | (fraction << 13));
  }
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0u ? -magnitude : magnitude;
}
inline uint16_t toF16(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<uint16_t>(sign | 0x7E00u);
  if (magnitude >= 0x477FF000u) return static_cast<uint16_t>(sign | 0x7C00u);
  if (magnitude < 0x38800000u) {  // the addition aligns and rounds a subnormal's bits
    const float shifted = __builtin_bit_cast(float, magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (__builtin_bit_cast(uint32_t, shifted) - 0x3F000000u));
  }
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13));
}
inline uint16_t bitsAt(const uint8_t* p, int i) {
  uint16_t bits;
  __builtin_memcpy(&bits, p + 2 * i, 2);
  return bits;
}
inline Vec loadF16First(const uint8_t* p, int n) {
  return each([p, n](int i) { return i < n ? scaleOf(bitsAt(p, i)) : 0.0f; });
}
inline Vec loadF16(const uint8_t* p) { return loadF16First(p, 16); }
inline Vec loadBf16First(const uint8_t* p, int n) {
  return each([p, n](int i) {
    return i < n ? __builtin_bit_cast(float, static_cast<uint32_t>(bitsAt(p, i)) << 16) : 0.0f;
  });
}
inline Vec loadBf16(const uint8_t* p) { return loadBf16First(p, 16); }
inline void storeF16First(uint8_t* p, const Vec& a, int n) {
  for (int i = 0; i < n; ++i) {
    const uint16_t bits = toF16(a.lane[i]);
    __builtin_memcpy(p + 2 * i, &bits, 2);
  }
}
inline Vec loadInt8(const int8_t* p) { return each([p](int i) { return static_cast<float>(p[i]); }); }
/// Sixteen nibbles less 8: the low ones (elements 0 to 15 of a block) or the high ones.
inline Vec loadNibbles(const uint8_t* p, bool high) {
  return each([p, high](int i) { return static_cast<float>((high ? p[i] >> 4 : p[i] & 15) - 8); });
}
/// Stores integral numbers of [-127, 127] and returns their sum.
inline int32_t storeInt8(int8_t* p, const Vec& a) {
  int32_t sum = 0;
  for (int i = 0; i < 16; ++i) sum += p[i] = static_cast<int8_t>(a.lane[i]);
  return sum;
}

/// A sum of block products.
struct Acc { float v; };
template <class Block>
struct WeightBlock { const Block* block; };

inline Acc zeroAcc() { return {0.0f}; }
inline float reduceAcc(Acc a) { return a.v; }
template <class Block>
inline WeightBlock<Block> loadBlock(const Block* block) { return {block}; }
inline Acc addProduct(Acc acc, const WeightBlock<BlockQ8_0>& w, const BlockA8& x) {
  int32_t sum = 0;
  for (int i = 0; i < 32; ++i) sum += w.block->q[i] * x.q[i];
  return {acc.v + static_cast<float>(sum) * (scaleOf(w.block->scale) * x.scale)};
}
inline Acc addProduct(Acc acc, const WeightBlock<BlockQ4_0>& w, const BlockA8& x) {
  int32_t sum = 0;
  for (int i = 0; i < 16; ++i) {
    sum += (w.block->q[i] & 15) * x.q[i] + (w.block->q[i] >> 4) * x.q[i + 16];
  }
  sum -= 8 * x.sum;
  return {acc.v + static_cast<float>(sum) * (scaleOf(w.block->scale) * x.scale)};
}

/// For the peak probe: one integer multiply-add and the operations in it.
struct IntVec { int32_t v; };
constexpr int kIntOps = 2;
inline IntVec setInt(int8_t x) { return {x}; }
inline IntVec intMultiplyAdd(IntVec acc, IntVec a, IntVec b) {
  return {static_cast<int32_t>(static_cast<uint32_t>(acc.v) +
                               static_cast<uint32_t>(a.v) * static_cast<uint32_t>(b.v))};
}
inline int32_t firstInt(IntVec a) { return a.v; }

}  // namespace
}  // namespace hearth::cpu
