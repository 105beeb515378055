// The one place where a kernel is launched. Everything else in the kernel sources is plain C++ plus
// CUDA's own names, so that tests/simt can compile and run the same sources without a GPU.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/kernels.h"

namespace hearth::cuda {

/// Enqueues `kernel(arguments, launch.step)`. Grids with a zero side are skipped: CUDA refuses them.
template <class Arguments>
cudaError_t launchKernel(void (*kernel)(Arguments, const StepBlock*), dim3 grid, int threads,
                         const Arguments& arguments, const Launch& launch) {
  if (grid.x == 0 || grid.y == 0) return cudaSuccess;
#ifdef __CUDACC__
  kernel<<<grid, static_cast<unsigned>(threads), 0, launch.stream>>>(arguments, launch.step);
  return cudaGetLastError();
#else
  return simt::enqueue(launch.stream, grid, threads,
                       [=, step = launch.step] { kernel(arguments, step); });
#endif
}

/// How many groups of `size` cover `count`.
inline unsigned groups(int64_t count, int64_t size) {
  return static_cast<unsigned>((count + size - 1) / size);
}

__device__ inline int32_t liveRows(const StepBlock& step, Rows rows) {
  const int32_t live = rows.extent == Extent::tokens ? step.n_tokens : step.n_outputs;
  return live < rows.max ? live : rows.max;
}

}  // namespace hearth::cuda
