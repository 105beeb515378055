// One request while it is being answered: reads the prompt in chunks, then makes a token a turn.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <vector>

#include "inference/language_model.h"
#include "inference/sampler.h"
#include "inference/session.h"

namespace hearth {

/// Belongs to the engine's worker thread once it is made. Calls the request's listener for progress
/// and tokens; the event that ends the request is returned, so that the engine can let go of the
/// request first and the listener's owner may submit again at once.
class Generation {
 public:
  using Clock = std::chrono::steady_clock;

  Generation(GenerationRequest request, Listener listener);

  /// One turn: up to `chunk_tokens` of the prompt, or one token. The first turn finds out how much
  /// of the prompt `state` already holds. Returns Finished or Failed when the request has ended.
  /// After a failure `state` holds what was valid before the turn.
  std::optional<Event> advance(LanguageModel& model, SequenceState& state, int32_t chunk_tokens,
                               const std::atomic<bool>& cancel);

  /// How the request ends when it gets no further turn.
  Event finish(StopReason reason);

  /// Work so far on the uncached prompt; 0 before its first chunk.
  double promptMsPerToken() const;
  bool readsPrompt() const { return prompt_done_ < stats_.prompt_tokens; }
  const Listener& listener() const { return listener_; }

 private:
  void begin(SequenceState& state);
  std::optional<Event> readPrompt(LanguageModel& model, SequenceState& state, int32_t chunk_tokens,
                                  const std::atomic<bool>& cancel);
  std::optional<Event> nextToken(LanguageModel& model, SequenceState& state,
                                 const std::atomic<bool>& cancel);
  std::optional<Event> chooseToken(const LanguageModel& model);
  std::optional<StopReason> limitReached(const LanguageModel& model) const;
  Event failOrCancel(const Error& error);

  GenerationRequest request_;
  Listener listener_;
  Sampler sampler_;
  GenerationStats stats_;
  std::vector<int32_t> ids_;     // prompt and answer
  std::vector<float> logits_;    // [n_vocab] of the last token
  int32_t prompt_done_ = 0;      // tokens of the prompt in the state
  bool begun_ = false;
  Clock::time_point submitted_;
  std::optional<Clock::time_point> first_token_;
};

}  // namespace hearth
