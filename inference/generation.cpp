#include "inference/generation.h"

#include <algorithm>

namespace hearth {
namespace {

double millisecondsSince(Generation::Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Generation::Clock::now() - start).count();
}

}  // namespace

Generation::Generation(GenerationRequest request, Listener listener)
    : request_(std::move(request)),
      listener_(std::move(listener)),
      sampler_(std::move(request_.sampling)),
      ids_(request_.prompt_ids),
      submitted_(Clock::now()) {
  stats_.prompt_tokens = static_cast<int32_t>(ids_.size());
}

std::optional<Event> Generation::advance(LanguageModel& model, SequenceState& state,
                                         int32_t chunk_tokens, const std::atomic<bool>& cancel) {
  if (!begun_) begin(state);
  return readsPrompt() ? readPrompt(model, state, chunk_tokens, cancel)
                       : nextToken(model, state, cancel);
}

/// Keeps what the last answer and this prompt share. The prompt's last token always runs again:
/// its logits are not kept.
void Generation::begin(SequenceState& state) {
  begun_ = true;
  prompt_done_ = std::min(state.commonPrefix(ids_), stats_.prompt_tokens - 1);
  state.truncate(prompt_done_);
  stats_.cached_tokens = prompt_done_;
  listener_(PromptProgress{prompt_done_, stats_.prompt_tokens});
}

std::optional<Event> Generation::readPrompt(LanguageModel& model, SequenceState& state,
                                            int32_t chunk_tokens, const std::atomic<bool>& cancel) {
  const int32_t n = std::min(chunk_tokens, stats_.prompt_tokens - prompt_done_);
  const bool is_last = prompt_done_ + n == stats_.prompt_tokens;
  if (is_last) logits_.resize(static_cast<size_t>(model.config().n_vocab));

  const auto started = Clock::now();
  const auto chunk =
      std::span(ids_).subspan(static_cast<size_t>(prompt_done_), static_cast<size_t>(n));
  const Status ran = model.forward(state, chunk, logits_, &cancel);
  if (!ran) return failOrCancel(ran.error());

  stats_.prompt_ms += millisecondsSince(started);
  stats_.read_tokens += n;
  prompt_done_ += n;
  listener_(PromptProgress{prompt_done_, stats_.prompt_tokens});
  return is_last ? chooseToken(model) : std::nullopt;
}

std::optional<Event> Generation::nextToken(LanguageModel& model, SequenceState& state,
                                           const std::atomic<bool>& cancel) {
  const Status ran = model.forward(state, std::span(ids_).last(1), logits_, &cancel);
  if (!ran) return failOrCancel(ran.error());
  return chooseToken(model);
}

std::optional<Event> Generation::chooseToken(const LanguageModel& model) {
  if (const auto reason = limitReached(model)) return finish(*reason);

  const int32_t token = sampler_.sample(logits_, ids_, ids_.size());
  if (!first_token_) {
    first_token_ = Clock::now();
    stats_.time_to_first_token_ms = millisecondsSince(submitted_);
  }
  const auto& ends = request_.end_ids;
  if (!request_.ignore_end && std::find(ends.begin(), ends.end(), token) != ends.end()) {
    return finish(StopReason::end_of_text);
  }
  ids_.push_back(token);
  ++stats_.generated_tokens;
  ++stats_.steps;
  // The rule first: a listener that reads text from the rule's decoder gets this token's too.
  const bool stops = request_.stop_rule && request_.stop_rule->stopsAt(token);
  listener_(TokensGenerated{{token}});
  if (stops) return finish(StopReason::stop_rule);
  if (const auto reason = limitReached(model)) return finish(*reason);
  return std::nullopt;
}

double Generation::promptMsPerToken() const {
  return stats_.read_tokens > 0 ? stats_.prompt_ms / stats_.read_tokens : 0;
}

std::optional<StopReason> Generation::limitReached(const LanguageModel& model) const {
  if (request_.max_tokens >= 0 && stats_.generated_tokens >= request_.max_tokens) {
    return StopReason::max_tokens;
  }
  if (ids_.size() >= static_cast<size_t>(model.contextLength())) return StopReason::context_full;
  return std::nullopt;
}

Event Generation::finish(StopReason reason) {
  stats_.stop_reason = reason;
  if (first_token_) stats_.generation_ms = millisecondsSince(*first_token_);
  return GenerationFinished{stats_};
}

Event Generation::failOrCancel(const Error& error) {
  if (error.code == ErrorCode::cancelled) return finish(StopReason::cancelled);
  return GenerationFailed{error};
}

}  // namespace hearth
