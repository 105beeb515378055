// Checks the CUDA device: the op table against float64, fixture models end to end, timings. Exit code 0:
// all passed, 1: something failed, 2: wrong arguments, 77: no usable GPU here (a skip for CTest).
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "tests/gpu/checks.h"

namespace {

constexpr int kSkip = 77;

struct Arguments {
  hearth::gpu::Options options;
  std::string json;
  bool ops = true, models = true, timings = true;
};

constexpr const char* kUsage =
    "gpu_tests [--data FOLDER] [--json FILE] [--quick] [--no-ops] [--no-models] [--no-timings]\n"
    "          [--steps N] [--model NAME]\n";

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--quick") arguments.options.cases = hearth::CaseSet::quick;
    else if (option == "--no-ops") arguments.ops = false;
    else if (option == "--no-models") arguments.models = false;
    else if (option == "--no-timings") arguments.timings = false;
    else if (option == "--data" && has_value) arguments.options.data = argv[++i];
    else if (option == "--json" && has_value) arguments.json = argv[++i];
    else if (option == "--steps" && has_value) arguments.options.greedy_steps = std::atoi(argv[++i]);
    else if (option == "--model" && has_value) arguments.options.only_model = argv[++i];
    else return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  auto device = hearth::gpu::openTestDevice();
  if (!device) {
    fmt::print("SKIP: nothing was run on a GPU: {}\n", device.error().message);
    return kSkip;
  }
  const hearth::DeviceInfo info = (*device)->info();
  fmt::print("{}, {} MiB\n\n", info.name, info.memory_total >> 20);
  hearth::gpu::Report report;
  if (arguments.ops) hearth::gpu::checkOps(**device, arguments.options.cases, report);
  if (arguments.models) hearth::gpu::checkModels(**device, arguments.options, report);
  if (arguments.timings) hearth::gpu::measureOps(**device, report);
  report.printSummary();
  if (!arguments.json.empty()) {
    if (const auto written = report.writeJson(arguments.json, info); !written) {
      fmt::print(stderr, "{}\n", written.error().message);
      return 1;
    }
  }
  return report.passed() ? 0 : 1;
}
