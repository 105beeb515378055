// The checks that tests/gpu/run.sh makes on a GPU, and that CTest makes on the host SIMT executor.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cases/cases.h"
#include "kernels/device.h"

namespace hearth::gpu {

struct Finding {
  std::string group;     // "ops", "models", "timings"
  std::string name;
  bool passed = false;
  std::string measured;  // what was found, with units
  std::string message;   // why it failed, empty when passed
};

/// Collects findings; prints each as it comes, so that a crash leaves a trace.
class Report {
 public:
  void add(Finding finding);
  bool passed() const { return n_failed_ == 0 && !findings_.empty(); }
  void printSummary() const;
  Status writeJson(const std::filesystem::path& path, const DeviceInfo& device) const;

 private:
  std::vector<Finding> findings_;
  size_t n_failed_ = 0;
};

struct Options {
  CaseSet cases = CaseSet::full;
  std::filesystem::path data = "tests/data";
  int greedy_steps = 128;        // of the 128 that the goldens have
  std::string only_model;        // empty: all
};

/// The device under test: the first GPU, or the host SIMT executor, by what is linked.
Result<std::unique_ptr<Device>> openTestDevice();

/// Every case of the op table against the float64 reference, and twice with equal bytes.
void checkOps(Device& device, CaseSet cases, Report& report);

/// Fixture models end to end, by token ids: goldens, exactness, and fast mode's distance from it.
void checkModels(Device& device, const Options& options, Report& report);

/// Median times of the bench cases. They pass or fail nothing but an error.
void measureOps(Device& device, Report& report);

}  // namespace hearth::gpu
