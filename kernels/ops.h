// The one op interface. An op is as large as it must be to be fast; each is defined here once, with
// the shapes it takes, and every device implements all of them. A `Plan` (plan.h) is a list of ops.
//
// Shapes: n = tokens of this step (at most Plan::max_tokens), m = rows whose logits are wanted,
// d = model width. Rows of activations are tokens. Weights are [out, in], one output per row.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

#include "kernels/base/dtype.h"

namespace hearth {

/// How many rows of a value are live in a step. The maxima are fixed by the plan.
enum class Extent : uint8_t { tokens, outputs };

/// Where a value of a plan lives.
enum class Space : uint8_t {
  none,       // absent (optional operands)
  workspace,  // device memory, laid out once when the plan is recorded
  step,       // the step's own inputs: see StepSlot
};

/// A plan's temporary or step input. Refers to memory by place, never by pointer: pointers are the
/// compiled plan's business, so that a CUDA graph can be captured once and replayed.
struct Value {
  Space space = Space::none;
  Extent extent = Extent::tokens;
  Dtype dtype = Dtype::f32;
  int32_t max_rows = 0;
  int32_t cols = 0;
  uint64_t offset = 0;  // bytes into the workspace, or a StepSlot

  explicit operator bool() const { return space != Space::none; }
};

/// Step inputs, in device memory, rewritten before each run.
enum class StepSlot : uint64_t {
  token_ids,  // [n] i32
  positions,  // [n] i32, rotary positions
  out_rows,   // [m] i32, rows of the step that go on to the logits
};

/// A tensor that does not change between steps: a weight, a norm's gain, rotary frequencies.
/// `data` is device memory (on the CPU: possibly the mapped file itself), made by Device::upload and
/// kept alive by the caller longer than any compiled plan that uses it.
struct Constant {
  const void* data = nullptr;
  Dtype dtype = Dtype::f32;
  int32_t rows = 0;
  int32_t cols = 0;

  explicit operator bool() const { return data != nullptr; }
};

/// out[i] = scale * table[token_ids[i]], converted to float32.
struct EmbedOp {
  Value token_ids;       // [n] i32, each in [0, table.rows)
  Constant table;        // [n_vocab, d] any weight type
  float scale = 1.0f;
  Value out;             // [n, d] f32
};

/// y = x / sqrt(mean(x²) + eps) * gain (RMSNorm, Zhang & Sennrich 2019), then quantised when `out`
/// is a8. With no gain and no normalisation (`normalise` false) it only quantises.
struct NormQuantiseOp {
  Value x;               // [n, d] f32
  Constant gain;         // [1, d] f32; absent: 1
  float eps = 1e-5f;
  bool normalise = true;
  Value out;             // [n, d] f32 or a8
};

/// One matrix of a LinearOp: out = x · weightᵀ + bias.
struct LinearPart {
  Constant weight;       // [out, in] f32 f16 bf16 q8_0 q4_0
  Constant bias;         // [1, out] f32, optional
  Value out;             // [n or m, out] f32
};

/// Up to three matrices that read the same input (q, k, v; gate, up). `residual` is added to the
/// first part's result and may be the same value as its `out`.
/// f32 input: float32 products, each output reduced in an order that depends on `in` alone.
/// a8 input: quantised weights by integer dot products; 16- and 32-bit weights take f32 input.
struct LinearOp {
  Value x;               // [n or m, in] f32 or a8
  std::array<LinearPart, 3> parts;
  int32_t n_parts = 1;
  Value residual;        // [n or m, out of part 0] f32, optional
};

/// Which elements of a head rotate together.
enum class RopeLayout : uint8_t {
  interleaved,  // (2i, 2i+1): GGUF "llama"
  rotate_half,  // (i, i + rotary_dim/2): Hugging Face, GGUF NEOX
};

/// cos and sin of position * frequency[i], once a step for all layers. Angles in float64.
struct RopeTableOp {
  Value positions;       // [n] i32
  Constant frequencies;  // [1, rotary_dim/2] f64, scaling already applied
  float magnitude = 1.0f;  // multiplies both (YaRN, longrope)
  Value out;             // [n, rotary_dim] f32: cosines, then sines
};

/// The rows of one layer in the sequence's KV memory (KvBinding in plan.h).
struct KvLayer {
  int32_t layer = 0;
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;
};

/// Rotates q in place and k, and writes k and v of token i to KV row first_row + i. Numbers are
/// stored in the KV type rounded half to even; a q8_0 block has the codes that an a8 block of the
/// same numbers has, and a8's scale as f16: the same bytes on every device for finite numbers. (Q8_0
/// of model files rounds half away from zero: quantise.h.)
struct RopeAndStoreOp {
  Value q;               // [n, n_heads * head_dim] f32, in place
  Value k;               // [n, n_kv_heads * head_dim] f32, read only
  Value v;               // [n, n_kv_heads * head_dim] f32, read only
  Value table;           // [n, rotary_dim] f32 of RopeTableOp
  int32_t n_heads = 0;
  int32_t rotary_dim = 0;  // at most head_dim; further elements are copied
  RopeLayout layout = RopeLayout::interleaved;
  KvLayer kv;
};

/// softmax(scale * q · Kᵀ) · V with online softmax; token i sees KV rows 0 … first_row + i.
/// Query head h reads KV head h / (n_heads / n_kv_heads). The score matrix is never stored.
/// The result for a token does not depend on the other tokens of the step.
struct AttentionOp {
  Value q;               // [n, n_heads * head_dim] f32
  Value out;             // [n, n_heads * head_dim] f32
  int32_t n_heads = 0;
  float scale = 1.0f;
  KvLayer kv;
};

/// out = silu(gate) * up; quantised when `out` is a8.
struct GatedActivationOp {
  Value gate;            // [n, ffn] f32
  Value up;              // [n, ffn] f32
  Value out;             // [n, ffn] f32 or a8; may be `gate` when f32
};

/// out[j] = x[rows[j]]
struct SelectRowsOp {
  Value x;               // [n, d] f32
  Value rows;            // [m] i32, each in [0, n)
  Value out;             // [m, d] f32
};

using Op = std::variant<EmbedOp, NormQuantiseOp, LinearOp, RopeTableOp, RopeAndStoreOp, AttentionOp,
                        GatedActivationOp, SelectRowsOp>;

}  // namespace hearth
