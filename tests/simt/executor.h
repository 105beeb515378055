// Runs CUDA kernel sources on the host, one block after another, each thread of a block as a fibre on
// one operating system thread. Barriers and warp shuffles switch fibres. It knows nothing of Hearth.
//
// What it finds: wrong indices and arithmetic, missing barriers (by running threads in both orders),
// threads that leave while others wait, accesses past the end of an allocation (guard pages in
// runtime.cpp). What it cannot find: anything that needs real parallelism or a real memory model.
#pragma once

#include <cuda_runtime.h>

namespace simt {

/// In which order the threads of a block get their turns. A kernel without races gives the same
/// results in both.
enum class ThreadOrder { forward, backward };
void setThreadOrder(ThreadOrder order);

/// Runs a grid to its end. Aborts, naming the thread, when threads wait for others that have left.
void runGrid(dim3 grid, int threads, const std::function<void()>& body);

}  // namespace simt
