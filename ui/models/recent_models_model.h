// Model files opened lately, newest first.
#pragma once

#include <QAbstractListModel>
#include <QStringList>
#include <qqmlregistration.h>

namespace hearth {

class RecentModelsModel : public QAbstractListModel {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("belongs to the model picker")
  Q_PROPERTY(int count READ count NOTIFY countChanged)

 public:
  enum Role { PathRole = Qt::UserRole + 1, NameRole, FolderRole };
  static constexpr int kLimit = 8;

  using QAbstractListModel::QAbstractListModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;
  int count() const { return static_cast<int>(paths_.size()); }

  const QStringList& paths() const { return paths_; }
  void reset(QStringList paths);
  /// Puts `path` first.
  void touch(const QString& path);
  void remove(const QString& path);

 signals:
  void countChanged();

 private:
  QStringList paths_;
};

}  // namespace hearth
