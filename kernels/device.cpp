#include "kernels/device.h"

#include <utility>

namespace hearth {

Result<OpenedDevice> openDevice(DeviceChoice choice, const CpuOptions& cpu) {
  OpenedDevice out;
  if (choice == DeviceChoice::cuda || (choice == DeviceChoice::automatic && cudaIsVerified())) {
    auto gpu = openCudaDevice();
    if (gpu) {
      out.device = *std::move(gpu);
      return out;
    }
    if (choice == DeviceChoice::cuda) return passOn(gpu);
    out.why_not_gpu = gpu.error().message;
  } else if (choice == DeviceChoice::automatic) {
    out.why_not_gpu = "this version's GPU kernels have not been verified on a GPU yet";
  }
  auto device = openCpuDevice(cpu);
  if (!device) return passOn(device);
  out.device = *std::move(device);
  return out;
}

}  // namespace hearth
