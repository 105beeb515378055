// Stands in for CUDA's language header: the names that kernel sources use, for the host compiler.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __host__
// Blocks run one after another, so one copy for the whole program is one copy for each block.
#define __shared__ static

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// Of the thread that is running now; the executor sets them at every switch.
extern dim3 threadIdx;
extern dim3 blockIdx;

namespace simt {

/// Enqueues (or, while the stream captures, records) a kernel: `body` is run once for each thread.
cudaError_t enqueue(cudaStream_t stream, dim3 grid, int threads, std::function<void()> body);

/// Gives `bits` to the other lanes of the warp and returns those of `source_lane`.
uint64_t exchange(uint64_t bits, unsigned source_lane);
void blockBarrier();

}  // namespace simt

using std::max;
using std::min;
using std::isnan;

inline void __syncthreads() { simt::blockBarrier(); }

template <class T>
T __shfl_xor_sync(unsigned, T value, int lane_mask) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = simt::exchange(bits, threadIdx.x % 32 ^ static_cast<unsigned>(lane_mask));
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }

/// Four products of signed bytes, added to `sum`.
inline int __dp4a(int a, int b, int sum) {
  for (int shift = 0; shift < 32; shift += 8) {
    sum += static_cast<int8_t>(a >> shift) * static_cast<int8_t>(b >> shift);
  }
  return sum;
}
