// Rotary position embedding (Su et al. 2021): the table of cosines and sines of a step, then rotating
// queries in place and keys on their way into KV memory.
#include "kernels/cuda/kv.cuh"
#include "kernels/cuda/numeric.cuh"

namespace hearth::cuda {
namespace {

constexpr int kTableThreads = 64;
constexpr int kThreads = 128;

/// Block (x, y): pairs 64·x … of token y; a thread owns one pair. Angles in float64, because float32
/// loses the fraction of an angle at long positions.
__global__ void ropeTableKernel(RopeTableArguments a, const StepBlock* step) {
  const int token = static_cast<int>(blockIdx.y);
  const int pair = static_cast<int>(blockIdx.x) * kTableThreads + static_cast<int>(threadIdx.x);
  if (token >= liveRows(*step, a.rows) || pair >= a.n_pairs) return;
  double sine, cosine;
  sincos(static_cast<double>(a.positions[token]) * a.frequencies[pair], &sine, &cosine);
  float* row = a.out + static_cast<size_t>(token) * (2 * static_cast<size_t>(a.n_pairs));
  row[pair] = static_cast<float>(cosine * a.magnitude);
  row[a.n_pairs + pair] = static_cast<float>(sine * a.magnitude);
}

/// Element `e` of a rotated head. `table`: rotary_dim/2 cosines, then as many sines.
__device__ inline float rotated(const float* head, const float* table, int e, int rotary_dim,
                                RopeLayout layout) {
  if (e >= rotary_dim) return head[e];
  const int n_pairs = rotary_dim / 2;
  const bool interleaved = layout == RopeLayout::interleaved;
  const int pair = interleaved ? e / 2 : e % n_pairs;
  const bool second = interleaved ? e % 2 == 1 : e >= n_pairs;
  const float first_value = head[interleaved ? 2 * pair : pair];
  const float second_value = head[interleaved ? 2 * pair + 1 : pair + n_pairs];
  const float cosine = table[pair];
  const float sine = table[n_pairs + pair];
  return second ? fmaf(first_value, sine, second_value * cosine)
                : fmaf(first_value, cosine, -second_value * sine);
}

/// Writes a head (shared memory) to one KV row. All threads of the block call it; for q8_0 a warp
/// owns every fourth block of 32 elements.
__device__ inline void storeKvRow(uint8_t* row, const float* head, int head_dim, Dtype dtype) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int e = thread; e < head_dim; e += kThreads) {
    const float value = head[e];
    if (dtype == Dtype::f32) {
      reinterpret_cast<float*>(row)[e] = value;
    } else if (dtype == Dtype::f16) {
      reinterpret_cast<uint16_t*>(row)[e] = __half_as_ushort(__float2half_rn(value));
    } else {
      storeQ8_0(row + static_cast<size_t>(e / kBlockLength) * sizeof(BlockQ8_0), value);
    }
  }
}

/// Block (x, y): head x of token y, where heads are the query heads, then key heads, then value
/// heads. The head passes through shared memory, because queries are rotated in place and an element
/// needs its partner's old value.
__global__ void ropeAndStoreKernel(RopeAndStoreArguments a, const StepBlock* step) {
  __shared__ float head[kMaxHeadDim];
  const int token = static_cast<int>(blockIdx.y);
  if (token >= liveRows(*step, a.rows)) return;
  const int index = static_cast<int>(blockIdx.x);
  const bool is_query = index < a.n_heads;
  const bool is_key = !is_query && index < a.n_heads + a.n_kv_heads;
  const int kv_head = (index - a.n_heads) % a.n_kv_heads;  // of a key or value
  const size_t q_offset = (static_cast<size_t>(token) * a.n_heads + index) * a.head_dim;
  const size_t kv_offset = (static_cast<size_t>(token) * a.n_kv_heads + kv_head) * a.head_dim;
  const float* source = is_query ? a.q + q_offset : (is_key ? a.k : a.v) + kv_offset;
  const float* table = a.table + static_cast<size_t>(token) * a.rotary_dim;
  const int rotary_dim = is_query || is_key ? a.rotary_dim : 0;  // values do not rotate

  for (int e = static_cast<int>(threadIdx.x); e < a.head_dim; e += kThreads) {
    head[e] = rotated(source, table, e, rotary_dim, a.layout);
  }
  __syncthreads();
  if (is_query) {
    for (int e = static_cast<int>(threadIdx.x); e < a.head_dim; e += kThreads) {
      a.q[q_offset + e] = head[e];
    }
    return;
  }
  uint8_t* rows = kvHead(*step, a.layer, is_key ? 0 : 1, a.n_kv_heads, kv_head);
  const auto kv_row = static_cast<uint64_t>(step->first_row + token);
  storeKvRow(rows + kv_row * step->kv_row_bytes, head, a.head_dim, step->kv_dtype);
}

}  // namespace

cudaError_t launchRopeTable(const RopeTableArguments& a, const Launch& launch) {
  const dim3 grid(groups(a.n_pairs, kTableThreads), static_cast<unsigned>(a.rows.max));
  return launchKernel(ropeTableKernel, grid, kTableThreads, a, launch);
}

cudaError_t launchRopeAndStore(const RopeAndStoreArguments& a, const Launch& launch) {
  const dim3 grid(static_cast<unsigned>(a.n_heads + 2 * a.n_kv_heads),
                  static_cast<unsigned>(a.rows.max));
  return launchKernel(ropeAndStoreKernel, grid, kThreads, a, launch);
}

}  // namespace hearth::cuda
