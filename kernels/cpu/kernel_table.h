// What one instruction set offers: plain functions on raw pointers, chosen once at run time.
// Included by files that are compiled with special instruction-set flags. Such a file must not emit
// any inline function that the rest of the program shares, or the linker may keep the copy that a
// lesser processor cannot run: so no standard library here, and no calls to our own inline functions.
#pragma once

#include <stdint.h>

#include "kernels/base/blocks.h"
#include "kernels/base/dtype.h"

namespace hearth::cpu {

/// out[t][r] = x[t] · weight[r] (+ bias[r]) (+ residual[t][r]) for all tokens and `n_rows` rows.
struct LinearArgs {
  const void* x;            // [n_tokens, in] f32 or BlockA8
  int64_t x_row_bytes;
  int32_t n_tokens;
  int32_t in;
  Dtype weight_type;
  const uint8_t* weight;    // first row
  int64_t weight_row_bytes;
  int32_t n_rows;
  const float* bias;        // [n_rows] or null
  const float* residual;    // [n_tokens, …] or null; may be `out`
  int64_t residual_stride;  // in floats
  float* out;               // [n_tokens, …]
  int64_t out_stride;       // in floats
  float* scratch;           // linearScratchFloats(in) floats, 64-byte aligned
};

/// Attention of some tokens' heads that share one KV head, over KV rows [key_begin, key_end).
struct AttendArgs {
  const float* q;           // head 0 of the group of token 0
  int64_t q_stride;         // floats between tokens
  int32_t n_tokens;
  int32_t group;            // query heads that read this KV head, one after another in q
  int32_t head_dim;
  float scale;
  Dtype kv_type;
  const uint8_t* k;         // row 0 of the head's keys
  const uint8_t* v;
  int64_t kv_row_bytes;
  int32_t visible;          // keys that token 0 sees; each further token sees one more
  int32_t key_begin;        // a multiple of kKeyTile
  int32_t key_end;
  float* states;            // [n_tokens, group, stateFloats(head_dim)], written
  float* scratch;           // attendScratchFloats(head_dim) floats, 64-byte aligned
};

inline constexpr int32_t kKeyTile = 32;      // keys for which a softmax is rescaled once
inline constexpr int32_t kTileRowsMax = 16;  // weight rows that a kernel keeps in scratch

// Macros and not inline functions: see above.
#define HEARTH_LINEAR_SCRATCH_FLOATS(in) (::hearth::cpu::kTileRowsMax * (static_cast<int64_t>(in) + 16))
#define HEARTH_ATTEND_SCRATCH_FLOATS(head_dim) \
  (2 * ::hearth::cpu::kKeyTile * static_cast<int64_t>(head_dim) + 2 * ::hearth::cpu::kKeyTile)
/// A running softmax: the weighted sum of values [head_dim], the largest score, the sum of weights.
#define HEARTH_STATE_FLOATS(head_dim) (static_cast<int64_t>(head_dim) + 2)

struct KernelTable {
  const char* name;

  /// A stored row as float32. Any type but i32, f64 and a8.
  void (*load_row)(Dtype type, const uint8_t* row, int32_t cols, float* out);
  /// float32 as f32, f16 or q8_0, rounded to nearest even (q8_0 codes: half to even).
  void (*store_row)(Dtype type, const float* row, int32_t cols, uint8_t* out);
  void (*quantise_a8)(const float* row, int32_t cols, BlockA8* out);

  /// f32 input. An output's order of additions depends on `in` alone.
  void (*linear_f32)(const LinearArgs& args);
  /// a8 input, q8_0 or q4_0 weights.
  void (*linear_a8)(const LinearArgs& args);

  /// out = x / sqrt(mean(x²) + eps) * gain; `gain` may be null; `out` may be `x`.
  void (*rms_norm)(const float* x, const float* gain, int32_t cols, float eps, float* out);
  void (*scale_row)(float* row, int32_t cols, float factor);
  /// out = silu(gate) * up
  void (*gated_silu)(const float* gate, const float* up, int32_t cols, float* out);

  void (*attend)(const AttendArgs& args);
  /// Adds the state of a later segment of keys to `total`.
  void (*merge_states)(float* total, const float* part, int32_t head_dim);
  /// out = weighted sum / sum of weights
  void (*finish_state)(const float* state, int32_t head_dim, float* out);

  /// Reads `bytes` (a multiple of 64) and returns something that depends on all of them.
  uint64_t (*read_memory)(const uint8_t* memory, int64_t bytes);
  /// `rounds` times a fixed number of independent multiply-adds in registers; returns how many
  /// operations (a multiply-add is two) that was. `sink` keeps the result alive.
  double (*peak_f32)(int64_t rounds, float* sink);
  double (*peak_int8)(int64_t rounds, int32_t* sink);
};

extern const KernelTable kScalarKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
#endif

}  // namespace hearth::cpu
