// Zeroed pages straight from the system: untouched ones cost nothing.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels/device.h"

namespace hearth::cpu {

/// Page-aligned. `bytes` may be 0. Codes: out_of_memory.
Result<std::unique_ptr<Buffer>> allocatePages(size_t bytes);

struct SystemMemory {
  uint64_t total = 0;  // bytes; 0 when the system does not say
  uint64_t free = 0;   // available without swapping
};
SystemMemory systemMemory();

}  // namespace hearth::cpu
