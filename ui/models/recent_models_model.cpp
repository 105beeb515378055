#include "ui/models/recent_models_model.h"

#include <QDir>
#include <QFileInfo>

#include <utility>

namespace hearth {

int RecentModelsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QVariant RecentModelsModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= count()) return {};
  const QString& path = paths_[index.row()];
  switch (role) {
    case Qt::DisplayRole:
    case NameRole: return QFileInfo(path).fileName();
    case PathRole: return path;
    case FolderRole: return QDir::toNativeSeparators(QFileInfo(path).path());
    default: return {};
  }
}

QHash<int, QByteArray> RecentModelsModel::roleNames() const {
  return {{PathRole, "path"}, {NameRole, "name"}, {FolderRole, "folder"}};
}

void RecentModelsModel::reset(QStringList paths) {
  beginResetModel();
  paths_ = std::move(paths).mid(0, kLimit);
  endResetModel();
  emit countChanged();
}

void RecentModelsModel::touch(const QString& path) {
  if (!paths_.isEmpty() && paths_.first() == path) return;
  remove(path);
  if (count() == kLimit) remove(paths_.last());
  beginInsertRows({}, 0, 0);
  paths_.prepend(path);
  endInsertRows();
  emit countChanged();
}

void RecentModelsModel::remove(const QString& path) {
  const int row = static_cast<int>(paths_.indexOf(path));
  if (row < 0) return;
  beginRemoveRows({}, row, row);
  paths_.removeAt(row);
  endRemoveRows();
  emit countChanged();
}

}  // namespace hearth
