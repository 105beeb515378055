#include "ui/failure_window.h"

#include <QGuiApplication>
#include <QQmlApplicationEngine>

#include <cstdio>

namespace hearth {

void showStartFailure(const Notice& notice) {
  std::fprintf(stderr, "hearth: %s\n%s\n", qUtf8Printable(notice.text), qUtf8Printable(notice.details));
  QQmlApplicationEngine engine;
  engine.addImportPath(QStringLiteral(":/qt/qml"));
  engine.setInitialProperties({{QStringLiteral("text"), notice.text},
                               {QStringLiteral("details"), notice.details}});
  engine.load(QUrl(QStringLiteral("qrc:/qt/qml/Hearth/qml/FailureWindow.qml")));
  if (!engine.rootObjects().isEmpty()) QGuiApplication::exec();
}

}  // namespace hearth
