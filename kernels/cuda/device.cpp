#include "kernels/cuda/device.h"

#include <dlfcn.h>

#include <limits>
#include <utility>

#include "kernels/cuda/plan.h"

namespace hearth::cuda {
namespace {

constexpr int kMinMajor = 7;  // Turing: the oldest that CUDA 13 still compiles for
constexpr int kMinMinor = 5;

/// The runtime is linked statically and loads the driver by itself, but its error for a missing
/// driver is the same as for one that is too old.
bool driverLibraryIsThere() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) return false;
  dlclose(driver);
  return true;
}

Result<int> countGpus() {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code == cudaErrorInsufficientDriver) {
    cudaGetLastError();
    return fail(ErrorCode::device, "the NVIDIA driver is too old for CUDA {}.{}",
                CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
  }
  if (code == cudaErrorNoDevice || (code == cudaSuccess && count == 0)) {
    cudaGetLastError();
    return fail(ErrorCode::device, "the NVIDIA driver found no GPU");
  }
  if (Status s = checkCuda(code, "looking for GPUs"); !s) return passOn(s);
  return count;
}

}  // namespace

CudaDevice::CudaDevice(std::shared_ptr<Context> context) : context_(std::move(context)) {
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, context_->ordinal()) != cudaSuccess) return;
  name_ = fmt::format("{}, compute capability {}.{}", properties.name, properties.major,
                      properties.minor);
}

DeviceInfo CudaDevice::info() const {
  size_t free_bytes = 0;
  size_t total_bytes = 0;
  if (context_->select()) cudaMemGetInfo(&free_bytes, &total_bytes);
  return {DeviceKind::cuda, name_, total_bytes, free_bytes};
}

Result<std::unique_ptr<Buffer>> CudaDevice::allocate(size_t bytes) {
  auto memory = DeviceMemory::create(context_, bytes);
  if (!memory) return passOn(memory);
  return std::unique_ptr<Buffer>(*std::move(memory));
}

Result<OwnedConstant> CudaDevice::upload(const TensorView& host) {
  constexpr int64_t kMaxSide = std::numeric_limits<int32_t>::max();
  if (host.dtype == Dtype::i32 || host.dtype == Dtype::a8) {
    return fail(ErrorCode::unsupported, "a constant of type {}", dtypeName(host.dtype));
  }
  if (host.rows < 1 || host.cols < 1 || host.rows > kMaxSide || host.cols > kMaxSide ||
      host.cols % traitsOf(host.dtype).block_length != 0) {
    return fail(ErrorCode::unsupported, "a {} constant of {} x {}", dtypeName(host.dtype), host.rows,
                host.cols);
  }
  auto memory = DeviceMemory::create(context_, host.bytes());
  if (!memory) return passOn(memory);
  const std::span bytes(static_cast<const std::byte*>(host.data), host.bytes());
  if (Status s = (*memory)->write(0, bytes); !s) return passOn(s);
  const Constant constant{(*memory)->data(), host.dtype, static_cast<int32_t>(host.rows),
                          static_cast<int32_t>(host.cols)};
  return OwnedConstant{constant, *std::move(memory)};
}

Result<std::unique_ptr<CompiledPlan>> CudaDevice::compile(Plan plan) {
  return CudaPlan::compile(context_, std::move(plan));
}

Result<std::unique_ptr<CudaDevice>> openFirstGpu() {
  if (!driverLibraryIsThere()) {
    return fail(ErrorCode::device, "no NVIDIA driver is installed (libcuda.so.1 was not found)");
  }
  const Result<int> count = countGpus();
  if (!count) return passOn(count);
  std::string too_old;
  for (int ordinal = 0; ordinal < *count; ++ordinal) {
    cudaDeviceProp properties{};
    Status s = checkCuda(cudaGetDeviceProperties(&properties, ordinal), "reading a GPU's properties");
    if (!s) return passOn(s);
    if (std::pair(properties.major, properties.minor) < std::pair(kMinMajor, kMinMinor)) {
      too_old = fmt::format("{} has compute capability {}.{}", properties.name, properties.major,
                            properties.minor);
      continue;
    }
    auto context = Context::create(ordinal);
    if (!context) return passOn(context);
    return std::make_unique<CudaDevice>(*std::move(context));
  }
  return fail(ErrorCode::device, "the GPU is too old: {}, {}.{} is needed", too_old, kMinMajor,
              kMinMinor);
}

}  // namespace hearth::cuda
