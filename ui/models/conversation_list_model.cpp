#include "ui/models/conversation_list_model.h"

#include <QCoreApplication>
#include <QDateTime>

#include <algorithm>
#include <utility>

namespace hearth {
namespace {

// Not the model's own tr(): lupdate and moc disagree about namespaces.
class Text {
  Q_DECLARE_TR_FUNCTIONS(Conversations)
};

bool isNewer(const Conversation& a, const Conversation& b) {
  return a.updated_at_ms != b.updated_at_ms ? a.updated_at_ms > b.updated_at_ms : a.id > b.id;
}

QString sectionOf(const Conversation& conversation) {
  const QDate day = QDateTime::fromMSecsSinceEpoch(conversation.updated_at_ms).date();
  const qint64 days = day.daysTo(QDate::currentDate());
  if (days <= 0) return Text::tr("Today");
  if (days == 1) return Text::tr("Yesterday");
  if (days < 7) return Text::tr("This week");
  if (days < 31) return Text::tr("This month");
  return Text::tr("Older");
}

}  // namespace

QString titleOf(const Conversation& conversation) {
  const QString title = QString::fromStdString(conversation.title).simplified();
  return title.isEmpty() ? Text::tr("New conversation") : title;
}

int ConversationListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QVariant ConversationListModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= count()) return {};
  const Conversation& row = rows_[static_cast<size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
    case TitleRole: return titleOf(row);
    case IdRole: return qint64{row.id};
    case UpdatedRole: return QDateTime::fromMSecsSinceEpoch(row.updated_at_ms);
    case SectionRole: return sectionOf(row);
    default: return {};
  }
}

QHash<int, QByteArray> ConversationListModel::roleNames() const {
  return {{IdRole, "conversationId"},
          {TitleRole, "title"},
          {UpdatedRole, "updatedAt"},
          {SectionRole, "section"}};
}

void ConversationListModel::reset(std::vector<Conversation> conversations) {
  beginResetModel();
  rows_ = std::move(conversations);
  std::stable_sort(rows_.begin(), rows_.end(), isNewer);
  endResetModel();
  emit countChanged();
}

int ConversationListModel::placeOf(const Conversation& conversation) const {
  const auto place = std::find_if(rows_.begin(), rows_.end(), [&](const Conversation& row) {
    return row.id != conversation.id && isNewer(conversation, row);
  });
  return static_cast<int>(place - rows_.begin());
}

void ConversationListModel::put(const Conversation& conversation) {
  const int to = placeOf(conversation);
  const int from = rowOf(conversation.id);
  if (from < 0) {
    beginInsertRows({}, to, to);
    rows_.insert(rows_.begin() + to, conversation);
    endInsertRows();
    emit countChanged();
    return;
  }
  rows_[static_cast<size_t>(from)] = conversation;
  int row = from;
  if (to != from && to != from + 1) {
    beginMoveRows({}, from, from, {}, to);
    const auto begin = rows_.begin();
    if (to < from) {
      std::rotate(begin + to, begin + from, begin + from + 1);
    } else {
      std::rotate(begin + from, begin + from + 1, begin + to);
    }
    endMoveRows();
    row = to < from ? to : to - 1;
  }
  emit dataChanged(index(row), index(row));
}

void ConversationListModel::remove(ConversationId id) {
  const int row = rowOf(id);
  if (row < 0) return;
  beginRemoveRows({}, row, row);
  rows_.erase(rows_.begin() + row);
  endRemoveRows();
  emit countChanged();
}

const Conversation* ConversationListModel::find(ConversationId id) const {
  const int row = rowOf(id);
  return row < 0 ? nullptr : &rows_[static_cast<size_t>(row)];
}

int ConversationListModel::rowOf(qint64 id) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(),
                                  [id](const Conversation& row) { return row.id == id; });
  return found == rows_.end() ? -1 : static_cast<int>(found - rows_.begin());
}

qint64 ConversationListModel::idAt(int row) const {
  return row < 0 || row >= count() ? 0 : rows_[static_cast<size_t>(row)].id;
}

}  // namespace hearth
