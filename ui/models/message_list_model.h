// The messages of the conversation that is shown: one path through its tree.
#pragma once

#include <QAbstractListModel>
#include <QTimer>
#include <qqmlregistration.h>

#include <vector>

#include "app/chat/chat_types.h"

namespace hearth {

/// Changes as little as it can: a branch switch keeps the rows that both paths share, streamed text
/// changes one role of one row, at most once a frame.
class MessageListModel : public QAbstractListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("belongs to the chat view model")
  Q_PROPERTY(int count READ count NOTIFY countChanged)

 public:
  enum Role {
    IdRole = Qt::UserRole + 1,
    IsUserRole,
    TextRole,
    StateRole,            // "complete", "streaming", "interrupted", "stopped", "failed"
    ReasonRole,           // why it failed, in the user's language; may be empty
    ErrorRole,            // details, untranslated
    VersionRole,          // 1 … versions
    VersionsRole,
    StatisticsRole,       // one line; empty without statistics
    StatisticsMoreRole,   // the rest, several lines
    DroppedRole,          // messages that no longer fitted the context
    ReadingRole,          // part of the prompt that is read, 0 … 1; negative: not reading
  };

  explicit MessageListModel(QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;
  int count() const { return static_cast<int>(rows_.size()); }

  void setPath(const std::vector<Message>& path);
  void add(const std::vector<Message>& messages);
  void appendText(MessageId id, const QString& text);
  void setReading(MessageId id, int done, int total);
  void replace(const Message& message);

  const Message* find(MessageId id) const;
  const Message* lastOf(hearth::Role role) const;
  /// The version `step` before or after `id`; 0 when there is none.
  MessageId versionBeside(MessageId id, int step) const;
  Q_INVOKABLE int rowOf(qint64 id) const;
  Q_INVOKABLE qint64 idAt(int row) const;

 signals:
  void countChanged();

 private:
  struct Row {
    Message message;
    QString text;        // grows while streaming; message.text is what was stored when it came
    double reading = -1;
    bool text_changed = false;
  };
  static Row rowFrom(const Message& message);
  Row* rowFor(MessageId id);
  void announceText();

  std::vector<Row> rows_;
  QTimer frame_;  // until the next announcement
};

}  // namespace hearth
