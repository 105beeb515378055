// Rows of numbers between float32 and the storage types. Block formulas: the reference quantisers of
// ggml (quantize_row_q8_0_ref, quantize_row_q4_0_ref), reproduced byte for byte.
#pragma once

#include <cstdint>

#include "kernels/base/dtype.h"

namespace hearth {

/// Writes `cols` float32 numbers in the storage type `dtype` (any but i32) to `row`, which holds
/// rowBytes(dtype, cols) bytes. `cols` is a multiple of the block length. Any input is allowed: a
/// block with an infinity or NaN becomes a block of NaNs, never undefined behaviour.
///   q8_0: d = max|x| / 127, q = round(x / d), half away from zero
///   q4_0: d = (the number of largest magnitude) / -8, q = min(15, ⌊x / d + 8.5⌋)
///   a8:   d = max|x| / 127, q = round(x / d), half to even, and the sum of q; all 0 for d < 2^-126
void quantiseRow(Dtype dtype, const float* values, int64_t cols, void* row);

/// The inverse, rounding at most once. `row` needs no alignment.
void dequantiseRow(Dtype dtype, const void* row, int64_t cols, float* values);

/// The same in float64: exact for every type. Reads f64 rows as well.
void dequantiseRow(Dtype dtype, const void* row, int64_t cols, double* values);

}  // namespace hearth
