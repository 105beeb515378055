// Whether the desktop prefers dark, from the settings portal (org.freedesktop.appearance).
#pragma once

#include <QObject>

class QDBusVariant;

namespace hearth {

/// Asks over D-Bus without waiting. Light until an answer comes, and where there is no portal.
class DesktopColourScheme : public QObject {
  Q_OBJECT

 public:
  explicit DesktopColourScheme(QObject* parent = nullptr);
  bool prefersDark() const { return prefers_dark_; }

 signals:
  void changed();

 private slots:
  void onSettingChanged(const QString& group, const QString& key, const QDBusVariant& value);

 private:
  void apply(const QVariant& value);
  bool prefers_dark_ = false;
};

}  // namespace hearth
