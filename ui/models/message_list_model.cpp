#include "ui/models/message_list_model.h"

#include <algorithm>
#include <utility>

#include "ui/models/error_text.h"
#include "ui/models/statistics_text.h"

namespace hearth {
namespace {

constexpr int kFrameMs = 16;

QString stateName(MessageState state) {
  switch (state) {
    case MessageState::complete: return QStringLiteral("complete");
    case MessageState::streaming: return QStringLiteral("streaming");
    case MessageState::interrupted: return QStringLiteral("interrupted");
    case MessageState::stopped: return QStringLiteral("stopped");
    case MessageState::failed: return QStringLiteral("failed");
  }
  return {};
}

int versionOf(const Message& message) {
  const auto& ids = message.sibling_ids;
  const auto found = std::find(ids.begin(), ids.end(), message.id);
  return found == ids.end() ? 1 : static_cast<int>(found - ids.begin()) + 1;
}

}  // namespace

MessageListModel::MessageListModel(QObject* parent) : QAbstractListModel(parent) {
  frame_.setSingleShot(true);
  frame_.setInterval(kFrameMs);
  connect(&frame_, &QTimer::timeout, this, &MessageListModel::announceText);
}

int MessageListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QVariant MessageListModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= count()) return {};
  const Row& row = rows_[static_cast<size_t>(index.row())];
  const Message& message = row.message;
  switch (role) {
    case Qt::DisplayRole:
    case TextRole: return row.text;
    case IdRole: return qint64{message.id};
    case IsUserRole: return message.role == hearth::Role::user;
    case StateRole: return stateName(message.state);
    case ReasonRole: return describeErrorNamed(message.error_code);
    case ErrorRole: return QString::fromStdString(message.error);
    case VersionRole: return versionOf(message);
    case VersionsRole: return std::max(1, static_cast<int>(message.sibling_ids.size()));
    case StatisticsRole: return message.stats ? statisticsLine(*message.stats) : QString();
    case StatisticsMoreRole: return message.stats ? statisticsDetails(*message.stats) : QString();
    case DroppedRole: return message.stats ? message.stats->dropped_messages : 0;
    case ReadingRole: return row.reading;
    default: return {};
  }
}

QHash<int, QByteArray> MessageListModel::roleNames() const {
  return {{IdRole, "messageId"},
          {IsUserRole, "isUser"},
          {TextRole, "text"},
          {StateRole, "answerState"},
          {ReasonRole, "reason"},
          {ErrorRole, "error"},
          {VersionRole, "version"},
          {VersionsRole, "versions"},
          {StatisticsRole, "statistics"},
          {StatisticsMoreRole, "statisticsMore"},
          {DroppedRole, "droppedMessages"},
          {ReadingRole, "reading"}};
}

MessageListModel::Row MessageListModel::rowFrom(const Message& message) {
  return Row{.message = message, .text = QString::fromStdString(message.text)};
}

void MessageListModel::setPath(const std::vector<Message>& path) {
  size_t kept = 0;
  while (kept < rows_.size() && kept < path.size() && rows_[kept].message.id == path[kept].id) ++kept;
  if (kept < rows_.size()) {
    beginRemoveRows({}, static_cast<int>(kept), count() - 1);
    rows_.resize(kept);
    endRemoveRows();
  }
  for (size_t i = 0; i < kept; ++i) rows_[i] = rowFrom(path[i]);
  if (kept > 0) emit dataChanged(index(0), index(static_cast<int>(kept) - 1));
  if (kept < path.size()) {
    beginInsertRows({}, static_cast<int>(kept), static_cast<int>(path.size()) - 1);
    for (size_t i = kept; i < path.size(); ++i) rows_.push_back(rowFrom(path[i]));
    endInsertRows();
  }
  emit countChanged();
}

void MessageListModel::add(const std::vector<Message>& messages) {
  if (messages.empty()) return;
  beginInsertRows({}, count(), count() + static_cast<int>(messages.size()) - 1);
  for (const Message& message : messages) rows_.push_back(rowFrom(message));
  endInsertRows();
  emit countChanged();
}

void MessageListModel::appendText(MessageId id, const QString& text) {
  Row* row = rowFor(id);
  if (!row) return;
  row->text += text;
  row->text_changed = true;
  if (row->reading >= 0) {
    row->reading = -1;
    const QModelIndex at = index(rowOf(id));
    emit dataChanged(at, at, {ReadingRole});
  }
  if (!frame_.isActive()) frame_.start();
}

void MessageListModel::announceText() {
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!std::exchange(rows_[i].text_changed, false)) continue;
    const QModelIndex at = index(static_cast<int>(i));
    emit dataChanged(at, at, {TextRole});
  }
}

void MessageListModel::setReading(MessageId id, int done, int total) {
  Row* row = rowFor(id);
  if (!row || total <= 0) return;
  row->reading = static_cast<double>(done) / total;
  const QModelIndex at = index(rowOf(id));
  emit dataChanged(at, at, {ReadingRole});
}

void MessageListModel::replace(const Message& message) {
  Row* row = rowFor(message.id);
  if (!row) return;
  const std::vector<MessageId> siblings = row->message.sibling_ids;
  *row = rowFrom(message);
  if (row->message.sibling_ids.empty()) row->message.sibling_ids = siblings;
  const QModelIndex at = index(rowOf(message.id));
  emit dataChanged(at, at);
}

MessageListModel::Row* MessageListModel::rowFor(MessageId id) {
  const int row = rowOf(id);
  return row < 0 ? nullptr : &rows_[static_cast<size_t>(row)];
}

const Message* MessageListModel::find(MessageId id) const {
  const int row = rowOf(id);
  return row < 0 ? nullptr : &rows_[static_cast<size_t>(row)].message;
}

const Message* MessageListModel::lastOf(hearth::Role role) const {
  const auto found = std::find_if(rows_.rbegin(), rows_.rend(),
                                  [role](const Row& row) { return row.message.role == role; });
  return found == rows_.rend() ? nullptr : &found->message;
}

MessageId MessageListModel::versionBeside(MessageId id, int step) const {
  const Message* message = find(id);
  if (!message) return 0;
  const int at = versionOf(*message) - 1 + step;
  const auto& ids = message->sibling_ids;
  return at < 0 || at >= static_cast<int>(ids.size()) ? 0 : ids[static_cast<size_t>(at)];
}

/// Searched from the end, where everything that changes is.
int MessageListModel::rowOf(qint64 id) const {
  const auto found = std::find_if(rows_.rbegin(), rows_.rend(),
                                  [id](const Row& row) { return row.message.id == id; });
  return found == rows_.rend() ? -1 : static_cast<int>(rows_.rend() - found) - 1;
}

qint64 MessageListModel::idAt(int row) const {
  return row < 0 || row >= count() ? 0 : rows_[static_cast<size_t>(row)].message.id;
}

}  // namespace hearth
