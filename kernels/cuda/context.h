// One GPU as the rest of the module sees it: its stream, its memory, and its errors as values.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "kernels/device.h"

namespace hearth::cuda {

/// `what` names what was being done: "copying weights to the GPU".
/// Codes: out_of_memory, device.
Status checkCuda(cudaError_t code, const char* what);

/// A GPU and the one stream that all work on it goes through. Used from one thread at a time; the
/// device, its buffers and its plans share it.
class Context {
 public:
  /// Codes: device, out_of_memory.
  static Result<std::shared_ptr<Context>> create(int ordinal);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  int ordinal() const { return ordinal_; }
  cudaStream_t stream() const { return stream_; }

  /// Makes this GPU the calling thread's. CUDA keeps that choice for each thread.
  Status select() const { return checkCuda(cudaSetDevice(ordinal_), "selecting the GPU"); }

  /// Waits for everything enqueued so far.
  Status finish() const { return checkCuda(cudaStreamSynchronize(stream_), "waiting for the GPU"); }

 private:
  Context(int ordinal, cudaStream_t stream) : ordinal_(ordinal), stream_(stream) {}
  int ordinal_;
  cudaStream_t stream_;
};

/// Device memory, zeroed, freed with the object.
class DeviceMemory final : public Buffer {
 public:
  /// Codes: out_of_memory, device.
  static Result<std::unique_ptr<DeviceMemory>> create(std::shared_ptr<Context> context,
                                                      size_t bytes);
  ~DeviceMemory() override;
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() override { return data_; }
  size_t size() const override { return bytes_; }
  /// Codes: invalid_argument (outside the buffer), device.
  Status write(size_t offset, std::span<const std::byte> bytes) override;
  Status read(size_t offset, std::span<std::byte> bytes) const override;

 private:
  DeviceMemory(std::shared_ptr<Context> context, void* data, size_t bytes)
      : context_(std::move(context)), data_(data), bytes_(bytes) {}
  Status checkRange(size_t offset, size_t n_bytes) const;

  std::shared_ptr<Context> context_;
  void* data_;
  size_t bytes_;
};

}  // namespace hearth::cuda
