#include "inference/session.h"

namespace hearth {

const char* stopReasonName(StopReason reason) {
  switch (reason) {
    case StopReason::end_of_text:
      return "end_of_text";
    case StopReason::stop_rule:
      return "stop_rule";
    case StopReason::max_tokens:
      return "max_tokens";
    case StopReason::context_full:
      return "context_full";
    case StopReason::cancelled:
      return "cancelled";
  }
  return "unknown";
}

double GenerationStats::promptTokensPerSecond() const {
  return prompt_ms > 0 ? read_tokens * 1000.0 / prompt_ms : 0;
}

double GenerationStats::generatedTokensPerSecond() const {
  // The first token belongs to the prompt's time.
  return generation_ms > 0 && generated_tokens > 1 ? (generated_tokens - 1) * 1000.0 / generation_ms
                                                   : 0;
}

}  // namespace hearth
