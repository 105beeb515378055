#include "app/chat/prompt_builder.h"

#include <algorithm>

namespace hearth {

namespace {

using Ids = std::vector<int32_t>;

void append(Ids& ids, std::span<const int32_t> more) { ids.insert(ids.end(), more.begin(), more.end()); }

/// The beginning of a text, with the beginning-of-sequence token where the model wants one. An end
/// token that some models add would end the conversation before it starts.
Ids encodeStart(const Tokenizer& tokenizer, const std::string& text) {
  Ids ids = tokenizer.encode(text, {.add_special = true});
  if (!ids.empty() && tokenizer.isEndOfGeneration(ids.back()) && ids.back() != tokenizer.bosId())
    ids.pop_back();
  return ids;
}

/// "\n" and `text`, inside a text: without the space that a tokenizer puts before a text's first word.
Ids encodeNewLine(const Tokenizer& tokenizer, const std::string& text) {
  Ids ids = tokenizer.encode("\n" + text, {.add_special = false});
  if (tokenizer.addsSpacePrefix() && ids.size() > 1 && tokenizer.piece(ids.front()) == " ")
    ids.erase(ids.begin());
  return ids;
}

/// `text` inside a text. The line break that keeps the space prefix away is cut off again, if the
/// vocabulary gives it a token of its own.
Ids encodeContinuation(const Tokenizer& tokenizer, const std::string& text) {
  Ids ids = encodeNewLine(tokenizer, text);
  if (ids.empty() || tokenizer.piece(ids.front()) != "\n")
    return tokenizer.encode(text, {.add_special = false});
  ids.erase(ids.begin());
  return ids;
}

/// An answer's ids: those it was generated as, as far as they spell `text` (a stop string that ended
/// it is not part of the text), then the rest of the text.
Ids encodeAnswer(const Tokenizer& tokenizer, const std::string& text,
                 std::span<const int32_t> generated) {
  size_t n_bytes = 0;
  size_t n_kept = 0;
  for (; n_kept < generated.size(); ++n_kept) {
    const std::string piece = tokenizer.piece(generated[n_kept]);
    if (text.compare(n_bytes, piece.size(), piece) != 0) break;
    n_bytes += piece.size();
  }
  Ids ids(generated.begin(), generated.begin() + static_cast<ptrdiff_t>(n_kept));
  if (n_bytes < text.size()) append(ids, encodeContinuation(tokenizer, text.substr(n_bytes)));
  return ids;
}

Ids encodeTurn(const Tokenizer& tokenizer, const Turn& turn, const GeneratedIds& generated_ids) {
  if (turn.role == Role::assistant)
    return encodeAnswer(tokenizer, turn.text, generated_ids(turn.message_id));
  return encodeNewLine(tokenizer, turn.text);
}

/// Index of the next question after `first`.
size_t nextQuestion(std::span<const Turn> turns, size_t first) {
  ++first;
  while (first < turns.size() && turns[first].role != Role::user) ++first;
  return first;
}

}  // namespace

Result<Prompt> buildPrompt(const Tokenizer& tokenizer, const PromptRequest& request,
                           const GeneratedIds& generated_ids) {
  const std::span<const Turn> turns = request.turns;
  if (turns.empty() || turns.back().role != Role::user)
    return fail(ErrorCode::invalid_argument, "A prompt ends with a user's message.");
  std::vector<Ids> segments;  // of each turn, as it is after another one
  size_t n_behind = 0;        // ids of the segments after the first kept turn
  for (const Turn& turn : turns) {
    segments.push_back(encodeTurn(tokenizer, turn, generated_ids));
    n_behind += segments.back().size();
  }
  const bool has_system = !request.system_prompt.empty();
  const Ids system = has_system ? encodeStart(tokenizer, request.system_prompt) : Ids();
  const auto n_ctx = static_cast<size_t>(std::max(request.n_ctx, 1));
  size_t room = n_ctx / 4;
  if (request.max_tokens >= 0) room = std::min(room, static_cast<size_t>(request.max_tokens));

  for (size_t first = 0;; first = nextQuestion(turns, first)) {
    // The first kept turn begins the text when there is no system prompt.
    const Ids head = has_system ? system : encodeStart(tokenizer, turns[first].text);
    n_behind -= has_system ? 0 : segments[first].size();
    const size_t n_prompt = head.size() + n_behind;
    const bool is_last = nextQuestion(turns, first) >= turns.size();
    if (n_prompt + room <= n_ctx || (is_last && n_prompt < n_ctx)) {
      Prompt prompt{.ids = head, .dropped_messages = static_cast<int32_t>(first)};
      for (size_t i = has_system ? first : first + 1; i < turns.size(); ++i)
        append(prompt.ids, segments[i]);
      return prompt;
    }
    if (is_last)
      return fail(ErrorCode::invalid_argument,
                  "The message{} is {} tokens long; this model's context holds {}.",
                  has_system ? " with the system prompt" : "", n_prompt, n_ctx);
    for (size_t i = has_system ? first : first + 1; i < nextQuestion(turns, first); ++i)
      n_behind -= segments[i].size();
  }
}

}  // namespace hearth
