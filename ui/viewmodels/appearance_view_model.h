// Light, dark or as the desktop says, and the size of the text.
#pragma once

#include <QObject>
#include <qqmlregistration.h>

#include "ui/bridge/colour_scheme.h"
#include "ui/bridge/preferences.h"

namespace hearth {

class AppearanceViewModel : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by the window")
  Q_PROPERTY(Mode mode READ mode WRITE setMode NOTIFY changed)
  Q_PROPERTY(bool dark READ dark NOTIFY changed)
  Q_PROPERTY(int textPercent READ textPercent WRITE setTextPercent NOTIFY changed)

 public:
  enum Mode { System, Light, Dark };
  Q_ENUM(Mode)
  static constexpr int kMinTextPercent = 80, kMaxTextPercent = 200;

  explicit AppearanceViewModel(Preferences& preferences, QObject* parent = nullptr);

  Mode mode() const { return mode_; }
  bool dark() const { return mode_ == Dark || (mode_ == System && desktop_.prefersDark()); }
  int textPercent() const { return text_percent_; }
  void setMode(Mode mode);
  void setTextPercent(int percent);

 signals:
  void changed();

 private:
  void read();

  Preferences& preferences_;
  DesktopColourScheme desktop_;
  Mode mode_ = System;
  int text_percent_ = 100;
};

}  // namespace hearth
