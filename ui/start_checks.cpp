#include "ui/start_checks.h"

#include <QFontDatabase>
#include <QFontInfo>
#include <QGuiApplication>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFunctions>
#include <QQuickWindow>
#include <QSGRendererInterface>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hearth {
namespace {

QtMessageHandler g_previous_handler = nullptr;  // Qt's handlers are plain functions without context

void sayNoDisplay(const char* reason) {
  std::fprintf(stderr,
               "hearth: no display to open a window on (%s).\n"
               "Start it from a desktop session, set DISPLAY or WAYLAND_DISPLAY, or chat in this "
               "terminal:\n\n    hearth-cli chat\n\n",
               reason);
}

void handleMessage(QtMsgType type, const QMessageLogContext& context, const QString& message) {
  if (type == QtFatalMsg && message.contains(QLatin1String("platform plugin"))) {
    sayNoDisplay("the display does not answer");
    std::_Exit(1);
  }
  g_previous_handler(type, context, message);
}

bool isSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

/// OpenGL's renderer; empty when no context can be made.
QByteArray rendererName() {
  QOpenGLContext context;
  if (!context.create()) return {};
  QOffscreenSurface surface;
  surface.setFormat(context.format());
  surface.create();
  if (!surface.isValid() || !context.makeCurrent(&surface)) return {};
  const auto* name = reinterpret_cast<const char*>(context.functions()->glGetString(GL_RENDERER));
  context.doneCurrent();
  return QByteArray(name).toLower();
}

}  // namespace

bool displayIsMissing(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "-platform") == 0) return false;
  if (isSet("QT_QPA_PLATFORM") || isSet("DISPLAY") || isSet("WAYLAND_DISPLAY")) return false;
  sayNoDisplay("neither DISPLAY nor WAYLAND_DISPLAY is set");
  return true;
}

void explainPlatformFailure() { g_previous_handler = qInstallMessageHandler(handleMessage); }

void chooseRenderer() {
  if (isSet("QT_QUICK_BACKEND") || isSet("QSG_RHI_BACKEND")) return;
  const QByteArray name = rendererName();
  const bool on_processor = name.isEmpty() || name.contains("llvmpipe") ||
                            name.contains("softpipe") || name.contains("swrast");
  if (on_processor) QQuickWindow::setGraphicsApi(QSGRendererInterface::Software);
}

void chooseFont() {
  const QString family = QFontInfo(QGuiApplication::font()).family();
  const QString preferred = QStringLiteral("Noto Sans CJK SC");
  if (!family.startsWith(QLatin1String("DejaVu")) || !QFontDatabase::hasFamily(preferred)) return;
  QFont font = QGuiApplication::font();
  font.setFamilies({preferred, family});
  QGuiApplication::setFont(font);
}

}  // namespace hearth
