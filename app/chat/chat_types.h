// What a conversation is made of, as the store keeps it and the window shows it. Text is UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hearth {

using ConversationId = int64_t;
using MessageId = int64_t;

enum class Role : uint8_t { user, assistant };

enum class MessageState : uint8_t {
  complete,
  streaming,    // being written now
  interrupted,  // Hearth ended while it was being written
  stopped,      // the user pressed stop
  failed,       // `error` says why
};

/// Kept with every answer.
struct AnswerStats {
  int32_t prompt_tokens = 0;
  int32_t cached_tokens = 0;
  int32_t generated_tokens = 0;
  double time_to_first_token_ms = 0;
  double prompt_tokens_per_s = 0;
  double generated_tokens_per_s = 0;
  std::string stop_reason;       // stopReasonName()
  int32_t dropped_messages = 0;  // oldest messages the model was not given: context full
  std::string model;             // "name@content_key" of the model file
  std::string device;
  std::string settings_json;     // GenerationSettings that made it
  std::vector<std::string> adapters;
};

/// A node of a conversation's tree. Children of one parent are versions of each other: editing or
/// regenerating adds a sibling, nothing is overwritten.
struct Message {
  MessageId id = 0;
  ConversationId conversation_id = 0;
  std::optional<MessageId> parent_id;
  Role role = Role::user;
  std::string text;
  MessageState state = MessageState::complete;
  int64_t created_at_ms = 0;          // Unix time
  std::optional<AnswerStats> stats;   // answers only
  std::string error;                  // one English sentence
  std::string error_code;             // errorCodeName(), for a text in the user's language
  std::vector<MessageId> sibling_ids; // itself included, oldest first (filled when a path is read)
};

struct GenerationSettings {
  std::string system_prompt;
  float temperature = 0.8f;
  int32_t top_k = 40;
  float top_p = 0.95f;
  float min_p = 0.05f;
  float repetition_penalty = 1.1f;
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;
  std::optional<uint64_t> seed;       // unset: another for every answer
  int32_t max_tokens = 1024;          // -1: until the context is full
  std::vector<std::string> stop;
  bool operator==(const GenerationSettings&) const = default;
};

struct Conversation {
  ConversationId id = 0;
  std::string title;                  // empty: the window shows the first words, or "New conversation"
  int64_t created_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::optional<MessageId> leaf_id;   // end of the path that is shown
  GenerationSettings settings;
};

/// Settings as the JSON kept in the database and with each answer; unknown keys are ignored.
std::string settingsToJson(const GenerationSettings& settings);
GenerationSettings settingsFromJson(const std::string& json);

}  // namespace hearth
