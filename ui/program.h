// The way from the command line to the window and back; shared by hearth and hearth-offline.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "app/composition.h"
#include "ui/bridge/model_link.h"

namespace CLI {
class App;
}

namespace hearth {

struct ProgramOptions {
  std::string name, description;
  std::filesystem::path data_dir;  // default; empty: the user's own
  /// Adds the program's own options; called before the command line is read.
  std::function<void(CLI::App&)> add_options;
  /// Makes the link to the models. An error ends the program with code 2.
  std::function<Result<std::unique_ptr<ModelLink>>(Composition&)> make_model_link;
  bool opens_models = true;        // --model, and the model of the last time
};

/// Exit codes: 0 done · 1 the window or the data folder failed · 2 bad usage · 3 the stored data
/// cannot be read · 4 no room on the disk.
int runProgram(int argc, char** argv, const ProgramOptions& options);

}  // namespace hearth
