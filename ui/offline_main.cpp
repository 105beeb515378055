// hearth-offline: the window on a scripted engine, for work on the window and for screenshots.
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "app/chat/scripted_engine.h"
#include "ui/program.h"

namespace {

using namespace hearth;

struct OfflineOptions {
  std::string script_file;
  double tokens_per_s = -1;
};

Result<std::unique_ptr<ModelLink>> makeScriptedLink(const OfflineOptions& options, Composition& parts) {
  ScriptedEngineOptions engine;
  engine.script = builtInScript();
  if (!options.script_file.empty()) {
    std::ifstream file(options.script_file, std::ios::binary);
    if (!file)
      return fail(ErrorCode::not_found, "{}: {}", options.script_file, std::strerror(errno));
    auto script = parseScript(std::string(std::istreambuf_iterator<char>(file), {}));
    if (!script) return passOn(script);
    engine.script = std::move(*script);
  }
  if (options.tokens_per_s >= 0) engine.tokens_per_s = options.tokens_per_s;
  return std::make_unique<FixedModelLink>(std::make_shared<ScriptedEngine>(std::move(engine)),
                                          parts.chat());
}

}  // namespace

int main(int argc, char** argv) {
  OfflineOptions offline;
  std::error_code ignored;
  return runProgram(
      argc, argv,
      {.name = "hearth-offline",
       .description = "Hearth's window with scripted answers instead of a model.",
       .data_dir = std::filesystem::temp_directory_path(ignored) / "hearth-offline",
       .add_options =
           [&](CLI::App& cli) {
             cli.add_option("--script", offline.script_file, "Answers to play, separated by lines of ---");
             cli.add_option("--rate", offline.tokens_per_s, "Tokens a second; 0 for everything at once");
           },
       .make_model_link = [&](Composition& parts) { return makeScriptedLink(offline, parts); },
       .opens_models = false});
}
