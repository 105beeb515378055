#include "ui/viewmodels/conversations_view_model.h"

#include <algorithm>

namespace hearth {
namespace {
constexpr int kTickMs = 100;
}

ConversationsViewModel::ConversationsViewModel(ChatLink& link, QObject* parent)
    : QObject(parent), link_(link), list_(this) {
  ticker_.setInterval(kTickMs);
  connect(&ticker_, &QTimer::timeout, this, &ConversationsViewModel::tick);
  connect(&link_, &ChatLink::conversationsListed, this, [this](const auto& conversations) {
    list_.reset(conversations);
    emit currentTitleChanged();
    emit listed();
  });
  const auto put = [this](const Conversation& conversation) {
    list_.put(conversation);
    if (conversation.id == current_) emit currentTitleChanged();
  };
  connect(&link_, &ChatLink::conversationCreated, this, put);
  connect(&link_, &ChatLink::conversationChanged, this, put);
  connect(&link_, &ChatLink::conversationRestored, this, [this](const Conversation& conversation) {
    forgetDeleted(conversation.id);
    list_.put(conversation);
    emit restored(conversation.id);
  });
  connect(&link_, &ChatLink::conversationDeleted, this, &ConversationsViewModel::onDeleted);
  connect(&link_, &ChatLink::conversationPurged, this, &ConversationsViewModel::forgetDeleted);
}

QString ConversationsViewModel::currentTitle() const {
  const Conversation* conversation = list_.find(current_);
  return conversation ? titleOf(*conversation) : QString();
}

void ConversationsViewModel::setCurrent(ConversationId id) {
  current_ = id;
  emit currentTitleChanged();
}

void ConversationsViewModel::rename(qint64 id, const QString& title) {
  link_.renameConversation(id, title.simplified());
}

void ConversationsViewModel::remove(qint64 id) {
  if (list_.rowOf(id) >= 0) link_.deleteConversation(id);
}

void ConversationsViewModel::undo() {
  if (!deleted_.empty()) link_.undoDelete(deleted_.back().id);
}

double ConversationsViewModel::undoRemaining() const {
  if (deleted_.empty()) return 0;
  const Deleted& last = deleted_.back();
  return last.undo_ms <= 0 ? 0 : static_cast<double>(last.until.remainingTime()) / last.undo_ms;
}

void ConversationsViewModel::onDeleted(ConversationId id, int undo_ms) {
  const Conversation* conversation = list_.find(id);
  if (!conversation) return;
  const int row = list_.rowOf(id);
  qint64 neighbour = list_.idAt(row + 1);
  if (neighbour == 0) neighbour = list_.idAt(row - 1);
  deleted_.push_back({id, titleOf(*conversation), QDeadlineTimer(undo_ms), undo_ms});
  list_.remove(id);
  ticker_.start();
  emit undoChanged();
  emit undoTicked();
  emit leftForNeighbour(id, neighbour);
}

void ConversationsViewModel::forgetDeleted(ConversationId id) {
  std::erase_if(deleted_, [id](const Deleted& deleted) { return deleted.id == id; });
  if (deleted_.empty()) ticker_.stop();
  emit undoChanged();
  emit undoTicked();
}

void ConversationsViewModel::tick() {
  const auto gone = std::erase_if(deleted_, [](const Deleted& d) { return d.until.hasExpired(); });
  if (deleted_.empty()) ticker_.stop();
  if (gone > 0) emit undoChanged();
  emit undoTicked();
}

}  // namespace hearth
