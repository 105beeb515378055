#include "ui/models/notice_list_model.h"

#include <algorithm>

namespace hearth {

int NoticeListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QVariant NoticeListModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= count()) return {};
  const Notice& row = rows_[static_cast<size_t>(index.row())];
  if (role == TextRole || role == Qt::DisplayRole) return row.text;
  if (role == DetailsRole) return row.details;
  if (role == OpenedRole) return row.opened;
  return {};
}

QHash<int, QByteArray> NoticeListModel::roleNames() const {
  return {{TextRole, "text"}, {DetailsRole, "details"}, {OpenedRole, "opened"}};
}

void NoticeListModel::post(const Notice& notice) {
  const bool shown = std::any_of(rows_.begin(), rows_.end(), [&](const Notice& row) {
    return row.text == notice.text && row.details == notice.details;
  });
  if (shown) return;
  if (count() == kLimit) dismiss(0);
  beginInsertRows({}, count(), count());
  rows_.push_back(notice);
  endInsertRows();
  emit countChanged();
}

void NoticeListModel::dismiss(int row) {
  if (row < 0 || row >= count()) return;
  beginRemoveRows({}, row, row);
  rows_.erase(rows_.begin() + row);
  endRemoveRows();
  emit countChanged();
}

}  // namespace hearth
