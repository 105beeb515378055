// From a conversation to the ids a model reads. Until chat templates come, a conversation is plain
// text that the model continues: system prompt and questions each on a line of their own, and an
// answer directly after its question, as the model wrote it. No role labels.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "app/chat/chat_engine.h"
#include "models/tokenizer/tokenizer.h"

namespace hearth {

/// The ids that a message was generated as, or an empty span when they are not known.
using GeneratedIds = std::function<std::span<const int32_t>(MessageId)>;

struct PromptRequest {
  std::string system_prompt;
  std::span<const Turn> turns;  // oldest first, ends with a user's message
  int32_t n_ctx = 0;
  int32_t max_tokens = -1;      // of the answer; -1: no limit
  MessageId first_kept = 0;     // where the conversation's last prompt began; 0: at its beginning
};

struct Prompt {
  std::vector<int32_t> ids;
  int32_t dropped_messages = 0;  // oldest turns left out: the context is full
  MessageId first_kept = 0;      // the first turn that was not, for the next PromptRequest
};

/// Every segment is tokenised on its own, and an answer whose generated ids are known is given by
/// them. So the prompt of a follow-up is the last prompt, the answer's ids, and new ids: the engine
/// finds the rest in its cache.
///
/// When the prompt and room for the answer, min(max_tokens, n_ctx / 4), exceed the context, the
/// oldest questions are dropped together with their answers; the system prompt and the last question
/// stay. A prompt that begins elsewhere is not in the cache, so a quarter of the context is freed at
/// once, and the prompts after it begin where this one did.
/// System prompt and last question alone may take the answer's room, up to the last token.
/// Codes: invalid_argument when they do not fit at all, with both numbers.
Result<Prompt> buildPrompt(const Tokenizer& tokenizer, const PromptRequest& request,
                           const GeneratedIds& generated_ids);

}  // namespace hearth
