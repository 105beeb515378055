// A plan: one step of a model, recorded once for a bucket of tokens, compiled by a device, run many
// times. Everything that changes between runs is in `StepInputs`; nothing is rebuilt or allocated.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/ops.h"

namespace hearth {

/// Exact: float32 activations and KV, reductions in an order that depends on neither batch,
/// chunking nor thread count. Fast: quantised activations, f16 or q8_0 KV, any order.
enum class Precision : uint8_t { exact, fast };

struct Plan {
  Precision precision = Precision::exact;
  int32_t max_tokens = 0;   // bucket: n of a step is at most this
  int32_t max_outputs = 0;  // m of a step is at most this
  uint64_t workspace_bytes = 0;
  std::vector<Op> ops;
  Value logits;             // [m, n_vocab] f32
};

/// Lays values out in the workspace, 64-byte aligned, in the order asked for.
class PlanRecorder {
 public:
  PlanRecorder(Precision precision, int32_t max_tokens, int32_t max_outputs);

  /// A new temporary of `cols` columns; a multiple of 32 columns when `dtype` is a8.
  Value workspace(Extent extent, Dtype dtype, int32_t cols);
  Value stepInput(StepSlot slot) const;

  /// Adds an op after checking that its operands' shapes and types agree (CHECK).
  void add(Op op);

  Plan finish(Value logits);

 private:
  Plan plan_;
};

/// KV memory of one sequence, layout [n_layers][K, V][n_kv_heads][capacity_rows][head_dim].
struct KvBinding {
  void* data = nullptr;  // device memory, 64-byte aligned
  Dtype dtype = Dtype::f32;  // f32, f16 or q8_0
  int32_t n_layers = 0;
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;      // a multiple of 32 for q8_0
  int32_t capacity_rows = 0;
};

/// Byte offset of row 0 of a head's keys (`part` 0) or values (`part` 1) in a KvBinding.
inline uint64_t kvHeadOffset(const KvBinding& kv, int32_t layer, int32_t part, int32_t kv_head) {
  const uint64_t slab = (static_cast<uint64_t>(layer) * 2 + static_cast<uint64_t>(part)) *
                            static_cast<uint64_t>(kv.n_kv_heads) +
                        static_cast<uint64_t>(kv_head);
  return slab * static_cast<uint64_t>(kv.capacity_rows) * rowBytes(kv.dtype, kv.head_dim);
}

inline uint64_t kvBytes(const KvBinding& kv) { return kvHeadOffset(kv, kv.n_layers, 0, 0); }

/// What one run of a compiled plan reads besides constants. Host memory; the device copies it.
struct StepInputs {
  std::span<const int32_t> token_ids;  // [n], 1 ≤ n ≤ max_tokens
  std::span<const int32_t> positions;  // [n]
  std::span<const int32_t> out_rows;   // [m], m ≤ max_outputs; empty: no logits (prefill)
  int32_t first_row = 0;               // KV row of token 0; first_row + n ≤ capacity_rows
  KvBinding kv;
  /// Read before the step, and between ops by devices that can stop there (the CPU; CUDA runs a step
  /// whole). A run that it stopped returns `cancelled`.
  const std::atomic<bool>* cancel = nullptr;
};

}  // namespace hearth
