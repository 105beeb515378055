// Matrix products, straightforward version: a warp owns one output column for up to eight tokens and
// reads its weight row once for them. No shared memory, no tensor cores.
#include "kernels/cuda/numeric.cuh"

namespace hearth::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarpSize;
constexpr int kTokens = 8;

/// out = sum + bias + residual for the tokens of one warp. Every lane holds all sums; lane t writes
/// token t. Residual and out may be the same memory: one thread reads and writes each element.
__device__ inline void storeSums(const LinearArguments& a, const float (&sum)[kTokens], int token0,
                                 int n_tokens, int out_col) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
#pragma unroll
  for (int t = 0; t < kTokens; ++t) {
    if (t >= n_tokens) continue;  // the same for the whole warp
    const float total = warpSum(sum[t]);
    if (lane != t) continue;
    const size_t at = static_cast<size_t>(token0 + t) * a.out_cols + out_col;
    float value = a.bias != nullptr ? total + a.bias[out_col] : total;
    if (a.residual != nullptr) value += a.residual[at];
    a.out[at] = value;
  }
}

/// float32 activations (exact mode, and 16- and 32-bit weights of fast mode).
/// Block (x, y): output columns 4·x … , tokens 8·y … . Lane l of a warp sums elements l, l + 32, … of
/// its weight row, one fmaf each, then the warp adds its lanes in a butterfly: the order depends on
/// in_cols alone, never on how many tokens share the step or where in the tile a token sits.
template <Dtype kType>
__global__ void linearF32Kernel(LinearArguments a, const StepBlock* step) {
  const int n_live = liveRows(*step, a.rows);
  const int token0 = static_cast<int>(blockIdx.y) * kTokens;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int out_col = static_cast<int>(blockIdx.x) * kWarps + warp;
  if (token0 >= n_live || out_col >= a.out_cols) return;  // whole warps leave
  const int n_tokens = min(kTokens, n_live - token0);
  const uint8_t* weight = a.weight + static_cast<uint64_t>(out_col) * a.weight_row_bytes;
  const float* x = static_cast<const float*>(a.x) + static_cast<size_t>(token0) * a.in_cols;

  float sum[kTokens] = {};
  for (int k = static_cast<int>(threadIdx.x) % kWarpSize; k < a.in_cols; k += kWarpSize) {
    const float w = elementAt<kType>(weight, k);
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
      if (t < n_tokens) sum[t] = fmaf(w, x[static_cast<size_t>(t) * a.in_cols + k], sum[t]);
    }
  }
  storeSums(a, sum, token0, n_tokens, out_col);
}

/// Four int8 from an address that is only 2-byte aligned.
__device__ inline int fourBytes(const uint8_t* bytes) {
  const auto* halves = reinterpret_cast<const uint16_t*>(bytes);
  return static_cast<int>(halves[0] | static_cast<uint32_t>(halves[1]) << 16);
}

/// Integer dot product of one quantised weight block with one block of activations.
template <Dtype kType>
__device__ inline int blockDot(const uint8_t* weight, const BlockA8& x) {
  const auto* x_words = reinterpret_cast<const int*>(x.q);  // 4-byte aligned: offset 8 of 40
  int dot = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (kType == Dtype::q8_0) {
      dot = __dp4a(fourBytes(weight + 2 + 8 * i), x_words[2 * i], dot);
      dot = __dp4a(fourBytes(weight + 6 + 8 * i), x_words[2 * i + 1], dot);
    } else {
      static_assert(kType == Dtype::q4_0);
      const int nibbles = fourBytes(weight + 2 + 4 * i);
      dot = __dp4a(nibbles & 0x0F0F0F0F, x_words[i], dot);
      dot = __dp4a((nibbles >> 4) & 0x0F0F0F0F, x_words[4 + i], dot);
    }
  }
  // Nibbles are stored with 8 added: sum((w - 8) x) = sum(w x) - 8 sum(x).
  return kType == Dtype::q4_0 ? dot - 8 * x.sum : dot;
}

/// Quantised activations (fast mode). As above, but lane l owns blocks l, l + 32, … of the row.
template <Dtype kType>
__global__ void linearA8Kernel(LinearArguments a, const StepBlock* step) {
  constexpr int kWeightBytes = kType == Dtype::q8_0 ? sizeof(BlockQ8_0) : sizeof(BlockQ4_0);
  const int n_live = liveRows(*step, a.rows);
  const int token0 = static_cast<int>(blockIdx.y) * kTokens;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int out_col = static_cast<int>(blockIdx.x) * kWarps + warp;
  if (token0 >= n_live || out_col >= a.out_cols) return;
  const int n_tokens = min(kTokens, n_live - token0);
  const int n_blocks = a.in_cols / kBlockLength;
  const uint8_t* row = a.weight + static_cast<uint64_t>(out_col) * a.weight_row_bytes;
  const auto* x = static_cast<const BlockA8*>(a.x) + static_cast<size_t>(token0) * n_blocks;

  float sum[kTokens] = {};
  for (int b = static_cast<int>(threadIdx.x) % kWarpSize; b < n_blocks; b += kWarpSize) {
    const uint8_t* weight = row + static_cast<size_t>(b) * kWeightBytes;
    const float weight_scale = f16At(weight);
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
      if (t >= n_tokens) continue;
      const BlockA8& block = x[static_cast<size_t>(t) * n_blocks + b];
      const auto dot = static_cast<float>(blockDot<kType>(weight, block));
      sum[t] = fmaf(weight_scale * block.scale, dot, sum[t]);
    }
  }
  storeSums(a, sum, token0, n_tokens, out_col);
}

}  // namespace

cudaError_t launchLinear(const LinearArguments& a, const Launch& launch) {
  const dim3 grid(groups(a.out_cols, kWarps), groups(a.rows.max, kTokens));
  if (a.x_dtype == Dtype::a8) {
    switch (a.weight_dtype) {
      case Dtype::q8_0: return launchKernel(linearA8Kernel<Dtype::q8_0>, grid, kThreads, a, launch);
      case Dtype::q4_0: return launchKernel(linearA8Kernel<Dtype::q4_0>, grid, kThreads, a, launch);
      default: return cudaErrorNotSupported;
    }
  }
  switch (a.weight_dtype) {
    case Dtype::f32: return launchKernel(linearF32Kernel<Dtype::f32>, grid, kThreads, a, launch);
    case Dtype::f16: return launchKernel(linearF32Kernel<Dtype::f16>, grid, kThreads, a, launch);
    case Dtype::bf16: return launchKernel(linearF32Kernel<Dtype::bf16>, grid, kThreads, a, launch);
    case Dtype::q8_0: return launchKernel(linearF32Kernel<Dtype::q8_0>, grid, kThreads, a, launch);
    case Dtype::q4_0: return launchKernel(linearF32Kernel<Dtype::q4_0>, grid, kThreads, a, launch);
    default: return cudaErrorNotSupported;
  }
}

}  // namespace hearth::cuda
