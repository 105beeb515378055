#include "kernels/cpu/kernel_table.h"
// The order matters: the wrapper first, then the texts that are written against it.
#include "kernels/cpu/isa/simd_avx512.h"
#include "kernels/cpu/isa/rows.inl"
#include "kernels/cpu/isa/panel_avx512.inl"
#include "kernels/cpu/isa/linear.inl"
#include "kernels/cpu/isa/attention.inl"
#include "kernels/cpu/isa/probes.inl"

namespace hearth::cpu {

const KernelTable kAvx512Kernels = {
    "AVX-512 with VNNI", loadRow, storeRow, quantiseA8,  linearF32,   linearA8,   rmsNorm,  scaleRow,
    gatedSilu, attend, mergeStates, finishState, readMemory, peakF32, peakInt8,
};

}  // namespace hearth::cpu
