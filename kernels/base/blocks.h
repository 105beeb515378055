// Quantised block layouts, byte for byte as they lie in files and in device memory.
// Layouts of Q8_0 and Q4_0: GGUF types 8 and 2 (ggml-common.h of ggml, MIT).
#pragma once

#include <cstdint>

namespace hearth {

inline constexpr int kBlockLength = 32;

struct BlockQ8_0 {
  uint16_t scale;  // f16
  int8_t q[32];    // value i = scale * q[i]
};
static_assert(sizeof(BlockQ8_0) == 34);

struct BlockQ4_0 {
  uint16_t scale;  // f16
  uint8_t q[16];   // low nibble: value i, high nibble: value i + 16; value = scale * (nibble - 8)
};
static_assert(sizeof(BlockQ4_0) == 18);

/// Activations: never on disk. `sum` lets unsigned integer dot products remove a weight's offset.
struct BlockA8 {
  float scale;   // max |x| / 127
  int32_t sum;   // q[0] + … + q[31]
  int8_t q[32];  // value i = scale * q[i]
};
static_assert(sizeof(BlockA8) == 40);

}  // namespace hearth
