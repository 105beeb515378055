#include <algorithm>
#include <chrono>

#include "tests/gpu/checks.h"
#include "tests/gpu/prepared_case.h"

namespace hearth::gpu {
namespace {

constexpr int kTimedRuns = 20;

/// Empty when two runs from the same start leave the same bytes.
std::string whyNotRepeatable(const OpCase& op_case, Device& device) {
  auto prepared = PreparedCase::create(op_case, device);
  if (!prepared) return prepared.error().message;
  const auto first = prepared->run();
  const auto second = prepared->run();
  if (!first) return first.error().message;
  if (!second) return second.error().message;
  return *first == *second ? "" : "two runs of the same step differ";
}

Result<double> medianSeconds(PreparedCase& prepared) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  if (Status s = prepared.reset(); !s) return passOn(s);
  for (int i = 0; i <= kTimedRuns; ++i) {
    const auto start = Clock::now();
    if (Status s = prepared.runOnce(); !s) return passOn(s);
    if (i > 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::ranges::nth_element(seconds, seconds.begin() + kTimedRuns / 2);
  return seconds[kTimedRuns / 2];
}

}  // namespace

void checkOps(Device& device, CaseSet cases, Report& report) {
  for (const OpCase& op_case : opCases(cases)) {
    const CaseOutcome outcome = runCase(op_case, device);
    std::string why = outcome.message;
    if (outcome.passed) why = whyNotRepeatable(op_case, device);
    report.add({"ops", op_case.name, why.empty() && outcome.compared > 0,
                fmt::format("{} elements, worst {:.2f} of what is allowed", outcome.compared,
                            outcome.worst_ratio),
                why});
  }
}

void measureOps(Device& device, Report& report) {
  for (const OpCase& op_case : opCases(CaseSet::bench)) {
    auto prepared = PreparedCase::create(op_case, device);
    const auto seconds = prepared ? medianSeconds(*prepared) : Result<double>(passOn(prepared));
    if (!seconds) {
      report.add({"timings", op_case.name, false, "", seconds.error().message});
      continue;
    }
    report.add({"timings", op_case.name, true,
                fmt::format("{:.1f} us, {:.1f} GB/s, {:.1f} GFLOP/s", *seconds * 1e6,
                            prepared->built.bytes / *seconds * 1e-9,
                            prepared->built.flops / *seconds * 1e-9),
                ""});
  }
}

}  // namespace hearth::gpu
