// Where a head's keys and values lie in the sequence's KV memory: KvBinding of plan.h, on the device.
#pragma once

#include "kernels/cuda/launch.h"

namespace hearth::cuda {

/// Row 0 of a head's keys (`part` 0) or values (`part` 1); same formula as kvHeadOffset.
__device__ inline uint8_t* kvHead(const StepBlock& step, int layer, int part, int n_kv_heads,
                                  int kv_head) {
  const uint64_t slab = (static_cast<uint64_t>(layer) * 2 + static_cast<uint64_t>(part)) *
                            static_cast<uint64_t>(n_kv_heads) +
                        static_cast<uint64_t>(kv_head);
  return step.kv_data + slab * static_cast<uint64_t>(step.kv_capacity_rows) * step.kv_row_bytes;
}

}  // namespace hearth::cuda
