#include "kernels/cpu/instruction_sets.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "kernels/base/check.h"

namespace hearth::cpu {

const char* isaName(Isa isa) {
  switch (isa) {
    case Isa::best: return "best";
    case Isa::scalar: return "scalar";
    case Isa::avx2: return "AVX2";
    case Isa::avx512: return "AVX-512";
  }
  return "unknown";
}

bool isSupported(Isa isa) {
  if (isa == Isa::best || isa == Isa::scalar) return true;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c");
  if (isa == Isa::avx2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

Result<const KernelTable*> kernelsFor(Isa isa) {
  if (isa == Isa::best) {
    isa = isSupported(Isa::avx512) ? Isa::avx512
                                   : (isSupported(Isa::avx2) ? Isa::avx2 : Isa::scalar);
  }
  if (!isSupported(isa)) {
    return fail(ErrorCode::unsupported, "this processor ({}) has no {}", processorName(), isaName(isa));
  }
#if defined(__x86_64__)
  if (isa == Isa::avx512) return &kAvx512Kernels;
  if (isa == Isa::avx2) return &kAvx2Kernels;
#endif
  return &kScalarKernels;
}

std::string processorName() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
#if defined(__x86_64__)
  return "x86-64";
#else
  return "CPU";
#endif
}

int usableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace hearth::cpu
