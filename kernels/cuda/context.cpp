#include "kernels/cuda/context.h"

#include <utility>

namespace hearth::cuda {

Status checkCuda(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return {};
  cudaGetLastError();  // the runtime repeats an error until it is read
  if (code == cudaErrorMemoryAllocation) {
    return fail(ErrorCode::out_of_memory, "not enough GPU memory ({})", what);
  }
  return fail(ErrorCode::device, "CUDA failed {}: {} ({})", what, cudaGetErrorString(code),
              cudaGetErrorName(code));
}

Result<std::shared_ptr<Context>> Context::create(int ordinal) {
  if (Status s = checkCuda(cudaSetDevice(ordinal), "selecting the GPU"); !s) return passOn(s);
  cudaStream_t stream = nullptr;
  // Non-blocking: nothing of ours runs on the default stream, and nothing there should hold us up.
  Status s = checkCuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking),
                       "creating a stream");
  if (!s) return passOn(s);
  return std::shared_ptr<Context>(new Context(ordinal, stream));
}

Context::~Context() {
  cudaSetDevice(ordinal_);
  cudaStreamDestroy(stream_);
}

Result<std::unique_ptr<DeviceMemory>> DeviceMemory::create(std::shared_ptr<Context> context,
                                                           size_t bytes) {
  if (Status s = context->select(); !s) return passOn(s);
  void* data = nullptr;
  // Never 0 bytes: CUDA would return a null pointer, which means "absent" in a plan.
  const cudaError_t code = cudaMalloc(&data, bytes == 0 ? 1 : bytes);
  if (code == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free_bytes = 0;
    size_t total_bytes = 0;
    cudaMemGetInfo(&free_bytes, &total_bytes);
    return fail(ErrorCode::out_of_memory, "the GPU has {} MiB free, {} MiB are needed",
                free_bytes >> 20, (bytes >> 20) + 1);
  }
  if (Status s = checkCuda(code, "allocating memory"); !s) return passOn(s);
  std::unique_ptr<DeviceMemory> memory(new DeviceMemory(std::move(context), data, bytes));
  Status zeroed = checkCuda(cudaMemsetAsync(data, 0, bytes, memory->context_->stream()),
                            "clearing memory");
  if (zeroed) zeroed = memory->context_->finish();
  if (!zeroed) return passOn(zeroed);
  return memory;
}

DeviceMemory::~DeviceMemory() {
  cudaSetDevice(context_->ordinal());
  cudaFree(data_);
}

Status DeviceMemory::checkRange(size_t offset, size_t n_bytes) const {
  if (offset <= bytes_ && n_bytes <= bytes_ - offset) return {};
  return fail(ErrorCode::invalid_argument, "bytes {} to {} are outside a GPU buffer of {} bytes",
              offset, offset + n_bytes, bytes_);
}

Status DeviceMemory::write(size_t offset, std::span<const std::byte> bytes) {
  if (Status s = checkRange(offset, bytes.size()); !s || bytes.empty()) return s;
  if (Status s = context_->select(); !s) return s;
  Status s = checkCuda(cudaMemcpyAsync(static_cast<std::byte*>(data_) + offset, bytes.data(),
                                       bytes.size(), cudaMemcpyHostToDevice, context_->stream()),
                       "copying to the GPU");
  return s ? context_->finish() : s;
}

Status DeviceMemory::read(size_t offset, std::span<std::byte> bytes) const {
  if (Status s = checkRange(offset, bytes.size()); !s || bytes.empty()) return s;
  if (Status s = context_->select(); !s) return s;
  Status s = checkCuda(cudaMemcpyAsync(bytes.data(), static_cast<const std::byte*>(data_) + offset,
                                       bytes.size(), cudaMemcpyDeviceToHost, context_->stream()),
                       "copying from the GPU");
  return s ? context_->finish() : s;
}

}  // namespace hearth::cuda
