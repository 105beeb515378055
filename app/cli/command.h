// What a command of hearth-cli is: flags, then work.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "app/cli/console.h"
#include "app/cli/failure.h"
#include "app/cli/interrupts.h"

namespace hearth::cli {

/// Flags that every command takes.
struct CommonOptions {
  bool json = false;
  bool quiet = false;
  bool exact = false;
  std::string device = "auto";  // auto, cpu, cuda
  int threads = 0;              // 0: one for each core
  std::string kv_type;          // "": f16, or f32 in exact mode
  std::string isa;              // "": the best this processor has
  std::string data_dir;         // "": the user's own
};

void addCommonOptions(CLI::App& app, CommonOptions& options);

/// Codes: Exit::usage (flags that contradict each other).
Outcome<void> checkCommonOptions(const CommonOptions& options);

/// What the work of a command may use.
struct Surroundings {
  Console& console;
  Interrupts& interrupts;
};

class Command {
 public:
  virtual ~Command() = default;
  virtual void addOptions(CLI::App& app) = 0;
  virtual Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) = 0;
};

/// A row of the command table: `hearth-cli NAME`.
struct CommandEntry {
  const char* name;
  const char* summary;
  const char* example;  // shown below the flags
  std::unique_ptr<Command> (*make)();
};

std::unique_ptr<Command> makeGenerateCommand();
std::unique_ptr<Command> makeChatCommand();
std::unique_ptr<Command> makeLogitsCommand();
std::unique_ptr<Command> makeTokenizeCommand();
std::unique_ptr<Command> makeDetokenizeCommand();
std::unique_ptr<Command> makeTemplateCommand();
std::unique_ptr<Command> makePerplexityCommand();
std::unique_ptr<Command> makeBenchCommand();
std::unique_ptr<Command> makeMakeModelCommand();
std::unique_ptr<Command> makeInspectCommand();
std::unique_ptr<Command> makeSelftestCommand();

}  // namespace hearth::cli
