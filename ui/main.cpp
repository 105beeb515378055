// hearth: the window.
#include "ui/program.h"

int main(int argc, char** argv) {
  using namespace hearth;
  return runProgram(
      argc, argv,
      {.name = "hearth",
       .description = "Chat with a language model that runs on this computer.",
       .data_dir = {},
       .add_options = {},
       .make_model_link = [](Composition& parts) -> Result<std::unique_ptr<ModelLink>> {
         return std::make_unique<ServiceModelLink>(parts.models());
       }});
}
