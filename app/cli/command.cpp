#include "app/cli/command.h"

namespace hearth::cli {

void addCommonOptions(CLI::App& app, CommonOptions& options) {
  const std::string group = "Flags of every command";
  app.add_flag("--json", options.json, "Print one JSON document on standard output, nothing else")
      ->group(group);
  app.add_flag("--quiet,-q", options.quiet, "No progress, statistics or notes")->group(group);
  app.add_option("--device", options.device, "auto, cpu or cuda (default: auto)")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->type_name("NAME")
      ->group(group);
  app.add_option("--threads", options.threads, "CPU threads (default: one for each core)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N")
      ->group(group);
  app.add_flag("--exact", options.exact, "float32 throughout, the same result everywhere; slower")
      ->group(group);
  app.add_option("--kv-type", options.kv_type, "Context memory: f32, f16 or q8_0 (default: f16)")
      ->check(CLI::IsMember({"f32", "f16", "q8_0"}))
      ->type_name("TYPE")
      ->group(group);
  app.add_option("--isa", options.isa, "CPU instructions: scalar, avx2 or avx512 (default: best)")
      ->check(CLI::IsMember({"scalar", "avx2", "avx512"}))
      ->type_name("NAME")
      ->group(group);
  app.add_option("--data-dir", options.data_dir, "Folder of Hearth's own data (default: yours)")
      ->type_name("DIR")
      ->group(group);
}

Outcome<void> checkCommonOptions(const CommonOptions& options) {
  if (options.exact && !options.kv_type.empty() && options.kv_type != "f32") {
    return stop(Exit::usage, "--exact keeps the context in f32: it does not go with --kv-type {}",
                options.kv_type);
  }
  return {};
}

}  // namespace hearth::cli
