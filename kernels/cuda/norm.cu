// RMSNorm and quantising of activations. A block owns one row.
#include "kernels/cuda/numeric.cuh"

namespace hearth::cuda {
namespace {

constexpr int kThreads = 256;

/// Block x: row x. Thread t sums the squares of columns t, t + 256, … and then the block sums in a
/// fixed tree, so that the result depends on the row's values and width alone. For a8 output each
/// warp owns every eighth block of 32 columns (cols is then a multiple of 32, so warps stay whole).
__global__ void normQuantiseKernel(NormQuantiseArguments a, const StepBlock* step) {
  __shared__ float scratch[kThreads / kWarpSize];
  const int row = static_cast<int>(blockIdx.x);
  if (row >= liveRows(*step, a.rows)) return;  // the whole block leaves
  const float* x = a.x + static_cast<size_t>(row) * a.cols;
  const int thread = static_cast<int>(threadIdx.x);

  float factor = 1.0f;
  if (a.normalise) {
    float squares = 0.0f;
    for (int col = thread; col < a.cols; col += kThreads) squares = fmaf(x[col], x[col], squares);
    const float mean = blockSum<kThreads>(squares, scratch) / static_cast<float>(a.cols);
    factor = 1.0f / sqrtf(mean + a.eps);
  }
  for (int col = thread; col < a.cols; col += kThreads) {
    float value = x[col] * factor;
    if (a.gain != nullptr) value *= a.gain[col];
    if (a.quantise) {
      const size_t blocks_per_row = static_cast<size_t>(a.cols) / kBlockLength;
      auto* out = static_cast<BlockA8*>(a.out) + static_cast<size_t>(row) * blocks_per_row;
      storeA8(out + col / kBlockLength, value);
    } else {
      static_cast<float*>(a.out)[static_cast<size_t>(row) * a.cols + col] = value;
    }
  }
}

}  // namespace

cudaError_t launchNormQuantise(const NormQuantiseArguments& a, const Launch& launch) {
  return launchKernel(normQuantiseKernel, dim3(static_cast<unsigned>(a.rows.max)), kThreads, a,
                      launch);
}

}  // namespace hearth::cuda
