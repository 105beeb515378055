#include "ui/viewmodels/window_state_view_model.h"

#include <QGuiApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QScreen>

namespace hearth {
namespace {

constexpr int kSaveMs = 400;
constexpr int kMinVisible = 80;  // px of the window that must lie on a screen

bool isOnScreen(const QRect& geometry) {
  for (const QScreen* screen : QGuiApplication::screens()) {
    const QRect visible = screen->availableGeometry().intersected(geometry);
    if (visible.width() >= kMinVisible && visible.height() >= kMinVisible) return true;
  }
  return false;
}

}  // namespace

WindowStateViewModel::WindowStateViewModel(Preferences& preferences, QObject* parent)
    : QObject(parent), preferences_(preferences) {
  save_timer_.setSingleShot(true);
  save_timer_.setInterval(kSaveMs);
  connect(&save_timer_, &QTimer::timeout, this, &WindowStateViewModel::save);
  connect(&preferences_, &Preferences::loaded, this, &WindowStateViewModel::read);
}

WindowStateViewModel::~WindowStateViewModel() {
  if (save_timer_.isActive()) save();
}

void WindowStateViewModel::read() {
  const QJsonObject saved =
      QJsonDocument::fromJson(preferences_.value(Preferences::kWindow).toUtf8()).object();
  const QJsonArray at = saved[QLatin1String("at")].toArray();
  const QRect geometry(at[0].toInt(), at[1].toInt(), at[2].toInt(), at[3].toInt());
  geometry_ = at.size() == 4 && isOnScreen(geometry) ? geometry : QRect();
  maximized_ = saved[QLatin1String("maximized")].toBool();
  sidebar_shown_ = saved[QLatin1String("sidebar")].toBool(true);
  settings_shown_ = saved[QLatin1String("settings")].toBool(false);
  emit panelsChanged();
  emit restored();
}

void WindowStateViewModel::save() {
  save_timer_.stop();
  const QJsonObject saved{
      {QStringLiteral("at"), QJsonArray{geometry_.x(), geometry_.y(), geometry_.width(), geometry_.height()}},
      {QStringLiteral("maximized"), maximized_},
      {QStringLiteral("sidebar"), sidebar_shown_},
      {QStringLiteral("settings"), settings_shown_}};
  preferences_.set(Preferences::kWindow,
                   QString::fromUtf8(QJsonDocument(saved).toJson(QJsonDocument::Compact)));
}

void WindowStateViewModel::setReady() {
  if (ready_) return;
  ready_ = true;
  emit readyChanged();
}

void WindowStateViewModel::remember(int x, int y, int width, int height, bool maximized) {
  maximized_ = maximized;
  // A maximized window goes back to the size it had before.
  if (!maximized) geometry_ = QRect(x, y, width, height);
  save_timer_.start();
}

void WindowStateViewModel::setSidebarShown(bool shown) {
  if (sidebar_shown_ == shown) return;
  sidebar_shown_ = shown;
  save_timer_.start();
  emit panelsChanged();
}

void WindowStateViewModel::setSettingsShown(bool shown) {
  if (settings_shown_ == shown) return;
  settings_shown_ = shown;
  save_timer_.start();
  emit panelsChanged();
  emit settingsToggled();
}

}  // namespace hearth
