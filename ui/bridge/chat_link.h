// The window's end of the chat service: verbs go to the service thread, news comes back to the UI
// thread. Neither waits for the other.
#pragma once

#include <QObject>

#include <vector>

#include "app/chat/chat_service.h"

namespace hearth {

/// Lives on the UI thread. Verbs return at once; what became of them comes as a signal. The signals
/// are the service's own: see ChatService.
class ChatLink : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;

  virtual void listConversations() = 0;
  virtual void createConversation(const GenerationSettings& settings) = 0;
  virtual void renameConversation(ConversationId id, const QString& title) = 0;
  virtual void saveSettings(ConversationId id, const GenerationSettings& settings) = 0;
  virtual void deleteConversation(ConversationId id) = 0;
  virtual void undoDelete(ConversationId id) = 0;
  virtual void openConversation(ConversationId id) = 0;
  virtual void submit(ConversationId id, qint64 parent, const QString& text) = 0;
  virtual void regenerate(ConversationId id, MessageId answer) = 0;
  virtual void edit(ConversationId id, MessageId question, const QString& text) = 0;
  virtual void stop(ConversationId id) = 0;
  virtual void showBranch(ConversationId id, MessageId message) = 0;
  virtual void loadSetting(const QString& key) = 0;
  virtual void saveSetting(const QString& key, const QString& value) = 0;

 signals:
  void conversationsListed(const std::vector<hearth::Conversation>& conversations);
  void conversationCreated(const hearth::Conversation& conversation);
  void conversationChanged(const hearth::Conversation& conversation);
  void conversationDeleted(hearth::ConversationId id, int undo_ms);
  void conversationRestored(const hearth::Conversation& conversation);
  void conversationPurged(hearth::ConversationId id);
  void pathLoaded(hearth::ConversationId id, const std::vector<hearth::Message>& path);
  void messagesAdded(hearth::ConversationId id, const std::vector<hearth::Message>& messages);
  void submitFailed(hearth::ConversationId id, const QString& text, const hearth::Error& error);
  void answerReading(hearth::ConversationId id, hearth::MessageId answer, int done, int total);
  void answerText(hearth::ConversationId id, hearth::MessageId answer, const QString& text);
  void answerFinished(hearth::ConversationId id, const hearth::Message& answer);
  void settingLoaded(const QString& key, const QString& value);
  void failed(const hearth::Error& error);
};

/// The link to the real service, which must outlive it.
class ServiceChatLink final : public ChatLink {
  Q_OBJECT

 public:
  explicit ServiceChatLink(ChatService& service, QObject* parent = nullptr);

  void listConversations() override;
  void createConversation(const GenerationSettings& settings) override;
  void renameConversation(ConversationId id, const QString& title) override;
  void saveSettings(ConversationId id, const GenerationSettings& settings) override;
  void deleteConversation(ConversationId id) override;
  void undoDelete(ConversationId id) override;
  void openConversation(ConversationId id) override;
  void submit(ConversationId id, qint64 parent, const QString& text) override;
  void regenerate(ConversationId id, MessageId answer) override;
  void edit(ConversationId id, MessageId question, const QString& text) override;
  void stop(ConversationId id) override;
  void showBranch(ConversationId id, MessageId message) override;
  void loadSetting(const QString& key) override;
  void saveSetting(const QString& key, const QString& value) override;

 private:
  template <class Verb>
  void post(Verb verb);

  ChatService& service_;
};

}  // namespace hearth
