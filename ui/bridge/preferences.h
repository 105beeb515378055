// The window's own settings ("appearance", "window_geometry", …), kept in the store.
#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <QString>

#include "ui/bridge/chat_link.h"

namespace hearth {

/// Reads its keys once at the start, then answers from memory and writes through.
class Preferences : public QObject {
  Q_OBJECT

 public:
  explicit Preferences(ChatLink& link, QObject* parent = nullptr);

  void load();
  bool isLoaded() const { return loaded_; }
  QString value(const QString& key) const { return values_.value(key); }
  void set(const QString& key, const QString& value);

  static inline const QString kAppearance = QStringLiteral("appearance");
  static inline const QString kTextSize = QStringLiteral("text_size");
  static inline const QString kWindow = QStringLiteral("window_geometry");
  static inline const QString kRecentModels = QStringLiteral("recent_models");
  static inline const QString kLastModel = QStringLiteral("last_model");
  static inline const QString kLastConversation = QStringLiteral("last_conversation");

 signals:
  void loaded();

 private:
  ChatLink& link_;
  QHash<QString, QString> values_;
  QSet<QString> awaited_;
  bool loaded_ = false;
};

}  // namespace hearth
