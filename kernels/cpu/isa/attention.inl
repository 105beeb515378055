// Attention with online softmax (Milakov & Gimelshein 2018; FlashAttention, Dao et al. 2022).
// Written against the functions of simd_*.h, compiled once for each of them.
//
// Keys are taken in tiles of kKeyTile that start at multiples of it, whatever the step: the arithmetic
// of one token's head depends on its own query and the keys it sees, and on nothing else.

namespace hearth::cpu {
namespace {

inline float dot(const float* a, const float* b, int32_t n) {
  Vec sum = zero();
  int32_t i = 0;
  for (; i + 16 <= n; i += 16) sum = fma(load(a + i), load(b + i), sum);
  if (i < n) sum = fma(loadFirst(a + i, n - i), loadFirst(b + i, n - i), sum);
  return reduceAdd(sum);
}

/// values[i…] = values[i…] * keep + Σ_j weights[j] * rows[j][i…] for C vectors of sixteen, the last
/// one possibly shorter.
template <int C>
inline void addWeighted(float* values, const float* rows, int32_t dim, const float* weights,
                        int32_t n_keys, float keep, int last) {
  Vec sums[C];
  for (int c = 0; c < C; ++c) {
    const int n = c == C - 1 ? last : 16;
    sums[c] = mul(loadFirst(values + 16 * c, n), set1(keep));
  }
  for (int32_t j = 0; j < n_keys; ++j) {
    const Vec weight = set1(weights[j]);
    const float* row = rows + static_cast<int64_t>(j) * dim;
    for (int c = 0; c < C; ++c) {
      const Vec v = c == C - 1 ? loadFirst(row + 16 * c, last) : load(row + 16 * c);
      sums[c] = fma(weight, v, sums[c]);
    }
  }
  for (int c = 0; c < C; ++c) storeFirst(values + 16 * c, sums[c], c == C - 1 ? last : 16);
}

/// One tile of keys for one head: rescale what is there to the new largest score, add the tile.
void addTile(const AttendArgs& a, const float* q, const float* k, const float* v, int32_t n_keys,
             float* state, float* weights) {
  const int32_t dim = a.head_dim;
  for (int32_t j = 0; j < n_keys; ++j) weights[j] = a.scale * dot(q, k + static_cast<int64_t>(j) * dim, dim);
  float top = state[dim];
  for (int32_t j = 0; j < n_keys; ++j) top = weights[j] > top ? weights[j] : top;
  const float keep = expOf(state[dim] - top);
  float total = 0.0f;
  for (int32_t j = 0; j < n_keys; j += 16) {
    const int n = smaller(16, n_keys - j);
    storeFirst(weights + j, expOf(sub(loadFirst(weights + j, n), set1(top))), n);
    total += reduceAdd(loadFirst(weights + j, n));
  }
  state[dim] = top;
  state[dim + 1] = state[dim + 1] * keep + total;
  for (int32_t i = 0; i < dim; i += 64) {
    const int32_t left = smaller(64, dim - i);
    const int last = (left - 1) % 16 + 1;
    switch ((left + 15) / 16) {
      case 1: addWeighted<1>(state + i, v + i, dim, weights, n_keys, keep, last); break;
      case 2: addWeighted<2>(state + i, v + i, dim, weights, n_keys, keep, last); break;
      case 3: addWeighted<3>(state + i, v + i, dim, weights, n_keys, keep, last); break;
      default: addWeighted<4>(state + i, v + i, dim, weights, n_keys, keep, last); break;
    }
  }
}

void clearState(float* state, int32_t dim) {
  for (int32_t i = 0; i < dim; ++i) state[i] = 0.0f;
  state[dim] = -__builtin_inff();
  state[dim + 1] = 0.0f;
}

/// Rows [first, first + n_keys) as float32: the rows themselves when that is what they are.
const float* tileRows(const AttendArgs& a, const uint8_t* rows, int32_t first, int32_t n_keys,
                      float* scratch) {
  rows += first * a.kv_row_bytes;
  if (a.kv_type == Dtype::f32) return reinterpret_cast<const float*>(rows);
  for (int32_t j = 0; j < n_keys; ++j) {
    loadRow(a.kv_type, rows + j * a.kv_row_bytes, a.head_dim, scratch + static_cast<int64_t>(j) * a.head_dim);
  }
  return scratch;
}

void attend(const AttendArgs& a) {
  const int64_t state_floats = HEARTH_STATE_FLOATS(a.head_dim);
  for (int i = 0; i < a.n_tokens * a.group; ++i) clearState(a.states + i * state_floats, a.head_dim);
  float* k_scratch = a.scratch;
  float* v_scratch = k_scratch + static_cast<int64_t>(kKeyTile) * a.head_dim;
  float* weights = v_scratch + static_cast<int64_t>(kKeyTile) * a.head_dim;
  const int32_t end = smaller(a.key_end, a.visible + a.n_tokens - 1);  // what the last token sees
  for (int32_t first = a.key_begin; first < end; first += kKeyTile) {
    const int32_t in_tile = smaller(kKeyTile, end - first);
    const float* k = tileRows(a, a.k, first, in_tile, k_scratch);
    const float* v = tileRows(a, a.v, first, in_tile, v_scratch);
    for (int t = 0; t < a.n_tokens; ++t) {
      const int32_t n_keys = smaller(in_tile, a.visible + t - first);
      if (n_keys <= 0) continue;
      for (int g = 0; g < a.group; ++g) {
        addTile(a, a.q + t * a.q_stride + static_cast<int64_t>(g) * a.head_dim, k, v, n_keys,
                a.states + (t * a.group + g) * state_floats, weights);
      }
    }
  }
}

void mergeStates(float* total, const float* part, int32_t dim) {
  const float top = part[dim] > total[dim] ? part[dim] : total[dim];
  const Vec keep = set1(expOf(total[dim] - top)), take = set1(expOf(part[dim] - top));
  const int32_t count = dim + 2;
  for (int32_t i = 0; i < count; i += 16) {  // the sum of weights scales like the values
    const int n = smaller(16, count - i);
    const Vec kept = mul(loadFirst(total + i, n), keep);
    storeFirst(total + i, fma(loadFirst(part + i, n), take, kept), n);
  }
  total[dim] = top;
}

void finishState(const float* state, int32_t dim, float* out) {
  const Vec total = set1(state[dim + 1]);
  for (int32_t i = 0; i < dim; i += 16) {
    const int n = smaller(16, dim - i);
    storeFirst(out + i, div(loadFirst(state + i, n), total), n);
  }
}

}  // namespace
}  // namespace hearth::cpu
