// hearth-cli selftest: the op table and a small model on the chosen device, against float64.
#include <memory>

#include "app/cli/command.h"
#include "app/cli/model_access.h"
#include "app/cli/selftest_model.h"
#include "kernels/cases/cases.h"

namespace hearth::cli {

namespace {

struct FailedCheck {
  std::string name, message;
};

class SelftestCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override {
    app.add_flag("--full", full_, "More shapes and real head sizes; minutes instead of seconds");
  }
  Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) override;

 private:
  Outcome<void> runOps(Device& device, Surroundings surroundings);
  void runModels(Device& device);
  Outcome<void> report(const OpenedDevice& opened, Console& console) const;

  bool full_ = false;
  int64_t passed_ = 0;
  std::vector<FailedCheck> failed_;
};

Outcome<void> SelftestCommand::runOps(Device& device, Surroundings surroundings) {
  const std::vector<OpCase> cases = opCases(full_ ? CaseSet::full : CaseSet::quick);
  int64_t done = 0;
  for (const OpCase& op_case : cases) {
    if (surroundings.interrupts.flag().load()) return stop(Exit::interrupted, "interrupted");
    CaseOutcome outcome = runCase(op_case, device);
    if (outcome.passed) {
      ++passed_;
    } else {
      failed_.push_back({op_case.name, std::move(outcome.message)});
    }
    surroundings.console.progress("checking", ++done, static_cast<int64_t>(cases.size()));
  }
  return {};
}

void SelftestCommand::runModels(Device& device) {
  for (const ModelCheck& check : modelChecks()) {
    std::string message = check.run(device);
    if (message.empty()) {
      ++passed_;
    } else {
      failed_.push_back({check.name, std::move(message)});
    }
  }
}

Outcome<void> SelftestCommand::report(const OpenedDevice& opened, Console& console) const {
  const std::string device = opened.device->info().name;
  if (console.json()) {
    Json failed = Json::array();
    for (const FailedCheck& check : failed_) {
      failed.push_back({{"name", check.name}, {"message", check.message}});
    }
    return console.writeJson({{"passed", passed_},
                              {"failed", failed},
                              {"device", device},
                              {"why_not_gpu", opened.why_not_gpu}});
  }
  std::string text;
  for (const FailedCheck& check : failed_) {
    text += fmt::format("FAILED {}: {}\n", check.name, check.message);
  }
  text += fmt::format("{} passed, {} failed on {}\n", passed_, failed_.size(), device);
  if (!opened.why_not_gpu.empty()) console.note("no GPU: " + opened.why_not_gpu);
  return console.write(text);
}

Outcome<Exit> SelftestCommand::run(const CommonOptions& common, Surroundings surroundings) {
  const auto opened = openComputeDevice(common);
  if (!opened) return passOn(opened);
  {
    const Interrupts::Guard guard(surroundings.interrupts, {});
    if (const auto ran = runOps(*opened->device, surroundings); !ran) return passOn(ran);
    runModels(*opened->device);
  }
  if (const auto told = report(*opened, surroundings.console); !told) return passOn(told);
  return failed_.empty() ? Exit::done : Exit::failed;
}

}  // namespace

std::unique_ptr<Command> makeSelftestCommand() { return std::make_unique<SelftestCommand>(); }

}  // namespace hearth::cli
