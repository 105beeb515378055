// The left column: the list, renaming, deleting and taking a deletion back.
#pragma once

#include <QDeadlineTimer>
#include <QObject>
#include <QTimer>
#include <qqmlregistration.h>

#include <vector>

#include "ui/bridge/chat_link.h"
#include "ui/models/conversation_list_model.h"

namespace hearth {

class ConversationsViewModel : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by the window")
  Q_PROPERTY(hearth::ConversationListModel* list READ list CONSTANT)
  Q_PROPERTY(QString currentTitle READ currentTitle NOTIFY currentTitleChanged)
  Q_PROPERTY(bool undoPossible READ undoPossible NOTIFY undoChanged)
  Q_PROPERTY(QString undoTitle READ undoTitle NOTIFY undoChanged)
  Q_PROPERTY(double undoRemaining READ undoRemaining NOTIFY undoTicked)

 public:
  explicit ConversationsViewModel(ChatLink& link, QObject* parent = nullptr);

  ConversationListModel* list() { return &list_; }
  /// Of the open conversation; empty when none is open.
  QString currentTitle() const;
  void setCurrent(ConversationId id);
  bool undoPossible() const { return !deleted_.empty(); }
  QString undoTitle() const { return deleted_.empty() ? QString() : deleted_.back().title; }
  /// Part of the time that is left to take the last deletion back, 1 … 0.
  double undoRemaining() const;

  Q_INVOKABLE void rename(qint64 id, const QString& title);
  Q_INVOKABLE void remove(qint64 id);
  Q_INVOKABLE void undo();

 signals:
  void currentTitleChanged();
  void undoChanged();
  void undoTicked();
  void listed();
  /// The deleted conversation's neighbour; 0 when the list is empty.
  void leftForNeighbour(qint64 deleted, qint64 neighbour);
  void restored(qint64 id);

 private:
  struct Deleted {
    ConversationId id;
    QString title;
    QDeadlineTimer until;
    int undo_ms;
  };
  void onDeleted(ConversationId id, int undo_ms);
  void forgetDeleted(ConversationId id);
  void tick();

  ChatLink& link_;
  ConversationListModel list_;
  ConversationId current_ = 0;
  std::vector<Deleted> deleted_;  // may still come back, oldest first
  QTimer ticker_;
};

}  // namespace hearth
