// The gated activation of a feed-forward block: silu(gate) · up. A thread owns one element.
#include "kernels/cuda/numeric.cuh"

namespace hearth::cuda {
namespace {

constexpr int kThreads = 256;

/// x / (1 + e^-x), with an exponential that cannot overflow.
__device__ inline float silu(float x) {
  const float e = expf(-fabsf(x));
  return (x >= 0.0f ? x : x * e) / (1.0f + e);
}

/// Block (x, y): columns 256·x … of row y. For a8 output cols is a multiple of 32, so that a warp is
/// either wholly inside the row or wholly outside, and one warp writes one block.
__global__ void gatedActivationKernel(GatedActivationArguments a, const StepBlock* step) {
  const int row = static_cast<int>(blockIdx.y);
  const int col = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (row >= liveRows(*step, a.rows) || col >= a.cols) return;
  const size_t at = static_cast<size_t>(row) * a.cols + col;
  const float value = silu(a.gate[at]) * a.up[at];
  if (a.quantise) {
    const size_t blocks_per_row = static_cast<size_t>(a.cols) / kBlockLength;
    auto* out = static_cast<BlockA8*>(a.out) + static_cast<size_t>(row) * blocks_per_row;
    storeA8(out + col / kBlockLength, value);
  } else {
    static_cast<float*>(a.out)[at] = value;
  }
}

}  // namespace

cudaError_t launchGatedActivation(const GatedActivationArguments& a, const Launch& launch) {
  const dim3 grid(groups(a.cols, kThreads), static_cast<unsigned>(a.rows.max));
  return launchKernel(gatedActivationKernel, grid, kThreads, a, launch);
}

}  // namespace hearth::cuda
