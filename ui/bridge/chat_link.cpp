#include "ui/bridge/chat_link.h"

#include <QMetaObject>

#include <utility>

namespace hearth {

ServiceChatLink::ServiceChatLink(ChatService& service, QObject* parent)
    : ChatLink(parent), service_(service) {
  const auto forward = [&](auto from, auto to) {
    connect(&service_, from, this, to, Qt::QueuedConnection);
  };
  forward(&ChatService::conversationsListed, &ChatLink::conversationsListed);
  forward(&ChatService::conversationCreated, &ChatLink::conversationCreated);
  forward(&ChatService::conversationChanged, &ChatLink::conversationChanged);
  forward(&ChatService::conversationDeleted, &ChatLink::conversationDeleted);
  forward(&ChatService::conversationRestored, &ChatLink::conversationRestored);
  forward(&ChatService::conversationPurged, &ChatLink::conversationPurged);
  forward(&ChatService::pathLoaded, &ChatLink::pathLoaded);
  forward(&ChatService::messagesAdded, &ChatLink::messagesAdded);
  forward(&ChatService::submitFailed, &ChatLink::submitFailed);
  forward(&ChatService::answerReading, &ChatLink::answerReading);
  forward(&ChatService::answerText, &ChatLink::answerText);
  forward(&ChatService::answerFinished, &ChatLink::answerFinished);
  forward(&ChatService::settingLoaded, &ChatLink::settingLoaded);
  forward(&ChatService::failed, &ChatLink::failed);
}

template <class Verb>
void ServiceChatLink::post(Verb verb) {
  QMetaObject::invokeMethod(
      &service_, [&service = service_, verb = std::move(verb)] { verb(service); },
      Qt::QueuedConnection);
}

void ServiceChatLink::listConversations() {
  post([](ChatService& s) { s.listConversations(); });
}
void ServiceChatLink::createConversation(const GenerationSettings& settings) {
  post([settings](ChatService& s) { s.createConversation(settings); });
}
void ServiceChatLink::renameConversation(ConversationId id, const QString& title) {
  post([=](ChatService& s) { s.renameConversation(id, title); });
}
void ServiceChatLink::saveSettings(ConversationId id, const GenerationSettings& settings) {
  post([id, settings](ChatService& s) { s.saveSettings(id, settings); });
}
void ServiceChatLink::deleteConversation(ConversationId id) {
  post([id](ChatService& s) { s.deleteConversation(id); });
}
void ServiceChatLink::undoDelete(ConversationId id) {
  post([id](ChatService& s) { s.undoDelete(id); });
}
void ServiceChatLink::openConversation(ConversationId id) {
  post([id](ChatService& s) { s.openConversation(id); });
}
void ServiceChatLink::submit(ConversationId id, qint64 parent, const QString& text) {
  post([=](ChatService& s) { s.submit(id, parent, text); });
}
void ServiceChatLink::regenerate(ConversationId id, MessageId answer) {
  post([=](ChatService& s) { s.regenerate(id, answer); });
}
void ServiceChatLink::edit(ConversationId id, MessageId question, const QString& text) {
  post([=](ChatService& s) { s.edit(id, question, text); });
}
void ServiceChatLink::stop(ConversationId id) {
  post([id](ChatService& s) { s.stop(id); });
}
void ServiceChatLink::showBranch(ConversationId id, MessageId message) {
  post([=](ChatService& s) { s.showBranch(id, message); });
}
void ServiceChatLink::loadSetting(const QString& key) {
  post([key](ChatService& s) { s.loadSetting(key); });
}
void ServiceChatLink::saveSetting(const QString& key, const QString& value) {
  post([=](ChatService& s) { s.saveSetting(key, value); });
}

}  // namespace hearth
