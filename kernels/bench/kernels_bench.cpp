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
#include "kernels/cpu/instruction_sets.h"
#include "kernels/cpu/thread_pool.h"

using namespace hearth;

namespace {

struct Limits {
  double gb_per_s = 0;
  double f32_gops = 0;
  double int8_gops = 0;
};

/// The middle one of `values`.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

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
  return median(std::move(seconds));
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

/// What it costs to share work out: once for each step, and once for each op of a step.
void reportMeetings(int n_threads) {
  constexpr int kRegions = 2000, kBarriers = 20000;
  using Clock = std::chrono::steady_clock;
  const auto microsecondsSince = [](Clock::time_point begin) {
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  };
  cpu::ThreadPool pool(n_threads);
  cpu::Barrier barrier(pool.size());
  std::vector<double> regions, barriers;
  for (int i = 0; i < kRegions; ++i) {
    const auto begin = Clock::now();
    pool.run([](int) {});
    regions.push_back(microsecondsSince(begin));
  }
  pool.run([&](int thread) {
    for (int i = 0; i < kBarriers; ++i) {
      const auto begin = Clock::now();
      barrier.arrive([] {});
      if (thread == 0) barriers.push_back(microsecondsSince(begin));
    }
  });
  fmt::print("{} threads: {:.2f} µs for a parallel region, {:.2f} µs for a barrier (medians)\n", pool.size(),
             median(std::move(regions)), median(std::move(barriers)));
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
  reportMeetings(2);
  if (cpu::usableProcessors() != 2) reportMeetings(cpu::usableProcessors());
  for (const OpCase& op_case : opCases(CaseSet::bench)) {
    if (op_case.name.find(filter) != std::string::npos) report(op_case, **device, limits);
  }
  return 0;
}
