#include "ui/viewmodels/appearance_view_model.h"

#include <QMetaEnum>

#include <algorithm>

namespace hearth {

AppearanceViewModel::AppearanceViewModel(Preferences& preferences, QObject* parent)
    : QObject(parent), preferences_(preferences), desktop_(this) {
  connect(&desktop_, &DesktopColourScheme::changed, this, &AppearanceViewModel::changed);
  connect(&preferences_, &Preferences::loaded, this, &AppearanceViewModel::read);
}

void AppearanceViewModel::read() {
  bool known = false;
  const QByteArray name = preferences_.value(Preferences::kAppearance).toLatin1();
  const int mode = QMetaEnum::fromType<Mode>().keyToValue(name.constData(), &known);
  mode_ = known ? static_cast<Mode>(mode) : System;
  const int percent = preferences_.value(Preferences::kTextSize).toInt();
  text_percent_ = percent == 0 ? 100 : std::clamp(percent, kMinTextPercent, kMaxTextPercent);
  emit changed();
}

void AppearanceViewModel::setMode(Mode mode) {
  if (mode_ == mode) return;
  mode_ = mode;
  preferences_.set(Preferences::kAppearance,
                   QLatin1String(QMetaEnum::fromType<Mode>().valueToKey(mode)));
  emit changed();
}

void AppearanceViewModel::setTextPercent(int percent) {
  percent = std::clamp(percent, kMinTextPercent, kMaxTextPercent);
  if (text_percent_ == percent) return;
  text_percent_ = percent;
  preferences_.set(Preferences::kTextSize, QString::number(percent));
  emit changed();
}

}  // namespace hearth
