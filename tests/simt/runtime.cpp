// CUDA's runtime functions on host memory. "Device" allocations end at a page that nobody may touch, so
// that a kernel reading or writing past them stops the program at that very place.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "executor.h"

namespace simt {

struct Graph {
  struct Launch {
    dim3 grid;
    int threads;
    std::function<void()> body;
  };
  std::vector<Launch> launches;
};

struct Stream {
  bool capturing = false;
  Graph* graph = nullptr;  // being captured
};

namespace {

struct Mapping {
  void* start;
  size_t bytes;
};
std::map<void*, Mapping> allocations;  // by the pointer handed out

size_t roundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

cudaError_t enqueue(cudaStream_t stream, dim3 grid, int threads, std::function<void()> body) {
  const bool fits = threads >= 1 && threads <= 1024 && grid.x <= 0x7FFFFFFFu && grid.y <= 65535u;
  if (!fits || grid.x == 0 || grid.y == 0) return cudaErrorInvalidConfiguration;
  if (stream->capturing) {
    stream->graph->launches.push_back({grid, threads, std::move(body)});
  } else {
    runGrid(grid, threads, body);
  }
  return cudaSuccess;
}

}  // namespace simt

const char* cudaGetErrorString(cudaError_t) { return "refused by the host SIMT executor"; }
const char* cudaGetErrorName(cudaError_t code) {
  return code == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaError";
}
cudaError_t cudaGetLastError() { return cudaSuccess; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"host SIMT executor", 7, 5};
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  *free_bytes = *total_bytes = size_t{1} << 30;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** data, size_t bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  if (bytes > size_t{1} << 34) return cudaErrorMemoryAllocation;
  const size_t usable = simt::roundUp(bytes, page);
  void* start = mmap(nullptr, usable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return cudaErrorMemoryAllocation;
  mprotect(static_cast<std::byte*>(start) + usable, page, PROT_NONE);
  // As close to the guard as 64-byte alignment allows.
  *data = static_cast<std::byte*>(start) + (usable - simt::roundUp(bytes, 64));
  simt::allocations[*data] = {start, usable + page};
  return cudaSuccess;
}

cudaError_t cudaFree(void* data) {
  if (data == nullptr) return cudaSuccess;
  const auto found = simt::allocations.find(data);
  if (found == simt::allocations.end()) return cudaErrorInvalidValue;
  munmap(found->second.start, found->second.bytes);
  simt::allocations.erase(found);
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** data, size_t bytes, unsigned) {
  *data = std::malloc(bytes);
  return *data != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void* data) {
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* data, int value, size_t bytes, cudaStream_t stream) {
  if (stream->capturing) return cudaErrorNotSupported;
  std::memset(data, value, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  if (stream->capturing) return cudaErrorNotSupported;
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new simt::Stream;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return stream->capturing ? cudaErrorNotSupported : cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream->capturing) return cudaErrorInvalidValue;
  stream->capturing = true;
  stream->graph = new simt::Graph;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!stream->capturing) return cudaErrorInvalidValue;
  stream->capturing = false;
  *graph = std::exchange(stream->graph, nullptr);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new simt::Graph(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t) {
  for (const auto& launch : executable->launches) {
    simt::runGrid(launch.grid, launch.threads, launch.body);
  }
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return cudaGraphDestroy(executable); }
