// What this machine can do at best: the figures that the bench's fractions are fractions of.
#pragma once

#include <cstdint>

#include "kernels/device.h"

namespace hearth {

/// Read bandwidth of memory in GB/s (10^9 bytes): the best of several patterns over 1 GiB, three
/// passes each, on `n_threads` threads (0: one for each processor this process may use). Takes about
/// a second. Codes: out_of_memory.
Result<double> memoryBandwidthGBs(int n_threads = 0);

enum class PeakKind : uint8_t {
  float32,  // fused multiply-adds
  int8,     // 8-bit dot products with 32-bit sums
};

/// Giga-operations a second (a multiply-add is two) out of registers, the best of several runs.
/// Codes: unsupported (an instruction set that this processor lacks).
Result<double> peakGops(Isa isa, PeakKind kind, int n_threads = 0);

}  // namespace hearth
