// The conversations of the left column, most recently used first.
#pragma once

#include <QAbstractListModel>
#include <qqmlregistration.h>

#include <vector>

#include "app/chat/chat_types.h"

namespace hearth {

class ConversationListModel : public QAbstractListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("belongs to the conversations view model")
  Q_PROPERTY(int count READ count NOTIFY countChanged)

 public:
  enum Role { IdRole = Qt::UserRole + 1, TitleRole, UpdatedRole, SectionRole };

  using QAbstractListModel::QAbstractListModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;
  int count() const { return static_cast<int>(rows_.size()); }

  void reset(std::vector<Conversation> conversations);
  /// Adds it, or updates its row and moves it to its place.
  void put(const Conversation& conversation);
  void remove(ConversationId id);
  const Conversation* find(ConversationId id) const;
  Q_INVOKABLE int rowOf(qint64 id) const;     // -1: not there
  Q_INVOKABLE qint64 idAt(int row) const;     // 0: no such row

 signals:
  void countChanged();

 private:
  int placeOf(const Conversation& conversation) const;
  std::vector<Conversation> rows_;  // by updated_at_ms, newest first
};

/// What a conversation is called in the window.
QString titleOf(const Conversation& conversation);

}  // namespace hearth
