// Device arithmetic shared by the kernels: element access for every weight type, sums and maxima over
// a warp or block in a fixed order, and quantising 32 values by one warp.
#pragma once

#include <cuda_fp16.h>

#include "kernels/base/blocks.h"
#include "kernels/cuda/launch.h"

namespace hearth::cuda {

inline constexpr unsigned kAllLanes = 0xFFFFFFFFu;
inline constexpr int kWarpSize = 32;

__device__ inline float f16At(const uint8_t* bytes) {  // 2-byte aligned
  return __half2float(__ushort_as_half(*reinterpret_cast<const uint16_t*>(bytes)));
}

/// Element `k` of a row of type `kType`. Rows of quantised blocks are only 2-byte aligned.
template <Dtype kType>
__device__ inline float elementAt(const uint8_t* row, int k) {
  if constexpr (kType == Dtype::f32) {
    return reinterpret_cast<const float*>(row)[k];
  } else if constexpr (kType == Dtype::f16) {
    return f16At(row + 2 * static_cast<size_t>(k));
  } else if constexpr (kType == Dtype::bf16) {
    const uint32_t bits = reinterpret_cast<const uint16_t*>(row)[k];
    return __uint_as_float(bits << 16);
  } else if constexpr (kType == Dtype::q8_0) {
    const uint8_t* block = row + static_cast<size_t>(k / kBlockLength) * sizeof(BlockQ8_0);
    const auto q = static_cast<int8_t>(block[2 + k % kBlockLength]);
    return f16At(block) * static_cast<float>(q);
  } else {
    static_assert(kType == Dtype::q4_0);
    const uint8_t* block = row + static_cast<size_t>(k / kBlockLength) * sizeof(BlockQ4_0);
    const int i = k % kBlockLength;
    const int nibble = i < 16 ? block[2 + i] & 0x0F : block[2 + i - 16] >> 4;
    return f16At(block) * static_cast<float>(nibble - 8);
  }
}

/// Butterfly over a whole warp: every lane gets the same value, bit for bit, because each addition
/// has the same two operands on both sides. All 32 lanes must call it.
template <class T>
__device__ inline T warpSum(T value) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, offset);
  }
  return value;
}

__device__ inline float warpMax(float value) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, offset));
  }
  return value;
}

/// Sum over a block of `kThreads`, the same in every thread, in an order fixed by kThreads alone.
/// `scratch` is shared memory [kThreads / 32]; every thread of the block must call it.
template <int kThreads>
__device__ inline float blockSum(float value, float* scratch) {
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  value = warpSum(value);
  __syncthreads();  // the last use of scratch is over
  if (threadIdx.x % kWarpSize == 0) scratch[warp] = value;
  __syncthreads();
  float total = scratch[0];
  for (int w = 1; w < kThreads / kWarpSize; ++w) total += scratch[w];
  return total;
}

/// Maximum over a block; as blockSum.
template <int kThreads>
__device__ inline float blockMax(float value, float* scratch) {
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  value = warpMax(value);
  __syncthreads();
  if (threadIdx.x % kWarpSize == 0) scratch[warp] = value;
  __syncthreads();
  float largest = scratch[0];
  for (int w = 1; w < kThreads / kWarpSize; ++w) largest = fmaxf(largest, scratch[w]);
  return largest;
}

/// Scale of a block of 32 values, one in each lane: largest magnitude / 127, NaN when any value is
/// infinite or NaN, 0 below 2^-126. Bit patterns of magnitudes order like the magnitudes, with NaN on
/// top.
__device__ inline float blockScale(float value) {
  unsigned top = __float_as_uint(value) & 0x7FFFFFFFu;
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) {
    top = max(top, __shfl_xor_sync(kAllLanes, top, offset));
  }
  const float d = (top >= 0x7F800000u ? __uint_as_float(0x7FC00000u) : __uint_as_float(top)) / 127.0f;
  return d < 0x1p-126f ? 0.0f : d;
}

/// value / scale, not yet rounded: as kernels/base/quantise.cpp has it, by the reciprocal.
__device__ inline float scaledBy(float value, float scale) {
  return scale > 0.0f ? value * (1.0f / scale) : 0.0f;  // 0 for a NaN scale
}

/// [-127, 127]. fminf and fmaxf turn NaN into a bound.
__device__ inline int toInt8(float rounded) {
  return isnan(rounded) ? 0 : static_cast<int>(fmaxf(-127.0f, fminf(127.0f, rounded)));
}

/// One warp writes one block of 32 activations, a value in each lane; all 32 lanes must call it.
__device__ inline void storeA8(BlockA8* block, float value) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const float scale = blockScale(value);
  const int q = toInt8(rintf(scaledBy(value, scale)));  // half to even
  const int sum = warpSum(q);
  block->q[lane] = static_cast<int8_t>(q);
  if (lane == 0) {
    block->scale = scale;
    block->sum = sum;
  }
}

/// One warp writes one Q8_0 block of 32 values (KV rows), a value in each lane. 2-byte aligned.
__device__ inline void storeQ8_0(uint8_t* block, float value) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const float scale = blockScale(value);
  const int q = toInt8(rintf(scaledBy(value, scale)));  // half to even: RopeAndStoreOp
  block[2 + lane] = static_cast<uint8_t>(static_cast<int8_t>(q));
  if (lane == 0) *reinterpret_cast<uint16_t*>(block) = __half_as_ushort(__float2half_rn(scale));
}

}  // namespace hearth::cuda
