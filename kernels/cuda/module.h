// The seam between the program and the CUDA module it loads at run time. No CUDA type appears here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/device.h"

namespace hearth {

/// File name of the module, looked for beside the program and in its library folder.
inline constexpr const char* kCudaModuleFile = "libhearth_kernels_cuda.so";

/// The module's one exported function.
inline constexpr const char* kCudaModuleEntry = "hearthOpenCudaDevice";

/// Differs when program and module were built from different headers (module_abi.cmake hashes them)
/// or with objects of other sizes: they pass C++ objects to each other, so a module left over from
/// another version must be refused.
inline constexpr uint64_t kCudaModuleAbi = [] {
  uint64_t fingerprint = HEARTH_MODULE_ABI;
  for (const uint64_t part : {sizeof(Op), sizeof(Plan), sizeof(StepInputs), sizeof(DeviceInfo),
                              sizeof(OwnedConstant), sizeof(Error)}) {
    fingerprint = fingerprint * 0x100000001B3ull + part;  // FNV-1's prime
  }
  return fingerprint;
}();

/// Returns 0 and sets `*device` (owned by the caller), or returns 1 and writes a sentence that a
/// user can read into `reason`, cut to `reason_size` bytes with its terminating zero.
using OpenCudaDeviceFunction = int (*)(uint64_t abi, Device** device, char* reason,
                                       size_t reason_size);

}  // namespace hearth
