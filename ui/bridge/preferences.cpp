#include "ui/bridge/preferences.h"

namespace hearth {

Preferences::Preferences(ChatLink& link, QObject* parent) : QObject(parent), link_(link) {
  connect(&link_, &ChatLink::settingLoaded, this, [this](const QString& key, const QString& value) {
    if (!awaited_.remove(key)) return;
    values_.insert(key, value);
    if (!awaited_.isEmpty() || loaded_) return;
    loaded_ = true;
    emit loaded();
  });
}

void Preferences::load() {
  awaited_ = {kAppearance, kTextSize, kWindow, kRecentModels, kLastModel, kLastConversation};
  const QSet<QString> keys = awaited_;
  for (const QString& key : keys) link_.loadSetting(key);
}

void Preferences::set(const QString& key, const QString& value) {
  if (values_.value(key) == value) return;
  values_.insert(key, value);
  link_.saveSetting(key, value);
}

}  // namespace hearth
