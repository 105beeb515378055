// The module's one exported function.
#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/cuda/device.h"
#include "kernels/cuda/module.h"

namespace {

int refuse(const std::string& why, char* reason, size_t reason_size) {
  if (reason_size == 0) return 1;
  const size_t length = std::min(why.size(), reason_size - 1);
  std::memcpy(reason, why.data(), length);
  reason[length] = '\0';
  return 1;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int hearthOpenCudaDevice(uint64_t abi,
                                                                           hearth::Device** device,
                                                                           char* reason,
                                                                           size_t reason_size) {
  if (abi != hearth::kCudaModuleAbi) {
    return refuse("the CUDA module belongs to another version of Hearth", reason, reason_size);
  }
  auto opened = hearth::cuda::openFirstGpu();
  if (!opened) return refuse(opened.error().message, reason, reason_size);
  if (const hearth::Status tested = hearth::cuda::selfTest(**opened); !tested) {
    return refuse("the GPU failed its self-test: " + tested.error().message, reason, reason_size);
  }
  *device = opened->release();
  return 0;
}
