// kernels_bench [filter]: the machine's own limits, then the time of every op of the bench set on
// the CPU, with the fraction of the limit that binds it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "kernels/bench/probes.h"
#include "kernels/cases/cases.h"

using namespace hearth;

namespace {

struct Limits {
  double gb_per_s = 0;
  double f32_gops = 0;
  double int8_gops = 0;
};

/// Median seconds of one run of a case's plan; negative when it cannot run.
double medianSeconds(const BuiltCase& built, Device& device) {
  std::vector<OwnedConstant> uploaded;
  auto plan = planOnDevice(built.plan, device, uploaded);
  if (!plan) return -1;
  auto compiled = device.compile(*std::move(plan));
  auto memory = device.allocate(std::max<size_t>(built.kv_bytes.size(), 64));
  if (!compiled || !memory) return -1;
  for (const CaseInput& input : built.inputs) {
    if (!(*compiled)->upload(input.value, input.bytes)) return -1;
  }
  if (!(*memory)->write(0, built.kv_bytes)) return -1;
  StepInputs step{built.token_ids, built.positions, built.out_rows, built.first_row, built.kv, nullptr};
  step.kv.data = (*memory)->data();
  std::vector<double> seconds;
  double total = 0;
  while (seconds.size() < 3 || (total < 0.3 && seconds.size() < 200)) {
    const auto begin = std::chrono::steady_clock::now();
    if (!(*compiled)->run(step)) return -1;
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    total += seconds.back();
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<long>(seconds.size() / 2), seconds.end());
  return seconds[seconds.size() / 2];
}

void report(const OpCase& op_case, Device& device, const Limits& limits) {
  const BuiltCase built = op_case.build();
  const double seconds = medianSeconds(built, device);
  if (seconds < 0) {
    fmt::print("{:44} did not run\n", op_case.name);
    return;
  }
  const double gb = built.bytes / seconds * 1e-9, gops = built.flops / seconds * 1e-9;
  const bool integer = op_case.name.find("/A8/") != std::string::npos;
  const double peak = integer ? limits.int8_gops : limits.f32_gops;
  fmt::print("{:44} {:10.1f} µs {:8.2f} GB/s ({:3.0f} %) {:9.1f} GOP/s ({:3.0f} %)\n", op_case.name,
             seconds * 1e6, gb, 100 * gb / limits.gb_per_s, gops, 100 * gops / peak);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string filter = argc > 1 ? argv[1] : "";
  auto device = openCpuDevice({});
  const auto bandwidth = memoryBandwidthGBs();
  const auto f32 = peakGops(Isa::best, PeakKind::float32), int8 = peakGops(Isa::best, PeakKind::int8);
  if (!device || !bandwidth || !f32 || !int8) {
    fmt::print(stderr, "kernels_bench: this machine cannot be measured\n");
    return 1;
  }
  const Limits limits{*bandwidth, *f32, *int8};
  fmt::print("{}\nmemory {:.1f} GB/s, float32 {:.0f} GOP/s, int8 {:.0f} GOP/s\n", (*device)->info().name,
             limits.gb_per_s, limits.f32_gops, limits.int8_gops);
  for (const OpCase& op_case : opCases(CaseSet::bench)) {
    if (op_case.name.find(filter) != std::string::npos) report(op_case, **device, limits);
  }
  return 0;
}
