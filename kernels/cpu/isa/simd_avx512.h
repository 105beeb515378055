// Sixteen floats and one integer block product on AVX-512 F, BW, VL and VNNI.
#pragma once

#include <immintrin.h>

namespace hearth::cpu {
namespace {

constexpr int kTileTokens = 4;  // 16 accumulators of 32 registers
constexpr int kTileRows = 4;

struct Vec { __m512 v; };

inline __mmask16 firstLanes(int n) { return static_cast<__mmask16>((1u << n) - 1u); }

inline Vec zero() { return {_mm512_setzero_ps()}; }
inline Vec set1(float x) { return {_mm512_set1_ps(x)}; }
inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline Vec loadFirst(const float* p, int n) { return {_mm512_maskz_loadu_ps(firstLanes(n), p)}; }
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline void storeFirst(float* p, Vec a, int n) { _mm512_mask_storeu_ps(p, firstLanes(n), a.v); }
inline Vec add(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec sub(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec mul(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec div(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// The second operand wins when either is NaN, as the instructions have it.
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec absolute(Vec a) { return {_mm512_abs_ps(a.v)}; }
inline Vec roundEven(Vec a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
/// 2^n for integral n in [-126, 127].
inline Vec powerOfTwo(Vec n) {
  const __m512i biased = _mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(biased, 23))};
}

inline float reduceAdd(Vec a) {
  const __m256 low = _mm512_castps512_ps256(a.v);
  const __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a.v), 1));
  const __m256 x8 = _mm256_add_ps(low, high);
  const __m128 x4 = _mm_add_ps(_mm256_castps256_ps128(x8), _mm256_extractf128_ps(x8, 1));
  const __m128 x2 = _mm_add_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_add_ss(x2, _mm_movehdup_ps(x2)));
}
inline float reduceMax(Vec a) { return _mm512_reduce_max_ps(a.v); }

inline float scaleOf(uint16_t bits) { return _cvtsh_ss(bits); }
inline Vec loadF16(const uint8_t* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline Vec loadF16First(const uint8_t* p, int n) {
  return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(firstLanes(n), p))};
}
inline Vec widenBf16(__m256i bits) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}
inline Vec loadBf16(const uint8_t* p) {
  return widenBf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Vec loadBf16First(const uint8_t* p, int n) {
  return widenBf16(_mm256_maskz_loadu_epi16(firstLanes(n), p));
}
inline void storeF16First(uint8_t* p, Vec a, int n) {
  const __m256i bits = _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm256_mask_storeu_epi16(p, firstLanes(n), bits);
}
inline Vec widenInt8(__m128i q) { return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(q))}; }
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
inline int32_t storeInt8(int8_t* p, Vec a) {
  const __m512i q = _mm512_cvtps_epi32(a.v);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(q));
  return _mm512_reduce_add_epi32(q);
}

/// Partial sums of block products, eight floats.
struct Acc { __m256 v; };
/// A weight block, its numbers made unsigned by an offset that BlockA8::sum removes again.
template <class Block>
struct WeightBlock { __m256i q; float scale; };

inline Acc zeroAcc() { return {_mm256_setzero_ps()}; }
inline float reduceAcc(Acc a) {
  const __m128 x4 = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 x2 = _mm_add_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_add_ss(x2, _mm_movehdup_ps(x2)));
}
inline WeightBlock<BlockQ8_0> loadBlock(const BlockQ8_0* block) {
  const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block->q));
  return {_mm256_xor_si256(q, _mm256_set1_epi8(-128)), scaleOf(block->scale)};
}
inline WeightBlock<BlockQ4_0> loadBlock(const BlockQ4_0* block) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block->q));
  const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(bytes),
                                               _mm_srli_epi16(bytes, 4), 1);
  return {_mm256_and_si256(both, _mm256_set1_epi8(15)), scaleOf(block->scale)};
}
constexpr int32_t offsetOf(const BlockQ8_0*) { return 128; }
constexpr int32_t offsetOf(const BlockQ4_0*) { return 8; }

template <class Block>
inline Acc addProduct(Acc acc, const WeightBlock<Block>& w, const BlockA8& x) {
  const int32_t correction = -offsetOf(static_cast<const Block*>(nullptr)) * x.sum;
  const __m256i start = _mm256_zextsi128_si256(_mm_cvtsi32_si128(correction));
  const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x.q));
  const __m256 products = _mm256_cvtepi32_ps(_mm256_dpbusd_epi32(start, w.q, q));
  return {_mm256_fmadd_ps(products, _mm256_set1_ps(w.scale * x.scale), acc.v)};
}

/// For the peak probe: one integer multiply-add instruction and the operations in it.
struct IntVec { __m512i v; };
constexpr int kIntOps = 2 * 64;
inline IntVec setInt(int8_t x) { return {_mm512_set1_epi8(x)}; }
inline IntVec intMultiplyAdd(IntVec acc, IntVec a, IntVec b) {
  return {_mm512_dpbusd_epi32(acc.v, a.v, b.v)};
}
inline int32_t firstInt(IntVec a) { return _mm_cvtsi128_si32(_mm512_castsi512_si128(a.v)); }

}  // namespace
}  // namespace hearth::cpu
