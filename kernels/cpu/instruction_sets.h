// Which instruction sets this processor has, and the kernels for them.
#pragma once

#include <string>

#include "kernels/cpu/kernel_table.h"
#include "kernels/device.h"

namespace hearth::cpu {

/// False for `best` on no machine; for the others: what the processor and the system support.
bool isSupported(Isa isa);

/// The kernels of `isa`; `best` picks the fastest. Codes: unsupported.
Result<const KernelTable*> kernelsFor(Isa isa);

const char* isaName(Isa isa);

/// "Intel(R) Xeon(R) Processor", or the architecture where the system does not say.
std::string processorName();

/// Processors that this process may run on.
int usableProcessors();

}  // namespace hearth::cpu
