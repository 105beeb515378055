// Messages to the user that stay until they are dismissed: what failed, and the details on demand.
#pragma once

#include <QAbstractListModel>
#include <qqmlregistration.h>

#include <vector>

namespace hearth {

struct Notice {
  QString text;         // translated, for the user
  QString details = {}; // untranslated, names the thing
  bool opened = false;  // the details are shown from the start
};

class NoticeListModel : public QAbstractListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("belongs to the window")
  Q_PROPERTY(int count READ count NOTIFY countChanged)

 public:
  enum Role { TextRole = Qt::UserRole + 1, DetailsRole, OpenedRole };
  static constexpr int kLimit = 3;  // older ones make room

  using QAbstractListModel::QAbstractListModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;
  int count() const { return static_cast<int>(rows_.size()); }

  /// The same notice is not shown twice.
  void post(const Notice& notice);
  Q_INVOKABLE void dismiss(int row);

 signals:
  void countChanged();

 private:
  std::vector<Notice> rows_;
};

}  // namespace hearth
