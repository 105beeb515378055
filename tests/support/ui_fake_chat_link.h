// A chat link without a service: it keeps what was asked, and the test plays the service's part.
#pragma once

#include <QStringList>

#include "ui/bridge/chat_link.h"

namespace hearth {

class FakeChatLink final : public ChatLink {
 public:
  QStringList asked;  // one line a verb: "submit 7 -1 text"
  std::vector<GenerationSettings> saved_settings;

  QStringList take() { return std::exchange(asked, {}); }

  void listConversations() override { asked << "list"; }
  void createConversation(const GenerationSettings& settings) override {
    asked << "create";
    saved_settings.push_back(settings);
  }
  void renameConversation(ConversationId id, const QString& title) override {
    asked << QString("rename %1 %2").arg(id).arg(title);
  }
  void saveSettings(ConversationId id, const GenerationSettings& settings) override {
    asked << QString("settings %1").arg(id);
    saved_settings.push_back(settings);
  }
  void deleteConversation(ConversationId id) override { asked << QString("delete %1").arg(id); }
  void undoDelete(ConversationId id) override { asked << QString("undo %1").arg(id); }
  void openConversation(ConversationId id) override { asked << QString("open %1").arg(id); }
  void submit(ConversationId id, qint64 parent, const QString& text) override {
    asked << QString("submit %1 %2 %3").arg(id).arg(parent).arg(text);
  }
  void regenerate(ConversationId id, MessageId answer) override {
    asked << QString("regenerate %1 %2").arg(id).arg(answer);
  }
  void edit(ConversationId id, MessageId question, const QString& text) override {
    asked << QString("edit %1 %2 %3").arg(id).arg(question).arg(text);
  }
  void stop(ConversationId id) override { asked << QString("stop %1").arg(id); }
  void showBranch(ConversationId id, MessageId message) override {
    asked << QString("branch %1 %2").arg(id).arg(message);
  }
  void loadSetting(const QString& key) override { asked << "load " + key; }
  void saveSetting(const QString& key, const QString& value) override {
    asked << "save " + key + " " + value;
  }
};

inline Conversation makeConversation(ConversationId id, const char* title, int64_t updated_at_ms = 0) {
  Conversation conversation;
  conversation.id = id;
  conversation.title = title;
  conversation.updated_at_ms = updated_at_ms ? updated_at_ms : 1000 * id;
  return conversation;
}

inline Message makeMessage(MessageId id, Role role, const char* text,
                           MessageState state = MessageState::complete,
                           std::vector<MessageId> siblings = {}) {
  Message message;
  message.id = id;
  message.conversation_id = 1;
  message.role = role;
  message.text = text;
  message.state = state;
  message.sibling_ids = siblings.empty() ? std::vector<MessageId>{id} : std::move(siblings);
  return message;
}

}  // namespace hearth
