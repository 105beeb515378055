// Matrix products. Written against the functions of simd_*.h, compiled once for each of them.
//
// f32: an output is the sum over sixteen lanes, lane l holding elements l, l + 16, l + 32 … in this
// order, then a fixed tree (reduceAdd). How many tokens and rows a tile holds changes which outputs
// are computed together, never the order inside one: that is what exact mode promises.

namespace hearth::cpu {
namespace {

inline void finish(const LinearArgs& a, int token, int row, float sum) {
  if (a.bias != nullptr) sum += a.bias[row];
  if (a.residual != nullptr) sum += a.residual[token * a.residual_stride + row];
  a.out[token * a.out_stride + row] = sum;
}

inline const float* tokenRow(const LinearArgs& a, int token) {
  return reinterpret_cast<const float*>(static_cast<const uint8_t*>(a.x) + token * a.x_row_bytes);
}

/// Outputs of tokens [token, token + T) and rows [row, row + R), whose weights lie at `weight`.
template <class Row, int T, int R>
inline void tileF32(const LinearArgs& a, int token, int row, const uint8_t* weight, int64_t stride) {
  Vec sums[T][R];
  for (int t = 0; t < T; ++t) {
    for (int r = 0; r < R; ++r) sums[t][r] = zero();
  }
  const float* x[T];
  for (int t = 0; t < T; ++t) x[t] = tokenRow(a, token + t);
  int32_t i = 0;
  for (; i + 16 <= a.in; i += 16) {
    Vec w[R];
    for (int r = 0; r < R; ++r) w[r] = Row::at(weight + r * stride, i);
    for (int t = 0; t < T; ++t) {
      const Vec v = load(x[t] + i);
      for (int r = 0; r < R; ++r) sums[t][r] = fma(v, w[r], sums[t][r]);
    }
  }
  if (i < a.in) {
    for (int t = 0; t < T; ++t) {
      const Vec v = loadFirst(x[t] + i, a.in - i);
      for (int r = 0; r < R; ++r) {
        sums[t][r] = fma(v, Row::tail(weight + r * stride, i, a.in - i), sums[t][r]);
      }
    }
  }
  for (int t = 0; t < T; ++t) {
    for (int r = 0; r < R; ++r) finish(a, token + t, row + r, reduceAdd(sums[t][r]));
  }
}

constexpr int kRowsOfOneToken = 4;  // independent sums hide the latency of one

template <class Row>
void linearOneToken(const LinearArgs& a) {
  int r = 0;
  for (; r + kRowsOfOneToken <= a.n_rows; r += kRowsOfOneToken) {
    tileF32<Row, 1, kRowsOfOneToken>(a, 0, r, a.weight + r * a.weight_row_bytes, a.weight_row_bytes);
  }
  for (; r < a.n_rows; ++r) tileF32<Row, 1, 1>(a, 0, r, a.weight + r * a.weight_row_bytes, 0);
}

/// Outputs of tokens [token, token + T) and `n_rows` rows from `row` on.
template <int T>
inline void rowsF32(const LinearArgs& a, int token, int row, int n_rows, const uint8_t* weight,
                    int64_t stride) {
  int r = 0;
  for (; r + kTileRows <= n_rows; r += kTileRows) {
    tileF32<F32Row, T, kTileRows>(a, token, row + r, weight + r * stride, stride);
  }
  for (; r < n_rows; ++r) tileF32<F32Row, T, 1>(a, token, row + r, weight + r * stride, stride);
}

/// Many tokens: a panel of rows becomes float32 once, in scratch, and meets all tokens there. The
/// panel stays in the second-level cache, a few tokens at a time in the first.
void linearManyTokens(const LinearArgs& a) {
  const int64_t scratch_stride = (a.in + 15) / 16 * 16;
  for (int r = 0; r < a.n_rows; r += kTileRowsMax) {
    const int rows = smaller(static_cast<int>(kTileRowsMax), a.n_rows - r);
    const uint8_t* weight = a.weight + r * a.weight_row_bytes;
    int64_t stride = a.weight_row_bytes;
    if (a.weight_type != Dtype::f32) {
      for (int i = 0; i < rows; ++i) {
        loadRow(a.weight_type, weight + i * stride, a.in, a.scratch + i * scratch_stride);
      }
      weight = reinterpret_cast<const uint8_t*>(a.scratch);
      stride = scratch_stride * static_cast<int64_t>(sizeof(float));
    }
    int t = 0;
    for (; t + kTileTokens <= a.n_tokens; t += kTileTokens) {
      rowsF32<kTileTokens>(a, t, r, rows, weight, stride);
    }
    for (; t < a.n_tokens; ++t) rowsF32<1>(a, t, r, rows, weight, stride);
  }
}

void linearF32(const LinearArgs& a) {
  if (a.n_tokens > 1) return linearManyTokens(a);
  switch (a.weight_type) {
    case Dtype::f32: return linearOneToken<F32Row>(a);
    case Dtype::f16: return linearOneToken<F16Row>(a);
    case Dtype::bf16: return linearOneToken<Bf16Row>(a);
    case Dtype::q8_0: return linearOneToken<Q8Row>(a);
    case Dtype::q4_0: return linearOneToken<Q4Row>(a);
    default: __builtin_trap();  // PlanRecorder lets no other type through
  }
}

// --- integer products --------------------------------------------------------------------------------

template <class Block, int T, int R>
inline void tileA8(const LinearArgs& a, int token, int row) {
  Acc sums[T][R];
  for (int t = 0; t < T; ++t) {
    for (int r = 0; r < R; ++r) sums[t][r] = zeroAcc();
  }
  const Block* weight[R];
  for (int r = 0; r < R; ++r) {
    weight[r] = reinterpret_cast<const Block*>(a.weight + (row + r) * a.weight_row_bytes);
  }
  const BlockA8* x[T];
  for (int t = 0; t < T; ++t) {
    x[t] = reinterpret_cast<const BlockA8*>(static_cast<const uint8_t*>(a.x) +
                                            (token + t) * a.x_row_bytes);
  }
  const int32_t n_blocks = a.in / kBlockLength;
  for (int32_t b = 0; b < n_blocks; ++b) {
    for (int r = 0; r < R; ++r) {
      const auto w = loadBlock(weight[r] + b);
      for (int t = 0; t < T; ++t) sums[t][r] = addProduct(sums[t][r], w, x[t][b]);
    }
  }
  for (int t = 0; t < T; ++t) {
    for (int r = 0; r < R; ++r) finish(a, token + t, row + r, reduceAcc(sums[t][r]));
  }
}

template <class Block, int R>
inline void tokensA8(const LinearArgs& a, int row) {
  int t = 0;
  for (; t + kTileTokens <= a.n_tokens; t += kTileTokens) tileA8<Block, kTileTokens, R>(a, t, row);
  for (; t < a.n_tokens; ++t) tileA8<Block, 1, R>(a, t, row);
}

template <class Block>
void linearBlocks(const LinearArgs& a) {
  int r = 0;
  for (; r + kRowsOfOneToken <= a.n_rows; r += kRowsOfOneToken) tokensA8<Block, kRowsOfOneToken>(a, r);
  for (; r < a.n_rows; ++r) tokensA8<Block, 1>(a, r);
}

void linearA8(const LinearArgs& a) {
#ifdef HEARTH_PANELS  // panel_avx512.inl
  if (a.n_tokens >= kPanelTokens) return linearPanels(a);
#endif
  if (a.weight_type == Dtype::q8_0) return linearBlocks<BlockQ8_0>(a);
  return linearBlocks<BlockQ4_0>(a);
}

}  // namespace
}  // namespace hearth::cpu
