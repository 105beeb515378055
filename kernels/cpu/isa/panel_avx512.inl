// Integer products of many tokens on AVX-512 VNNI. Sixteen rows of weights are rearranged so that a
// register holds four codes of each: one instruction then serves sixteen outputs, a token's four
// codes are broadcast from memory, and the scales are applied once for sixteen outputs and 32
// elements. Eight tokens share each load of weights. Rearranging costs about as much as the products
// of eight tokens, so fewer take the plain way.

#define HEARTH_PANELS

namespace hearth::cpu {
namespace {

constexpr int kPanelTokens = 8;
constexpr int kPanelRows = 16;
static_assert(kPanelRows == kTileRowsMax);

/// 32 elements of sixteen rows.
struct alignas(64) PanelBlock {
  __m512i q[8];   // [elements 4j … 4j+3 of each row], unsigned
  __m512 scales;  // [row]
};

struct PanelSource {
  const uint8_t* rows;
  __m512i offsets;  // of each row, in bytes; the last row stands in for rows that are not there
};

inline __m512i gatherWords(const PanelSource& s, int64_t at) {
  return _mm512_i32gather_epi32(s.offsets, s.rows + at, 1);
}
inline __m512 gatherScales(const PanelSource& s, int64_t at) {
  return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(gatherWords(s, at)));
}

inline void loadPanel(const PanelSource& s, const BlockQ8_0*, int64_t block, PanelBlock& out) {
  const int64_t at = block * static_cast<int64_t>(sizeof(BlockQ8_0));
  out.scales = gatherScales(s, at);
  for (int j = 0; j < 8; ++j) {
    out.q[j] = _mm512_xor_si512(gatherWords(s, at + 2 + 4 * j), _mm512_set1_epi8(-128));
  }
}
inline void loadPanel(const PanelSource& s, const BlockQ4_0*, int64_t block, PanelBlock& out) {
  const int64_t at = block * static_cast<int64_t>(sizeof(BlockQ4_0));
  out.scales = gatherScales(s, at);
  for (int j = 0; j < 4; ++j) {
    const __m512i both = gatherWords(s, at + 2 + 4 * j);
    out.q[j] = _mm512_and_si512(both, _mm512_set1_epi8(15));
    out.q[j + 4] = _mm512_and_si512(_mm512_srli_epi16(both, 4), _mm512_set1_epi8(15));
  }
}

/// Sixteen outputs of each of T tokens.
template <class Block, int T>
inline void panelTokens(const LinearArgs& a, const PanelBlock* panel, int token, int row, int n_rows) {
  const BlockA8* x[T];
  __m512 sums[T];
  for (int t = 0; t < T; ++t) {
    x[t] = reinterpret_cast<const BlockA8*>(static_cast<const uint8_t*>(a.x) + (token + t) * a.x_row_bytes);
    sums[t] = _mm512_setzero_ps();
  }
  const int32_t n_blocks = a.in / kBlockLength;
  for (int32_t b = 0; b < n_blocks; ++b) {
    __m512i products[T];
    for (int t = 0; t < T; ++t) {
      products[t] = _mm512_set1_epi32(-offsetOf(static_cast<const Block*>(nullptr)) * x[t][b].sum);
    }
    for (int j = 0; j < 8; ++j) {
      const __m512i w = panel[b].q[j];
      for (int t = 0; t < T; ++t) {
        int32_t codes;
        __builtin_memcpy(&codes, x[t][b].q + 4 * j, sizeof codes);
        products[t] = _mm512_dpbusd_epi32(products[t], w, _mm512_set1_epi32(codes));
      }
    }
    for (int t = 0; t < T; ++t) {
      const __m512 scale = _mm512_mul_ps(panel[b].scales, _mm512_set1_ps(x[t][b].scale));
      sums[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[t]), scale, sums[t]);
    }
  }
  const __mmask16 live = firstLanes(n_rows);
  for (int t = 0; t < T; ++t) {
    if (a.bias != nullptr) sums[t] = _mm512_add_ps(sums[t], _mm512_maskz_loadu_ps(live, a.bias + row));
    if (a.residual != nullptr) {
      const float* residual = a.residual + (token + t) * a.residual_stride + row;
      sums[t] = _mm512_add_ps(sums[t], _mm512_maskz_loadu_ps(live, residual));
    }
    _mm512_mask_storeu_ps(a.out + (token + t) * a.out_stride + row, live, sums[t]);
  }
}

template <class Block>
void linearPanelsOf(const LinearArgs& a) {
  auto* panel = reinterpret_cast<PanelBlock*>(a.scratch);
  static_assert(sizeof(PanelBlock) <= kPanelRows * kBlockLength * sizeof(float), "fits linear scratch");
  for (int r = 0; r < a.n_rows; r += kPanelRows) {
    const int rows = smaller(kPanelRows, a.n_rows - r);
    alignas(64) int32_t offsets[kPanelRows];
    for (int i = 0; i < kPanelRows; ++i) {
      offsets[i] = static_cast<int32_t>(a.weight_row_bytes) * smaller(i, rows - 1);
    }
    const PanelSource source{a.weight + r * a.weight_row_bytes, _mm512_load_si512(offsets)};
    for (int32_t b = 0; b < a.in / kBlockLength; ++b) {
      loadPanel(source, static_cast<const Block*>(nullptr), b, panel[b]);
    }
    int t = 0;
    for (; t + 8 <= a.n_tokens; t += 8) panelTokens<Block, 8>(a, panel, t, r, rows);
    for (; t + 4 <= a.n_tokens; t += 4) panelTokens<Block, 4>(a, panel, t, r, rows);
    for (; t < a.n_tokens; ++t) panelTokens<Block, 1>(a, panel, t, r, rows);
  }
}

void linearPanels(const LinearArgs& a) {
  if (a.weight_type == Dtype::q8_0) return linearPanelsOf<BlockQ8_0>(a);
  return linearPanelsOf<BlockQ4_0>(a);
}

}  // namespace
}  // namespace hearth::cpu
