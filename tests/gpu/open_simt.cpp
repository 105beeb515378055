#include "kernels/cuda/device.h"
#include "tests/gpu/checks.h"

namespace hearth::gpu {

/// The executor needs no driver, which openFirstGpu would look for.
Result<std::unique_ptr<Device>> openTestDevice() {
  auto context = cuda::Context::create(0);
  if (!context) return passOn(context);
  return std::unique_ptr<Device>(std::make_unique<cuda::CudaDevice>(*std::move(context)));
}

}  // namespace hearth::gpu
