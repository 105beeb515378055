// Stands in for CUDA's half type: conversions only.
#pragma once

#include "kernels/base/half.h"

struct __half {
  uint16_t bits;
};

inline __half __ushort_as_half(uint16_t bits) { return {bits}; }
inline uint16_t __half_as_ushort(__half value) { return value.bits; }
inline float __half2float(__half value) { return hearth::f16ToF32(value.bits); }
inline __half __float2half_rn(float value) { return {hearth::f32ToF16(value)}; }
