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

/// Index of `id`, or 0 when this path does not go through it.
size_t indexOf(std::span<const Turn> turns, MessageId id) {
  for (size_t i = 0; i < turns.size(); ++i)
    if (turns[i].message_id == id) return i;
  return 0;
}

/// A conversation in pieces that can be put together from any question on.
class Pieces {
 public:
  Pieces(const Tokenizer& tokenizer, const PromptRequest& request, const GeneratedIds& generated_ids)
      : tokenizer_(tokenizer), turns_(request.turns) {
    if (!request.system_prompt.empty()) system_ = encodeStart(tokenizer, request.system_prompt);
    for (const Turn& turn : turns_) segments_.push_back(encodeTurn(tokenizer, turn, generated_ids));
  }

  /// The first kept turn begins the text when there is no system prompt.
  Ids from(size_t first) const {
    Ids ids = system_.empty() ? encodeStart(tokenizer_, turns_[first].text) : system_;
    for (size_t i = system_.empty() ? first + 1 : first; i < turns_.size(); ++i)
      append(ids, segments_[i]);
    return ids;
  }

 private:
  const Tokenizer& tokenizer_;
  std::span<const Turn> turns_;
  Ids system_;                 // empty: none
  std::vector<Ids> segments_;  // of each turn, as it is after another one
};

}  // namespace

Result<Prompt> buildPrompt(const Tokenizer& tokenizer, const PromptRequest& request,
                           const GeneratedIds& generated_ids) {
  const std::span<const Turn> turns = request.turns;
  if (turns.empty() || turns.back().role != Role::user)
    return fail(ErrorCode::invalid_argument, "A prompt ends with a user's message.");
  const Pieces pieces(tokenizer, request, generated_ids);
  const auto n_ctx = static_cast<size_t>(std::max(request.n_ctx, 1));
  size_t room = n_ctx / 4;
  if (request.max_tokens >= 0) room = std::min(room, static_cast<size_t>(request.max_tokens));

  size_t first = indexOf(turns, request.first_kept);
  Ids ids = pieces.from(first);
  if (ids.size() + room > n_ctx) {
    const size_t most = n_ctx - room - n_ctx / 4;
    for (size_t next = nextQuestion(turns, first); next < turns.size() && ids.size() > most;
         next = nextQuestion(turns, first)) {
      first = next;
      ids = pieces.from(first);
    }
  }
  if (ids.size() >= n_ctx)
    return fail(ErrorCode::invalid_argument,
                "The message{} is {} tokens long; this model's context holds {}.",
                request.system_prompt.empty() ? "" : " with the system prompt", ids.size(), n_ctx);
  return Prompt{std::move(ids), static_cast<int32_t>(first), turns[first].message_id};
}

}  // namespace hearth
