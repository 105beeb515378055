#include "kernels/cuda/device.h"
#include "tests/gpu/checks.h"

namespace hearth::gpu {

Result<std::unique_ptr<Device>> openTestDevice() {
  auto opened = cuda::openFirstGpu();
  if (!opened) return passOn(opened);
  return std::unique_ptr<Device>(*std::move(opened));
}

}  // namespace hearth::gpu
