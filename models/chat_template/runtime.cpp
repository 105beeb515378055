#include "models/chat_template/runtime.h"

namespace hearth::jinja {

void Runtime::throwSteps() const {
  throw Fault{ErrorCode::bad_file,
              fmt::format("the template takes more than {} steps", limits_.max_steps)};
}

void Runtime::throwMemory() const {
  throw Fault{ErrorCode::bad_file,
              fmt::format("the template's values need more than {} bytes", limits_.max_memory_bytes)};
}

void Runtime::throwOutput() const {
  throw Fault{ErrorCode::bad_file,
              fmt::format("the template writes more than {} bytes", limits_.max_output_bytes)};
}

Nesting::Nesting(Runtime& runtime) : runtime_(runtime) {
  if (runtime_.depth >= runtime_.limits().max_depth) {
    throw Fault{ErrorCode::bad_file, fmt::format("the template nests deeper than {} levels",
                                                 runtime_.limits().max_depth)};
  }
  ++runtime_.depth;
}

}  // namespace hearth::jinja
