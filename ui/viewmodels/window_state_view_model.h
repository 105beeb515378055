// Where the window was and which of its panels were open.
#pragma once

#include <QObject>
#include <QRect>
#include <QTimer>
#include <qqmlregistration.h>

#include "ui/bridge/preferences.h"

namespace hearth {

class WindowStateViewModel : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by the window")
  Q_PROPERTY(QRect geometry READ geometry NOTIFY restored)
  Q_PROPERTY(bool maximized READ maximized NOTIFY restored)
  Q_PROPERTY(bool sidebarShown READ sidebarShown WRITE setSidebarShown NOTIFY panelsChanged)
  Q_PROPERTY(bool settingsShown READ settingsShown WRITE setSettingsShown NOTIFY panelsChanged)
  /// True once the window may be shown: its place and colours are known.
  Q_PROPERTY(bool ready READ ready NOTIFY readyChanged)

 public:
  explicit WindowStateViewModel(Preferences& preferences, QObject* parent = nullptr);
  ~WindowStateViewModel() override;

  /// Empty: not known yet, or no longer on any screen.
  QRect geometry() const { return geometry_; }
  bool maximized() const { return maximized_; }
  bool sidebarShown() const { return sidebar_shown_; }
  bool settingsShown() const { return settings_shown_; }
  bool ready() const { return ready_; }
  void setSidebarShown(bool shown);
  void setSettingsShown(bool shown);
  void setReady();

  Q_INVOKABLE void remember(int x, int y, int width, int height, bool maximized);

 signals:
  void restored();
  void panelsChanged();
  /// By the user, and not because it was so the last time.
  void settingsToggled();
  void readyChanged();

 private:
  void read();
  void save();

  Preferences& preferences_;
  QRect geometry_;
  bool maximized_ = false, sidebar_shown_ = true, settings_shown_ = false, ready_ = false;
  QTimer save_timer_;
};

}  // namespace hearth
