// Sixteen floats as two registers, and one integer block product, on AVX2, FMA and F16C.
#pragma once

#include <immintrin.h>

namespace hearth::cpu {
namespace {

constexpr int kTileTokens = 2;  // 8 of 16 registers hold sums
constexpr int kTileRows = 2;

struct Vec { __m256 a, b; };

inline __m256i laneMask(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline Vec zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
inline Vec set1(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline Vec load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline Vec loadFirst(const float* p, int n) {
  return {_mm256_maskload_ps(p, laneMask(n)), _mm256_maskload_ps(p + 8, laneMask(n - 8))};
}
inline void store(float* p, Vec x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
inline void storeFirst(float* p, Vec x, int n) {
  _mm256_maskstore_ps(p, laneMask(n), x.a);
  _mm256_maskstore_ps(p + 8, laneMask(n - 8), x.b);
}
inline Vec add(Vec x, Vec y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
inline Vec sub(Vec x, Vec y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
inline Vec mul(Vec x, Vec y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
inline Vec div(Vec x, Vec y) { return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)}; }
inline Vec fma(Vec x, Vec y, Vec z) {
  return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
// The second operand wins when either is NaN, as the instructions have it.
inline Vec max(Vec x, Vec y) { return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)}; }
inline Vec min(Vec x, Vec y) { return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)}; }
inline Vec absolute(Vec x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
inline Vec roundEven(Vec x) {
  constexpr int kMode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(x.a, kMode), _mm256_round_ps(x.b, kMode)};
}
inline __m256 powerOfTwo8(__m256 n) {
  const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}
/// 2^n for integral n in [-126, 127].
inline Vec powerOfTwo(Vec n) { return {powerOfTwo8(n.a), powerOfTwo8(n.b)}; }

inline float reduce8(__m256 x8) {
  const __m128 x4 = _mm_add_ps(_mm256_castps256_ps128(x8), _mm256_extractf128_ps(x8, 1));
  const __m128 x2 = _mm_add_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_add_ss(x2, _mm_movehdup_ps(x2)));
}
inline float reduceAdd(Vec x) { return reduce8(_mm256_add_ps(x.a, x.b)); }
inline float reduceMax(Vec x) {
  const __m256 x8 = _mm256_max_ps(x.a, x.b);
  const __m128 x4 = _mm_max_ps(_mm256_castps256_ps128(x8), _mm256_extractf128_ps(x8, 1));
  const __m128 x2 = _mm_max_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_max_ss(x2, _mm_movehdup_ps(x2)));
}

/// `n` elements of two bytes, the rest zero: a masked load of that width does not exist here.
struct Halves { __m128i a, b; };
inline Halves loadHalves(const uint8_t* p, int n) {
  alignas(16) uint8_t bytes[32] = {};
  __builtin_memcpy(bytes, p, 2 * static_cast<size_t>(n));
  return {_mm_load_si128(reinterpret_cast<const __m128i*>(bytes)),
          _mm_load_si128(reinterpret_cast<const __m128i*>(bytes + 16))};
}
inline Halves loadHalves(const uint8_t* p) {
  return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)),
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16))};
}
inline float scaleOf(uint16_t bits) { return _cvtsh_ss(bits); }
inline Vec widenF16(Halves h) { return {_mm256_cvtph_ps(h.a), _mm256_cvtph_ps(h.b)}; }
inline Vec loadF16(const uint8_t* p) { return widenF16(loadHalves(p)); }
inline Vec loadF16First(const uint8_t* p, int n) { return widenF16(loadHalves(p, n)); }
inline __m256 widenBf16(__m128i bits) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
inline Vec widenBf16(Halves h) { return {widenBf16(h.a), widenBf16(h.b)}; }
inline Vec loadBf16(const uint8_t* p) { return widenBf16(loadHalves(p)); }
inline Vec loadBf16First(const uint8_t* p, int n) { return widenBf16(loadHalves(p, n)); }
inline void storeF16First(uint8_t* p, Vec x, int n) {
  constexpr int kMode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  alignas(16) uint8_t bytes[32];
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), _mm256_cvtps_ph(x.a, kMode));
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes + 16), _mm256_cvtps_ph(x.b, kMode));
  __builtin_memcpy(p, bytes, 2 * static_cast<size_t>(n));
}
inline Vec widenInt8(__m128i q) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(q)),
          _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(q, 8)))};
}
inline Vec loadInt8(const int8_t* p) {
  return widenInt8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
/// Sixteen nibbles less 8: the low ones (elements 0 to 15 of a block) or the high ones.
inline Vec loadNibbles(const uint8_t* p, bool high) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i shifted = high ? _mm_srli_epi16(bytes, 4) : bytes;
  const __m128i nibbles = _mm_and_si128(shifted, _mm_set1_epi8(15));
  return widenInt8(_mm_sub_epi8(nibbles, _mm_set1_epi8(8)));
}
/// Stores integral numbers of [-127, 127] and returns their sum.
inline int32_t storeInt8(int8_t* p, Vec x) {
  const __m256i a = _mm256_cvtps_epi32(x.a), b = _mm256_cvtps_epi32(x.b);
  const __m128i a16 = _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  const __m128i b16 = _mm_packs_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(a16, b16));
  const __m256i ab = _mm256_add_epi32(a, b);
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(ab), _mm256_extracti128_si256(ab, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

/// Partial sums of block products, eight floats.
struct Acc { __m256 v; };
template <class Block>
struct WeightBlock { __m256i q; float scale; };  // signed numbers

inline Acc zeroAcc() { return {_mm256_setzero_ps()}; }
inline float reduceAcc(Acc x) { return reduce8(x.v); }
inline WeightBlock<BlockQ8_0> loadBlock(const BlockQ8_0* block) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block->q)), scaleOf(block->scale)};
}
inline WeightBlock<BlockQ4_0> loadBlock(const BlockQ4_0* block) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block->q));
  const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(bytes),
                                               _mm_srli_epi16(bytes, 4), 1);
  const __m256i nibbles = _mm256_and_si256(both, _mm256_set1_epi8(15));
  return {_mm256_sub_epi8(nibbles, _mm256_set1_epi8(8)), scaleOf(block->scale)};
}
// maddubs wants one unsigned side and saturates at 16 bits: |w| ≤ 128 and |x| ≤ 127 stay below.
template <class Block>
inline Acc addProduct(Acc acc, const WeightBlock<Block>& w, const BlockA8& x) {
  const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x.q));
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w.q), _mm256_sign_epi8(q, w.q));
  const __m256i sums = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  const __m256 scale = _mm256_set1_ps(w.scale * x.scale);
  return {_mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), scale, acc.v)};
}

/// For the peak probe: one integer multiply-add (three instructions here) and the operations in it.
struct IntVec { __m256i v; };
constexpr int kIntOps = 2 * 32;
inline IntVec setInt(int8_t x) { return {_mm256_set1_epi8(x)}; }
inline IntVec intMultiplyAdd(IntVec acc, IntVec a, IntVec b) {
  const __m256i pairs = _mm256_maddubs_epi16(a.v, b.v);
  return {_mm256_add_epi32(acc.v, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
}
inline int32_t firstInt(IntVec a) { return _mm_cvtsi128_si32(_mm256_castsi256_si128(a.v)); }

}  // namespace
}  // namespace hearth::cpu
