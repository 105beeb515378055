// The engine's public face: verbs on a session, events back. Token ids only: no text, no Qt, no SQL.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "inference/sampler.h"
#include "kernels/base/error.h"

namespace hearth {

enum class StopReason : uint8_t {
  end_of_text,   // the model ended its answer
  stop_rule,     // StopRule said so (a stop string)
  max_tokens,
  context_full,
  cancelled,
};
const char* stopReasonName(StopReason reason);

/// Times in milliseconds of wall time, as the session saw them.
struct GenerationStats {
  int32_t prompt_tokens = 0;      // whole prompt
  int32_t cached_tokens = 0;      // of these found in the session's cache
  int32_t read_tokens = 0;        // of the others, those that were read: fewer if it ended before
  int32_t generated_tokens = 0;
  double time_to_first_token_ms = 0;  // from submit, waiting included
  double prompt_ms = 0;           // work on read_tokens
  double generation_ms = 0;       // after the first token
  int32_t steps = 0;              // forward passes that produced tokens
  StopReason stop_reason = StopReason::end_of_text;

  double promptTokensPerSecond() const;
  double generatedTokensPerSecond() const;
};

/// Asked on the worker thread after every token; true ends the answer with this token.
class StopRule {
 public:
  virtual ~StopRule() = default;
  virtual bool stopsAt(int32_t token) = 0;
};

struct GenerationRequest {
  std::vector<int32_t> prompt_ids;  // at least one
  SamplingOptions sampling;
  int32_t max_tokens = -1;          // -1: until the context is full
  std::vector<int32_t> end_ids;     // end-of-generation tokens; not part of the answer
  bool ignore_end = false;          // go on after end_ids
  std::shared_ptr<StopRule> stop_rule;
};

struct PromptProgress { int32_t done_tokens, total_tokens; };
struct TokensGenerated { std::vector<int32_t> ids; };
struct GenerationFinished { GenerationStats stats; };
struct GenerationFailed { Error error; };
/// Exactly one Finished or Failed ends every request.
using Event = std::variant<PromptProgress, TokensGenerated, GenerationFinished, GenerationFailed>;

/// Called on the engine's worker thread; must not block and must not call back into the session
/// other than `cancel`.
using Listener = std::function<void(const Event&)>;

/// One conversation's place in the engine. Any thread may call its verbs. Destroying it cancels its
/// request, waits until the worker has let go of it, and frees its cache.
class Session {
 public:
  virtual ~Session() = default;

  /// Codes: busy (a request is running), invalid_argument (no prompt, prompt longer than the
  /// context, an id outside the vocabulary).
  virtual Status submit(GenerationRequest request, Listener listener) = 0;
  /// Ends the running request within one token. Inside a chunk of the prompt after the op in hand on
  /// a device that stops between ops (the CPU), after the chunk on one that runs a step whole (CUDA).
  virtual void cancel() = 0;
  /// A paused session keeps its request and gives its turns to others.
  virtual void pause() = 0;
  virtual void resume() = 0;
};

}  // namespace hearth
