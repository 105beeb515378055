// Causal attention with online softmax (Milakov & Gimelshein 2018; Dao et al. 2022, algorithm 1).
// The score matrix is never stored: a block walks the keys of one token and head in tiles of 128.
#include <cmath>

#include "kernels/cuda/kv.cuh"
#include "kernels/cuda/numeric.cuh"

namespace hearth::cuda {
namespace {

constexpr int kThreads = 128;  // also the keys of a tile
constexpr int kPartsPerThread = kMaxHeadDim / kThreads;

struct AttentionShared {
  float q[kMaxHeadDim];
  float weights[kThreads];  // of this tile's keys, not yet normalised
  float scratch[kThreads / kWarpSize];
};

/// Thread t scores key t of each tile, then owns elements t and t + 128 of the output. Tiles start at
/// row 0 and every sum runs in a fixed order, so the result depends on the visible keys alone.
template <Dtype kKvType>
__device__ void attend(const AttentionArguments& a, const StepBlock& step, AttentionShared& shared) {
  const int thread = static_cast<int>(threadIdx.x);
  const int head = static_cast<int>(blockIdx.x);
  const int token = static_cast<int>(blockIdx.y);
  const int kv_head = head / (a.n_heads / a.n_kv_heads);
  const int n_keys = step.first_row + token + 1;
  const uint8_t* keys = kvHead(step, a.layer, 0, a.n_kv_heads, kv_head);
  const uint8_t* values = kvHead(step, a.layer, 1, a.n_kv_heads, kv_head);
  const size_t offset = (static_cast<size_t>(token) * a.n_heads + head) * a.head_dim;
  for (int d = thread; d < a.head_dim; d += kThreads) shared.q[d] = a.q[offset + d];
  __syncthreads();

  float largest = -INFINITY;  // score so far
  float total = 0.0f;         // sum of exp(score - largest)
  float out[kPartsPerThread] = {};
  for (int first = 0; first < n_keys; first += kThreads) {
    const int n_tile = min(kThreads, n_keys - first);
    float score = -INFINITY;
    if (thread < n_tile) {
      const uint8_t* key = keys + static_cast<uint64_t>(first + thread) * step.kv_row_bytes;
      float dot = 0.0f;
      for (int d = 0; d < a.head_dim; ++d) {
        dot = fmaf(shared.q[d], elementAt<kKvType>(key, d), dot);
      }
      score = a.scale * dot;
    }
    const float new_largest = fmaxf(largest, blockMax<kThreads>(score, shared.scratch));
    const float weight = thread < n_tile ? expf(score - new_largest) : 0.0f;
    const float correction = expf(largest - new_largest);  // 0 for the first tile
    shared.weights[thread] = weight;  // blockMax waited for the last tile's readers
    total = fmaf(total, correction, blockSum<kThreads>(weight, shared.scratch));  // also a barrier
    largest = new_largest;
#pragma unroll
    for (int part = 0; part < kPartsPerThread; ++part) {
      const int d = thread + part * kThreads;
      if (d >= a.head_dim) continue;
      float sum = 0.0f;
      for (int j = 0; j < n_tile; ++j) {
        const uint8_t* value = values + static_cast<uint64_t>(first + j) * step.kv_row_bytes;
        sum = fmaf(shared.weights[j], elementAt<kKvType>(value, d), sum);
      }
      out[part] = fmaf(out[part], correction, sum);
    }
  }
#pragma unroll
  for (int part = 0; part < kPartsPerThread; ++part) {
    const int d = thread + part * kThreads;
    if (d < a.head_dim) a.out[offset + d] = out[part] / total;
  }
}

/// Block (x, y): head x of token y. The KV type is the same for the whole grid, so this branch costs
/// nothing measurable and one captured graph serves every KV type.
__global__ void attentionKernel(AttentionArguments a, const StepBlock* step) {
  __shared__ AttentionShared shared;
  if (static_cast<int>(blockIdx.y) >= liveRows(*step, a.rows)) return;
  switch (step->kv_dtype) {
    case Dtype::f32: return attend<Dtype::f32>(a, *step, shared);
    case Dtype::f16: return attend<Dtype::f16>(a, *step, shared);
    default: return attend<Dtype::q8_0>(a, *step, shared);
  }
}

}  // namespace

cudaError_t launchAttention(const AttentionArguments& a, const Launch& launch) {
  const dim3 grid(static_cast<unsigned>(a.n_heads), static_cast<unsigned>(a.rows.max));
  return launchKernel(attentionKernel, grid, kThreads, a, launch);
}

}  // namespace hearth::cuda
