// The CUDA kernels' launchers, on raw device pointers: one call enqueues one kernel on a stream, which
// may be capturing. None of them allocates or waits. A launch with an empty grid does nothing.
// Shapes are those of ops.h; `rows` are the maxima, the live counts are read from the step block.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/step.h"

namespace hearth::cuda {

struct Launch {
  const StepBlock* step = nullptr;  // device memory
  cudaStream_t stream = nullptr;
};

/// Rows of an operand: which live count applies, and the maximum that sizes the grid.
struct Rows {
  Extent extent = Extent::tokens;
  int32_t max = 0;
};

struct EmbedArguments {
  const int32_t* token_ids;  // [n]
  const uint8_t* table;      // [n_vocab, cols]
  Dtype table_dtype;
  uint64_t table_row_bytes;
  float scale;
  float* out;                // [n, cols]
  int32_t cols;
  Rows rows;
};
cudaError_t launchEmbed(const EmbedArguments& arguments, const Launch& launch);

struct SelectRowsArguments {
  const float* x;            // [n, cols]
  const int32_t* selected;   // [m], each in [0, n)
  float* out;                // [m, cols]
  int32_t cols;
  Rows rows;                 // of out
};
cudaError_t launchSelectRows(const SelectRowsArguments& arguments, const Launch& launch);

struct NormQuantiseArguments {
  const float* x;            // [rows, cols]
  const float* gain;         // [cols] or null
  float eps;
  bool normalise;
  bool quantise;             // out is a8
  void* out;                 // [rows, cols] f32 or a8
  int32_t cols;              // a multiple of 32 when quantising
  Rows rows;
};
cudaError_t launchNormQuantise(const NormQuantiseArguments& arguments, const Launch& launch);

struct LinearArguments {
  const void* x;             // [rows, in_cols] f32 or a8
  Dtype x_dtype;
  const uint8_t* weight;     // [out_cols, in_cols]
  Dtype weight_dtype;
  uint64_t weight_row_bytes;
  const float* bias;         // [out_cols] or null
  const float* residual;     // [rows, out_cols] or null; may be `out`
  float* out;                // [rows, out_cols]
  int32_t in_cols;
  int32_t out_cols;
  Rows rows;
};
cudaError_t launchLinear(const LinearArguments& arguments, const Launch& launch);

struct RopeTableArguments {
  const int32_t* positions;    // [n]
  const double* frequencies;   // [n_pairs]
  float magnitude;
  float* out;                  // [n, 2 * n_pairs]: cosines, then sines
  int32_t n_pairs;
  Rows rows;
};
cudaError_t launchRopeTable(const RopeTableArguments& arguments, const Launch& launch);

struct RopeAndStoreArguments {
  float* q;                    // [n, n_heads * head_dim], in place
  const float* k;              // [n, n_kv_heads * head_dim]
  const float* v;              // [n, n_kv_heads * head_dim]
  const float* table;          // [n, rotary_dim]
  int32_t n_heads, n_kv_heads, head_dim, rotary_dim, layer;
  RopeLayout layout;
  Rows rows;
};
cudaError_t launchRopeAndStore(const RopeAndStoreArguments& arguments, const Launch& launch);

inline constexpr int32_t kMaxHeadDim = 256;

struct AttentionArguments {
  const float* q;              // [n, n_heads * head_dim]
  float* out;                  // [n, n_heads * head_dim]
  int32_t n_heads, n_kv_heads, head_dim, layer;
  float scale;
  Rows rows;
};
cudaError_t launchAttention(const AttentionArguments& arguments, const Launch& launch);

struct GatedActivationArguments {
  const float* gate;           // [rows, cols]
  const float* up;             // [rows, cols]
  bool quantise;               // out is a8
  void* out;                   // [rows, cols] f32 (may be `gate`) or a8
  int32_t cols;                // a multiple of 32 when quantising
  Rows rows;
};
cudaError_t launchGatedActivation(const GatedActivationArguments& arguments, const Launch& launch);

}  // namespace hearth::cuda
