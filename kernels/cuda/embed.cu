// Rows in: embedding look-up and row selection. Both copy rows; a block owns 256 columns of one row.
#include "kernels/cuda/numeric.cuh"

namespace hearth::cuda {
namespace {

constexpr int kThreads = 256;

/// Block (x, y): columns 256·x … of token y; a thread owns one column.
template <Dtype kType>
__global__ void embedKernel(EmbedArguments a, const StepBlock* step) {
  const int token = static_cast<int>(blockIdx.y);
  const int col = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (token >= liveRows(*step, a.rows) || col >= a.cols) return;
  const uint8_t* row = a.table + static_cast<uint64_t>(a.token_ids[token]) * a.table_row_bytes;
  a.out[static_cast<size_t>(token) * a.cols + col] = a.scale * elementAt<kType>(row, col);
}

/// Block (x, y): columns 256·x … of output row y; a thread owns one column.
__global__ void selectRowsKernel(SelectRowsArguments a, const StepBlock* step) {
  const int out_row = static_cast<int>(blockIdx.y);
  const int col = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (out_row >= liveRows(*step, a.rows) || col >= a.cols) return;
  const size_t from = static_cast<size_t>(a.selected[out_row]) * a.cols;
  a.out[static_cast<size_t>(out_row) * a.cols + col] = a.x[from + col];
}

}  // namespace

cudaError_t launchEmbed(const EmbedArguments& a, const Launch& launch) {
  const dim3 grid(groups(a.cols, kThreads), static_cast<unsigned>(a.rows.max));
  switch (a.table_dtype) {
    case Dtype::f32: return launchKernel(embedKernel<Dtype::f32>, grid, kThreads, a, launch);
    case Dtype::f16: return launchKernel(embedKernel<Dtype::f16>, grid, kThreads, a, launch);
    case Dtype::bf16: return launchKernel(embedKernel<Dtype::bf16>, grid, kThreads, a, launch);
    case Dtype::q8_0: return launchKernel(embedKernel<Dtype::q8_0>, grid, kThreads, a, launch);
    case Dtype::q4_0: return launchKernel(embedKernel<Dtype::q4_0>, grid, kThreads, a, launch);
    default: return cudaErrorNotSupported;
  }
}

cudaError_t launchSelectRows(const SelectRowsArguments& a, const Launch& launch) {
  const dim3 grid(groups(a.cols, kThreads), static_cast<unsigned>(a.rows.max));
  return launchKernel(selectRowsKernel, grid, kThreads, a, launch);
}

}  // namespace hearth::cuda
