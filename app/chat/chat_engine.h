// What the chat needs from a model: turns in, text out. The real one is ModelChatEngine; ScriptedEngine
// plays a script for UI work and tests.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "app/chat/chat_types.h"
#include "kernels/base/error.h"

namespace hearth {

struct Turn {
  MessageId message_id = 0;
  Role role = Role::user;
  std::string text;
};

struct AnswerRequest {
  ConversationId conversation_id = 0;
  MessageId answer_id = 0;          // the stored, still empty answer
  std::vector<Turn> turns;          // oldest first, ends with the user's message
  GenerationSettings settings;
};

struct AnswerReading { int32_t done_tokens, total_tokens; };  // prompt being read
struct AnswerText { std::string text; };                      // appended to the answer
struct AnswerFinished { AnswerStats stats; };
struct AnswerFailed { Error error; };
/// Exactly one Finished or Failed ends an answer.
using AnswerEvent = std::variant<AnswerReading, AnswerText, AnswerFinished, AnswerFailed>;

/// Called on a thread of the engine's; must only hand the event on.
using AnswerListener = std::function<void(AnswerEvent)>;

struct ModelDescription {
  std::string name;            // "stories260K"
  std::string path;
  std::string architecture;
  std::string weight_type;     // most common type: "Q8_0"
  std::string device;          // "CPU (AVX-512, 2 threads)"
  std::string why_not_gpu;
  int32_t context_length = 0;
  uint64_t file_bytes = 0;
};

/// Verbs may be called from one thread, the chat service's.
class ChatEngine {
 public:
  virtual ~ChatEngine() = default;  // cancels what runs and waits for it

  virtual ModelDescription describe() const = 0;
  /// Codes: busy (this conversation is being answered), invalid_argument (a message that alone is
  /// longer than the context).
  virtual Status start(AnswerRequest request, AnswerListener listener) = 0;
  virtual void cancel(ConversationId conversation) = 0;
  /// The conversation is gone: free its cache.
  virtual void forget(ConversationId conversation) = 0;
};

}  // namespace hearth
