// Conversations in one SQLite file. SCHEMA.md explains the tables; nothing here throws.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "app/chat/chat_types.h"
#include "kernels/base/error.h"

namespace hearth {

/// Used from one thread (the chat service's). Every verb is one transaction. What the user wrote is
/// durable (synchronous=FULL) when the verb returns.
/// Codes of every verb: disk_full, read_only, busy, io; not_found where an id is given.
class ConversationStore {
 public:
  /// Opens or creates `file`, migrates an older schema, and marks answers that were still streaming
  /// as interrupted. Codes: newer_version, bad_file (not a database, or damaged), read_only.
  static Result<std::unique_ptr<ConversationStore>> open(const std::filesystem::path& file);
  ~ConversationStore();

  /// A setting in somebody else's store, which may be in use: creates and changes nothing. Empty
  /// when there is no such setting or no store. Codes: newer_version, bad_file, read_only, io.
  static Result<std::optional<std::string>> peekSetting(const std::filesystem::path& file,
                                                        const std::string& key);

  /// Without deleted ones, most recently used first.
  Result<std::vector<Conversation>> conversations();
  Result<Conversation> conversation(ConversationId id);
  Result<Conversation> createConversation(const GenerationSettings& settings);
  Status rename(ConversationId id, const std::string& title);
  Status saveSettings(ConversationId id, const GenerationSettings& settings);

  /// A deleted conversation is hidden and can come back until it is purged.
  Status markDeleted(ConversationId id);
  Status restoreDeleted(ConversationId id);
  /// Its messages, settings and draft are gone from the files too (SCHEMA.md, Deleting).
  Status purge(ConversationId id);
  Result<std::vector<ConversationId>> deletedConversations();

  /// The path from the root to the conversation's leaf, with siblings filled in.
  Result<std::vector<Message>> path(ConversationId id);
  Result<Message> message(MessageId id);

  /// Stores a message under `parent` and makes it the leaf. Returns it with id and time.
  Result<Message> addMessage(ConversationId id, std::optional<MessageId> parent, Role role,
                             const std::string& text, MessageState state);
  /// A user's message and the empty answer below it, in one transaction.
  struct Exchange { Message question, answer; };
  Result<Exchange> addExchange(ConversationId id, std::optional<MessageId> parent,
                               const std::string& question);

  /// Makes the newest descendant of `message` the leaf: choosing a version among siblings.
  Status showBranch(ConversationId id, MessageId message);

  /// Text so far of a streaming answer.
  Status checkpoint(MessageId answer, const std::string& text);
  Status finish(MessageId answer, const std::string& text, MessageState state,
                const std::optional<AnswerStats>& stats, const std::optional<Error>& error);

  /// Key-value settings of the application ("last_model", "window_geometry").
  Result<std::optional<std::string>> setting(const std::string& key);
  Status saveSetting(const std::string& key, const std::string& value);

 private:
  class Connection;
  explicit ConversationStore(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace hearth
