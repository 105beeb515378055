// What changes from step to step, as the kernels read it. One of these lies at the start of a compiled
// plan's step memory, followed by token ids, positions and output rows (StepLayout).
#pragma once

#include <cstdint>

#include "kernels/base/dtype.h"
#include "kernels/ops.h"

namespace hearth::cuda {

/// A CUDA graph is captured once with grids for the plan's maxima; every kernel reads the live counts
/// from here and leaves early for rows beyond them.
struct StepBlock {
  int32_t n_tokens = 0;
  int32_t n_outputs = 0;
  int32_t first_row = 0;          // KV row of token 0
  int32_t kv_capacity_rows = 0;
  uint8_t* kv_data = nullptr;     // device memory, layout of KvBinding
  uint64_t kv_row_bytes = 0;      // bytes of one head's row
  Dtype kv_dtype = Dtype::f32;    // f32, f16 or q8_0
};

/// Byte offsets into a compiled plan's step memory.
struct StepLayout {
  uint64_t token_ids, positions, out_rows, bytes;
};

inline StepLayout stepLayout(int32_t max_tokens, int32_t max_outputs) {
  const auto align = [](uint64_t offset) { return (offset + 63) / 64 * 64; };
  StepLayout layout{};
  layout.token_ids = align(sizeof(StepBlock));
  layout.positions = align(layout.token_ids + sizeof(int32_t) * static_cast<uint64_t>(max_tokens));
  layout.out_rows = align(layout.positions + sizeof(int32_t) * static_cast<uint64_t>(max_tokens));
  layout.bytes = align(layout.out_rows + sizeof(int32_t) * static_cast<uint64_t>(max_outputs));
  return layout;
}

}  // namespace hearth::cuda
