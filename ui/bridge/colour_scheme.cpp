#include "ui/bridge/colour_scheme.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>

namespace hearth {
namespace {

const QString kService = QStringLiteral("org.freedesktop.portal.Desktop");
const QString kPath = QStringLiteral("/org/freedesktop/portal/desktop");
const QString kInterface = QStringLiteral("org.freedesktop.portal.Settings");
const QString kGroup = QStringLiteral("org.freedesktop.appearance");
const QString kKey = QStringLiteral("color-scheme");
constexpr uint kPreferDark = 1;  // 0: no preference, 2: light

}  // namespace

DesktopColourScheme::DesktopColourScheme(QObject* parent) : QObject(parent) {
  // Without an address Qt would start a bus of its own, which takes seconds and answers nothing.
  if (qEnvironmentVariableIsEmpty("DBUS_SESSION_BUS_ADDRESS") &&
      qEnvironmentVariableIsEmpty("XDG_RUNTIME_DIR"))
    return;
  QDBusConnection bus = QDBusConnection::sessionBus();
  if (!bus.isConnected()) return;
  bus.connect(kService, kPath, kInterface, QStringLiteral("SettingChanged"), this,
              SLOT(onSettingChanged(QString, QString, QDBusVariant)));
  QDBusMessage call = QDBusMessage::createMethodCall(kService, kPath, kInterface,
                                                     QStringLiteral("Read"));
  call << kGroup << kKey;
  auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(call), this);
  connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
    const QDBusPendingReply<QDBusVariant> reply = *watcher;
    if (reply.isValid()) apply(reply.value().variant());
    watcher->deleteLater();
  });
}

void DesktopColourScheme::onSettingChanged(const QString& group, const QString& key,
                                           const QDBusVariant& value) {
  if (group == kGroup && key == kKey) apply(value.variant());
}

void DesktopColourScheme::apply(const QVariant& value) {
  // Read wraps its answer in a second variant, SettingChanged does not.
  const bool nested = value.userType() == qMetaTypeId<QDBusVariant>();
  const uint scheme = nested ? value.value<QDBusVariant>().variant().toUInt() : value.toUInt();
  if (prefers_dark_ == (scheme == kPreferDark)) return;
  prefers_dark_ = scheme == kPreferDark;
  emit changed();
}

}  // namespace hearth
