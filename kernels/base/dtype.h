// Element types that kernels read or write, and how many bytes a row of them takes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth {

enum class Dtype : uint8_t {
  f64,   // constants that need it (rotary frequencies) and the reference
  f32,
  f16,
  bf16,
  i32,
  q8_0,  // BlockQ8_0, weights and KV
  q4_0,  // BlockQ4_0, weights
  a8,    // BlockA8, activations quantised once for a matrix (fast mode)
};

struct DtypeTraits {
  const char* name;      ///< as GGUF spells it: "Q8_0"
  int32_t block_length;  ///< elements in a block (1 for plain types)
  int32_t block_bytes;
};

DtypeTraits traitsOf(Dtype dtype);
inline const char* dtypeName(Dtype dtype) { return traitsOf(dtype).name; }
inline bool isQuantised(Dtype dtype) { return traitsOf(dtype).block_length > 1; }

/// Bytes of a row of `cols` elements. `cols` must be a multiple of the block length.
inline size_t rowBytes(Dtype dtype, int64_t cols) {
  const DtypeTraits t = traitsOf(dtype);
  return static_cast<size_t>(cols / t.block_length) * static_cast<size_t>(t.block_bytes);
}

}  // namespace hearth
