#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/gpu/checks.h"

namespace hearth::gpu {

void Report::add(Finding finding) {
  if (!finding.passed) ++n_failed_;
  fmt::print("{:<8} {:<46} {:<4} {}\n", finding.group, finding.name,
             finding.passed ? "ok" : "FAIL", finding.measured);
  if (!finding.message.empty()) fmt::print("         {}\n", finding.message);
  std::fflush(stdout);
  findings_.push_back(std::move(finding));
}

void Report::printSummary() const {
  std::map<std::string, std::pair<int, int>> groups;  // name → passed, all
  for (const Finding& f : findings_) {
    groups[f.group].first += f.passed ? 1 : 0;
    groups[f.group].second += 1;
  }
  fmt::print("\n{:<10} {:>6} {:>6}\n", "group", "passed", "of");
  for (const auto& [name, counts] : groups) {
    fmt::print("{:<10} {:>6} {:>6}\n", name, counts.first, counts.second);
  }
  fmt::print("{}\n", passed() ? "everything passed" : "FAILED");
}

Status Report::writeJson(const std::filesystem::path& path, const DeviceInfo& device) const {
  nlohmann::json json;
  json["device"] = device.name;
  json["memory_bytes"] = device.memory_total;
  json["passed"] = passed();
  json["findings"] = nlohmann::json::array();
  for (const Finding& f : findings_) {
    json["findings"].push_back({{"group", f.group},
                                {"name", f.name},
                                {"passed", f.passed},
                                {"measured", f.measured},
                                {"message", f.message}});
  }
  std::ofstream stream(path);
  stream << json.dump(1) << '\n';
  stream.close();
  if (!stream) return fail(ErrorCode::io, "{} cannot be written", path.string());
  return {};
}

}  // namespace hearth::gpu
